using System.Security.Cryptography;
using Otr.Core.Crypto;
using Otr.Core.Crypto.Ed448;

namespace Otr.Core.V4.Ratchet;

/// <summary>What of a data message's header belongs to the ratchet.</summary>
/// <param name="previousCount">pn: messages in the sender's previous ratchet.</param>
/// <param name="ratchetId">Number of the ratchet.</param>
/// <param name="messageId">j: number of the message in it.</param>
/// <param name="ecdh">The sender's ECDH key, a POINT.</param>
/// <param name="dh">The sender's D-H key, 384 bytes; empty but in every third ratchet.</param>
internal readonly ref struct RatchetHeader(
    uint previousCount, uint ratchetId, uint messageId, ReadOnlySpan<byte> ecdh, ReadOnlySpan<byte> dh)
{
    public readonly uint PreviousCount = previousCount, RatchetId = ratchetId, MessageId = messageId;
    public readonly ReadOnlySpan<byte> Ecdh = ecdh, Dh = dh;

    /// <summary>Every third ratchet brings a new D-H key, and each of its messages carries it.</summary>
    public bool HasDh => RatchetId % 3 == 0;
}

/// <summary>
/// The double ratchet of version 4 (specification, "Double Ratchet"; checklist C8): one counter i goes up at every rotation, by the sender
/// of a new key or by its receiver, in turn. Rotations at a multiple of three take a new D-H key as well, the others hash the brace key on.
/// Receiving computes on a candidate (<see cref="Open"/>) and changes nothing before the message's MAC has verified (<see cref="Commit"/>).
/// </summary>
internal sealed partial class DoubleRatchet : IDisposable
{
    private const int BraceKeySize = 32;

    private readonly SecretBytes _root = new(MessageKeys.KeySize), _brace = new(BraceKeySize);
    private readonly SecretBytes _sendingChain = new(MessageKeys.KeySize), _receivingChain = new(MessageKeys.KeySize);
    private readonly SkippedKeys _skipped = new();
    private readonly LinkedList<SecretBytes> _reveals = [];
    private Ed448KeyPair _ourEcdh;
    private Dh3072KeyPair _ourDh;
    private Ed448Point _theirEcdh;
    private byte[] _theirDh;
    private bool _sendingRotationDue;

    /// <summary>The ratchet of <see cref="_receivingChain"/>; null before the peer's first one.</summary>
    private uint? _receivingId;

    private DoubleRatchet(
        ReadOnlySpan<byte> firstRoot, Ed448KeyPair ourEcdh, Dh3072KeyPair ourDh, Ed448Point theirEcdh, byte[] theirDh)
    {
        firstRoot.CopyTo(_root.Span);
        (_ourEcdh, _ourDh, _theirEcdh, _theirDh) = (ourEcdh, ourDh, theirEcdh, theirDh);
    }

    /// <summary>i.</summary>
    public uint Rotations { get; private set; }

    /// <summary>j: messages sent in our ratchet.</summary>
    public uint Sent { get; private set; }

    /// <summary>k: the next message of the peer's ratchet.</summary>
    public uint Received { get; private set; }

    /// <summary>pn: messages sent in our previous ratchet.</summary>
    public uint PreviousCount { get; private set; }

    /// <summary>Ids of the stored keys.</summary>
    public IEnumerable<(uint Ratchet, uint Message)> Skipped => _skipped.Ids;

    /// <summary>Root and chains, for tests that compare whole states.</summary>
    internal (byte[] Root, byte[] Sending, byte[] Receiving) Keys =>
        (_root.Span.ToArray(), _sendingChain.Span.ToArray(), _receivingChain.Span.ToArray());

    /// <summary>
    /// For the sender of Auth-R, once Auth-I verified: the first keys of both give the first sending chain. Takes the pairs over.
    /// </summary>
    public static DoubleRatchet StartSending(
        ReadOnlySpan<byte> firstRoot, Ed448KeyPair ourEcdh, Dh3072KeyPair ourDh, Ed448Point theirEcdh, byte[] theirDh)
    {
        var ratchet = new DoubleRatchet(firstRoot, ourEcdh, ourDh, theirEcdh, theirDh);
        Rotate(ourEcdh, theirEcdh, ourDh, theirDh, ratchet._root.Span, ratchet._brace.Span, ratchet._sendingChain.Span);
        return ratchet;
    }

    /// <summary>
    /// For the sender of Auth-I: the first keys of both give the first receiving chain, and a sending ratchet begins at once. Draws 57 and
    /// 80 bytes. Takes the pairs over.
    /// </summary>
    public static DoubleRatchet StartReceiving(
        ReadOnlySpan<byte> firstRoot, Ed448KeyPair ourEcdh, Dh3072KeyPair ourDh, Ed448Point theirEcdh, byte[] theirDh, IRandomSource random)
    {
        var ratchet = new DoubleRatchet(firstRoot, ourEcdh, ourDh, theirEcdh, theirDh) { _receivingId = 0 };
        Rotate(ourEcdh, theirEcdh, ourDh, theirDh, ratchet._root.Span, ratchet._brace.Span, ratchet._receivingChain.Span);
        ratchet.RotateSending(random);
        return ratchet;
    }

    /// <summary>
    /// The keys of the next message to be sent; the first one after a message in a new ratchet of the peer begins a new one of ours.
    /// </summary>
    /// <param name="random">Draws 57 bytes for a new ratchet, and 80 more if it takes a new D-H key.</param>
    /// <param name="header">What the message says; its spans stay valid until the next rotation.</param>
    /// <param name="revealed">MAC keys of received messages, for the first message of a new ratchet: its caller disposes them.</param>
    public MessageKeys Send(IRandomSource random, out RatchetHeader header, out IReadOnlyList<SecretBytes> revealed)
    {
        revealed = [];
        if (_sendingRotationDue)
        {
            RotateSending(random);
            revealed = TakeReveals();
        }
        uint id = Rotations == 0 ? 0 : Rotations - 1;
        header = new RatchetHeader(PreviousCount, id, Sent, _ourEcdh.Public.Encoding, id % 3 == 0 ? _ourDh.Public : default);
        var keys = MessageKeys.Derive(_sendingChain.Span);
        MessageKeys.Advance(_sendingChain.Span);
        Sent++;
        return keys;
    }

    /// <summary>
    /// The MAC keys of all received messages that were not revealed yet and, for the end of a session that expired, of those that never
    /// came. The caller disposes them.
    /// </summary>
    public IReadOnlyList<SecretBytes> TakeAllReveals()
    {
        var all = TakeReveals();
        _skipped.Clear(keys =>
        {
            all.Add(new SecretBytes(keys.Mac));
            keys.Dispose();
        });
        return all;
    }

    /// <summary>Takes over what an earlier session had to reveal, before that is disposed of: its keys verify nothing any more.</summary>
    public void TakeReveals(DoubleRatchet earlier)
    {
        foreach (var mac in earlier.TakeReveals()) _reveals.AddLast(mac);
    }

    private List<SecretBytes> TakeReveals()
    {
        List<SecretBytes> taken = [.. _reveals];
        _reveals.Clear();
        return taken;
    }

    private void RotateSending(IRandomSource random)
    {
        var ecdh = Ed448KeyPair.Generate(random);
        var dh = Rotations % 3 == 0 ? Dh3072KeyPair.Generate(random) : null;
        Rotate(ecdh, _theirEcdh, dh, _theirDh, _root.Span, _brace.Span, _sendingChain.Span);
        _ourEcdh.Dispose();
        _ourEcdh = ecdh;
        if (dh is not null)
        {
            _ourDh.Dispose();
            _ourDh = dh;
        }
        PreviousCount = Sent;
        Sent = 0;
        Rotations++;
        _sendingRotationDue = false;
    }

    /// <summary>
    /// One rotation: brace = KDF(01 ‖ k_dh) or KDF(02 ‖ brace), K = KDF(03 ‖ K_ecdh ‖ brace), and from the old root the new root KDF(12 ‖
    /// root ‖ K) and the chain KDF(13 ‖ root ‖ K). Root and brace are changed in place.
    /// </summary>
    /// <param name="dh">Null if the brace key is hashed on.</param>
    private static void Rotate(
        Ed448KeyPair ecdh, Ed448Point theirEcdh, Dh3072KeyPair? dh, ReadOnlySpan<byte> theirDh, Span<byte> root, Span<byte> brace,
            Span<byte> chain)
    {
        // Both points are in the subgroup and neither is the identity: only a secret of zero could end there.
        if (!ecdh.TryAgree(theirEcdh, out var shared)) throw new CryptographicException("An ECDH secret is zero.");
        if (dh is null)
        {
            Kdf.Derive(KdfUsage.BraceKey, brace, brace);
        }
        else
        {
            using var k = dh.Agree(theirDh);
            Kdf.Derive(KdfUsage.ThirdBraceKey, brace, Dh3072KeyPair.Minimal(k.Span));
        }
        using var mixed = new SecretBytes(MessageKeys.KeySize);
        Kdf.Derive(KdfUsage.SharedSecret, mixed.Span, shared.Span, brace);
        Kdf.Derive(KdfUsage.ChainKey, chain, root, mixed.Span);
        Kdf.Derive(KdfUsage.RootKey, root, root, mixed.Span);
        shared.Dispose();
    }

    /// <summary>Wipes everything.</summary>
    public void Dispose()
    {
        foreach (var secret in (ReadOnlySpan<SecretBytes>)[_root, _brace, _sendingChain, _receivingChain]) secret.Dispose();
        foreach (var mac in _reveals) mac.Dispose();
        _reveals.Clear();
        _skipped.Dispose();
        _ourEcdh.Dispose();
        _ourDh.Dispose();
    }

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(DoubleRatchet);
}
