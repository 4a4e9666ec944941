using System.Xml.Linq;

namespace Relay.Proxy.Xmpp;

/// <summary>The contact by which the person speaks with the proxy. It exists between client and proxy only: no stanza of it leaves.</summary>
internal static class ServiceContact
{
    public const string Domain = "relay.invalid", Address = "otr@" + Domain, Full = Address + "/relay";
    private static readonly XNamespace s_client = Ns.Client, s_roster = Ns.Roster;

    /// <summary>The entry in the roster.</summary>
    public static XElement RosterItem() => new(s_roster + "item",
        new XAttribute("jid", Address), new XAttribute("name", "OTR proxy"), new XAttribute("subscription", "both"));

    public static string Presence => $"<presence from='{Full}'><status>OTR proxy: write 'help'</status></presence>";

    public static string Message(string to, string text) =>
        $"<message from='{Full}' to='{XmppText.Escape(to)}' type='chat' id='relay-{Guid.NewGuid():N}'><body>{XmppText.Escape(text)}</body></message>";

    /// <summary>True for a change of the roster that is about the service contact.</summary>
    public static bool IsInRosterEdit(XElement iq) => iq.Element(s_roster + "query") is { } query
        && query.Elements(s_roster + "item").Any(i => Jid.TryParse((string?)i.Attribute("jid"), out var jid) && jid.Domain == Domain);

    /// <summary>The answer to a request; null if it needs none.</summary>
    public static string? Answer(XElement iq)
    {
        if ((string?)iq.Attribute("type") is not ("get" or "set")) return null;
        var id = XmppText.Escape((string?)iq.Attribute("id") ?? "");
        var from = (string?)iq.Attribute("to") is { } to ? $" from='{XmppText.Escape(to)}'" : "";
        var payload = iq.Elements().FirstOrDefault();
        return payload?.Name.NamespaceName switch
        {
            Ns.Roster or Ns.Ping or "jabber:iq:privacy" or "urn:xmpp:blocking" => $"<iq type='result' id='{id}'{from}/>",
            Ns.DiscoInfo => $"<iq type='result' id='{id}'{from}><query xmlns='{Ns.DiscoInfo}'><identity category='client' type='bot' "
                + $"name='OTR proxy'/><feature var='{Ns.DiscoInfo}'/><feature var='{Ns.Ping}'/></query></iq>",
            Ns.DiscoItems => $"<iq type='result' id='{id}'{from}><query xmlns='{Ns.DiscoItems}'/></iq>",
            _ => $"<iq type='error' id='{id}'{from}><error type='cancel'><service-unavailable xmlns='{Ns.Stanzas}'/></error></iq>",
        };
    }
}
