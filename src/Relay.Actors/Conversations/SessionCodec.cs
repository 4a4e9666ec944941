using Otr.Core;
using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>What is public about a session, in a row.</summary>
internal static class SessionCodec
{
    /// <summary>Bytes that a session takes at least.</summary>
    public const int LeastSize = 23;

    public static void Write(RowWriter row, SessionInfo session)
    {
        row.Name(session.State);
        row.Byte(session.Version);
        row.UInt32(session.OurInstanceTag);
        row.UInt32(session.PeerInstanceTag);
        WriteFingerprint(row, session.PeerFingerprint);
        row.UInt64(session.Ssid);
        row.Bool(session.SsidFirstHalfBold);
    }

    public static SessionInfo Read(ref RowReader row)
        => new(row.Name<MessageState>(), row.Byte(), row.UInt32(), row.UInt32(), ReadFingerprint(ref row), row.UInt64(), row.Bool());

    public static void WriteFingerprint(RowWriter row, Fingerprint? fingerprint)
    {
        Span<byte> bytes = stackalloc byte[Fingerprint.Ed448Size];
        fingerprint?.CopyTo(bytes);
        row.Bytes(bytes[..(fingerprint?.Length ?? 0)]);
    }

    public static Fingerprint? ReadFingerprint(ref RowReader row)
    {
        var bytes = row.Bytes();
        if (bytes.IsEmpty) return null;
        if (Fingerprint.IsSize(bytes.Length)) return new Fingerprint(bytes);
        row.Fail();
        return null;
    }
}
