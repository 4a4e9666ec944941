using System.Security.Cryptography;
using Otr.Core.Crypto;

namespace Otr.Core.V3;

/// <summary>
/// The D-H keys of a session and what is derived from them (spec v3, "Key management"; checklist A10): two of ours, two
/// of the peer's, and the keys of each pair. Shared secrets are computed when a message first needs them.
/// </summary>
internal sealed partial class KeyRing : IDisposable
{
    private DhKeyPair _current, _previous;
    private byte[] _theirs;
    private byte[]? _theirsPrevious;
    /// <summary>Highest counter sent under our previous key, which is the one that we send with.</summary>
    private ulong _lastSent;
    // [ours is previous ? 1 : 0, theirs is previous ? 1 : 0]
    private readonly SessionKeys?[,] _pairs = new SessionKeys?[2, 2];

    /// <summary>After a key exchange: its key is ours with id 1 and a fresh one has id 2.</summary>
    public KeyRing(DhKeyPair akeKey, byte[] theirs, uint theirKeyId, SessionKeys dataKeys, IRandomSource random)
        : this(DhKeyPair.Generate(random), akeKey, 2, theirs, null, theirKeyId) => _pairs[1, 0] = dataKeys;

    private KeyRing(DhKeyPair current, DhKeyPair previous, uint ourKeyId, byte[] theirs, byte[]? theirsPrevious, uint theirKeyId) =>
        (_current, _previous, OurKeyId, _theirs, _theirsPrevious, TheirKeyId) = (current, previous, ourKeyId, theirs, theirsPrevious, theirKeyId);

    /// <summary>our_keyid: of the newest of ours, which the peer has not used yet.</summary>
    public uint OurKeyId { get; private set; }
    /// <summary>their_keyid.</summary>
    public uint TheirKeyId { get; private set; }
    /// <summary>Public half of our newest key, announced in each message.</summary>
    public ReadOnlySpan<byte> NextPublic => _current.Public;
    /// <summary>The peer's newest key.</summary>
    public ReadOnlySpan<byte> Theirs => _theirs;
    /// <summary>The peer's key before; empty if there was none in this session.</summary>
    public ReadOnlySpan<byte> TheirsPrevious => _theirsPrevious;
    /// <summary>Receiving MAC keys that verified something and can do so no more: 20 bytes each, to be revealed once.</summary>
    public List<byte[]> ToReveal { get; } = [];

    /// <summary>
    /// The counter for a message to be sent with <see cref="Sending"/>. It goes on rising while our key is the same, whatever the
    /// peer announces: a peer that comes back to an old key of its own gets the same AES key again, and a counter must never be used
    /// twice under it.
    /// </summary>
    public ulong CountSent(SessionKeys keys) => keys.SendCounter = _lastSent = Math.Max(keys.SendCounter, _lastSent) + 1;

    /// <summary>Takes over what an earlier session had to reveal, before that is disposed of: its keys verify nothing any more.</summary>
    public void TakeReveals(KeyRing earlier)
    {
        ToReveal.AddRange(earlier.ToReveal);
        earlier.ToReveal.Clear();
    }

    /// <summary>The keys to send with: sender key id OurKeyId − 1, recipient key id TheirKeyId.</summary>
    public SessionKeys Sending => Pair(1, 0);

    /// <summary>The keys for a received message, or null if a key id is neither current nor previous.</summary>
    public SessionKeys? Receiving(uint senderKeyId, uint recipientKeyId) =>
        TrySlots(senderKeyId, recipientKeyId, out var ours, out var theirs) ? Pair(ours, theirs) : null;

    /// <summary>The extra symmetric key of the pair that a message names; null as in <see cref="Receiving"/>.</summary>
    public byte[]? ExtraKey(uint senderKeyId, uint recipientKeyId)
    {
        if (!TrySlots(senderKeyId, recipientKeyId, out var ours, out var theirs)) return null;
        Span<byte> s = stackalloc byte[Group1536.ElementSize];
        Agree(ours, theirs, s);
        var key = SessionKeys.DeriveExtraKey(s);
        CryptographicOperations.ZeroMemory(s);
        return key;
    }

    /// <summary>The extra symmetric key of the pair that we send with.</summary>
    public byte[] SendingExtraKey() => ExtraKey(TheirKeyId, OurKeyId - 1)!;

    /// <summary>After a verified message: rotate ours if the peer used our newest key, then theirs if it used its own newest.</summary>
    /// <param name="nextY">The peer's next key, range-checked.</param>
    public void Rotate(uint senderKeyId, uint recipientKeyId, ReadOnlySpan<byte> nextY, IRandomSource random)
    {
        if (recipientKeyId == OurKeyId) RotateOurs(random);
        if (senderKeyId == TheirKeyId) RotateTheirs(nextY);
    }

    private void RotateOurs(IRandomSource random)
    {
        Forget(1, 0);
        Forget(1, 1);
        _previous.Dispose();
        _previous = _current;
        _current = DhKeyPair.Generate(random);
        OurKeyId++;
        _lastSent = 0;
        (_pairs[1, 0], _pairs[1, 1]) = (_pairs[0, 0], _pairs[0, 1]);
        (_pairs[0, 0], _pairs[0, 1]) = (null, null);
    }

    private void RotateTheirs(ReadOnlySpan<byte> nextY)
    {
        Forget(0, 1);
        Forget(1, 1);
        _theirsPrevious = _theirs;
        _theirs = new byte[Group1536.ElementSize];
        nextY.CopyTo(_theirs.AsSpan(_theirs.Length - nextY.Length));
        TheirKeyId++;
        (_pairs[0, 1], _pairs[1, 1]) = (_pairs[0, 0], _pairs[1, 0]);
        (_pairs[0, 0], _pairs[1, 0]) = (null, null);
    }

    /// <summary>
    /// Drops a pair. Its receiving MAC key is revealed only if it verified a message, and only now that nothing more can
    /// be accepted under it. Sending MAC keys are never revealed.
    /// </summary>
    private void Forget(int ours, int theirs)
    {
        ref var pair = ref _pairs[ours, theirs];
        if (pair is null) return;
        // A peer that rotates and is never answered makes this list grow; a key not revealed harms nobody.
        if (pair.ReceiveMacUsed && ToReveal.Count < OtrLimits.MaxPendingReveals)
        {
            var key = new byte[SessionKeys.MacKeyLength];
            pair.CopyReceiveMacKey(key);
            ToReveal.Add(key);
        }
        pair.Dispose();
        pair = null;
    }

    private bool TrySlots(uint senderKeyId, uint recipientKeyId, out int ours, out int theirs)
    {
        ours = recipientKeyId == OurKeyId ? 0 : 1;
        theirs = senderKeyId == TheirKeyId ? 0 : 1;
        if (senderKeyId == 0 || recipientKeyId == 0) return false;
        if (ours == 1 && recipientKeyId != OurKeyId - 1) return false;
        return theirs == 0 || (senderKeyId == TheirKeyId - 1 && _theirsPrevious is not null);
    }

    private SessionKeys Pair(int ours, int theirs)
    {
        if (_pairs[ours, theirs] is { } keys) return keys;
        Span<byte> s = stackalloc byte[Group1536.ElementSize];
        Agree(ours, theirs, s);
        keys = _pairs[ours, theirs] = SessionKeys.Derive(s, (ours == 0 ? _current : _previous).Public, theirs == 0 ? _theirs : _theirsPrevious);
        CryptographicOperations.ZeroMemory(s);
        return keys;
    }

    private void Agree(int ours, int theirs, Span<byte> s) =>
        (ours == 0 ? _current : _previous).Agree(theirs == 0 ? _theirs : _theirsPrevious!, s);

    public void Dispose()
    {
        _current.Dispose();
        _previous.Dispose();
        foreach (var pair in _pairs) pair?.Dispose();
        foreach (var key in ToReveal) CryptographicOperations.ZeroMemory(key);
        ToReveal.Clear();
    }
}
