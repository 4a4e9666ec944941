using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Otr.Core.Wire;

/// <summary>
/// Writes the binary encodings of spec v3, "Data types", into a rented buffer that grows and is wiped on disposal. Pass it by <c>ref</c>: a
/// copy has a length and a buffer of its own. Passed by <c>ref</c> it cannot be declared with <c>using</c>, which forbids that.
/// </summary>
internal struct OtrWriter : IDisposable
{
    private byte[] _buffer;
    private int _length;

    /// <param name="capacity">Expected length in bytes.</param>
    public OtrWriter(int capacity) => _buffer = ArrayPool<byte>.Shared.Rent(capacity);

    /// <summary>What was written.</summary>
    public readonly ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    /// <summary>What was written, to be changed in place.</summary>
    public readonly Span<byte> WrittenMutable => _buffer.AsSpan(0, _length);

    /// <summary>Bytes written.</summary>
    public readonly int Length => _length;

    /// <summary>Reserves <paramref name="count"/> bytes and returns them for the caller to fill.</summary>
    public Span<byte> Reserve(int count)
    {
        if (count > _buffer.Length - _length) Grow(count);
        var reserved = _buffer.AsSpan(_length, count);
        _length += count;
        return reserved;
    }

    /// <summary>Drops what lies beyond <paramref name="length"/>, wiping it.</summary>
    public void Truncate(int length)
    {
        CryptographicOperations.ZeroMemory(_buffer.AsSpan(length, _length - length));
        _length = length;
    }

    /// <summary>BYTE.</summary>
    public void Byte(byte value) => Reserve(1)[0] = value;

    /// <summary>SHORT.</summary>
    public void UInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Reserve(2), value);

    /// <summary>INT.</summary>
    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Reserve(4), value);

    /// <summary>CTR.</summary>
    public void UInt64(ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Reserve(8), value);

    /// <summary>The bytes as they are.</summary>
    public void Raw(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Reserve(bytes.Length));

    /// <summary>DATA.</summary>
    public void Data(ReadOnlySpan<byte> bytes)
    {
        UInt32((uint)bytes.Length);
        Raw(bytes);
    }

    /// <summary>MPI: leading zero bytes are left out.</summary>
    public void Mpi(ReadOnlySpan<byte> value) => Data(value.TrimStart((byte)0));

    /// <summary>The message, in an array of its own.</summary>
    public byte[] ToArrayAndDispose()
    {
        var bytes = Written.ToArray();
        Dispose();
        return bytes;
    }

    /// <summary>Wipes and returns the buffer.</summary>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_buffer.AsSpan(0, _length));
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _length = 0;
    }

    private void Grow(int count)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_length + count, 2 * _buffer.Length));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        CryptographicOperations.ZeroMemory(_buffer.AsSpan(0, _length));
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
