using System.Buffers.Binary;
using System.Security.Cryptography;
using Otr.Core.Crypto;
using Otr.Core.Ratchet;

namespace Otr.Core.Ake;

/// <summary>The authentication states (spec v3, "Authentication state").</summary>
internal enum AuthState : byte
{
    None = 0,
    AwaitingDhKey = 1,
    AwaitingRevealSig = 2,
    AwaitingSig = 3,
}

/// <summary>
/// An answer to a Commit that stays open for other instances. One x and one g^y give one set of data keys, so a recorded
/// answer must never be taken again, not even under another tag: tags are not authenticated in the AKE.
/// </summary>
/// <param name="KeyHash">First 8 bytes of SHA-256 of g^y (192 bytes).</param>
internal readonly record struct CommitAnswer(uint PeerTag, ulong KeyHash)
{
    public static CommitAnswer Of(uint peerTag, ReadOnlySpan<byte> gy)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(gy, hash);
        return new(peerTag, BinaryPrimitives.ReadUInt64BigEndian(hash));
    }
}

/// <summary>
/// What a key exchange in progress holds. Which fields are set follows from <see cref="State"/>; the names are the
/// specification's, seen from whoever holds this.
/// </summary>
internal sealed class AuthContext : IDisposable
{
    public AuthState State { get; set; }
    public byte Version { get; set; }
    /// <summary>Unix ms of the last progress; the secrets are wiped <see cref="OtrLimits.AkeLifetime"/> later.</summary>
    public long Touched { get; set; }
    /// <summary>x or y.</summary>
    public DhKeyPair? Own { get; set; }
    /// <summary>The Commit's AES key (AWAITING_DHKEY).</summary>
    public SecretBytes? R { get; set; }
    /// <summary>SHA-256 of MPI(g^x): ours in AWAITING_DHKEY, the peer's in AWAITING_REVEALSIG.</summary>
    public byte[]? HashedGx { get; set; }
    /// <summary>The peer's encrypted g^x (AWAITING_REVEALSIG).</summary>
    public byte[]? EncryptedGx { get; set; }
    /// <summary>The peer's g^y (AWAITING_SIG), 192 bytes.</summary>
    public byte[]? PeerPublic { get; set; }
    /// <summary>Keys of the exchange (AWAITING_SIG).</summary>
    public AkeKeys? Keys { get; set; }
    /// <summary>Who has answered a Commit that went to all instances; at most <see cref="OtrLimits.MaxCommitAnswers"/>.</summary>
    public List<CommitAnswer> Answers { get; } = [];
    /// <summary>Data keys of key ids 1/1, from the same s (AWAITING_SIG).</summary>
    public SessionKeys? DataKeys { get; set; }
    /// <summary>
    /// The message last sent, to be repeated byte by byte: encrypting X anew under the same c would use the key stream
    /// twice.
    /// </summary>
    public byte[]? Sent { get; set; }

    /// <summary>An instance has answered: a new query gets a new Commit.</summary>
    public bool IsAnswered => Answers.Count > 0;

    /// <summary>This instance has answered: for it the Commit is spent.</summary>
    public bool IsAnsweredBy(uint peerTag) => Answers.Exists(a => a.PeerTag == peerTag);

    /// <summary>This answer, or another by the same instance, has been taken.</summary>
    public bool IsSpentFor(CommitAnswer answer) => Answers.Exists(a => a.PeerTag == answer.PeerTag || a.KeyHash == answer.KeyHash);

    /// <summary>Back to NONE, everything wiped.</summary>
    public void Reset()
    {
        State = AuthState.None;
        Own?.Dispose();
        R?.Dispose();
        Keys?.Dispose();
        DataKeys?.Dispose();
        (Own, R, Keys, DataKeys) = (null, null, null, null);
        Answers.Clear();
        HashedGx = EncryptedGx = PeerPublic = Sent = null;
    }

    public void Dispose() => Reset();
}
