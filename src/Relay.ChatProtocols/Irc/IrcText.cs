namespace Relay.ChatProtocols.Irc;

/// <summary>Text that is to become the last parameter of IRC lines.</summary>
public static class IrcText
{
    /// <summary>Colours and styles, which text may contain.</summary>
    private const string Formatting = "\x02\x03\x04\x0f\x11\x16\x1d\x1e\x1f\t";
    private const char Replacement = '\uFFFD';

    /// <summary>
    /// NUL, line ends, CTCP's delimiter and other control characters become U+FFFD: at them servers and clients cut a line, end a command,
    /// or begin another one. Formatting codes stay.
    /// </summary>
    public static string Clean(string text) => string.Create(text.Length, text, static (cleaned, source) =>
    {
        for (var i = 0; i < source.Length; i++)
        {
            var c = source[i];
            cleaned[i] = (c < ' ' || c == '\x7f') && !Formatting.Contains(c, StringComparison.Ordinal) ? Replacement : c;
        }
    });

    /// <summary>Characters of the longest beginning that has no more than so many bytes in UTF-8, without half a character at its end.</summary>
    public static int FittingLength(ReadOnlySpan<char> text, int maxBytes)
    {
        var (length, bytes) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            if (bytes + rune.Utf8SequenceLength > maxBytes) break;
            bytes += rune.Utf8SequenceLength;
            length += rune.Utf16SequenceLength;
        }
        return length;
    }
}
