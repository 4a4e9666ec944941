using System.Diagnostics;
using System.Net;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Relay.Actors.Conversations;

namespace Relay.Actors.Tests.Html;

/// <summary>Text to HTML and back, whatever a peer sends.</summary>
public sealed class HtmlTextTests
{
    /// <summary>Pieces that mean something to a reader of HTML, and some that do not.</summary>
    private static readonly Gen<string> s_pieces = Gen.Elements(
        "<", ">", "&", "\"", "'", ";", "#", "x", "/", "!", "-", "--", "=", " ", "\n", "\r", "\t", "a", "b", "3", "é", "☃", "😀", "<a", "<a ",
        "</a>", "<b>", "</b>", "<br>", "<p>", "</p>", "<div>", "</div>", "<a href=", "<a href=x>", "<a href=\"x&amp;y\">", "<!--", "-->",
        "<script>", "</script>", "<style>", "</style>", "<img alt='x'>", "&amp;", "&lt", "&lt;", "&nbsp;", "&#", "&#x", "&#0;", "&#128;",
        "&#x1F600;", "&reg;");

    private static readonly Gen<string> s_texts = Gen.Choose(0, 40).SelectMany(n => s_pieces.ArrayOf(n)).Select(p => string.Concat(p));

    private static string ToHtml(string text) => Encoding.UTF8.GetString(HtmlText.ToHtml(Encoding.UTF8.GetBytes(text)));

    private static string FromHtml(string html) => Encoding.UTF8.GetString(HtmlText.FromHtml(Encoding.UTF8.GetBytes(html)).Span);

    private static IEnumerable<string> Texts(int count) => s_texts.Sample(count, new Rnd(7), 50);

    [Theory]
    [InlineData("", "")]
    [InlineData("hello", "hello")]
    [InlineData("if a<b && c>d say \"<foo>\"", "if a&lt;b &amp;&amp; c&gt;d say &quot;&lt;foo&gt;&quot;")]
    [InlineData("one\ntwo\r\nthree\rfour\n\n", "one<br>two<br>three<br>four<br><br>")]
    [InlineData("don't   touch\tblanks ☃", "don't   touch\tblanks ☃")]
    public void Text_becomes_html_that_shows_it(string text, string html) => Assert.Equal(html, ToHtml(text));

    [Theory]
    // Not HTML, or not quite: it stays.
    [InlineData("i <3 u & you", "i <3 u & you")]
    [InlineData("a < b, <, </, <>, < b>, <1>, <b", "a < b, <, </, <>, < b>, <1>, <b")]
    [InlineData("<a \"never closed>text", "<a \"never closed>text")]
    [InlineData("<b <i>x</i>", "<b x")]
    [InlineData("&unknown; &amp &; &#; &#x; &#xg; &#0; &#xD800; &#1114112; &#99999999999; &",
        "&unknown; &amp &; &#; &#x; &#xg; &#0; &#xD800; &#1114112; &#99999999999; &")]
    [InlineData("<!-- never closed", "<!-- never closed")]
    // Character references.
    [InlineData("&lt;3 &amp; &gt;&quot;&apos;&AMP;&nbsp;&copy;&reg;&#65;&#x42;&#X43;&#8364;&#x1f600;", "<3 & >\"'& ©®ABC€😀")]
    [InlineData("&amp;lt; &amp;amp;", "&lt; &amp;")]
    // Tags.
    [InlineData("<b>bold</b> <FONT COLOR=\"red\">r</FONT><o:p></o:p>", "bold r<o:p></o:p>")]
    [InlineData("<span title='a > b'>x</span><foo>y</foo>", "xy")]
    [InlineData("one<br>two<BR/>three<br />four<br>", "one\ntwo\nthree\nfour\n")]
    [InlineData("<p>one</p>\n <p>two</p>\n", "one\ntwo")]
    [InlineData("<div>a</div><div><br></div><div>b</div>", "a\n\nb")]
    [InlineData("a<div>b</div>c", "a\nb\nc")]
    [InlineData("<ul><li>one</li><li>two</li></ul>", "one\ntwo")]
    [InlineData("kept\nline ends  and   blanks", "kept\nline ends  and   blanks")]
    [InlineData("a<!-- b --->c<!---->d<!-->e", "acde")]
    [InlineData("a<script type=x>if (a < b) \"</b>\"</SCRIPT >b<style>p { }</style>c", "abc")]
    [InlineData("a<script>b</scripts>c", "abc")]
    [InlineData("a<script>b</style>c</script>d<script>e", "ade")]
    // Links.
    [InlineData("<a href=\"http://x.org/?a=1&b=2\">http://x.org/?a=1&amp;b=2</a>", "http://x.org/?a=1&b=2")]
    [InlineData("<a class=l HREF = 'http://x.org/?a=1&amp;b=2' title=\"t\">here</a>.", "here (http://x.org/?a=1&b=2).")]
    [InlineData("<a href=http://x.org/>here</a>", "here (http://x.org/)")]
    [InlineData("<A HREF=\"http://www.x.org\">www.x.org</A> <A HREF=\"mailto:a@x.org\">a@x.org</A>", "www.x.org a@x.org")]
    [InlineData("<a href=\"http://evil.example/\">http://good.example/</a>", "http://good.example/ (http://evil.example/)")]
    [InlineData("<a href=\"x\"><img></a> <a name=y>z</a> <a href=''>e</a> </a>", "x z e ")]
    [InlineData("<a href=\"x\">never closed", "never closed")]
    public void Html_becomes_the_text_that_it_shows(string html, string text) => Assert.Equal(text, FromHtml(html));

    /// <summary>As these programs write, by their sources: gtkimhtml and libpurple's links, AIHTMLDecoder of Adium, Gajim's OTR.</summary>
    [Theory]
    // Pidgin: what was typed as "<3", in two lines, with a font, with links.
    [InlineData("&lt;3", "<3")]
    [InlineData("one &amp; two<br>three", "one & two\nthree")]
    [InlineData("<FONT COLOR=\"#ff0000\"><b>red &quot;and&quot; <i>bold</i></b></FONT>", "red \"and\" bold")]
    [InlineData("<font face=\"Sans\" size=\"4\">big</font> <span style='text-decoration: line-through'>x</span>", "big x")]
    [InlineData("see <A HREF=\"http://x.org/?a=1&b=2\">http://x.org/?a=1&amp;b=2</A> and <A HREF=\"http://www.x.org\">www.x.org</A>",
        "see http://x.org/?a=1&b=2 and www.x.org")]
    [InlineData("<A HREF=\"http://irssi.org/\">Irssi</A>", "Irssi (http://irssi.org/)")]
    // Adium: fonts with attributes without quotes, sometimes never closed; runs of blanks and tabs; titles of links; a line in capitals.
    [InlineData("<FONT>message goes here</FONT>", "message goes here")]
    [InlineData("<HTML><BODY BGCOLOR=\"#ffffff\"><FONT FACE=\"Helvetica\" ABSZ=12 SIZE=3 COLOR=\"#000000\">it's \"here\"</BODY></HTML>",
        "it's \"here\"")]
    [InlineData("&nbsp;a &nbsp;b<BR> &nbsp;&nbsp;&nbsp;c", " a  b\n    c")]
    [InlineData("<DIV dir=\"rtl\"><FONT FACE=\"Arial Hebrew\" LANG=\"11\">שלום</FONT></DIV>", "שלום")]
    [InlineData("<a href=\"http://x.org/\" title=\"http://x.org/\">x</a>", "x (http://x.org/)")]
    [InlineData("above<HR>below", "above\nbelow")]
    // Gajim: everything escaped.
    [InlineData("if (a &lt; b &amp;&amp; c &gt; d) say(&quot;&#x27;&quot;);<br/>done", "if (a < b && c > d) say(\"'\");\ndone")]
    public void Clients_are_read(string sent, string typed)
    {
        Assert.Equal(HtmlEvidence.Html, HtmlText.Judge(Encoding.UTF8.GetBytes(sent)));
        Assert.Equal(typed, FromHtml(sent));
    }

    [Theory]
    // Nothing to tell by.
    [InlineData("", HtmlEvidence.None)]
    [InlineData("hello \"you\", don't; 100% #1", HtmlEvidence.None)]
    // No client that writes HTML leaves these as they are.
    [InlineData("i <3 u", HtmlEvidence.Plain)]
    [InlineData("you & me", HtmlEvidence.Plain)]
    [InlineData("a -> b", HtmlEvidence.Plain)]
    [InlineData("if (a < b && c > d) return &amp;x;", HtmlEvidence.Plain)]
    [InlineData("x &unknown; y", HtmlEvidence.Plain)]
    [InlineData("use List<string> or <foo>", HtmlEvidence.Plain)]
    [InlineData("<a> has no address</a>", HtmlEvidence.Plain)]
    [InlineData("<script>alert(1)</script>", HtmlEvidence.Plain)]
    [InlineData("a <b>bold</b> <- word", HtmlEvidence.Plain)]
    // Tags that are spoken of, one by one.
    [InlineData("put it in <b> and <i>", HtmlEvidence.Plain)]
    [InlineData("close it with </div>", HtmlEvidence.Plain)]
    // What looks the same from either: it is read as from Pidgin.
    [InlineData("<b>so</b>", HtmlEvidence.Html)]
    [InlineData("write &amp;", HtmlEvidence.Html)]
    [InlineData("one<br>two", HtmlEvidence.Html)]
    public void A_text_tells_of_its_program_or_not(string text, object evidence)
        => Assert.Equal(evidence, HtmlText.Judge(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Text_comes_back_with_line_feeds_for_line_ends()
    {
        foreach (var text in Texts(5_000))
        {
            var html = ToHtml(text);
            Assert.Equal(text.ReplaceLineEndings("\n"), FromHtml(html));
            Assert.InRange(Encoding.UTF8.GetByteCount(html), 0, HtmlText.MaxGrowth * Encoding.UTF8.GetByteCount(text));
            Assert.NotEqual(HtmlEvidence.Plain, HtmlText.Judge(Encoding.UTF8.GetBytes(html)));
            // An independent reader of HTML agrees.
            Assert.Equal(text.ReplaceLineEndings("\n"), WebUtility.HtmlDecode(html.Replace("<br>", "\n")));
        }
    }

    /// <summary>The base class library writes the references.</summary>
    [Fact]
    public void Character_references_of_another_writer_are_read()
    {
        foreach (var text in Texts(2_000)) Assert.Equal(text, FromHtml(WebUtility.HtmlEncode(text)));
    }

    [Fact]
    public void Html_never_grows_and_nothing_is_thrown()
    {
        foreach (var html in Texts(20_000)) Check(Encoding.UTF8.GetBytes(html));
        var bytes = Gen.Choose(0, 255).Select(b => (byte)b).ArrayOf(60);
        foreach (var html in bytes.Sample(2_000, new Rnd(8), 60)) Check(html);

        static void Check(byte[] html)
        {
            Assert.InRange(HtmlText.FromHtml(html).Length, 0, html.Length);
            HtmlText.Judge(html);
            HtmlText.ToHtml(html);
        }
    }

    /// <summary>128 KiB is what comes at most. With as much as this, what is not linear takes minutes.</summary>
    [Fact]
    public void Time_is_linear_in_whatever_comes()
    {
        string[] hostile =
        [
            "<", "&", ">", "<a", "<a ", "<a \"", "<a '", "<a \"'<b '\"", "<a \"'\"'", "<a href=\"", "<a href=x>",
            "<a href='x'>y</a", "</a>", "<!--", "<!-", "<script>", "</script", "<script><style>", "<script></style>", "<b>", "</b>", "<p>",
            "<p>\n ", "<br>", "&#", "&#x", "&amp", "&#000000000", "<a/////", "<a =\"=",
        ];
        var random = s_pieces.ArrayOf(6).Sample(80, new Rnd(9), 6).Select(p => string.Concat(p));
        foreach (var unit in hostile.Concat(random).Where(u => u.Length > 0))
        {
            var html = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(unit, (1 << 20) / unit.Length)));
            var taken = Stopwatch.StartNew();
            HtmlText.FromHtml(html);
            HtmlText.Judge(html);
            HtmlText.ToHtml(html);
            Assert.True(taken.Elapsed < TimeSpan.FromSeconds(5), $"{unit} takes {taken.Elapsed}.");
        }
    }

    [Fact]
    public void Depth_and_openings_without_end_cost_nothing()
    {
        var deep = string.Concat(Enumerable.Repeat("<b>", 20_000)) + "x" + string.Concat(Enumerable.Repeat("</b>", 20_000));
        Assert.Equal("x", FromHtml(deep));
        Assert.Equal(HtmlEvidence.Html, HtmlText.Judge(Encoding.UTF8.GetBytes(deep)));
        var links = string.Concat(Enumerable.Repeat("<a href=y>", 10_000)) + "x" + string.Concat(Enumerable.Repeat("</a>", 10_000));
        Assert.Equal("x (y)", FromHtml(links));
    }
}
