using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>Fields that only snapshots have: each optional value behind a BYTE that says whether it is there.</summary>
internal static class SnapshotFields
{
    private const byte None = 0, Dsa = 1, Ed448 = 2;

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

    /// <summary>The bytes alone: their number is known otherwise.</summary>
    public static void Fingerprint(this ref OtrWriter w, Fingerprint fingerprint) => fingerprint.CopyTo(w.Reserve(fingerprint.Length));

    /// <summary>One of any kind: as an optional one from format 5 on; before, there was one kind.</summary>
    public static void Fingerprint(this ref OtrWriter w, Fingerprint fingerprint, byte format)
    {
        if (format >= 5) w.OptionalFingerprint(fingerprint);
        else w.Fingerprint(fingerprint);
    }

    /// <inheritdoc cref="Fingerprint(ref OtrWriter, Otr.Core.Fingerprint, byte)"/>
    public static Fingerprint ReadFingerprint(this ref OtrReader r, byte format)
    {
        if (format < 5) return r.ReadFingerprint(Otr.Core.Fingerprint.DsaSize);
        if (r.ReadOptionalFingerprint() is { } fingerprint) return fingerprint;
        r.Fail();
        return default;
    }

    public static Fingerprint ReadFingerprint(this ref OtrReader r, int length)
    {
        var bytes = r.ReadFixed(length);
        return bytes.IsEmpty ? default : new Fingerprint(bytes);
    }

    /// <summary>BYTE: 0 for none, 1 for one of a DSA key, 2 for one of a version 4 identity.</summary>
    public static void OptionalFingerprint(this ref OtrWriter w, Fingerprint? fingerprint)
    {
        w.Byte(fingerprint?.Length switch { null => None, Otr.Core.Fingerprint.DsaSize => Dsa, _ => Ed448 });
        if (fingerprint is { } given) w.Fingerprint(given);
    }

    public static Fingerprint? ReadOptionalFingerprint(this ref OtrReader r)
    {
        switch (r.ReadByte())
        {
            case None: return null;
            case Dsa: return r.ReadFingerprint(Otr.Core.Fingerprint.DsaSize);
            case Ed448: return r.ReadFingerprint(Otr.Core.Fingerprint.Ed448Size);
            default:
                r.Fail();
                return null;
        }
    }
}
