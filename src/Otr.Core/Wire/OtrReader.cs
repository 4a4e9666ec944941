using System.Buffers.Binary;

namespace Otr.Core.Wire;

/// <summary>
/// Reads the binary encodings of spec v3, "Data types": BYTE, SHORT, INT, MPI, DATA, CTR, MAC. Failure is sticky: after
/// the first field that does not fit every read yields zero or nothing, so a caller reads all fields and checks once,
/// with <see cref="IsComplete"/>. Lengths are compared with what is left before anything is done with them.
/// </summary>
internal ref struct OtrReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _position;

    /// <summary>A field did not fit, or was not in its canonical form.</summary>
    public bool Failed { get; private set; }

    /// <summary>What was read makes no sense to the caller.</summary>
    public void Fail() => Failed = true;

    /// <summary>Every byte was read and every field fitted.</summary>
    public readonly bool IsComplete => !Failed && _position == _bytes.Length;

    /// <summary>Bytes read so far.</summary>
    public readonly int Position => _position;

    /// <summary>What is left.</summary>
    public readonly ReadOnlySpan<byte> Remaining => Failed ? default : _bytes[_position..];

    /// <summary>BYTE.</summary>
    public byte ReadByte()
    {
        var b = ReadFixed(1);
        return b.IsEmpty ? (byte)0 : b[0];
    }

    /// <summary>SHORT, big-endian.</summary>
    public ushort ReadUInt16()
    {
        var b = ReadFixed(2);
        return b.IsEmpty ? (ushort)0 : BinaryPrimitives.ReadUInt16BigEndian(b);
    }

    /// <summary>INT, big-endian, unsigned.</summary>
    public uint ReadUInt32()
    {
        var b = ReadFixed(4);
        return b.IsEmpty ? 0 : BinaryPrimitives.ReadUInt32BigEndian(b);
    }

    /// <summary>CTR: the 8 bytes as a big-endian number.</summary>
    public ulong ReadUInt64()
    {
        var b = ReadFixed(8);
        return b.IsEmpty ? 0 : BinaryPrimitives.ReadUInt64BigEndian(b);
    }

    /// <summary>Exactly <paramref name="length"/> bytes, or nothing.</summary>
    public ReadOnlySpan<byte> ReadFixed(int length)
    {
        if (Failed || length > _bytes.Length - _position)
        {
            Failed = true;
            return default;
        }
        var field = _bytes.Slice(_position, length);
        _position += length;
        return field;
    }

    /// <summary>DATA: INT length and that many bytes.</summary>
    public ReadOnlySpan<byte> ReadData()
    {
        var length = ReadUInt32();
        if (Failed || length > (uint)(_bytes.Length - _position))
        {
            Failed = true;
            return default;
        }
        return ReadFixed((int)length);
    }

    /// <summary>MPI: big-endian, minimal. A leading zero byte fails: one number has one encoding, and one key one fingerprint.</summary>
    public ReadOnlySpan<byte> ReadMpi()
    {
        var value = ReadData();
        if (!value.IsEmpty && value[0] == 0)
        {
            Failed = true;
            return default;
        }
        return value;
    }

    /// <summary>A D-H value: an MPI of at most 192 bytes, right-aligned into <paramref name="element"/> (192 bytes).</summary>
    public void ReadElement(scoped Span<byte> element)
    {
        element.Clear();
        var value = ReadMpi();
        if (value.Length > element.Length) Failed = true;
        else value.CopyTo(element[(element.Length - value.Length)..]);
    }
}
