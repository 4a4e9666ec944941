using System.Text;
using Relay.Bridges.Xmpp;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>What becomes of messages (checklist, section D), read by the reader that the bridge uses.</summary>
public sealed class InboundRulesTests
{
    private const string Chat = "type='chat' from='alice@example.org/r' to='bot@otr.example.org'";
    private static readonly DateTimeOffset s_now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    public static TheoryData<string, string> Texts => new()
    {
        { $"<message {Chat}><body>hello</body></message>", "hello" },
        { $"<message from='alice@example.org/r' to='bot@otr.example.org'><body>no type</body></message>", "no type" },
        { $"<message type='normal' from='alice@example.org/r'><body>normal</body></message>", "normal" },
        // ejabberd moves the body to the end.
        { $"<message {Chat}><active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/><body>last</body></message>", "last" },
        { $"<message {Chat}><body xml:lang='de'>hallo</body><body>hello</body></message>", "hello" },
        { $"<message {Chat}><body xml:lang='de'>hallo</body><body xml:lang='fr'>salut</body></message>", "hallo" },
        { $"<message {Chat}><body> two lines\nand a blank </body></message>", " two lines\nand a blank " },
        { $"<message {Chat}><body>&lt;b&gt; &amp;amp;</body></message>", "<b> &amp;" },
        // XHTML is never read, nor a body of another namespace.
        { $"<message {Chat}><body>text</body><html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>?OTRv3?</body></html></message>", "text" },
        { $"<message {Chat}><body>?OTR:AAMD</body><encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:otr:0'/></message>", "?OTR:AAMD" },
        // A server can forge these beside OTR text: the text is the text.
        { $"<message {Chat}><body>?OTR:AAMD</body><replace xmlns='urn:xmpp:message-correct:0' id='x'/></message>", "?OTR:AAMD" },
        { $"<message {Chat}><body>?OTR?v3?</body><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T11:59:30Z'/></message>", "?OTR?v3?" },
        { $"<message {Chat}><body>late</body><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T10:00:00Z'/></message>", "late" },
        { $"<message {Chat}><body>?OTR:AAMDAAAAAAAAAAA</body><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T10:00:00Z'/></message>", "?OTR:AAMDAAAAAAAAAAA" },
        // A tag that was stored is no offer any more; the text is.
        { $"<message {Chat}><body>hi \t  \t\t\t\t \t \t \t    \t\t  \t\tthere</body><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T10:00:00Z'/></message>", "hithere" },
        { $"<message type='error' from='alice@example.org/r'><error type='cancel'><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>?OTR Error:no session</text></error></message>", "?OTR Error:no session" },
    };

    [Theory, MemberData(nameof(Texts))]
    public async Task Text_goes_to_Relay(string stanza, string text) =>
        Assert.Equal(text, Assert.IsType<InboundDecision.Text>(await DecideAsync(stanza)).Value);

    public static TheoryData<string, string> Ignored => new()
    {
        { $"<message type='groupchat' from='room@conference.example.org/alice'><body>?OTRv3?</body></message>", "TYPE" },
        { $"<message type='headline' from='alice@example.org/r'><body>news</body></message>", "TYPE" },
        { $"<message type='chat' from='example.org'><body>OTR encryption is STRONGLY recommended for conversations on this server</body></message>", "FROM_SERVER" },
        { $"<message type='chat' from='example.org/admin'><body>maintenance</body></message>", "FROM_SERVER" },
        { $"<message {Chat}><sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'/></sent><body>x</body></message>", "COPY" },
        { $"<message {Chat}><received xmlns='urn:xmpp:carbons:2'/><body>x</body></message>", "COPY" },
        { $"<message {Chat}><forwarded xmlns='urn:xmpp:forward:0'/><body>x</body></message>", "COPY" },
        { $"<message {Chat}><result xmlns='urn:xmpp:mam:2'/><body>x</body></message>", "COPY" },
        { $"<message {Chat}><active xmlns='http://jabber.org/protocol/chatstates'/></message>", "NO_BODY" },
        { $"<message {Chat}><body/></message>", "NO_BODY" },
        { $"<message {Chat}><received xmlns='urn:xmpp:receipts'/></message>", "NO_BODY" },
        { $"<message {Chat}><x xmlns='jabber:x:conference' jid='room@conference.example.org'/><body>come</body></message>", "INVITATION" },
        { $"<message type='normal' from='room@conference.example.org'><x xmlns='http://jabber.org/protocol/muc#user'><invite from='a@example.org'/></x><body>come</body></message>", "INVITATION" },
        { $"<message {Chat}><body>?OTRv3?</body><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T10:00:00Z'/></message>", "DELAYED" },
        { $"<message {Chat}><body>?OTR:AAMCAAAAAAAAAAAA</body><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T10:00:00Z'/></message>", "DELAYED" },
        { $"<message {Chat}><body>?OTR Error:x</body><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T10:00:00Z'/></message>", "DELAYED" },
        { $"<message {Chat}><body>?OTRv3?</body><delay xmlns='urn:xmpp:delay' stamp='when'/></message>", "DELAYED" },
        { $"<message {Chat}><body>?OTRv3?</body><x xmlns='jabber:x:delay' stamp='20260101T10:00:00'/></message>", "DELAYED" },
    };

    [Theory, MemberData(nameof(Ignored))]
    public async Task Nothing_happens(string stanza, string reason) =>
        Assert.Equal(reason, Assert.IsType<InboundDecision.Ignored>(await DecideAsync(stanza)).Reason);

    /// <summary>It is not answered, or the two would go on for ever; but what it swallowed is not carried.</summary>
    [Theory]
    [InlineData("example.org", true)]
    [InlineData("alice@example.org/r", false)]
    public async Task A_server_says_that_it_requires_OTR(string from, bool isServer) =>
        Assert.Equal(isServer, await DecideAsync($"<message type='chat' from='{from}'><body>For security reasons, OTR encryption is required "
            + "for conversations on this server</body></message>") is InboundDecision.ClearRefused);

    [Fact]
    public async Task A_receipt_names_what_was_received() =>
        Assert.Equal("s-1", Assert.IsType<InboundDecision.Received>(await DecideAsync($"<message {Chat}><received xmlns='urn:xmpp:receipts' id='s-1'/></message>")).Id);

    [Fact]
    public async Task A_text_that_the_server_stored_has_its_time()
    {
        var text = Assert.IsType<InboundDecision.Text>(await DecideAsync($"<message {Chat}><body>hello</body><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T10:00:00Z'/></message>"));
        Assert.Equal(new DateTimeOffset(2026, 1, 1, 10, 0, 0, TimeSpan.Zero), text.Stamp);
        Assert.Null(Assert.IsType<InboundDecision.Text>(await DecideAsync($"<message {Chat}><body>hello</body></message>")).Stamp);
    }

    /// <summary>ejabberd returns the whole body of what it refuses: read as text, it would be a loop.</summary>
    [Fact]
    public async Task An_error_is_never_text()
    {
        var bounced = await DecideAsync("<message type='error' from='alice@example.org/r'><body>?OTR:AAMDAAAAAAAAAAA</body>"
            + "<error type='cancel'><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>offline</text><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>");
        Assert.Equal("service-unavailable", Assert.IsType<InboundDecision.Bounced>(bounced).Condition);
        Assert.IsType<InboundDecision.Bounced>(await DecideAsync("<message type='error' from='alice@example.org/r'><body>hello</body></message>"));
    }

    [Theory]
    [InlineData("<encryption xmlns='urn:xmpp:eme:0' namespace='eu.siacs.conversations.axolotl'/>")]
    [InlineData("<encrypted xmlns='eu.siacs.conversations.axolotl'/>")]
    [InlineData("<encrypted xmlns='urn:xmpp:omemo:2'/>")]
    [InlineData("<x xmlns='jabber:x:encrypted'>hQ</x>")]
    public async Task The_fallback_of_another_encryption_is_no_text(string element) =>
        Assert.Equal(InboundRules.OnlyOtr, Assert.IsType<InboundDecision.Sentence>(
            await DecideAsync($"<message {Chat}><body>I sent you an OMEMO encrypted message</body>{element}</message>")).Value);

    [Fact]
    public async Task OTR_is_not_spoken_through_a_room() =>
        Assert.Equal(InboundRules.NotInRooms, Assert.IsType<InboundDecision.Sentence>(await DecideAsync(
            "<message type='chat' from='room@conference.example.org/alice'><body>?OTRv3?</body><x xmlns='http://jabber.org/protocol/muc#user'/></message>")).Value);

    [Fact]
    public async Task What_is_for_nobody_is_refused() =>
        Assert.IsType<InboundDecision.NoSuchEndpoint>(await DecideAsync($"<message {Chat}><body>hello</body></message>", isEndpoint: false));

    private static async Task<InboundDecision> DecideAsync(string stanza, bool isEndpoint = true)
    {
        using var reader = new XmlStreamReader(new MemoryStream(Encoding.UTF8.GetBytes($"<s xmlns='jabber:component:accept'>{stanza}</s>")));
        await reader.ReadAsync();
        var message = Assert.IsType<StreamRead.Element>(await reader.ReadAsync()).Value;
        Assert.True(Jid.TryParse(message["from"], out var from));
        return InboundRules.Decide(message, from, isEndpoint, s_now);
    }
}
