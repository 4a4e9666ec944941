namespace Relay.Bridges.Xmpp;

/// <summary>One connection of <see cref="XmppNetwork"/>: reads stanzas, answers what a component must answer, writes messages.</summary>
internal sealed class XmppConnection
{
    private readonly StanzaStream _stream;
    private readonly XmppOptions _options;
    private readonly EndpointDirectory _endpoints;
    private readonly SessionResources _resources;
    private readonly Subscribers _subscribers;
    private readonly IBridgeInbox _inbox;
    private readonly string _domain;
    private readonly PresenceAndIq _answers;
    private readonly MessageExchange _messages;
    private readonly PingConfirmations _confirmations;
    private readonly KeepAlive _keepAlive;
    private readonly NewAddresses _newAddresses;
    private readonly CancellationTokenSource _closed = new();

    public XmppConnection(
        StanzaStream stream, XmppOptions options, EndpointDirectory endpoints, SessionResources resources, Subscribers subscribers,
        SentStanzas sentStanzas, IBridgeInbox inbox, string id)
    {
        (_stream, _options, _endpoints, _resources, _subscribers, _inbox) = (stream, options, endpoints, resources, subscribers, inbox);
        _domain = Jid.TryDomain(options.Domain)!;
        _answers = new PresenceAndIq(stream, options, endpoints, resources, subscribers);
        _newAddresses = new NewAddresses(endpoints, options.Time);
        _confirmations = new PingConfirmations(pingId => stream.WriteAsync(Ping(pingId)));
        _keepAlive = new KeepAlive(options.Time, number => stream.WriteAsync(Ping($"relay-alive-{number}")), stream.Abort);
        _messages = new MessageExchange(options, endpoints, resources, sentStanzas, inbox, _keepAlive, id)
        {
            Write = stream.WriteAsync, Sender = address => $"{address}/{PresenceAndIq.Resource}", Refuse = _answers.RefuseMessageAsync,
            RefuseClear = _answers.RefuseClearAsync,
        };
    }

    public async Task<ConnectionEnd> RunAsync(CancellationToken cancellation)
    {
        // Closing ends the read that waits.
        await using var onStop = cancellation.UnsafeRegister(_ => _ = _stream.DisposeAsync().AsTask(), null);
        var keepAlive = _keepAlive.RunAsync(_closed.Token);
        // Before any text: what it doubts is to wait.
        var announcing = AnnounceAsync();
        _inbox.Connected();
        var newAddresses = _newAddresses.RunAsync(_closed.Token);
        _endpoints.Removed += OnRemoved;
        try
        {
            while (true)
            {
                var read = await _stream.ReadAsync();
                _keepAlive.Hear();
                switch (read)
                {
                    case StreamRead.Element { Value: var e } when e.Is("error", Ns.Streams):
                        return StreamErrors.Explain(e, _options.Domain);
                    case StreamRead.Element { Value: var e } when e.Namespace == Ns.Component:
                        await HandleAsync(e, cancellation);
                        break;
                    case StreamRead.End end:
                        cancellation.ThrowIfCancellationRequested();
                        return new ConnectionEnd(_keepAlive.IsSilent ? StreamErrors.Silent : end.Reason, ConnectionEndKind.Lost);
                }
            }
        }
        finally
        {
            _endpoints.Removed -= OnRemoved;
            await _closed.CancelAsync();
            await keepAlive;
            await announcing;
            await newAddresses;
        }
    }

    /// <inheritdoc cref="MessageExchange.SendAsync"/>
    public Task<Carried> SendAsync(string from, Jid to, string body, bool isOtr, OutboundText text, CancellationToken cancellation) =>
        _messages.SendAsync(from, to, body, isOtr, text,
            async stanza => await _stream.WriteAsync(stanza) && await IsConfirmedAsync(cancellation));

    /// <summary>Nothing more will be confirmed.</summary>
    public void End() => _confirmations.End();

    private async Task<bool> IsConfirmedAsync(CancellationToken cancellation)
    {
        try
        {
            return await _confirmations.ConfirmAsync().WaitAsync(XmppLimits.ConfirmWithin, _options.Time, cancellation);
        }
        catch (TimeoutException)
        {
            // The connection lives, or it would have been given up before.
            return true;
        }
    }

    /// <summary>
    /// Pings go to the component itself, through the server: they need no knowledge of its other domains. Whether the server answers or
    /// hands the ping back, it has read everything before it.
    /// </summary>
    private string Ping(string pingId) => StanzaWriter.Ping(_options.Domain, _options.Domain, pingId);

    private async ValueTask HandleAsync(XmppElement stanza, CancellationToken cancellation)
    {
        if (!Jid.TryParse(stanza["from"], out var from) || !Jid.TryParse(stanza["to"] ?? _domain, out var to)
            || to.Domain != _domain) return;
        if (IsQuestion(stanza, to)
            && _newAddresses.TryWait(to.Bare.ToString(), () => HandleAsync(stanza, from, to, cancellation))) return;
        await HandleAsync(stanza, from, to, cancellation);
    }

    /// <summary>Whether what happens depends on an address being an endpoint's.</summary>
    private static bool IsQuestion(XmppElement stanza, Jid to) =>
        to.Local.Length > 0 && stanza["type"] is not ("error" or "result" or "unavailable" or "unsubscribe");

    private async ValueTask HandleAsync(XmppElement stanza, Jid from, Jid to, CancellationToken cancellation)
    {
        switch (stanza.Name)
        {
            case "message":
                // The id of a stanza may be missing, and may come twice: messages are numbered.
                await _messages.ReceiveAsync(stanza, from, to.Bare.ToString(), messageId: null, settled: null, cancellation);
                break;
            case "presence":
                await _answers.PresenceAsync(stanza, from, to);
                break;
            case "iq" when from.Local.Length == 0 && from.Domain == _domain:
                _confirmations.Answer(stanza["id"] ?? "");
                break;
            case "iq":
                await _answers.IqAsync(stanza, stanza["from"]!, stanza["to"] ?? _domain, from, to);
                break;
        }
    }

    /// <summary>Subscribers would see an endpoint as online that is gone, until they log in again.</summary>
    private void OnRemoved(string endpoint)
    {
        foreach (var peer in _subscribers.RemoveAll(endpoint))
            _ = _stream.WriteAsync(StanzaWriter.Presence($"{endpoint}/{PresenceAndIq.Resource}", peer, "unavailable"));
    }

    /// <summary>A server sends nothing by itself after a reconnect: contacts would see the endpoints as gone.</summary>
    private async Task AnnounceAsync()
    {
        foreach (var (endpoint, peer) in _resources.Doubt())
        {
            if (_endpoints.AddressOf(endpoint) is { } address && !await _stream.WriteAsync(StanzaWriter.Presence(address, peer, "probe"))) return;
        }
        foreach (var (endpoint, peer) in _subscribers.All())
        {
            if (_endpoints.NameOf(endpoint) is null) continue;
            if (!await _stream.WriteAsync(StanzaWriter.Presence($"{endpoint}/{PresenceAndIq.Resource}", peer))) return;
        }
    }
}
