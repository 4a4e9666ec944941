using System.Buffers;
using System.Text;

namespace Grpc.Wire;

/// <summary>The encoding of <c>grpc-message</c>: UTF-8 with everything but printable ASCII, and the percent sign, as <c>%XX</c>.</summary>
internal static class PercentEncoding
{
    private static readonly SearchValues<char> Unencoded = SearchValues.Create(
        [.. Enumerable.Range(0x20, 0x7f - 0x20).Select(c => (char)c).Where(c => c != '%')]);

    public static string Encode(string text)
    {
        if (!text.AsSpan().ContainsAnyExcept(Unencoded))
            return text;
        var encoded = new StringBuilder(text.Length + 16);
        // A lone surrogate becomes U+FFFD here; the header must be ASCII whatever the text.
        foreach (byte b in Encoding.UTF8.GetBytes(text))
        {
            if (b is >= 0x20 and <= 0x7e and not (byte)'%')
                encoded.Append((char)b);
            else
                encoded.Append('%').Append(b.ToString("X2"));
        }
        return encoded.ToString();
    }

    /// <summary>Never fails: what is no escape is kept as it is ("PROTOCOL-HTTP2": decoders must not discard a bad value).</summary>
    public static string Decode(string text)
    {
        if (!text.Contains('%'))
            return text;
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        int length = 0;
        for (int i = 0; i < utf8.Length; i++)
        {
            if (utf8[i] == '%' && i + 2 < utf8.Length && char.IsAsciiHexDigit((char)utf8[i + 1]) && char.IsAsciiHexDigit((char)utf8[i + 2]))
            {
                utf8[length++] = (byte)((HexValue(utf8[i + 1]) << 4) | HexValue(utf8[i + 2]));
                i += 2;
            }
            else
            {
                utf8[length++] = utf8[i];
            }
        }
        return Encoding.UTF8.GetString(utf8, 0, length);
    }

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
