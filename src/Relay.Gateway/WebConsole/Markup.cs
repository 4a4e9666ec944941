using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Relay.Gateway.WebConsole;

/// <summary>
/// HTML of the console. Its only source is <see cref="Of"/>: the literal parts are this program's, and every hole is escaped, so that no
/// page can forget it. Characters that change how text around them is shown, such as controls and marks of direction, are shown by number.
/// </summary>
internal sealed class Markup
{
    /// <summary>Characters of a foreign text that are shown.</summary>
    private const int MaxForeignLength = 256;

    private readonly string _html;

    private Markup(string html) => _html = html;

    public static Markup Empty { get; } = new("");

    /// <summary>HTML from an interpolated string: literals as they are, holes escaped.</summary>
    public static Markup Of(Handler html) => new(html.ToString());

    /// <summary>
    /// A text that somebody outside chose, such as an address: escaped, shortened, and isolated, so that its direction does not reach what
    /// is beside it.
    /// </summary>
    public static Markup Foreign(string text)
    {
        var shown = text.Length > MaxForeignLength ? text[..MaxForeignLength] + "…" : text;
        return Of($"<bdi>{shown}</bdi>");
    }

    public static Markup Join(IEnumerable<Markup> parts) => new(string.Concat(parts.Select(p => p._html)));

    public override string ToString() => _html;

    private static void Escape(StringBuilder html, ReadOnlySpan<char> text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            switch (rune.Value)
            {
                case '&': html.Append("&amp;"); break;
                case '<': html.Append("&lt;"); break;
                case '>': html.Append("&gt;"); break;
                case '"': html.Append("&quot;"); break;
                case '\'': html.Append("&#39;"); break;
                default:
                    if (IsHidden(rune)) html.Append(CultureInfo.InvariantCulture, $"[U+{rune.Value:X4}]");
                    else html.Append(rune.ToString());
                    break;
            }
        }
    }

    /// <summary>
    /// Controls, marks of direction, zero-width characters, separators of lines, tags and what is not assigned: a reader would not see
    /// them, or see another text.
    /// </summary>
    private static bool IsHidden(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;

    /// <summary>Builds the HTML of an interpolated string.</summary>
    [InterpolatedStringHandler]
    public readonly struct Handler(int literalLength, int holes)
    {
        private readonly StringBuilder _html = new(literalLength + 16 * holes);

        public void AppendLiteral(string html) => _html.Append(html);

        public void AppendFormatted(string? text) => Escape(_html, text);

        public void AppendFormatted(Markup html) => _html.Append(html._html);

        public void AppendFormatted(IEnumerable<Markup> parts)
        {
            foreach (var part in parts) _html.Append(part._html);
        }

        /// <summary>A number as people read it: <c>1,204</c>.</summary>
        public void AppendFormatted(long number) => _html.Append(number.ToString("N0", CultureInfo.InvariantCulture));

        public override string ToString() => _html.ToString();
    }
}
