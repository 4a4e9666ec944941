using System.Text;

namespace Relay.Bridges.Irc;

/// <summary>The texts of the lines that carry one wire text, or why it cannot be carried.</summary>
/// <param name="Lines">In order; empty if there is nothing to send.</param>
/// <param name="Refusal">For the operator, with what to change; null if the text can be carried.</param>
internal readonly record struct CutText(IReadOnlyList<string> Lines, string? Refusal)
{
    /// <summary>Prints neither text nor number of lines.</summary>
    public override string ToString() => Refusal is null ? "CutText" : "CutText (refused)";
}

/// <summary>
/// Turns a wire text into texts of lines. An encoded OTR message is one line or is refused: it is never cut or changed. Text in the clear
/// is split at line ends and cut between characters, and nothing in it can become a command, an empty line, or OTR.
/// </summary>
internal static class OutboundLines
{
    private const string TagBase = " \t  \t\t\t\t \t \t \t  ";
    private const int TagGroup = 8;

    /// <param name="textBytes">From <see cref="LineBudget"/>.</param>
    public static CutText Cut(ReadOnlySpan<byte> wire, int textBytes)
    {
        if (textBytes < IrcLimits.LeastTextBytes) return Refused("The server's limits leave no room for text in a line.");
        if (WireText.IsEncoded(wire)) return Encoded(wire, textBytes);
        var text = Encoding.UTF8.GetString(wire);
        return WireText.IsOtr(wire) ? Request(text, textBytes) : Clear(text, textBytes);
    }

    private static CutText Encoded(ReadOnlySpan<byte> wire, int textBytes)
    {
        if (wire.ContainsAnyExceptInRange((byte)'!', (byte)'~')) return Refused("An OTR message has a byte that OTR does not use.");
        return wire.Length <= textBytes
            ? new CutText([Encoding.ASCII.GetString(wire)], null) : Refused(TooLong("OTR message", wire.Length, textBytes));
    }

    /// <summary>A query or an OTR error: text for people follows it, in one line.</summary>
    private static CutText Request(string text, int textBytes)
    {
        var line = IrcText.Clean(text.ReplaceLineEndings(" ")).TrimEnd(' ');
        var bytes = Encoding.UTF8.GetByteCount(line);
        return bytes <= textBytes ? new CutText([line], null) : Refused(TooLong("OTR query or error", bytes, textBytes)
            + " A shorter text after the query is set with --query-text.");
    }

    private static CutText Clear(string text, int textBytes)
    {
        var lines = new List<string>();
        foreach (var line in WithoutTag(text).Split('\r', '\n'))
        {
            var rest = IrcText.Clean(line);
            while (rest.Trim(' ').Length > 0)
            {
                // Not what Relay sent as OTR: a receiver would take it for OTR.
                if (rest.StartsWith("?OTR", StringComparison.Ordinal)) return Refused("A line of a text in the clear begins with ?OTR.");
                if (lines.Count == IrcLimits.LinesPerText) return Refused($"A text has more than {IrcLimits.LinesPerText} lines.");
                var length = PieceLength(rest, textBytes);
                lines.Add(rest[..length]);
                rest = rest[length..];
            }
        }
        return new CutText(lines, null);
    }

    /// <summary>Characters of the longest piece that fits: no half character at its end, and no OTR at the next one's start.</summary>
    private static int PieceLength(string text, int textBytes)
    {
        var length = IrcText.FittingLength(text, textBytes);
        if (length == text.Length) return length;
        while (length > 1 && text.AsSpan(length).StartsWith("?OTR", StringComparison.Ordinal)) length--;
        return length;
    }

    /// <summary>A whitespace tag ends with blanks, which some servers remove, so that it would offer another version or none.</summary>
    private static string WithoutTag(string text)
    {
        var at = text.IndexOf(TagBase, StringComparison.Ordinal);
        if (at < 0) return text;
        var end = at + TagBase.Length;
        while (text.Length - end >= TagGroup && text.AsSpan(end, TagGroup).IndexOfAnyExcept(' ', '\t') < 0) end += TagGroup;
        return string.Concat(text.AsSpan(0, at), text.AsSpan(end));
    }

    private static string TooLong(string what, int bytes, int textBytes) =>
        $"An {what} of {bytes} bytes does not fit in an IRC line, which has room for {textBytes}. Let the endpoint fragment its messages: "
        + $"relay endpoints update ENDPOINT --max-wire-bytes {Math.Min(textBytes, IrcLimits.TextBytesUnknownPrefix)} --single-line true";

    private static CutText Refused(string why) => new([], why);
}
