using Otr.Core.V3.Ake;
using Otr.Core.V4.Dake;
using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>One session: tag, states, and while ENCRYPTED its keys and SMP.</summary>
internal static class SessionSnapshot
{
    /// <param name="format">Version of the format.</param>
    public static void Write(ref OtrWriter w, byte format, Session session)
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
        if (format >= 5) DakeSnapshot.Write(ref w, session.Dake);
        if (session.State != MessageState.Encrypted) return;
        session.Protocol!.WriteSnapshot(ref w);
        w.UInt64((ulong)session.SmpAskedAt);
        WriteLast(ref w, format, session.Last);
    }

    /// <param name="version">Of the format.</param>
    public static bool TryRead(ref OtrReader r, byte version, ConversationState state)
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
        state.Sessions.Add(session);
        if (r.Failed || session.State > MessageState.Finished || !AuthSnapshot.TryRead(ref r, session.Auth)) return false;
        if (version >= 5 && !DakeSnapshot.TryRead(ref r, session.Dake)) return false;
        if (session.State != MessageState.Encrypted) return true;
        if (session.Peer is null) return false;
        session.Protocol = ProtocolVersion.Of(session.Version)?.ReadSession(ref r, session.Version, version, state.Settings);
        if (session.Protocol is null) return false;
        if (version >= 4) session.SmpAskedAt = (long)r.ReadUInt64();
        if (version >= 2) ReadLast(ref r, version, session);
        return !r.Failed;
    }

    private static void WriteLast(ref OtrWriter w, byte format, SentText? last)
    {
        w.Flag(last is not null);
        if (last is null) return;
        w.UInt64((ulong)last.Since);
        w.Flag(last.IsLost);
        w.Fingerprint(last.For, format);
        w.Data(last.Text);
    }

    private static void ReadLast(ref OtrReader r, byte version, Session session)
    {
        if (!r.ReadFlag()) return;
        var since = (long)r.ReadUInt64();
        var isLost = r.ReadFlag();
        var meant = r.ReadFingerprint(version);
        session.SetLast(new SentText(r.ReadData().ToArray(), since, meant) { IsLost = isLost });
    }
}
