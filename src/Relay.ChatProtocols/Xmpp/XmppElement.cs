using System.Text;

namespace Relay.ChatProtocols.Xmpp;

/// <summary>An XML element that was read from a stream, within the bounds of <see cref="XmppLimits"/>.</summary>
public sealed class XmppElement(string name, string ns)
{
    private readonly StringBuilder _text = new();
    private readonly List<(string Name, string Value)> _attributes = [];
    private readonly List<XmppElement> _children = [];

    public string Name => name;

    public string Namespace => ns;

    public IReadOnlyList<XmppElement> Children => _children;

    /// <summary>The text directly in the element, as it was written: entities resolved, nothing trimmed.</summary>
    public string Text => _text.ToString();

    /// <summary>An attribute without a namespace, or <c>xml:lang</c>; null if it is missing.</summary>
    public string? this[string attribute]
    {
        get
        {
            foreach (var (key, value) in _attributes)
            {
                if (key == attribute) return value;
            }
            return null;
        }
    }

    public bool Is(string itsName, string itsNamespace) => name == itsName && ns == itsNamespace;

    /// <summary>The first child of this name and namespace; null if there is none.</summary>
    public XmppElement? Child(string childName, string childNamespace) => _children.Find(c => c.Is(childName, childNamespace));

    public void AddText(string text) => _text.Append(text);

    public void AddAttribute(string attribute, string value) => _attributes.Add((attribute, value));

    public void AddChild(XmppElement child) => _children.Add(child);
}

/// <summary>The XML namespaces that the bridge reads and writes.</summary>
public static class Ns
{
    public const string Component = "jabber:component:accept", Streams = "http://etherx.jabber.org/streams",
        StreamErrors = "urn:ietf:params:xml:ns:xmpp-streams", Stanzas = "urn:ietf:params:xml:ns:xmpp-stanzas",
        Ping = "urn:xmpp:ping", DiscoInfo = "http://jabber.org/protocol/disco#info", DiscoItems = "http://jabber.org/protocol/disco#items",
        Carbons = "urn:xmpp:carbons:2", Hints = "urn:xmpp:hints", Encryption = "urn:xmpp:eme:0", Otr = "urn:xmpp:otr:0",
        Forward = "urn:xmpp:forward:0", Delay = "urn:xmpp:delay", OldDelay = "jabber:x:delay",
        Client = "jabber:client", Sasl = "urn:ietf:params:xml:ns:xmpp-sasl", Tls = "urn:ietf:params:xml:ns:xmpp-tls",
        Bind = "urn:ietf:params:xml:ns:xmpp-bind", Session = "urn:ietf:params:xml:ns:xmpp-session", Roster = "jabber:iq:roster",
        StreamManagement = "urn:xmpp:sm:3", Receipts = "urn:xmpp:receipts", StanzaIds = "urn:xmpp:sid:0", OldEncrypted = "jabber:x:encrypted",
        MucUser = "http://jabber.org/protocol/muc#user", Conference = "jabber:x:conference", OutOfBand = "jabber:x:oob";
}

/// <summary>
/// The hints beside OTR text, which are needed together: without the first two another resource gets a copy, without the other two the
/// text is archived.
/// </summary>
public static class OtrHints
{
    public const string Xml = $"<private xmlns='{Ns.Carbons}'/><no-copy xmlns='{Ns.Hints}'/><no-store xmlns='{Ns.Hints}'/>"
        + $"<no-permanent-store xmlns='{Ns.Hints}'/><encryption xmlns='{Ns.Encryption}' namespace='{Ns.Otr}'/>";
}
