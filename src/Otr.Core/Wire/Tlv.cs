namespace Otr.Core.Wire;

/// <summary>TLV types (spec v3, "Type/Length/Value records").</summary>
internal static class TlvType
{
    public const ushort Padding = 0;
    public const ushort Disconnected = 1;
    public const ushort Smp1 = 2;
    public const ushort Smp2 = 3;
    public const ushort Smp3 = 4;
    public const ushort Smp4 = 5;
    public const ushort SmpAbort = 6;
    public const ushort Smp1Q = 7;
    public const ushort ExtraKey = 8;

    /// <summary>Belongs to SMP.</summary>
    public static bool IsSmp(ushort type) => type is >= Smp1 and <= Smp1Q;
}

/// <summary>
/// Splits the plaintext of a data message: text, then after the first NUL TLVs. A truncated last TLV is dropped and the
/// ones before it stand, as in libotr; what follows <see cref="OtrLimits.MaxTlvs"/> is not looked at.
/// </summary>
internal ref struct TlvReader
{
    private OtrReader _reader;
    private int _count;

    public TlvReader(ReadOnlySpan<byte> plaintext, out ReadOnlySpan<byte> text)
    {
        var end = plaintext.IndexOf((byte)0);
        text = end < 0 ? plaintext : plaintext[..end];
        _reader = new OtrReader(end < 0 ? default : plaintext[(end + 1)..]);
    }

    /// <summary>The next TLV, or false at the end.</summary>
    public bool TryRead(out ushort type, out ReadOnlySpan<byte> value)
    {
        type = _reader.ReadUInt16();
        value = _reader.ReadFixed(_reader.ReadUInt16());
        return !_reader.Failed && ++_count <= OtrLimits.MaxTlvs;
    }
}
