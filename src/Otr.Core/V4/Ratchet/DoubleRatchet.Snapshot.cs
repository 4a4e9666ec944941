using Otr.Core.Crypto;
using Otr.Core.Crypto.Ed448;
using Otr.Core.Wire;

namespace Otr.Core.V4.Ratchet;

// Root, brace and chains; counters; our pairs, each with a BYTE that says whether its secret is still there; their keys; the stored keys,
// oldest first; the MAC keys to reveal.
internal sealed partial class DoubleRatchet
{
    public void WriteSnapshot(ref OtrWriter w)
    {
        w.Raw(_root.Span);
        w.Raw(_brace.Span);
        w.Raw(_sendingChain.Span);
        w.Raw(_receivingChain.Span);
        w.UInt32(Rotations);
        w.UInt32(Sent);
        w.UInt32(Received);
        w.UInt32(PreviousCount);
        w.Flag(_sendingRotationDue);
        w.Flag(_receivingId is not null);
        w.UInt32(_receivingId ?? 0);
        w.Flag(!_ourEcdh.IsWiped);
        if (!_ourEcdh.IsWiped) _ourEcdh.Secret.Encode(w.Reserve(Ed448Scalar.Size));
        w.Raw(_ourEcdh.Public.Encoding);
        w.Flag(!_ourDh.IsWiped);
        if (!_ourDh.IsWiped) w.Raw(_ourDh.Private);
        w.Raw(_ourDh.Public);
        w.Raw(_theirEcdh.Encoding);
        w.Raw(_theirDh);
        _skipped.WriteSnapshot(ref w);
        w.Byte((byte)_reveals.Count);
        foreach (var mac in _reveals) w.Raw(mac.Span);
    }

    /// <summary>Null if anything does not fit.</summary>
    public static DoubleRatchet? ReadSnapshot(ref OtrReader r)
    {
        ReadOnlySpan<byte> root = r.ReadFixed(MessageKeys.KeySize), brace = r.ReadFixed(BraceKeySize);
        ReadOnlySpan<byte> sending = r.ReadFixed(MessageKeys.KeySize), receiving = r.ReadFixed(MessageKeys.KeySize);
        uint rotations = r.ReadUInt32(), sent = r.ReadUInt32(), received = r.ReadUInt32(), previous = r.ReadUInt32();
        bool isDue = r.ReadFlag(), hasReceived = r.ReadFlag();
        var receivingId = r.ReadUInt32();
        var ecdhSecret = r.ReadFlag() ? r.ReadFixed(Ed448Scalar.Size) : default;
        var ecdhPublic = r.ReadFixed(Ed448Point.Size);
        var dhSecret = r.ReadFlag() ? r.ReadFixed(Group3072.ExponentSize) : default;
        var dhPublic = r.ReadFixed(Group3072.ElementSize);
        var theirEcdh = r.ReadFixed(Ed448Point.Size);
        var theirDh = r.ReadFixed(Group3072.ElementSize);
        // The arithmetic is defined for members of the groups only. An ECDH secret that is needed has to be there.
        if (r.Failed || (ecdhSecret.IsEmpty && !isDue) || !Group3072.IsElement(theirDh) || !Group3072.IsElement(dhPublic)) return null;
        if (!Ed448Point.TryDecode(theirEcdh, out var theirPoint) || !Ed448Point.TryDecode(ecdhPublic, out var ourPoint)) return null;
        var ratchet = new DoubleRatchet(
            root, Ed448KeyPair.Restore(ecdhSecret, ourPoint), Dh3072KeyPair.Restore(dhSecret, dhPublic), theirPoint, theirDh.ToArray())
        {
            Rotations = rotations, Sent = sent, Received = received, PreviousCount = previous,
            _sendingRotationDue = isDue, _receivingId = hasReceived ? receivingId : null,
        };
        brace.CopyTo(ratchet._brace.Span);
        sending.CopyTo(ratchet._sendingChain.Span);
        receiving.CopyTo(ratchet._receivingChain.Span);
        ratchet._skipped.ReadSnapshot(ref r);
        for (var n = r.ReadByte(); n > 0 && !r.Failed; n--)
        {
            var mac = r.ReadFixed(MessageKeys.KeySize);
            if (!r.Failed) ratchet._reveals.AddLast(new SecretBytes(mac));
        }
        if (!r.Failed && ratchet._reveals.Count <= OtrLimits.MaxPendingReveals) return ratchet;
        ratchet.Dispose();
        return null;
    }
}
