using System.Buffers.Binary;
using System.Text;

namespace Relay.Storage.Sealing;

/// <summary>
/// Reads what <see cref="RowWriter"/> wrote. After a failure every read returns zeros, so that callers check only
/// <see cref="IsComplete"/> at the end.
/// </summary>
public ref struct RowReader(ReadOnlySpan<byte> row)
{
    private ReadOnlySpan<byte> _rest = row;
    private bool _failed;

    public readonly bool HasFailed => _failed;

    /// <summary>True if no read failed and no bytes remain.</summary>
    public readonly bool IsComplete => !_failed && _rest.IsEmpty;

    public byte Byte() => Take(1) is [var b] ? b : (byte)0;

    public bool Bool()
    {
        var b = Byte();
        if (b > 1) Fail();
        return b == 1;
    }

    public uint UInt32() => Take(4) is { Length: 4 } s ? BinaryPrimitives.ReadUInt32BigEndian(s) : 0;

    public ulong UInt64() => Take(8) is { Length: 8 } s ? BinaryPrimitives.ReadUInt64BigEndian(s) : 0;

    public long Int64() => (long)UInt64();

    public UInt128 UInt128() => Take(16) is { Length: 16 } s ? BinaryPrimitives.ReadUInt128BigEndian(s) : 0;

    public ReadOnlySpan<byte> Bytes() => Take(UInt32());

    /// <summary>Reads all remaining bytes.</summary>
    public ReadOnlySpan<byte> Rest() => Take((uint)_rest.Length);

    public string Text() => Encoding.UTF8.GetString(Bytes());

    public T Name<T>() where T : struct, Enum
    {
        if (Enum.TryParse<T>(Text(), out var value) && Enum.IsDefined(value)) return value;
        Fail();
        return default;
    }

    /// <summary>
    /// Reads a count of elements of at least <paramref name="least"/> bytes each. A count that the remaining bytes cannot hold fails, so
    /// that a forged count causes no large allocation.
    /// </summary>
    public int Count(int least)
    {
        var count = UInt32();
        if (count <= _rest.Length / (uint)least) return (int)count;
        Fail();
        return 0;
    }

    public void Fail()
    {
        _failed = true;
        _rest = default;
    }

    private ReadOnlySpan<byte> Take(uint count)
    {
        if (count > (uint)_rest.Length)
        {
            Fail();
            return default;
        }
        var taken = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return taken;
    }
}
