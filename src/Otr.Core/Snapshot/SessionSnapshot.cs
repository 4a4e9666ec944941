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
        w.OptionalTime(session.LastText);
        w.OptionalFingerprint(session.Peer);
        AuthSnapshot.Write(ref w, session.Auth);
        if (session.State != MessageState.Encrypted) return;
        session.Keys!.WriteSnapshot(ref w);
        session.Smp.WriteSnapshot(ref w);
        w.UInt64((ulong)session.SmpAskedAt);
        WriteLast(ref w, session.Last);
    }

    /// <param name="version">Of the format.</param>
    public static bool TryRead(ref OtrReader r, byte version, List<Session> sessions)
    {
        var session = new Session(r.ReadUInt32())
        {
            State = (MessageState)r.ReadByte(),
            Version = r.ReadByte(),
            Ssid = r.ReadUInt64(),
            FirstHalfBold = r.ReadFlag(),
            LastSent = (long)r.ReadUInt64(),
            LastReceived = (long)r.ReadUInt64(),
            LastText = version >= 4 ? r.ReadOptionalTime() : null,
            Peer = r.ReadOptionalFingerprint(),
        };
        sessions.Add(session);
        if (r.Failed || session.State > MessageState.Finished || !AuthSnapshot.TryRead(ref r, session.Auth)) return false;
        if (session.State != MessageState.Encrypted) return true;
        if (session.Peer is null || session.Version is not (2 or 3)) return false;
        session.Keys = KeyRing.ReadSnapshot(ref r, version);
        if (session.Keys is null || !SmpState.TryReadSnapshot(ref r, out var smp)) return false;
        session.Smp = smp;
        if (version >= 4) session.SmpAskedAt = (long)r.ReadUInt64();
        if (version >= 2) ReadLast(ref r, session);
        return !r.Failed;
    }

    private static void WriteLast(ref OtrWriter w, SentText? last)
    {
        w.Flag(last is not null);
        if (last is null) return;
        w.UInt64((ulong)last.Since);
        w.Flag(last.IsLost);
        last.For.CopyTo(w.Reserve(Fingerprint.Size));
        w.Data(last.Text);
    }

    private static void ReadLast(ref OtrReader r, Session session)
    {
        if (!r.ReadFlag()) return;
        var since = (long)r.ReadUInt64();
        var isLost = r.ReadFlag();
        var meant = r.ReadFingerprint();
        session.SetLast(new SentText(r.ReadData().ToArray(), since, meant) { IsLost = isLost });
    }
}
