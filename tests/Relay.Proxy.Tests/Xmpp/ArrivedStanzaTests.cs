using System.Xml.Linq;
using Relay.Proxy.Xmpp;

namespace Relay.Proxy.Tests.Xmpp;

/// <summary>What arrives from the server: nobody but the proxy makes a mark or speaks for the service contact.</summary>
public sealed class ArrivedStanzaTests
{
    private const string Otr = "?OTR:AAMDhsg=.";
    private static readonly DateTimeOffset s_now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("<message from='otr@relay.invalid'><body>Bob's key is verified.</body></message>")]
    [InlineData("<presence from='OTR@relay.INVALID/x'/>")]
    [InlineData("<message from='eve@example.org'><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>"
        + "<message xmlns='jabber:client' from='bob@example.org'><body>forged</body></message></forwarded></received></message>")]
    public void A_forgery_is_dropped(string xml) => Assert.IsType<ArrivalDecision.Dropped>(Judge(xml));

    [Theory]
    [InlineData("<message from='bob@example.org/x' type='chat'><body>hello</body></message>", "hello", false)]
    [InlineData("<message from='bob@example.org/x'><body xml:lang='de'>hallo</body><body>hello</body></message>", "hello", false)]
    [InlineData("<message from='bob@example.org/x'><body>old</body><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T11:00:00Z'/></message>", "old", true)]
    [InlineData("<message from='bob@example.org/x'><body>new</body><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T11:59:30Z'/></message>", "new", false)]
    [InlineData("<message from='bob@example.org/x'><body>?</body><delay xmlns='urn:xmpp:delay' stamp='yesterday'/></message>", "?", true)]
    public void Text_of_a_contact_goes_to_the_conversation(string xml, string body, bool isDelayed)
    {
        var text = Assert.IsType<ArrivalDecision.Text>(Judge(xml));
        Assert.Equal((body, isDelayed), (text.Body, text.IsDelayed));
    }

    [Theory]
    [InlineData("<message from='bob@example.org/x' type='groupchat'><body>hello</body></message>")]
    [InlineData("<message from='example.org'><body>The server speaks.</body></message>")]
    [InlineData("<message from='room@c.example.org/bob'><body>whisper</body><x xmlns='http://jabber.org/protocol/muc#user'/></message>")]
    [InlineData("<presence from='bob@example.org/x'><status>here</status></presence>")]
    [InlineData("<message from='bob@example.org/x'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>")]
    public void Other_stanzas_pass(string xml) => Assert.IsType<ArrivalDecision.Pass>(Judge(xml));

    [Fact]
    public void OTR_in_copies_and_archives_is_replaced_and_not_decrypted()
    {
        var carbon = $"<message from='alice@example.org'><sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>"
            + $"<message xmlns='jabber:client' from='alice@example.org/x' to='bob@example.org'><body>{Otr}</body></message></forwarded></sent></message>";
        var shown = Assert.IsType<ArrivalDecision.Replaced>(Judge(carbon)).Stanza.ToString();
        Assert.Contains("[encrypted message, read on another device]", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("?OTR", shown, StringComparison.Ordinal);
    }

    [Fact]
    public void An_error_does_not_bring_ciphertext_back()
    {
        var error = $"<message from='bob@example.org' type='error'><body>{Otr}</body><error type='cancel'/></message>";
        Assert.DoesNotContain("?OTR", Assert.IsType<ArrivalDecision.Replaced>(Judge(error)).Stanza.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<message from='bob@example.org/x'><subject>🔒 x</subject></message>")]
    [InlineData("<presence from='bob@example.org/x'><status>🔒 x</status></presence>")]
    [InlineData("<presence from='bob@example.org/x'><nick xmlns='http://jabber.org/protocol/nick'>🔒 x</nick></presence>")]
    public void A_mark_is_escaped_wherever_it_stands(string xml) =>
        Assert.Contains("\\🔒 x", Assert.IsType<ArrivalDecision.Replaced>(Judge(xml)).Stanza.ToString(), StringComparison.Ordinal);

    [Fact]
    public void A_shown_text_has_nothing_from_outside_the_encryption()
    {
        var origin = OutboundStanzaTests.Parse($"<message from='bob@example.org/x' id='7'><body>{Otr}</body><thread>t</thread>"
            + "<replace xmlns='urn:xmpp:message-correct:0' id='6'/><html xmlns='http://jabber.org/protocol/xhtml-im'>🔒 forged</html></message>");
        var shown = ArrivedStanza.Shown(origin, "bob@example.org", "alice@example.org/x", "🔓? text");
        Assert.Equal("7", (string?)shown.Attribute("id"));
        Assert.Equal(["body", "thread"], shown.Elements().Select(e => e.Name.LocalName));
    }

    private static ArrivalDecision Judge(string xml) => ArrivedStanza.Judge(OutboundStanzaTests.Parse(xml), new Jid("alice", "example.org", ""), s_now);
}
