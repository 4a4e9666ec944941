using System.Text;
using System.Xml.Linq;
using Relay.Proxy.Contacts;

namespace Relay.Proxy.Xmpp;

// What is done with one stanza, under the lock of the private conversations.
internal sealed partial class XmppProxySession
{
    private const string PushId = "relay-otr-roster";

    private void FromClient(StanzaRead.Stanza stanza)
    {
        var element = stanza.Element;
        if (element.Name.NamespaceName != Ns.Client)
        {
            if (element.Name.NamespaceName.StartsWith("urn:xmpp:sm:", StringComparison.Ordinal))
                AddToClient($"<failed xmlns='{XmppText.Escape(element.Name.NamespaceName)}'><unexpected-request xmlns='{Ns.Stanzas}'/></failed>");
            else if (!s_ownNegotiations.Any(n => element.Name.NamespaceName.StartsWith(n, StringComparison.Ordinal))) _toServer.Add(stanza.Bytes);
            return;
        }
        if ((string?)element.Attribute("id") == PushId) return;
        switch (_outbound.Judge(element))
        {
            case OutboundDecision.Pass:
                Pass(stanza);
                break;
            case OutboundDecision.Replaced replaced:
                Know(element);
                _toServer.Add(Encoding.UTF8.GetBytes(Text(replaced.Stanza)));
                break;
            case OutboundDecision.Service:
                ForService(element);
                break;
            case OutboundDecision.Command command:
                Attach();
                contacts.Command(this, command.Contact.ToString(), command.Text);
                break;
            case OutboundDecision.Private text:
                Attach();
                contacts.Send(this, text.Contact.Bare.ToString(), text.Text, text.Id);
                break;
            case OutboundDecision.Refused refused:
                RefuseStanza(element, refused.Reason);
                break;
        }
    }

    private void Pass(StanzaRead.Stanza stanza)
    {
        var element = stanza.Element;
        if (element.Name == s_client + "iq" && (string?)element.Attribute("type") == "get" && element.Element(s_roster + "query") is not null
            && (string?)element.Attribute("id") is { } id && _rosterRequests.Count < 16) _rosterRequests.Add(id);
        Know(element);
        _toServer.Add(stanza.Bytes);
        if (element.Name != s_client + "presence" || element.Attribute("to") is not null || element.Attribute("type") is not null) return;
        AddToClient(ServiceContact.Presence);
        Attach();
    }

    /// <summary>Whom the person writes to is no stranger.</summary>
    private void Know(XElement stanza)
    {
        if (stanza.Name != s_client + "message" || !Jid.TryParse((string?)stanza.Attribute("to"), out var to)) return;
        contacts.Book.MarkKnown(to.Bare.ToString());
        contacts.Current = to.Bare.ToString();
    }

    private void Attach()
    {
        if (_isAttached) return;
        _isAttached = true;
        contacts.Attach(this);
    }

    private void ForService(XElement stanza)
    {
        switch (stanza.Name.LocalName)
        {
            case "iq" when ServiceContact.Answer(stanza) is { } answer:
                AddToClient(answer);
                break;
            case "presence" when (string?)stanza.Attribute("type") is "subscribe" or "probe":
                AddToClient(ServiceContact.Presence);
                break;
            case "message" when stanza.Element(s_client + "body")?.Value is { Length: > 0 } text:
                Attach();
                contacts.Command(this, null, text);
                break;
        }
    }

    private void RefuseStanza(XElement stanza, string reason)
    {
        var name = stanza.Name.LocalName;
        var type = (string?)stanza.Attribute("type");
        var to = (string?)stanza.Attribute("to");
        if (name is "presence" || type is "error" or "result") return;
        var id = (string?)stanza.Attribute("id") is { } value ? $" id='{XmppText.Escape(value)}'" : "";
        var from = to is null ? "" : $" from='{XmppText.Escape(to)}'";
        AddToClient($"<{name} type='error'{from} to='{XmppText.Escape(_full)}'{id}><error type='cancel'><not-acceptable xmlns='{Ns.Stanzas}'/>"
            + $"<text xmlns='{Ns.Stanzas}'>{XmppText.Escape(reason)}</text></error></{name}>");
        // Requests are mostly the client's own; the person is told of messages.
        if (name == "message") Notice($"A message{(to is null ? "" : $" to {to}")} was NOT sent: {reason}.");
    }

    private void FromServer(StanzaRead.Stanza stanza)
    {
        var element = stanza.Element;
        if (element.Name == XName.Get("features", Ns.Streams))
        {
            element.Elements().Where(f => !s_features.Contains(f.Name.NamespaceName)).Remove();
            AddToClient($"<stream:features>{string.Concat(element.Elements().Select(Text))}</stream:features>");
            return;
        }
        if (element.Name == s_client + "iq") FromServerIq(stanza);
        else if (element.Name.NamespaceName == Ns.Client) FromServerText(stanza);
        else _toClient.Add(stanza.Bytes);
    }

    private void FromServerText(StanzaRead.Stanza stanza)
    {
        var element = stanza.Element;
        if (Jid.TryParse((string?)element.Attribute("from"), out var from))
        {
            addresses.Spelt(from.Bare.ToString());
            if (element.Name.LocalName == "presence" && (string?)element.Attribute("type") is "unavailable" or "error" && addresses.Left(from))
                contacts.DeviceGone(from.Bare.ToString());
        }
        switch (ArrivedStanza.Judge(element, options.Account, time.GetUtcNow()))
        {
            case ArrivalDecision.Pass:
                _toClient.Add(stanza.Bytes);
                break;
            case ArrivalDecision.Replaced replaced:
                AddToClient(Text(replaced.Stanza));
                break;
            case ArrivalDecision.Text text:
                var peer = text.From.Bare.ToString();
                if (OtrText.Read(text.Body).IsOfSession) addresses.Heard(text.From);
                if (contacts.Receive(this, peer, text.Body, element, text.IsDelayed) == Received.Taken) break;
                if (text.Otherwise is { } otherwise) AddToClient(Text(otherwise));
                else _toClient.Add(stanza.Bytes);
                break;
        }
    }

    private void FromServerIq(StanzaRead.Stanza stanza)
    {
        var iq = stanza.Element;
        if (Jid.TryParse((string?)iq.Attribute("from"), out var from) && from.Domain == ServiceContact.Domain) return;
        if (iq.Element(XName.Get("bind", Ns.Bind))?.Element(XName.Get("jid", Ns.Bind))?.Value is { } full && Jid.TryParse(full, out var jid))
            _full = jid.ToString();
        var query = iq.Element(s_roster + "query");
        foreach (var item in query?.Elements(s_roster + "item") ?? [])
        {
            if (!Jid.TryParse((string?)item.Attribute("jid"), out var contact)) continue;
            addresses.Spelt(contact.Bare.ToString());
            contacts.Book.MarkKnown(contact.Bare.ToString());
        }
        if ((string?)iq.Attribute("type") != "result" || !_rosterRequests.Remove((string?)iq.Attribute("id") ?? ""))
        {
            _toClient.Add(stanza.Bytes);
            return;
        }
        if (query is null)
        {
            // Nothing has changed since the version that the client has: the service contact comes by itself.
            _toClient.Add(stanza.Bytes);
            AddToClient($"<iq type='set' id='{PushId}' to='{XmppText.Escape(_full)}'><query xmlns='{Ns.Roster}'>{Text(ServiceContact.RosterItem())}</query></iq>");
        }
        else
        {
            query.Add(ServiceContact.RosterItem());
            AddToClient(Text(iq));
        }
    }
}
