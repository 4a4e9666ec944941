using System.Buffers.Binary;
using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Fuzz;

/// <summary>Bends wire text, on the outside or inside the envelope.</summary>
internal sealed class Mutator(Random random)
{
    private static readonly byte[][] Words =
    [
        "?OTR"u8.ToArray(), "?OTR:"u8.ToArray(), "?OTRv3?"u8.ToArray(), "?OTR|"u8.ToArray(), "?OTR,"u8.ToArray(), "?OTR Error:"u8.ToArray(), ","u8.ToArray(), "."u8.ToArray(), "="u8.ToArray(),
        "00001,00001,"u8.ToArray(), " \t  \t\t\t\t \t \t \t  "u8.ToArray(), "  \t\t  \t\t"u8.ToArray(), [0], [0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0], [0x80, 0, 0, 0], [0, 0, 0, 0xc0], [0, 3, 0x02], [0, 2, 0x03],
    ];

    /// <param name="others">What parts may be taken from.</param>
    public byte[] Mutate(byte[] wire, IReadOnlyList<byte[]> others)
    {
        if (random.Next(4) > 0 && TryDecode(wire) is { Length: > 0 } message)
        {
            for (var n = random.Next(1, 4); n > 0; n--) message = Bend(message, [.. Words[^7..]]);
            wire = WireText.Encode(message);
        }
        else
        {
            for (var n = random.Next(1, 4); n > 0; n--) wire = Bend(wire, [.. Words, others[random.Next(others.Count)]]);
        }
        return random.Next(10) == 0 ? Fragment(wire) : wire;
    }

    private byte[] Bend(byte[] bytes, byte[][] words)
    {
        var at = random.Next(bytes.Length + 1);
        var to = Math.Min(bytes.Length, at + random.Next(1, 40));
        switch (random.Next(8))
        {
            case 0 when bytes.Length > 0:
                bytes = (byte[])bytes.Clone();
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 1 when bytes.Length > 0:
                bytes = (byte[])bytes.Clone();
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                return bytes;
            case 2: return bytes[..at];
            case 3: return [.. bytes[..at], .. bytes[to..]];
            case 4: return [.. bytes[..to], .. bytes[at..]];
            case 5: return [.. bytes[..at], .. words[random.Next(words.Length)], .. bytes[at..]];
            case 6 when bytes.Length >= 4:
                bytes = (byte[])bytes.Clone();
                BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(random.Next(bytes.Length - 3)), random.Next(3) == 0 ? -random.Next(9) : random.Next(300));
                return bytes;
            default:
                var word = words[random.Next(words.Length)];
                return [.. bytes[..at], .. word[..random.Next(word.Length + 1)], .. bytes[to..]];
        }
    }

    private byte[] Fragment(byte[] wire)
    {
        var n = random.Next(1, 4);
        return [.. $"?OTR|{random.Next(0x1000, 0x1004):x}|{(random.Next(2) == 0 ? 0 : 0x1001):x},{random.Next(1, n + 1)},{n},".Utf8(), .. wire, (byte)','];
    }

    private static byte[]? TryDecode(byte[] wire)
    {
        if (!wire.AsSpan().StartsWith("?OTR:"u8) || !wire.AsSpan().EndsWith("."u8)) return null;
        var buffer = new byte[wire.Length];
        return Convert.TryFromBase64Chars(System.Text.Encoding.Latin1.GetString(wire.AsSpan(5, wire.Length - 6)), buffer, out var length) ? buffer[..length] : null;
    }
}
