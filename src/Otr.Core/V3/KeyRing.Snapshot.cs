using Otr.Core.Crypto;
using Otr.Core.V3.Ake;
using Otr.Core.Wire;

namespace Otr.Core.V3;

// Our key id INT, current and previous pair; their key id INT, current and perhaps previous key; the last counter sent; the
// pairs that were used; the MAC keys to reveal. A pair not used yet is derived again when needed: it has no counters to lose. So a
// message that is refused leaves no trace, though its pair's keys had to be derived to refuse it.
internal sealed partial class KeyRing
{
    public void WriteSnapshot(ref OtrWriter w)
    {
        w.UInt32(OurKeyId);
        AuthSnapshot.WritePair(ref w, _current);
        AuthSnapshot.WritePair(ref w, _previous);
        w.UInt32(TheirKeyId);
        w.Raw(_theirs);
        w.Flag(_theirsPrevious is not null);
        w.Raw(_theirsPrevious);
        w.UInt64(_lastSent);
        foreach (var pair in _pairs)
        {
            var used = pair is not null && (pair.SendCounter | pair.ReceiveCounter) != 0;
            w.Flag(used);
            if (!used) continue;
            w.Raw(pair!.Raw);
            w.UInt64(pair.SendCounter);
            w.UInt64(pair.ReceiveCounter);
            w.Flag(pair.ReceiveMacUsed);
        }
        w.Byte((byte)ToReveal.Count);
        foreach (var key in ToReveal) w.Raw(key);
    }

    /// <param name="version">Of the format.</param>
    public static KeyRing? ReadSnapshot(ref OtrReader r, byte version)
    {
        var ourKeyId = r.ReadUInt32();
        var current = AuthSnapshot.ReadPair(ref r);
        var previous = AuthSnapshot.ReadPair(ref r);
        var theirKeyId = r.ReadUInt32();
        var theirs = r.ReadFixed(Group1536.ElementSize).ToArray();
        var theirsPrevious = r.ReadFlag() ? r.ReadFixed(Group1536.ElementSize).ToArray() : null;
        var lastSent = version >= 4 ? r.ReadUInt64() : 0;
        if (r.Failed || ourKeyId < 2 || theirKeyId == 0) return null;
        // The arithmetic is defined for elements only.
        if (!Group1536.IsInRange(theirs) || (theirsPrevious is not null && !Group1536.IsInRange(theirsPrevious))) return null;
        var ring = new KeyRing(current!, previous!, ourKeyId, theirs, theirsPrevious, theirKeyId) { _lastSent = lastSent };
        for (var i = 0; i < 4; i++)
        {
            if (!r.ReadFlag()) continue;
            var raw = r.ReadFixed(2 * SessionKeys.AesKeyLength);
            ulong sent = r.ReadUInt64(), received = r.ReadUInt64();
            var used = r.ReadFlag();
            if (r.Failed) return null;
            ring._pairs[i >> 1, i & 1] = SessionKeys.Restore(raw, sent, received, used);
        }
        for (var n = r.ReadByte(); n > 0 && !r.Failed; n--) ring.ToReveal.Add(r.ReadFixed(SessionKeys.MacKeyLength).ToArray());
        return r.Failed || ring.ToReveal.Count > OtrLimits.MaxPendingReveals ? null : ring;
    }
}
