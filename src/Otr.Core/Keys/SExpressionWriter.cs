using System.Buffers;

namespace Otr.Core.Keys;

/// <summary>Writes the pieces of S-expressions that libgcrypt reads back, straight into the caller's memory.</summary>
internal static class SExpressionWriter
{
    /// <summary>Text of the format itself.</summary>
    public static void Raw(IBufferWriter<byte> destination, ReadOnlySpan<byte> text) => destination.Write(text);

    /// <summary>A string: as a token where libgcrypt takes one, else quoted, with \xHH for everything but printable ASCII.</summary>
    public static void String(IBufferWriter<byte> destination, ReadOnlySpan<byte> value)
    {
        if (IsToken(value))
        {
            destination.Write(value);
            return;
        }
        var text = destination.GetSpan(2 + 4 * value.Length);
        int length = 0;
        text[length++] = (byte)'"';
        foreach (var b in value)
        {
            if (b is (byte)'"' or (byte)'\\')
            {
                text[length++] = (byte)'\\';
                text[length++] = b;
            }
            else if (b is >= 0x20 and < 0x7F)
            {
                text[length++] = b;
            }
            else
            {
                text[length++] = (byte)'\\';
                text[length++] = (byte)'x';
                text[length++] = HexDigit(b >> 4);
                text[length++] = HexDigit(b & 15);
            }
        }
        text[length++] = (byte)'"';
        destination.Advance(length);
    }

    /// <summary>A number as #hex#, with a leading 00 where its top bit is set: libgcrypt may read it as signed.</summary>
    public static void Number(IBufferWriter<byte> destination, ReadOnlySpan<byte> value)
    {
        value = value.TrimStart((byte)0);
        var text = destination.GetSpan(4 + 2 * value.Length);
        int length = 0;
        text[length++] = (byte)'#';
        if (value.IsEmpty || value[0] >= 0x80)
        {
            text[length++] = (byte)'0';
            text[length++] = (byte)'0';
        }
        foreach (var b in value)
        {
            text[length++] = HexDigit(b >> 4);
            text[length++] = HexDigit(b & 15);
        }
        text[length++] = (byte)'#';
        destination.Advance(length);
    }

    // Without a table or a branch: the digits may be a private key's.
    private static byte HexDigit(int nibble) => (byte)('0' + nibble + ((9 - nibble) >> 31 & 'A' - '9' - 1));

    private static bool IsToken(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty || char.IsAsciiDigit((char)value[0])) return false;
        foreach (var b in value)
            if (!char.IsAsciiLetterOrDigit((char)b) && "-./_:*+="u8.IndexOf(b) < 0) return false;
        return true;
    }
}
