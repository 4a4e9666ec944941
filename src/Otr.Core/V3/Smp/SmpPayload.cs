using Otr.Core.Crypto;
using Otr.Core.Wire;

namespace Otr.Core.V3.Smp;

/// <summary>The kinds of number in an SMP payload, which decide its bounds.</summary>
internal enum SmpField : byte
{
    /// <summary>A group element: 2 ≤ value ≤ p − 2, and a square mod p (docs/smp-subgroup.md).</summary>
    Element,
    /// <summary>A hash: at most 32 bytes, no other bound; it must equal a hash anyway.</summary>
    Hash,
    /// <summary>A proof's D: 1 ≤ value &lt; q, as libotr requires.</summary>
    Scalar,
}

/// <summary>
/// The numbers of one SMP message in slots of 192 bytes, and their wire form: INT count, then minimal MPIs (spec v3,
/// "SMP message TLVs"). The order of the fields is the specification's.
/// </summary>
internal readonly ref struct SmpPayload
{
    public const int SlotSize = Group1536.ElementSize;
    public const int HashSize = 32;

    /// <summary>The most slots that a message has.</summary>
    public const int MaxFields = 11;

    /// <summary>Longest payload in bytes.</summary>
    public const int MaxBytes = sizeof(uint) + MaxFields * (sizeof(uint) + SlotSize);

    /// <summary>g2a, c2, D2, g3a, c3, D3.</summary>
    public static ReadOnlySpan<SmpField> Message1 =>
        [SmpField.Element, SmpField.Hash, SmpField.Scalar, SmpField.Element, SmpField.Hash, SmpField.Scalar];

    /// <summary>g2b, c2, D2, g3b, c3, D3, Pb, Qb, cP, D5, D6.</summary>
    public static ReadOnlySpan<SmpField> Message2 =>
        [SmpField.Element, SmpField.Hash, SmpField.Scalar, SmpField.Element, SmpField.Hash, SmpField.Scalar,
         SmpField.Element, SmpField.Element, SmpField.Hash, SmpField.Scalar, SmpField.Scalar];

    /// <summary>Pa, Qa, cP, D5, D6, Ra, cR, D7.</summary>
    public static ReadOnlySpan<SmpField> Message3 =>
        [SmpField.Element, SmpField.Element, SmpField.Hash, SmpField.Scalar, SmpField.Scalar,
         SmpField.Element, SmpField.Hash, SmpField.Scalar];

    /// <summary>Rb, cR, D7.</summary>
    public static ReadOnlySpan<SmpField> Message4 => [SmpField.Element, SmpField.Hash, SmpField.Scalar];

    private readonly ReadOnlySpan<SmpField> _fields;
    private readonly Span<byte> _slots;

    /// <param name="fields">One of the four messages.</param>
    /// <param name="slots">At least <see cref="SlotSize"/> bytes for each field; zeroed here.</param>
    public SmpPayload(ReadOnlySpan<SmpField> fields, Span<byte> slots)
    {
        _fields = fields;
        _slots = slots[..(fields.Length * SlotSize)];
        _slots.Clear();
    }

    /// <summary>The number of one field, big-endian: 192 bytes, of a hash 32.</summary>
    public Span<byte> this[int field]
    {
        get
        {
            var slot = _slots.Slice(field * SlotSize, SlotSize);
            return _fields[field] == SmpField.Hash ? slot[^HashSize..] : slot;
        }
    }

    /// <summary>
    /// Fills the slots from a TLV's value. False unless count, minimal form, lengths and ranges of all numbers are right and
    /// nothing follows: no arithmetic is spent on anything else.
    /// </summary>
    public bool TryRead(ReadOnlySpan<byte> value)
    {
        var reader = new OtrReader(value);
        if (reader.ReadUInt32() != (uint)_fields.Length) return false;
        for (int i = 0; i < _fields.Length; i++)
        {
            var number = reader.ReadMpi();
            var slot = this[i];
            if (reader.Failed || number.Length > slot.Length) return false;
            number.CopyTo(slot[^number.Length..]);
        }
        if (!reader.IsComplete) return false;
        for (int i = 0; i < _fields.Length; i++)
            if (!IsInRange(i)) return false;
        return true;
    }

    private bool IsInRange(int field) => _fields[field] switch
    {
        SmpField.Element => Group1536.IsMember(this[field]),
        SmpField.Scalar => Group1536.IsScalarInRange(this[field]),
        SmpField.Hash => true,
        var kind => throw new InvalidOperationException($"No such field: {kind}."),
    };

    /// <summary>The wire form, after <paramref name="prefix"/>.</summary>
    public byte[] Write(ReadOnlySpan<byte> prefix = default)
    {
        using var writer = new OtrWriter(prefix.Length + MaxBytes);
        writer.Raw(prefix);
        writer.UInt32((uint)_fields.Length);
        for (int i = 0; i < _fields.Length; i++) writer.Mpi(this[i]);
        return writer.Written.ToArray();
    }
}
