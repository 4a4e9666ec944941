using System.Xml.Linq;
using Relay.Proxy.Xmpp;

namespace Relay.Proxy.Tests.Xmpp;

/// <summary>What leaves the client: everything but what could carry a text to a private contact.</summary>
public sealed class OutboundStanzaTests
{
    private readonly OutboundStanza _rules = new(a => a is "bob@example.org" or "röd@example.org", a => a == "grün@example.org", passesChatStates: false);

    [Theory]
    [InlineData("<message to='bob@example.org' type='chat' id='1'><body>x</body></message>")]
    [InlineData("<message to='bob@example.org/laptop' type='chat' id='1'><body>x</body></message>")]
    [InlineData("<message to='BOB@Example.ORG/laptop' id='1'><body>x</body></message>")]
    [InlineData("<message to='ｂｏｂ@example.org' id='1'><body>x</body></message>")]
    [InlineData("<message to='röd@example.org' id='1'><body>x</body></message>")]
    [InlineData("<message to='bob@example.org.' id='1'><body>x</body></message>")]
    [InlineData("<message to='bob@example.org' id='1'><body xml:lang='de'>x</body></message>")]
    [InlineData("<message to='bob@example.org' id='1' type='headline'><subject>secret</subject><body>x</body>"
        + "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>x</body></html></message>")]
    public void Text_to_any_spelling_of_a_private_contact_is_made_anew(string xml)
    {
        var text = Assert.IsType<OutboundDecision.Private>(Judge(xml));
        Assert.Equal(("x", "1"), (text.Text, text.Id));
    }

    [Theory]
    [InlineData("<message to='bob@example.org' type='groupchat'><body>x</body></message>")]
    [InlineData("<message to='bob@example.org'><subject>secret</subject></message>")]
    [InlineData("<message to='bob@example.org'><x xmlns='jabber:x:oob'><url>https://secret</url></x></message>")]
    [InlineData("<message to='bob@example.org'><reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>x</reaction></reactions></message>")]
    [InlineData("<message to='bob@example.org'><x xmlns='jabber:x:conference' jid='r@c.example.org' reason='secret'/></message>")]
    [InlineData("<message to='bob@example.org'><active xmlns='http://jabber.org/protocol/chatstates'/><x xmlns='a:b'>secret</x></message>")]
    [InlineData("<message to='bob@example.org'><received xmlns='urn:xmpp:receipts' id='1'>secret</received></message>")]
    [InlineData("<iq to='bob@example.org/l' type='set' id='1'><jingle xmlns='urn:xmpp:jingle:1'/></iq>")]
    [InlineData("<iq to='bob@example.org/l' type='set' id='1'><data xmlns='http://jabber.org/protocol/ibb'>c2VjcmV0</data></iq>")]
    [InlineData("<iq to='bob@example.org/l' type='get' id='1'><query xmlns='jabber:iq:version'>secret</query></iq>")]
    [InlineData("<iq to='bob@example.org/l' type='get' id='1'><x xmlns='a:b'/></iq>")]
    [InlineData("<message to='multicast.example.org'><addresses xmlns='http://jabber.org/protocol/address'>"
        + "<address type='to' jid='BOB@example.org'/></addresses><body>x</body></message>")]
    [InlineData("<message to='eve@example.org'><forwarded xmlns='urn:xmpp:forward:0'>"
        + "<message xmlns='jabber:client' to='bob@example.org'><body>x</body></message></forwarded></message>")]
    [InlineData("<message to='room@c.example.org'><x xmlns='http://jabber.org/protocol/muc#user'><invite to='bob@example.org'>"
        + "<reason>secret</reason></invite></x></message>")]
    [InlineData("<message to='bób@example.org'><body>perhaps another spelling</body></message>")]
    [InlineData("<message to='a@@b'><body>x</body></message>")]
    [InlineData("<message to='eve@example.org'><body> /otr smp bob swordfish</body></message>")]
    [InlineData("<message to='eve@example.org'><body>?OTRv3?</body></message>")]
    public void What_could_reach_a_private_contact_in_the_clear_is_refused(string xml) => Assert.IsType<OutboundDecision.Refused>(Judge(xml));

    [Theory]
    [InlineData("<message to='bob@example.org'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>")]
    [InlineData("<message to='bob@example.org'><displayed xmlns='urn:xmpp:chat-markers:0' id='1'/></message>")]
    [InlineData("<message to='bob@example.org'><body/></message>", true)]
    [InlineData("<message to='bob@example.org' type='error'><body>x</body></message>")]
    public void What_says_only_that_somebody_types_goes_nowhere(string xml, bool mayBeRefused = false)
    {
        var decision = Judge(xml);
        Assert.True(decision is OutboundDecision.Dropped || mayBeRefused && decision is OutboundDecision.Refused, decision.ToString());
    }

    [Theory]
    [InlineData("<message to='eve@example.org'><body>x</body></message>")]
    [InlineData("<message to='grün@example.org'><body>the server has written it so</body></message>")]
    [InlineData("<message to='bob@example.org'><received xmlns='urn:xmpp:receipts' id='1'/></message>")]
    [InlineData("<message to='bob@rooms.example.org' type='groupchat'><body>x</body></message>")]
    [InlineData("<iq to='bob@example.org/l' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>")]
    [InlineData("<iq to='bob@example.org' type='get' id='1'><vCard xmlns='vcard-temp'/></iq>")]
    [InlineData("<presence to='bob@example.org' type='subscribe'/>")]
    [InlineData("<presence><show>away</show></presence>")]
    [InlineData("<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>")]
    public void Everything_else_passes(string xml) => Assert.IsType<OutboundDecision.Pass>(Judge(xml));

    [Theory]
    [InlineData("<message to='otr@relay.invalid'><body>help</body></message>")]
    [InlineData("<message to='OTR@RELAY.invalid/relay'><body>help</body></message>")]
    [InlineData("<presence to='otr@relay.invalid' type='subscribe'/>")]
    [InlineData("<iq to='otr@relay.invalid' type='get' id='1'><query xmlns='jabber:iq:last'/></iq>")]
    [InlineData("<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='otr@relay.invalid' subscription='remove'/></query></iq>")]
    public void What_is_for_the_service_contact_is_the_proxys(string xml) => Assert.IsType<OutboundDecision.Service>(Judge(xml));

    [Fact]
    public void A_command_in_a_contacts_window_is_one()
    {
        var command = Assert.IsType<OutboundDecision.Command>(Judge("<message to='eve@example.org/x'><body>/otr start</body></message>"));
        Assert.Equal(("eve@example.org", "start"), (command.Contact.ToString(), command.Text));
    }

    private OutboundDecision Judge(string xml) => _rules.Judge(Parse(xml));

    internal static XElement Parse(string xml)
    {
        var element = XElement.Parse($"<s xmlns='jabber:client'>{xml}</s>").Elements().Single();
        element.Remove();
        return element;
    }
}
