using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Relay.Storage.Sealing;

/// <summary>
/// Writes the plaintext form of a row: integers big-endian, bytes and text with a length prefix. Written bytes are wiped before a buffer
/// returns to its pool.
/// </summary>
public sealed class RowWriter : IBufferWriter<byte>, IDisposable
{
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(1024);
    private int _length;

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public void Byte(byte value) { GetSpan(1)[0] = value; _length++; }

    public void Bool(bool value) => Byte(value ? (byte)1 : (byte)0);

    public void UInt32(uint value) { BinaryPrimitives.WriteUInt32BigEndian(GetSpan(4), value); _length += 4; }

    public void UInt64(ulong value) { BinaryPrimitives.WriteUInt64BigEndian(GetSpan(8), value); _length += 8; }

    public void Int64(long value) => UInt64((ulong)value);

    public void UInt128(UInt128 value) { BinaryPrimitives.WriteUInt128BigEndian(GetSpan(16), value); _length += 16; }

    public void Bytes(ReadOnlySpan<byte> value)
    {
        UInt32((uint)value.Length);
        value.CopyTo(GetSpan(value.Length));
        _length += value.Length;
    }

    /// <summary>Begins what <see cref="Bytes"/> writes at once: bytes with their length in front.</summary>
    /// <returns>For <see cref="End"/>.</returns>
    public int Begin()
    {
        UInt32(0);
        return _length;
    }

    /// <summary>Writes the length of what was written since, in front of it.</summary>
    /// <param name="begin">From <see cref="Begin"/>.</param>
    public void End(int begin) => BinaryPrimitives.WriteUInt32BigEndian(_buffer.AsSpan(begin - sizeof(uint)), (uint)(_length - begin));

    /// <summary>Writes a count that is known only now over one that was written before.</summary>
    /// <param name="at">Where the four bytes of the count begin in what is written.</param>
    public void Count(int at, int count) => BinaryPrimitives.WriteUInt32BigEndian(_buffer.AsSpan(at, sizeof(uint)), (uint)count);

    public void Text(string value)
    {
        int length = Encoding.UTF8.GetByteCount(value);
        UInt32((uint)length);
        Encoding.UTF8.GetBytes(value, GetSpan(length));
        _length += length;
    }

    /// <summary>Writes an enum value by name, so that stored rows stay valid when values are added or reordered.</summary>
    public void Name<T>(T value) where T : struct, Enum => Text(Enum.GetName(value) ?? value.ToString());

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _buffer.Length - _length);
        _length += count;
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        sizeHint = Math.Max(sizeHint, 1);
        if (_buffer.Length - _length < sizeHint) Grow(sizeHint);
        return _buffer.AsSpan(_length);
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        GetSpan(sizeHint);
        return _buffer.AsMemory(_length);
    }

    private void Grow(int sizeHint)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, _length + sizeHint));
        Written.CopyTo(larger);
        Release();
        _buffer = larger;
    }

    private void Release()
    {
        CryptographicOperations.ZeroMemory(_buffer.AsSpan(0, _length));
        ArrayPool<byte>.Shared.Return(_buffer);
    }

    public void Dispose()
    {
        Release();
        _buffer = [];
        _length = 0;
    }
}
