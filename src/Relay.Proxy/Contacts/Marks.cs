using System.Globalization;
using System.Text;

namespace Relay.Proxy.Contacts;

/// <summary>How private a text is that is shown to the person.</summary>
internal enum TextPrivacy
{
    /// <summary>From a private contact, but in the clear.</summary>
    Clear,
    /// <summary>Encrypted, with a key that is not verified.</summary>
    Unverified,
    /// <summary>Encrypted, with a verified key.</summary>
    Verified,
}

/// <summary>
/// The marks before texts that are shown. Only the proxy makes them: what arrives and begins like one gets a backslash, line by line.
/// </summary>
internal sealed class Marks(bool isAscii)
{
    private const string Escape = "\\";
    /// <summary>IRC's code for a colour, whose digits are not shown.</summary>
    private const int Colour = 3;
    private static readonly string[] s_words = ["v", "u", "!", "not encrypted"];

    public string Of(TextPrivacy privacy) => (privacy, isAscii) switch
    {
        (TextPrivacy.Verified, false) => "🔒 ",
        (TextPrivacy.Unverified, false) => "🔓? ",
        (TextPrivacy.Clear, false) => "[not encrypted] ",
        (TextPrivacy.Verified, true) => "[V] ",
        (TextPrivacy.Unverified, true) => "[U] ",
        _ => "[!] ",
    };

    /// <summary>A text with its mark.</summary>
    public MarkedText Show(string text, TextPrivacy privacy) => new(Of(privacy), text);

    /// <summary>A text in which nothing begins like a mark; the same string if nothing did.</summary>
    public static string Escaped(string text)
    {
        if (!MayHaveMark(text)) return text;
        var escaped = new StringBuilder(text.Length + 4);
        var line = 0;
        for (var i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && !EndsLine(text[i])) continue;
            var span = text.AsSpan(line, i - line);
            if (BeginsLikeMark(span)) escaped.Append(Escape);
            escaped.Append(span);
            if (i < text.Length) escaped.Append(text[i]);
            line = i + 1;
        }
        return escaped.Length == text.Length ? text : escaped.ToString();
    }

    private static bool EndsLine(char c) => c is '\n' or '\r' or '\v' or '\f' or '\u0085' or '\u2028' or '\u2029';

    /// <summary>A quick look, for texts without any sign of a mark.</summary>
    private static bool MayHaveMark(string text) => text.AsSpan().ContainsAny("[\uff3b\u2045\u3010\ud83d");

    private static bool BeginsLikeMark(ReadOnlySpan<char> line)
    {
        while (Rune.DecodeFromUtf16(line, out var rune, out var length) == System.Buffers.OperationStatus.Done && IsInvisible(rune))
            line = rune.Value == Colour ? line[ColourLength(line)..] : line[length..];
        if (line.IsEmpty) return false;
        // Locks of every kind (U+1F50F to U+1F513).
        if (Rune.DecodeFromUtf16(line, out var first, out _) == System.Buffers.OperationStatus.Done && first.Value is >= 0x1f50f and <= 0x1f513)
            return true;
        if (line[0] is not ('[' or '\uff3b' or '\u2045' or '\u3010')) return false;
        var inside = new StringBuilder();
        foreach (var rune in line[1..].EnumerateRunes())
        {
            if (inside.Length > 16) break;
            if (IsInvisible(rune)) continue;
            if (rune.Value is ']' or 0xff3d or 0x2046 or 0x3011) return s_words.Any(w => w.Replace(" ", "") == Folded(inside));
            inside.Append(rune.ToString());
        }
        return false;
    }

    /// <summary>The characters of a colour code: two digits at most, and perhaps two more after a comma.</summary>
    private static int ColourLength(ReadOnlySpan<char> line)
    {
        var length = 1;
        for (var i = 0; i < 2 && length < line.Length && char.IsAsciiDigit(line[length]); i++) length++;
        if (length == 1 || length + 1 >= line.Length || line[length] != ',' || !char.IsAsciiDigit(line[length + 1])) return length;
        length += 2;
        return length < line.Length && char.IsAsciiDigit(line[length]) ? length + 1 : length;
    }

    private static string Folded(StringBuilder text)
    {
        var folded = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i] is >= '\uff01' and <= '\uff5e' ? (char)(text[i] - 0xfee0) : text[i];
            folded.Append(char.ToLowerInvariant(c));
        }
        return folded.ToString();
    }

    /// <summary>What shows nothing: blanks, controls (IRC's formatting codes too), joiners and variation selectors.</summary>
    private static bool IsInvisible(Rune rune) =>
        Rune.IsWhiteSpace(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
            or UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.SpaceSeparator
        || rune.Value is 0x2800 or 0x3164 or 0xffa0;
}
