using Otr.Core.Wire;

namespace Otr.Core.Snapshot;

/// <summary>Fields that only snapshots have: each optional value behind a BYTE that says whether it is there.</summary>
internal static class SnapshotFields
{
    public static void Flag(this ref OtrWriter w, bool value) => w.Byte(value ? (byte)1 : (byte)0);

    public static bool ReadFlag(this ref OtrReader r)
    {
        var flag = r.ReadByte();
        if (flag > 1) r.Fail();
        return flag == 1;
    }

    public static void OptionalTime(this ref OtrWriter w, long? unixMilliseconds)
    {
        w.Flag(unixMilliseconds is not null);
        if (unixMilliseconds is { } time) w.UInt64((ulong)time);
    }

    public static long? ReadOptionalTime(this ref OtrReader r) => r.ReadFlag() ? (long)r.ReadUInt64() : null;

    public static Fingerprint ReadFingerprint(this ref OtrReader r)
    {
        var bytes = r.ReadFixed(Fingerprint.Size);
        return bytes.IsEmpty ? default : new Fingerprint(bytes);
    }

    public static void OptionalFingerprint(this ref OtrWriter w, Fingerprint? fingerprint)
    {
        w.Flag(fingerprint is not null);
        fingerprint?.CopyTo(w.Reserve(Fingerprint.Size));
    }

    public static Fingerprint? ReadOptionalFingerprint(this ref OtrReader r) => r.ReadFlag() ? r.ReadFingerprint() : null;
}
