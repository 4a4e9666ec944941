using System.Text;
using System.Xml.Linq;
using Relay.Proxy.Contacts;

namespace Relay.Proxy.Xmpp;

/// <summary>One client's connection and its login at the server, from the end of the login on.</summary>
internal sealed partial class XmppProxySession(
    XmppProxyOptions options, PrivateContacts contacts, AddressBook addresses, TimeProvider time, CancellationTokenSource over) : IChatView
{
    /// <summary>What the client is offered of the server's features; stream management would count what the proxy adds and takes away.</summary>
    private static readonly HashSet<string> s_features =
        [Ns.Bind, Ns.Session, "urn:xmpp:features:rosterver", "urn:xmpp:csi:0", "urn:xmpp:features:pre-approval"];

    /// <summary>What a client must not ask the server for by itself.</summary>
    private static readonly string[] s_ownNegotiations =
        [Ns.Tls, Ns.Sasl, "urn:xmpp:sasl:", "urn:xmpp:bind:", "urn:xmpp:sm:", "http://jabber.org/protocol/compress"];

    private static readonly XNamespace s_client = Ns.Client, s_roster = Ns.Roster;
    private readonly WriteQueue _toClient = new(), _toServer = new();
    private readonly OutboundStanza _outbound = new(contacts.Book.IsPrivate, addresses.IsSpelt, contacts.PassesChatStates);
    private readonly HashSet<string> _rosterRequests = [];
    private string _full = options.Account.ToString();
    private bool _isAttached;
    private long _made;

    /// <summary>Carries stanzas both ways until one side ends.</summary>
    public async Task RunAsync(Stream client, StanzaReader clientReader, Stream server, CancellationToken cancellation)
    {
        var serverReader = new StanzaReader(server);
        if (await clientReader.ReadAsync(cancellation) is not StanzaRead.Start) return;
        await server.WriteAsync(Encoding.UTF8.GetBytes($"<?xml version='1.0'?><stream:stream xmlns='{Ns.Client}' xmlns:stream='{Ns.Streams}' "
            + $"to='{XmppText.Escape(options.Account.Domain)}' version='1.0'>"), cancellation);
        await server.FlushAsync(cancellation);
        if (await serverReader.ReadAsync(cancellation) is not StanzaRead.Start { Header: var header }) return;
        AddToClient($"<?xml version='1.0'?><stream:stream xmlns='{Ns.Client}' xmlns:stream='{Ns.Streams}' version='1.0' "
            + $"id='{XmppText.Escape((string?)header.Attribute("id") ?? "")}' from='{XmppText.Escape(options.Account.Domain)}'>");
        Task[] writers = [_toClient.RunAsync(client, cancellation), _toServer.RunAsync(server, cancellation)];
        Task[] readers = [FromClientAsync(clientReader, cancellation), FromServerAsync(serverReader, cancellation)];
        try
        {
            await await Task.WhenAny([.. readers, .. writers]);
        }
        finally
        {
            lock (contacts.Gate) contacts.Detach(this);
            _toClient.End();
            _toServer.End();
            // What waits is written, but nobody is waited for long.
            await Task.WhenAny(Task.WhenAll(writers), Task.Delay(ProxyLimits.LastWrites, CancellationToken.None));
            await over.CancelAsync();
            await Task.WhenAll(readers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Notice(string text) => AddToClient(ServiceContact.Message(_full, XmppText.Clean(text)));

    public void Deliver(string peer, MarkedText text, object? origin) =>
        AddToClient(Text(ArrivedStanza.Shown(origin as XElement, peer, _full, XmppText.Clean(text.AsMessage()))));

    public void SendWire(string peer, string wire, string? id, Action? written)
    {
        // An offer is for all devices of a contact; what belongs to a session only one of them can read.
        var to = OtrText.Read(wire).IsOfSession ? addresses.DeviceOf(peer) : peer;
        bool asksForReceipt = id is { Length: > 0 } && to != peer;
        var stanza = $"<message to='{XmppText.Escape(to)}' id='{XmppText.Escape(id is { Length: > 0 } ? id : $"otr-{++_made}")}' type='chat'>"
            + $"<body>{XmppText.Escape(wire)}</body>{OtrHints.Xml}{(asksForReceipt ? $"<request xmlns='{Ns.Receipts}'/>" : "")}</message>";
        _toServer.Add(Encoding.UTF8.GetBytes(stanza), written);
    }

    public void Refuse(string peer, string id, string reason) => AddToClient(
        $"<message type='error' from='{XmppText.Escape(peer)}' to='{XmppText.Escape(_full)}' id='{XmppText.Escape(id)}'><error type='cancel'>"
        + $"<not-acceptable xmlns='{Ns.Stanzas}'/><text xmlns='{Ns.Stanzas}'>{XmppText.Escape(reason)}</text></error></message>");

    public void Close()
    {
        AddToClient("</stream:stream>");
        _toClient.End();
    }

    private void AddToClient(string xml) => _toClient.Add(Encoding.UTF8.GetBytes(xml));

    private static string Text(XElement element) => element.ToString(SaveOptions.DisableFormatting);

    private async Task FromClientAsync(StanzaReader reader, CancellationToken cancellation)
    {
        while (true)
        {
            await _toServer.HasRoomAsync(cancellation);
            switch (await reader.ReadAsync(cancellation))
            {
                case StanzaRead.Stanza stanza:
                    lock (contacts.Gate) FromClient(stanza);
                    break;
                case StanzaRead.Blank:
                    _toServer.Add(" "u8.ToArray());
                    break;
                default:
                    _toServer.Add("</stream:stream>"u8.ToArray());
                    return;
            }
        }
    }

    private async Task FromServerAsync(StanzaReader reader, CancellationToken cancellation)
    {
        while (true)
        {
            await _toClient.HasRoomAsync(cancellation);
            switch (await reader.ReadAsync(cancellation))
            {
                case StanzaRead.Stanza stanza when stanza.Element.Name == XName.Get("error", Ns.Streams):
                    // Not to another host: the client would leave the proxy.
                    if (stanza.Element.Element(XName.Get("see-other-host", Ns.StreamErrors)) is null) _toClient.Add(stanza.Bytes);
                    AddToClient("</stream:stream>");
                    return;
                case StanzaRead.Stanza stanza:
                    lock (contacts.Gate) FromServer(stanza);
                    break;
                case StanzaRead.Blank:
                    _toClient.Add(" "u8.ToArray());
                    break;
                default:
                    AddToClient("</stream:stream>");
                    return;
            }
        }
    }
}
