using System.Text;
using Relay.ChatProtocols.Dialing;
using Relay.V1;

namespace Relay.Bridges.Xmpp;

/// <summary>
/// Carries the endpoints of one XMPP domain over one connection, as an external component. What has to outlive a connection (which resource
/// speaks for which session, who subscribed) is kept here; <see cref="XmppConnection"/> is one connection.
/// </summary>
public sealed class XmppNetwork : IChatNetwork
{
    /// <summary>The network's name in endpoints.</summary>
    public const string Name = "xmpp";

    private readonly XmppOptions _options;
    private readonly EndpointDirectory _endpoints;
    private readonly SessionResources _resources = new();
    private readonly Subscribers _subscribers = new();
    private readonly SentStanzas _sent = new();
    private readonly string _run = Guid.NewGuid().ToString("N")[..12];
    private volatile XmppConnection? _connection;
    private int _connections;

    /// <param name="endpoints">By <see cref="AddressIn"/>.</param>
    public XmppNetwork(XmppOptions options, EndpointDirectory endpoints)
    {
        _options = options;
        _endpoints = endpoints;
    }

    /// <summary>The address of an endpoint of a component's domain, normalised; null if the endpoint is another bridge's.</summary>
    public static Func<Endpoint, string?> AddressIn(string domain)
    {
        var normal = Jid.TryDomain(domain);
        return e => e.Network == Name && Jid.TryParse(e.Account, out var jid) && jid.IsBare && jid.Local.Length > 0 && jid.Domain == normal
            ? jid.ToString() : null;
    }

    /// <summary>True if a text can be a component's domain.</summary>
    public static bool IsDomain(string text) => Jid.TryDomain(text) is not null;

    /// <summary>True if a connection to this host stays on this machine.</summary>
    public static bool IsLoopback(string host) => Dialer.IsLoopback(host);

    /// <inheritdoc/>
    public async Task<ConnectionEnd> RunAsync(IBridgeInbox inbox, CancellationToken cancellation)
    {
        var (stream, end) = await ComponentLogin.OpenAsync(_options, cancellation);
        if (stream is null) return end!;
        await using var open = stream;
        // The id of a stanza may be missing, and may come twice: messages are numbered here.
        var id = $"{_run}-{Interlocked.Increment(ref _connections)}";
        var connection = new XmppConnection(stream, _options, _endpoints, _resources, _subscribers, _sent, inbox, id);
        try
        {
            _connection = connection;
            return await connection.RunAsync(cancellation);
        }
        finally
        {
            _connection = null;
            connection.End();
        }
    }

    /// <inheritdoc/>
    public async Task<Carried> CarryAsync(OutboundText text, CancellationToken cancellation)
    {
        // Both servers end the whole stream at a sender's address that is not the component's: it is looked up, never taken as given.
        if (_endpoints.AddressOf(text.Endpoint) is not { } from || !Jid.TryParse(text.Peer, out var peer))
            return Carried.RefusedFor(Failures.NoSuchPeer);
        var body = Encoding.UTF8.GetString(text.Text.Span);
        if (body.Length == 0 || Encoding.UTF8.GetByteCount(XmppText.Escape(body)) > XmppLimits.MaxBodyBytes)
            return Carried.RefusedFor(Failures.TooLarge);
        var otr = OtrText.Read(body);
        if (_options.RequiresOtr && !RequiredOtr.LetsOut(otr, body)) return Carried.RefusedFor(Failures.NotAllowed);
        var to = await _resources.RouteAsync(text.Endpoint, peer, otr, _options.Time, cancellation);
        if (_connection is not { } connection) return Carried.Unknown;
        return await connection.SendAsync(from, to, body, otr.IsOtr, text, cancellation);
    }
}
