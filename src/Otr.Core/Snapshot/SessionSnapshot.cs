using Otr.Core.Ratchet;
using Otr.Core.Smp;
using Otr.Core.Wire;

namespace Otr.Core.Snapshot;

/// <summary>One session: tag, states, and while ENCRYPTED its key ring and SMP.</summary>
internal static class SessionSnapshot
{
    public static void Write(ref OtrWriter w, Session session)
    {
        w.UInt32(session.PeerTag);
        w.Byte((byte)session.State);
        w.Byte(session.Version);
        w.UInt64(session.Ssid);
        w.Flag(session.FirstHalfBold);
        w.UInt64((ulong)session.LastSent);
        w.UInt64((ulong)session.LastReceived);
        w.OptionalFingerprint(session.Peer);
        AuthSnapshot.Write(ref w, session.Auth);
        if (session.State != MessageState.Encrypted) return;
        session.Keys!.WriteSnapshot(ref w);
        session.Smp.WriteSnapshot(ref w);
    }

    public static bool TryRead(ref OtrReader r, List<Session> sessions)
    {
        var session = new Session(r.ReadUInt32())
        {
            State = (MessageState)r.ReadByte(),
            Version = r.ReadByte(),
            Ssid = r.ReadUInt64(),
            FirstHalfBold = r.ReadFlag(),
            LastSent = (long)r.ReadUInt64(),
            LastReceived = (long)r.ReadUInt64(),
            Peer = r.ReadOptionalFingerprint(),
        };
        sessions.Add(session);
        if (r.Failed || session.State > MessageState.Finished || !AuthSnapshot.TryRead(ref r, session.Auth)) return false;
        if (session.State != MessageState.Encrypted) return true;
        if (session.Peer is null || session.Version is not (2 or 3)) return false;
        session.Keys = KeyRing.ReadSnapshot(ref r);
        if (session.Keys is null || !SmpState.TryReadSnapshot(ref r, out var smp)) return false;
        session.Smp = smp;
        return true;
    }
}
