using System.Text;
using System.Xml;
using System.Xml.Linq;
using Relay.Bridges.Xmpp;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>What is written is XML 1.0 whatever the text is, as an independent reader sees it.</summary>
public sealed class StanzaWriterTests
{
    public static TheoryData<string, string> Texts => new()
    {
        { "plain", "plain" },
        { "<b>&amp;'\"", "<b>&amp;'\"" },
        { "a\tb\nc\r\nd", "a\tb\nc\r\nd" },
        { "\0\u0001\u0008\u000b\u001f", "\ufffd\ufffd\ufffd\ufffd\ufffd" },
        { "\ufffe\uffff", "\ufffd\ufffd" },
        { "\ud800x\udc00", "\ufffdx\ufffd" },
        { "\ud83d\ude00", "\ud83d\ude00" },
        { "]]><!-- <?x ?>", "]]><!-- <?x ?>" },
        { "\u007f\u0085\u2028\ud7ff\ue000\ufffd", "\u007f\u0085\u2028\ud7ff\ue000\ufffd" },
    };

    [Theory, MemberData(nameof(Texts))]
    public void A_text_survives_and_what_XML_does_not_allow_is_replaced(string text, string read)
    {
        Assert.Equal(read, XElement.Parse($"<a>{XmppText.Escape(text)}</a>", LoadOptions.PreserveWhitespace).Value);
        // In an attribute, white space becomes blanks; everything else is the same.
        if (!text.Contains('\n') && !text.Contains('\r')) Assert.Equal(read, XElement.Parse($"<a b='{XmppText.Escape(text)}'/>").Attribute("b")!.Value);
    }

    [Fact]
    public void Every_character_can_be_written()
    {
        var all = new StringBuilder();
        for (int c = 0; c <= 0xffff; c++) all.Append((char)c);
        XElement.Parse($"<a>{XmppText.Escape(all.ToString())}</a>");
        Assert.Throws<XmlException>(() => XElement.Parse($"<a>{(char)1}</a>"));
    }

    /// <summary>Each of these was needed in the measurements: without, a second resource got a copy or the server's archive the text.</summary>
    [Fact]
    public void OTR_text_has_all_hints_and_plain_text_has_none()
    {
        var otr = Parse(StanzaWriter.Message("bot@otr.example.org/relay", "a@example.org/r", "1", "?OTR:AAMD.", isOtr: true));
        Assert.Equal(["{jabber:component:accept}body", "{urn:xmpp:carbons:2}private", "{urn:xmpp:hints}no-copy", "{urn:xmpp:hints}no-store",
            "{urn:xmpp:hints}no-permanent-store", "{urn:xmpp:eme:0}encryption"], otr.Elements().Select(e => e.Name.ToString()));
        Assert.Equal("urn:xmpp:otr:0", otr.Elements().Last().Attribute("namespace")!.Value);
        Assert.Equal("chat", otr.Attribute("type")!.Value);
        var plain = Parse(StanzaWriter.Message("bot@otr.example.org/relay", "a@example.org", "2", "hello", isOtr: false));
        Assert.Equal("body", Assert.Single(plain.Elements()).Name.LocalName);
    }

    /// <summary>As in XEP-0066, section 3.</summary>
    [Fact]
    public void The_link_of_a_file_is_out_of_band()
    {
        var offer = Parse(StanzaWriter.Message("bot@otr.example.org/relay", "a@example.org/r", "1", "?OTR:AAMD.", isOtr: true, url: "https://h/files/a?b&c"));
        var oob = offer.Elements().Last();
        Assert.Equal(("{jabber:x:oob}x", "{jabber:x:oob}url", "https://h/files/a?b&c"), (oob.Name.ToString(), oob.Elements().Single().Name.ToString(), oob.Value));
    }

    /// <summary>The example of XEP-0114, section 3: stream id 3BF96D32, secret "test".</summary>
    [Fact]
    public void The_handshake_is_the_hash_of_id_and_secret() =>
        Assert.Equal("aaee83c26aeeafcbabeabfcbcd50df997e0a2a1e", ComponentLogin.Hash("3BF96D32", "test"));

    private static XElement Parse(string stanza) => XElement.Parse($"<s xmlns='jabber:component:accept'>{stanza}</s>").Elements().Single();
}
