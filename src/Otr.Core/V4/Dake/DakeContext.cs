using System.Security.Cryptography;
using Otr.Core.Crypto;
using Otr.Core.Crypto.Ed448;
using Otr.Core.Wire;
using Shake256 = Otr.Core.Crypto.Ed448.Shake256;

namespace Otr.Core.V4.Dake;

/// <summary>
/// A DAKE in progress: WAITING_AUTH_R while <see cref="Identity"/> is set, WAITING_AUTH_I while <see cref="Answer"/> is. Both may be: who
/// loses the comparison of two Identity messages that crossed answers the other one, and keeps its own, because a peer that does not notice
/// the collision answers it all the same (checklist C7.10).
/// </summary>
internal sealed class DakeContext : PendingExchange
{
    /// <summary>Our Identity message, which waits for an Auth-R.</summary>
    public SentIdentity? Identity { get; private set; }

    /// <summary>Our Auth-R, which waits for the Auth-I.</summary>
    public SentAuthR? Answer { get; private set; }

    public override byte Version => V4Protocol.Number;

    public override bool IsUnderWay => Identity is not null || Answer is not null;

    /// <summary>A new Identity message was sent; what was in progress is wiped.</summary>
    public void Begin(SentIdentity identity, long now)
    {
        Reset();
        (Identity, Touched) = (identity, now);
    }

    /// <summary>An Auth-R was sent; an earlier one is wiped, an Identity message of ours stays.</summary>
    public void Reply(SentAuthR answer, long now)
    {
        Answer?.Dispose();
        (Answer, Touched) = (answer, now);
    }

    public override void Reset()
    {
        Identity?.Dispose();
        Answer?.Dispose();
        (Identity, Answer) = (null, null);
        base.Reset();
    }
}

/// <summary>An Identity message of ours and the keys in it.</summary>
/// <param name="profile">Our client profile as it was sent.</param>
/// <param name="message">To be repeated byte for byte.</param>
internal sealed class SentIdentity(DakeKeys keys, byte[] profile, byte[] message) : IDisposable
{
    private const int HashSize = 32;

    public DakeKeys Keys => keys;

    public byte[] Profile => profile;

    public byte[] Message => message;

    /// <summary>
    /// Compares two Identity messages that crossed by their D-H values: positive if ours stands, negative if the peer's does, 0 if it is
    /// our own. By hashes, SHAKE-256(MPI(B), 32), as big-endian numbers (C7.9).
    /// </summary>
    /// <param name="theirs">The peer's B, without leading zeros.</param>
    public int CompareTo(ReadOnlySpan<byte> theirs)
    {
        Span<byte> own = stackalloc byte[HashSize], other = stackalloc byte[HashSize];
        Hash(keys.Dh.Public, own);
        Hash(theirs, other);
        return own.SequenceCompareTo(other);
    }

    private static void Hash(ReadOnlySpan<byte> number, Span<byte> hash)
    {
        var mpi = new OtrWriter(sizeof(uint) + Group3072.ElementSize);
        mpi.Mpi(number);
        Shake256.Hash(mpi.Written, hash);
        mpi.Dispose();
    }

    public void Dispose() => keys.Dispose();
}

/// <summary>An Auth-R of ours, and what the Auth-I that answers it will make a session of: x and a are wiped already.</summary>
internal sealed class SentAuthR : IDisposable
{
    /// <summary>To be repeated byte for byte where the same Identity message comes again.</summary>
    public required byte[] Message { get; init; }

    /// <summary>SHA-256 of the Identity message that it answers.</summary>
    public required byte[] Answered { get; init; }

    /// <summary>t, which the Auth-I has to be signed over.</summary>
    public required byte[] Transcript { get; init; }

    /// <summary>The keys that it may be signed with: H of the peer, our F, our X.</summary>
    public required Ed448Point[] Ring { get; init; }

    public required Fingerprint Peer { get; init; }
    public required ulong Ssid { get; init; }
    public required SecretBytes FirstRoot { get; init; }
    public required Ed448KeyPair FirstEcdh { get; init; }
    public required Dh3072KeyPair FirstDh { get; init; }
    public required Ed448Point PeerFirstEcdh { get; init; }
    public required byte[] PeerFirstDh { get; init; }

    /// <summary>
    /// Data messages that came before the Auth-I that makes them readable, at most <see cref="OtrLimits.MaxEarlyMessages"/>.
    /// </summary>
    public List<byte[]> Early { get; } = [];

    /// <summary>Holds a data message until the Auth-I; false if there is no room.</summary>
    public bool TryHold(ReadOnlySpan<byte> message)
    {
        var bytes = message.Length;
        foreach (var early in Early) bytes += early.Length;
        if (Early.Count >= OtrLimits.MaxEarlyMessages || bytes > OtrLimits.MaxEarlyBytes) return false;
        Early.Add(message.ToArray());
        return true;
    }

    /// <summary>Whether it answers this Identity message.</summary>
    public bool IsAnswerTo(ReadOnlySpan<byte> identityMessage)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(identityMessage, hash);
        return hash.SequenceEqual(Answered);
    }

    public void Dispose()
    {
        FirstRoot.Dispose();
        FirstEcdh.Dispose();
        FirstDh.Dispose();
    }
}
