using System.Text;

namespace Relay.Proxy.Contacts;

/// <summary>A text to show with its mark. What follows a mark is escaped wherever a new line or message begins, so that it cannot look like one.</summary>
/// <param name="Mark">With the blank behind it.</param>
/// <param name="Text">As the contact wrote it.</param>
internal readonly record struct MarkedText(string Mark, string Text)
{
    private static readonly char[] s_lineEnds = ['\r', '\n', '\v', '\f', '\u0085', '\u2028', '\u2029'];

    /// <summary>The text as one message.</summary>
    public string AsMessage() => Mark + Marks.Escaped(Text);

    /// <summary>
    /// The text as messages of one line each, none of them empty and each with the mark: between two lines anybody may have written a third.
    /// </summary>
    /// <param name="maxBytes">Of a line, with the mark.</param>
    public IEnumerable<string> AsLines(int maxBytes)
    {
        // One byte for the backslash of an escape.
        var room = maxBytes - Encoding.UTF8.GetByteCount(Mark) - 1;
        foreach (var line in Text.Split(s_lineEnds, StringSplitOptions.RemoveEmptyEntries))
        {
            foreach (var piece in LineCutter.Cut(IrcText.Clean(line), room)) yield return Mark + Marks.Escaped(piece);
        }
    }

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(MarkedText);
}

/// <summary>Cuts a line of text into pieces, at blanks where there are some.</summary>
internal static class LineCutter
{
    public static IEnumerable<string> Cut(string line, int maxBytes)
    {
        var rest = line;
        while (rest.Trim(' ').Length > 0)
        {
            var length = IrcText.FittingLength(rest, maxBytes);
            if (length < rest.Length && rest.LastIndexOf(' ', length - 1) is var blank && blank > length / 2) length = blank;
            yield return rest[..length];
            rest = rest[length..].TrimStart(' ');
        }
    }
}
