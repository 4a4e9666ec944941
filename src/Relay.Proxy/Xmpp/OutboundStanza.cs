using System.Xml.Linq;
using Relay.Proxy.Contacts;

namespace Relay.Proxy.Xmpp;

/// <summary>What becomes of a stanza of the client.</summary>
internal abstract record OutboundDecision
{
    /// <summary>It goes to the server as it is.</summary>
    public sealed record Pass : OutboundDecision;

    /// <summary>It goes to the server with another body.</summary>
    public sealed record Replaced(XElement Stanza) : OutboundDecision;

    /// <summary>It is for the service contact.</summary>
    public sealed record Service : OutboundDecision;

    /// <summary>A command that was typed into a contact's window.</summary>
    public sealed record Command(Jid Contact, string Text) : OutboundDecision
    {
        /// <summary>Prints the type only.</summary>
        public override string ToString() => nameof(Command);
    }

    /// <summary>Text for a private contact; the stanza is made anew.</summary>
    public sealed record Private(Jid Contact, string Text, string Id) : OutboundDecision
    {
        /// <summary>Prints the type only.</summary>
        public override string ToString() => nameof(Private);
    }

    /// <summary>It goes nowhere, and nobody is told: a chat state, or an empty message.</summary>
    public sealed record Dropped : OutboundDecision;

    /// <summary>It goes nowhere, and the client is told.</summary>
    public sealed record Refused(string Reason) : OutboundDecision;
}

/// <summary>
/// The rules for what leaves the client, without any I/O. Everything passes but what could carry a text to a private contact: that is made
/// anew, or refused.
/// </summary>
/// <param name="isPrivate">By bare address.</param>
/// <param name="isSpelt">The server has spelt this address itself, so that it is in the normal form.</param>
internal sealed class OutboundStanza(Func<string, bool> isPrivate, Func<string, bool> isSpelt, bool passesChatStates)
{
    private const string ChatStates = "http://jabber.org/protocol/chatstates", Addresses = "http://jabber.org/protocol/address";
    private static readonly XNamespace s_client = Ns.Client;

    /// <summary>What may be asked of a private contact: questions whose form leaves no room for a text.</summary>
    private static readonly HashSet<string> s_questions =
    [
        Ns.Ping, Ns.DiscoInfo, Ns.DiscoItems, "jabber:iq:version", "jabber:iq:last", "urn:xmpp:time", "vcard-temp",
        "urn:ietf:params:xml:ns:vcard-4.0",
    ];

    public OutboundDecision Judge(XElement stanza)
    {
        var to = (string?)stanza.Attribute("to");
        Jid address = default;
        if (to is not null && !Jid.TryParse(to, out address)) return new OutboundDecision.Refused("the address is not valid");
        if (to is not null && address.Domain == ServiceContact.Domain) return new OutboundDecision.Service();
        if (stanza.Name == s_client + "iq" && ServiceContact.IsInRosterEdit(stanza)) return new OutboundDecision.Service();
        var bare = to is null ? "" : address.Bare.ToString();
        bool isPrivateTarget = to is not null && isPrivate(bare);
        if (stanza.Name.LocalName is "message" or "iq" && NamesPrivate(stanza))
            return new OutboundDecision.Refused("it names a private contact inside, who would get its text in the clear");
        if (to is not null && !isPrivateTarget && stanza.Name.LocalName != "presence" && MayBeOther(bare))
            return new OutboundDecision.Refused("the address can be written in more than one way: add the contact to your roster first");
        if (stanza.Name == s_client + "message") return Message(stanza, address, to is not null, isPrivateTarget);
        if (stanza.Name == s_client + "iq" && isPrivateTarget) return Iq(stanza);
        return new OutboundDecision.Pass();
    }

    private OutboundDecision Message(XElement message, Jid to, bool isAddressed, bool isPrivateTarget)
    {
        var bodies = message.Elements(s_client + "body").ToList();
        var body = (bodies.Find(b => b.Attribute(XNamespace.Xml + "lang") is null) ?? bodies.FirstOrDefault())?.Value;
        if (body is not null && isAddressed)
        {
            switch (OwnText.Read(body))
            {
                case { Kind: OwnTextKind.Forbidden }:
                    return new OutboundDecision.Refused("it begins like a command or like OTR. Two slashes send one: //otr");
                case { Kind: OwnTextKind.Command } command:
                    return new OutboundDecision.Command(to.Bare, command.Value);
                case var text when text.Value != body:
                    if (isPrivateTarget) return Private(message, to, text.Value);
                    var replaced = new XElement(message);
                    foreach (var one in replaced.Elements(s_client + "body")) one.Value = text.Value;
                    return new OutboundDecision.Replaced(replaced);
            }
        }
        if (!isPrivateTarget) return new OutboundDecision.Pass();
        if (body is { Length: > 0 }) return Private(message, to, body);
        if (message.Elements().All(e => e.Name.NamespaceName == ChatStates || e.Name.NamespaceName == Ns.Hints || e.Name == s_client + "thread"))
        {
            return passesChatStates && message.Elements().Any(e => e.Name.NamespaceName == ChatStates) && HasNoText(message)
                ? new OutboundDecision.Pass() : new OutboundDecision.Dropped();
        }
        // Receipts and markers name a message and say nothing.
        if (message.Elements().All(e => e.Name.NamespaceName is Ns.Receipts or "urn:xmpp:chat-markers:0" or Ns.Hints or ChatStates) && HasNoText(message))
            return message.Elements().Any(e => e.Name.NamespaceName == Ns.Receipts) ? new OutboundDecision.Pass() : new OutboundDecision.Dropped();
        return new OutboundDecision.Refused("only text goes to a private contact");
    }

    private static OutboundDecision Private(XElement message, Jid to, string text) => (string?)message.Attribute("type") switch
    {
        "groupchat" => new OutboundDecision.Refused("a private contact is no room"),
        "error" => new OutboundDecision.Dropped(),
        _ => new OutboundDecision.Private(to, text, (string?)message.Attribute("id") ?? ""),
    };

    private static OutboundDecision Iq(XElement iq)
    {
        var type = (string?)iq.Attribute("type");
        var payload = iq.Elements().FirstOrDefault();
        bool isHarmless = type switch
        {
            "get" => payload is not null && s_questions.Contains(payload.Name.NamespaceName) && HasNoText(iq),
            "result" or "error" => payload is null || s_questions.Contains(payload.Name.NamespaceName) || type == "error" && HasNoText(iq),
            _ => false,
        };
        return isHarmless ? new OutboundDecision.Pass()
            : new OutboundDecision.Refused("files, calls and other requests do not go to a private contact: they are not encrypted");
    }

    private static bool HasNoText(XElement stanza) => stanza.DescendantNodes().All(n => n is not XText text || string.IsNullOrWhiteSpace(text.Value));

    /// <summary>A private contact is addressed inside: by XEP-0033, in a forwarded stanza, or in an invitation.</summary>
    private bool NamesPrivate(XElement stanza)
    {
        foreach (var element in stanza.Descendants())
        {
            var named = (string?)element.Attribute("to") ?? (element.Name.NamespaceName == Addresses ? (string?)element.Attribute("jid") : null);
            if (named is null) continue;
            if (!Jid.TryParse(named, out var jid)) return true;
            if (isPrivate(jid.Bare.ToString())) return true;
        }
        return false;
    }

    /// <summary>
    /// An address with characters beyond ASCII that the server has not spelt itself may be another spelling of a private contact's: the server
    /// would make them equal by rules (RFC 8265) that are not all known here.
    /// </summary>
    private bool MayBeOther(string bare) => !System.Text.Ascii.IsValid(bare) && !isSpelt(bare);
}
