using System.Security.Cryptography;
using System.Text;
using Relay.V1;

namespace Relay.Bridges.Xmpp;

/// <summary>
/// Carries one endpoint as a client of an ordinary XMPP account. The session outlives its connection where the server has stream management
/// (XEP-0198); <see cref="AccountConnection"/> is one connection.
/// </summary>
public sealed class XmppAccountNetwork : IChatNetwork
{
    private readonly XmppAccountOptions _options;
    private readonly EndpointDirectory _endpoints;
    private readonly Jid _account;
    private readonly string _resource;
    private readonly SessionResources _resources = new();
    private readonly SentStanzas _sent = new();
    private readonly string _run = Guid.NewGuid().ToString("N")[..12];
    private volatile AccountConnection? _connection;
    private AccountSession? _session;
    private (string Host, int Port)? _other;
    private int _connections;

    /// <param name="endpoints">By <see cref="AddressOf"/>.</param>
    /// <exception cref="ArgumentException">The account is no bare address.</exception>
    public XmppAccountNetwork(XmppAccountOptions options, EndpointDirectory endpoints)
    {
        if (!TryAccount(options.Account, out _account)) throw new ArgumentException("The account is no bare address.", nameof(options));
        _options = options;
        _endpoints = endpoints;
        _resource = options.Resource ?? "relay-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
    }

    /// <summary>True if a text can be an account, that is NAME@DOMAIN.</summary>
    public static bool IsAccount(string text) => TryAccount(text, out _);

    /// <summary>The domain of an account, normalised; null if the text is none.</summary>
    public static string? DomainOf(string account) => TryAccount(account, out var jid) ? jid.Domain : null;

    /// <summary>The address of the endpoint of an account; null if the endpoint is another one.</summary>
    public static Func<Endpoint, string?> AddressOf(string account) =>
        e => e.Network == XmppNetwork.Name && TryAccount(e.Account, out var its) && TryAccount(account, out var ours) && its == ours
            ? its.ToString() : null;

    /// <inheritdoc/>
    public async Task<ConnectionEnd> RunAsync(IBridgeInbox inbox, CancellationToken cancellation)
    {
        var opened = await AccountLogin.OpenAsync(_options, _account, _resource, _session, _other, cancellation);
        if (opened is not { Stream: { } stream, Session: { } session })
        {
            _other = opened.Other;
            return opened.End!;
        }
        await using var open = stream;
        bool isNew = session != _session;
        // The account's server says by itself who is there.
        if (isNew) _resources.Doubt();
        _session = session;
        var connection = new AccountConnection(
            stream, session, _options, _endpoints, _resources, _sent, inbox, $"{_run}-{Interlocked.Increment(ref _connections)}");
        try
        {
            _connection = connection;
            var end = await connection.RunAsync(opened.Early, isNew, cancellation);
            _other = connection.Other;
            if (end.Kind == ConnectionEndKind.Replaced) session.End();
            return end;
        }
        finally
        {
            _connection = null;
            if (cancellation.IsCancellationRequested) session.End();
        }
    }

    /// <inheritdoc/>
    public async Task<Carried> CarryAsync(OutboundText text, CancellationToken cancellation)
    {
        if (_endpoints.AddressOf(text.Endpoint) is not { } from || !Jid.TryParse(text.Peer, out var peer))
            return Carried.RefusedFor(Failures.NoSuchPeer);
        var body = Encoding.UTF8.GetString(text.Text.Span);
        if (body.Length == 0 || Encoding.UTF8.GetByteCount(XmppText.Escape(body)) > XmppLimits.MaxClientBodyBytes)
            return Carried.RefusedFor(Failures.TooLarge);
        var otr = OtrText.Read(body);
        if (_options.RequiresOtr && !RequiredOtr.LetsOut(otr, body)) return Carried.RefusedFor(Failures.NotAllowed);
        var to = await _resources.RouteAsync(text.Endpoint, peer, otr, _options.Time, cancellation);
        if (_connection is not { } connection) return Carried.Unknown;
        return await connection.SendAsync(from, to, body, otr.IsOtr, text, cancellation);
    }

    private static bool TryAccount(string text, out Jid account) =>
        Jid.TryParse(text, out account) && account.IsBare && account.Local.Length > 0;
}
