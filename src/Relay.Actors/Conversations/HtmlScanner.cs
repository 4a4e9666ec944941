using System.Buffers;
using System.Text;

namespace Relay.Actors.Conversations;

/// <summary>Kinds of <see cref="HtmlScanner"/>'s tokens.</summary>
internal enum HtmlToken
{
    /// <summary>A run of text without <c>&lt;</c>, <c>&amp;</c> and <c>&gt;</c>.</summary>
    Text,
    /// <summary>One of these three that is no part of a tag, comment or character reference: HTML would have escaped it.</summary>
    Bare,
    /// <summary>A character reference that is known: <see cref="HtmlScanner.Character"/>.</summary>
    Character,
    Tag,
    Comment,
}

/// <summary>
/// Cuts UTF-8 into tokens of HTML. Any input has tokens, and they are the input: what is not well formed is text. A byte is looked at
/// a bounded number of times, whatever a peer sends.
/// </summary>
internal ref struct HtmlScanner(ReadOnlySpan<byte> html)
{
    /// <summary>Longest character reference looked for, in bytes: <c>&amp;#1114111;</c>.</summary>
    private const int MaxReferenceBytes = 10;

    private static readonly SearchValues<byte> s_special = SearchValues.Create("<&>"u8);
    private static readonly SearchValues<byte> s_inTag = SearchValues.Create("<>\"'"u8);

    private readonly ReadOnlySpan<byte> _html = html;
    private int _start, _next;
    private bool _hasNoCommentEnd, _hasNoScriptEnd, _hasNoStyleEnd;

    public HtmlToken Token { get; private set; }

    /// <summary>The token as it was sent.</summary>
    public readonly ReadOnlySpan<byte> Raw => _html[_start.._next];

    /// <summary>Of a <see cref="HtmlToken.Character"/>.</summary>
    public Rune Character { get; private set; }

    /// <summary>Name of a <see cref="HtmlToken.Tag"/>, in the case in which it was sent.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    public bool IsClosing { get; private set; }

    public bool MoveNext()
    {
        _start = _next;
        if (_next == _html.Length) return false;
        var rest = _html[_start..];
        (Token, int length) = rest[0] switch
        {
            (byte)'<' => Markup(rest),
            (byte)'&' => Reference(rest),
            (byte)'>' => (HtmlToken.Bare, 1),
            _ => (HtmlToken.Text, rest.IndexOfAny(s_special) is >= 0 and var end ? end : rest.Length),
        };
        _next += length;
        return true;
    }

    /// <summary>Moves to the end of a script's or a style's content. Without a closing tag, what follows is text like any other.</summary>
    public void SkipContent()
    {
        bool isScript = Is("script"u8);
        if (isScript ? _hasNoScriptEnd : _hasNoStyleEnd) return;
        for (int at = _next; _html[at..].IndexOf("</"u8) is >= 0 and var found; at += found + 2)
        {
            var name = _html[(at + found + 2)..];
            if (name.Length <= Name.Length || !EndsName(name[Name.Length]) || !Ascii.EqualsIgnoreCase(name[..Name.Length], Name)) continue;
            _next = at + found;
            return;
        }
        if (isScript) _hasNoScriptEnd = true;
        else _hasNoStyleEnd = true;
    }

    /// <param name="name">In lower case.</param>
    public readonly bool Is(ReadOnlySpan<byte> name) => Ascii.EqualsIgnoreCase(Name, name);

    /// <summary>The value of a tag's attribute, as it was sent.</summary>
    public readonly bool TryGetAttribute(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        var rest = Raw[(1 + Name.Length)..^1];
        while (!(rest = rest.TrimStart(" \t\r\n\f/"u8)).IsEmpty)
        {
            int end = rest.IndexOfAny(" \t\r\n\f/="u8);
            var attribute = end < 0 ? rest : rest[..end];
            rest = rest[attribute.Length..];
            value = default;
            if (rest.TrimStart(" \t\r\n\f"u8) is [(byte)'=', .. var after])
            {
                after = after.TrimStart(" \t\r\n\f"u8);
                int quote = after is [(byte)'"' or (byte)'\'', ..] ? 1 : 0;
                int length = quote > 0 ? after[1..].IndexOf(after[0]) : after.IndexOfAny(" \t\r\n\f"u8);
                value = length < 0 ? after[quote..] : after.Slice(quote, length);
                rest = after[Math.Min(after.Length, value.Length + 2 * quote)..];
            }
            else if (attribute.IsEmpty)
            {
                break;
            }
            if (Ascii.EqualsIgnoreCase(attribute, name)) return true;
        }
        value = default;
        return false;
    }

    private (HtmlToken, int) Markup(ReadOnlySpan<byte> rest)
    {
        if (rest.StartsWith("<!--"u8)) return Comment(rest);
        int name = rest is [_, (byte)'/', ..] ? 2 : 1;
        int end = name;
        while (end < rest.Length && (char.IsAsciiLetter((char)rest[end]) || (end > name && char.IsAsciiDigit((char)rest[end])))) end++;
        if (end == name || end == rest.Length || !EndsName(rest[end]) || TagLength(rest, end) is not { } length) return (HtmlToken.Bare, 1);
        Name = rest[name..end];
        IsClosing = name == 2;
        return (HtmlToken.Tag, length);
    }

    private static bool EndsName(byte next) => " \t\r\n\f/>"u8.Contains(next);

    /// <summary>
    /// A tag ends with the first <c>&gt;</c> outside quotes, and is none if a <c>&lt;</c> outside quotes comes first. That keeps it
    /// linear: a scan passes over the beginning of another only within quotes, and of four beginnings in a row, two agree on what is
    /// within quotes, so that the scan of the former ends at the latter.
    /// </summary>
    private static int? TagLength(ReadOnlySpan<byte> rest, int at)
    {
        while (rest[at..].IndexOfAny(s_inTag) is >= 0 and var found)
        {
            at += found + 1;
            byte mark = rest[at - 1];
            if (mark == '>') return at;
            if (mark == '<') return null;
            int quoted = rest[at..].IndexOf(mark);
            if (quoted < 0) return null;
            at += quoted + 1;
        }
        return null;
    }

    private (HtmlToken, int) Comment(ReadOnlySpan<byte> rest)
    {
        // From the second '-' on, as browsers do: "<!-->" is whole.
        int end = _hasNoCommentEnd ? -1 : rest[2..].IndexOf("-->"u8);
        if (end >= 0) return (HtmlToken.Comment, 2 + end + 3);
        _hasNoCommentEnd = true;
        return (HtmlToken.Bare, 1);
    }

    private (HtmlToken, int) Reference(ReadOnlySpan<byte> rest)
    {
        int end = rest[..Math.Min(rest.Length, MaxReferenceBytes)].IndexOf((byte)';');
        if (end < 2 || Known(rest[1..end]) is not { } character) return (HtmlToken.Bare, 1);
        Character = character;
        return (HtmlToken.Character, end + 1);
    }

    private static Rune? Known(ReadOnlySpan<byte> reference)
    {
        if (reference[0] == '#') return Numbered(reference[1..]);
        if (Ascii.EqualsIgnoreCase(reference, "amp"u8)) return new Rune('&');
        if (Ascii.EqualsIgnoreCase(reference, "lt"u8)) return new Rune('<');
        if (Ascii.EqualsIgnoreCase(reference, "gt"u8)) return new Rune('>');
        if (Ascii.EqualsIgnoreCase(reference, "quot"u8)) return new Rune('"');
        if (Ascii.EqualsIgnoreCase(reference, "apos"u8)) return new Rune('\'');
        // As libpurple reads them. A no-break space is what a program writes that wants to keep a run of blanks.
        if (Ascii.EqualsIgnoreCase(reference, "nbsp"u8)) return new Rune(' ');
        if (Ascii.EqualsIgnoreCase(reference, "copy"u8)) return new Rune('©');
        if (Ascii.EqualsIgnoreCase(reference, "reg"u8)) return new Rune('®');
        return null;
    }

    private static Rune? Numbered(ReadOnlySpan<byte> digits)
    {
        int radix = digits is [(byte)'x' or (byte)'X', ..] ? 16 : 10;
        if (radix == 16) digits = digits[1..];
        int value = 0;
        foreach (byte digit in digits)
        {
            if (!(radix == 16 ? char.IsAsciiHexDigit((char)digit) : char.IsAsciiDigit((char)digit))) return null;
            value = value * radix + (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }
        // U+0000, which no text in a session has, and what is no character stays as it was sent.
        return value != 0 && Rune.TryCreate(value, out var character) ? character : null;
    }
}
