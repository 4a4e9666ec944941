using System.Text;

namespace Relay.Actors.Conversations;

/// <summary>What a text tells of the program that wrote it.</summary>
internal enum HtmlEvidence
{
    /// <summary>Nothing: it would look the same from either.</summary>
    None,
    Plain,
    Html,
}

/// <summary>
/// Text in private sessions as HTML, which Pidgin, Adium, Gajim and others write and read there, and back. Pure functions on UTF-8; for
/// invalid UTF-8 too.
/// </summary>
internal static class HtmlText
{
    /// <summary>Bytes of HTML that one byte of text can become: <c>&amp;quot;</c>.</summary>
    public const int MaxGrowth = 6;

    /// <summary>Tags that clients format with, and always close.</summary>
    private static readonly string[] s_paired =
    [
        "a", "b", "big", "body", "div", "em", "head", "html", "i", "p", "pre", "s", "small", "span", "strike", "strong", "sub", "sup",
        "title", "u",
    ];

    /// <summary>Tags that have no end, or that Adium leaves open on some networks.</summary>
    private static readonly string[] s_single = ["br", "font", "hr", "img"];

    private static readonly string[] s_blocks =
    [
        "p", "div", "li", "tr", "ul", "ol", "table", "blockquote", "pre", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "html", "head", "body",
    ];

    /// <summary>
    /// Text as HTML that shows it: escaped, with <c>&lt;br&gt;</c> for line ends. Runs of blanks stay as they are, because Pidgin and
    /// Adium show them.
    /// </summary>
    /// <returns>At most <see cref="MaxGrowth"/> times as long.</returns>
    public static byte[] ToHtml(ReadOnlySpan<byte> text)
    {
        var html = new byte[Escape(text, default)];
        Escape(text, html);
        return html;
    }

    /// <summary>
    /// The text that HTML shows: without tags, comments, scripts and styles; a line end for <c>&lt;br&gt;</c> and between paragraphs and
    /// other blocks; the address of a link behind its text, if it is another.
    /// </summary>
    /// <returns>Never longer than the HTML.</returns>
    public static ReadOnlyMemory<byte> FromHtml(ReadOnlySpan<byte> html)
    {
        var text = new byte[html.Length];
        var writer = new Writer(text);
        var scanner = new HtmlScanner(html);
        while (scanner.MoveNext())
        {
            switch (scanner.Token)
            {
                case HtmlToken.Text or HtmlToken.Bare: writer.Add(scanner.Raw); break;
                case HtmlToken.Character: writer.Add(scanner.Character); break;
                case HtmlToken.Tag: writer.Apply(ref scanner); break;
            }
        }
        return text.AsMemory(0, writer.Length);
    }

    /// <summary>
    /// Whether a text is HTML: every tag is one that clients format with, those that clients close are closed, every <c>&lt;</c>,
    /// <c>&amp;</c> and <c>&gt;</c> outside tags is escaped, and there is a tag or a character reference at all. A text without any of these
    /// marks tells nothing; any other is plain. Decision 29 has the reasons.
    /// </summary>
    public static HtmlEvidence Judge(ReadOnlySpan<byte> text)
    {
        Span<int> open = stackalloc int[s_paired.Length];
        open.Clear();
        bool isMarked = false;
        var scanner = new HtmlScanner(text);
        while (scanner.MoveNext())
        {
            switch (scanner.Token)
            {
                case HtmlToken.Bare:
                    return HtmlEvidence.Plain;
                case HtmlToken.Tag:
                    int pair = IndexOf(s_paired, scanner.Name);
                    if (pair < 0 && IndexOf(s_single, scanner.Name) < 0) return HtmlEvidence.Plain;
                    if (scanner.Is("a"u8) && !scanner.IsClosing && !scanner.TryGetAttribute("href"u8, out _)) return HtmlEvidence.Plain;
                    if (pair >= 0) open[pair] += scanner.IsClosing ? -1 : 1;
                    isMarked = true;
                    break;
                case HtmlToken.Character:
                    isMarked = true;
                    break;
            }
        }
        if (!isMarked) return HtmlEvidence.None;
        return open.ContainsAnyExcept(0) ? HtmlEvidence.Plain : HtmlEvidence.Html;
    }

    /// <param name="html">Empty: the length is asked for.</param>
    private static int Escape(ReadOnlySpan<byte> text, Span<byte> html)
    {
        int length = 0;
        for (int i = 0; i < text.Length; i++)
        {
            bool isSecondOfLineEnd = text[i] == '\n' && i > 0 && text[i - 1] == '\r';
            var escaped = text[i] switch
            {
                (byte)'<' => "&lt;"u8,
                (byte)'>' => "&gt;"u8,
                (byte)'&' => "&amp;"u8,
                (byte)'"' => "&quot;"u8,
                (byte)'\n' or (byte)'\r' => isSecondOfLineEnd ? default : "<br>"u8,
                _ => text.Slice(i, 1),
            };
            if (!html.IsEmpty) escaped.CopyTo(html[length..]);
            length += escaped.Length;
        }
        return length;
    }

    private static int IndexOf(string[] names, ReadOnlySpan<byte> name)
    {
        for (int i = 0; i < names.Length; i++)
        {
            if (Ascii.EqualsIgnoreCase(name, names[i])) return i;
        }
        return -1;
    }

    /// <summary>
    /// Writes into as many bytes as the HTML has. They suffice: whatever a token adds is shorter than itself, also the address of a link,
    /// which comes from the opening tag and is written once.
    /// </summary>
    private ref struct Writer(Span<byte> text)
    {
        private readonly Span<byte> _text = text;
        private ReadOnlySpan<byte> _address;
        private int _linkStart;
        private bool _isLink;
        // A block has begun or ended: a line end is due before the next text, if there is one.
        private bool _isBreakDue;

        public int Length { get; private set; }

        public void Add(ReadOnlySpan<byte> text)
        {
            if (_isBreakDue)
            {
                // Between blocks, blanks and line ends lay out the HTML.
                if (text.Trim(" \t\r\n"u8).IsEmpty) return;
                Break();
            }
            Append(text);
        }

        public void Add(Rune character)
        {
            Break();
            Length += character.EncodeToUtf8(_text[Length..]);
        }

        public void Apply(ref HtmlScanner tag)
        {
            if (tag.Is("br"u8)) NewLine();
            else if (tag.Is("a"u8)) Link(ref tag);
            else if (tag.Is("script"u8) || tag.Is("style"u8)) Skip(ref tag);
            else if (IndexOf(s_blocks, tag.Name) >= 0) _isBreakDue = true;
        }

        private static void Skip(ref HtmlScanner tag)
        {
            if (!tag.IsClosing) tag.SkipContent();
        }

        private void NewLine()
        {
            Break();
            _text[Length++] = (byte)'\n';
        }

        private void Break()
        {
            if (_isBreakDue && Length > 0 && _text[Length - 1] != '\n') _text[Length++] = (byte)'\n';
            _isBreakDue = false;
        }

        private void Append(ReadOnlySpan<byte> text)
        {
            text.CopyTo(_text[Length..]);
            Length += text.Length;
        }

        private void Link(ref HtmlScanner tag)
        {
            if (!tag.IsClosing)
            {
                _isLink = tag.TryGetAttribute("href"u8, out _address) && !_address.IsEmpty;
                _linkStart = Length;
                return;
            }
            if (!_isLink) return;
            _isLink = false;
            int end = Length;
            var shown = _text[_linkStart..end].Trim(" \n"u8);
            bool isShown = !shown.IsEmpty;
            if (isShown) Append(" ("u8);
            int start = Length;
            AppendAddress();
            if (isShown && IsShown(_text[start..Length], shown)) Length = end;
            else if (isShown) Append(")"u8);
        }

        private void AppendAddress()
        {
            var scanner = new HtmlScanner(_address);
            while (scanner.MoveNext())
            {
                if (scanner.Token == HtmlToken.Character) Length += scanner.Character.EncodeToUtf8(_text[Length..]);
                else Append(scanner.Raw);
            }
        }

        /// <summary>libpurple turns an address without a scheme into a link with one: it is the same address.</summary>
        private static bool IsShown(ReadOnlySpan<byte> address, ReadOnlySpan<byte> shown)
        {
            if (!address.EndsWith(shown)) return false;
            var scheme = address[..^shown.Length];
            return scheme.IsEmpty || scheme.SequenceEqual("http://"u8) || scheme.SequenceEqual("ftp://"u8)
                || scheme.SequenceEqual("mailto:"u8);
        }
    }
}
