using System.Text;

namespace Relay.Bridges.Xmpp;

/// <summary>One connection of <see cref="XmppNetwork"/>: reads stanzas, answers what a component must answer, writes messages.</summary>
internal sealed class XmppConnection(
    ComponentStream stream, XmppOptions options, EndpointDirectory endpoints, SessionResources resources, Subscribers subscribers,
    SentStanzas sentStanzas, IBridgeInbox inbox, string id)
{
    private static readonly TimeSpan s_keepAliveCheck = TimeSpan.FromSeconds(5);
    private readonly string _domain = Jid.TryDomain(options.Domain)!;
    private readonly PresenceAndIq _answers = new(stream, options, endpoints, resources, subscribers);
    private readonly AutomaticBudget _sentences = new(XmppLimits.SentencesPerMinute, options.Time);
    private readonly CancellationTokenSource _closed = new();
    private readonly PingConfirmations _confirmations = new(pingId => stream.WriteAsync(Ping(options, pingId)));
    private long _received, _sent, _keepAlives;
    private long _lastHeard = options.Time.GetTimestamp();
    private volatile bool _isBusy, _isSilent;

    public async Task<ConnectionEnd> RunAsync(CancellationToken cancellation)
    {
        // Closing ends the read that waits.
        await using var onStop = cancellation.UnsafeRegister(_ => _ = stream.DisposeAsync().AsTask(), null);
        var keepAlive = KeepAliveAsync();
        inbox.Connected();
        var announcing = AnnounceAsync();
        try
        {
            while (true)
            {
                var read = await stream.ReadAsync();
                Hear();
                switch (read)
                {
                    case StreamRead.Element { Value: var e } when e.Is("error", Ns.Streams):
                        return StreamErrors.Explain(e, options.Domain);
                    case StreamRead.Element { Value: var e } when e.Namespace == Ns.Component:
                        await HandleAsync(e, cancellation);
                        break;
                    case StreamRead.End end:
                        cancellation.ThrowIfCancellationRequested();
                        return new ConnectionEnd(
                            _isSilent ? "The server does not answer: the connection is dead." : end.Reason, ConnectionEndKind.Lost);
                }
            }
        }
        finally
        {
            await _closed.CancelAsync();
            await keepAlive;
            await announcing;
        }
    }

    /// <summary>
    /// Writes a message, and completes when the server certainly has it: what it refuses at once has come back by then. What a server far
    /// away refuses later, after this one has taken it, is not waited for.
    /// </summary>
    /// <param name="text">What the body is of.</param>
    public async Task<Carried> SendAsync(string from, Jid to, string body, bool isOtr, OutboundText text, CancellationToken cancellation)
    {
        var receiptOf = options.AsksForReceipts ? text.Message : null;
        var stanza = NextStanza();
        sentStanzas.Add(stanza, text.Endpoint, to, receiptOf);
        bool isThere = await stream.WriteAsync(Message(from, to, stanza, body, isOtr, receiptOf is not null))
            && await IsConfirmedAsync(cancellation);
        if (isThere) return sentStanzas.Confirm(stanza) is { } failure ? Carried.RefusedFor(failure) : Carried.Taken;
        sentStanzas.Forget(stanza);
        return Carried.Unknown;
    }

    private async Task<bool> IsConfirmedAsync(CancellationToken cancellation)
    {
        try
        {
            return await _confirmations.ConfirmAsync().WaitAsync(XmppLimits.ConfirmWithin, options.Time, cancellation);
        }
        catch (TimeoutException)
        {
            // The connection lives, or it would have been given up before.
            return true;
        }
    }

    /// <summary>Nothing more will be confirmed.</summary>
    public void End() => _confirmations.End();

    /// <summary>
    /// Pings go to the component itself, through the server: they need no knowledge of its other domains. Whether the server answers or
    /// hands the ping back, it has read everything before it.
    /// </summary>
    private static string Ping(XmppOptions options, string pingId) => StanzaWriter.Ping(options.Domain, options.Domain, pingId);

    private async ValueTask HandleAsync(XmppElement stanza, CancellationToken cancellation)
    {
        if (!Jid.TryParse(stanza["from"], out var from) || !Jid.TryParse(stanza["to"] ?? _domain, out var to)
            || to.Domain != _domain) return;
        switch (stanza.Name)
        {
            case "message":
                await MessageAsync(stanza, from, to.Bare.ToString(), cancellation);
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

    private async ValueTask MessageAsync(XmppElement message, Jid from, string address, CancellationToken cancellation)
    {
        var endpoint = endpoints.NameOf(address);
        var decision = InboundRules.Decide(message, from, endpoint is not null, options.Time.GetUtcNow());
        switch (decision)
        {
            case InboundDecision.Text text when endpoint is not null:
                if (text.Otr.Kind == OtrTextKind.Error && resources.IsErrorOfOther(endpoint, from)) break;
                resources.Heard(endpoint, from, text.Otr);
                var inbound = new InboundText(endpoint, from.Bare.ToString(), $"{id}-{++_received}", Encoding.UTF8.GetBytes(text.Value))
                {
                    NetworkTime = text.Stamp,
                };
                // While Relay is behind nothing is read, and so nothing is heard: that is no sign of a dead connection.
                _isBusy = true;
                await inbox.ReceiveAsync(inbound, cancellation);
                Hear();
                _isBusy = false;
                break;
            case InboundDecision.Received received when sentStanzas.Receive(received.Id, endpoint!, from) is { } confirmed:
                inbox.Confirm(endpoint!, confirmed);
                break;
            case InboundDecision.Bounced bounced when endpoint is not null:
                sentStanzas.Bounce(message["id"] ?? "", endpoint, from, bounced.Condition);
                resources.Left(endpoint, from);
                resources.GiveUp(endpoint, from);
                break;
            case InboundDecision.Sentence sentence when _sentences.TrySpend(from.Bare.ToString()):
                await stream.WriteAsync(Message(address, from, NextStanza(), sentence.Value, isOtr: false));
                break;
            case InboundDecision.NoSuchEndpoint:
                await _answers.RefuseMessageAsync(message, from, address);
                break;
        }
    }

    private static string Message(string from, Jid to, string stanza, string body, bool isOtr, bool asksForReceipt = false) =>
        StanzaWriter.Message($"{from}/{PresenceAndIq.Resource}", to.ToString(), stanza, body, isOtr, asksForReceipt);

    private string NextStanza() => $"{id}-{Interlocked.Increment(ref _sent)}";

    private void Hear() => Interlocked.Exchange(ref _lastHeard, options.Time.GetTimestamp());

    /// <summary>A server sends nothing by itself after a reconnect: contacts would see the endpoints as gone.</summary>
    private async Task AnnounceAsync()
    {
        foreach (var (endpoint, peer) in subscribers.All())
        {
            if (endpoints.NameOf(endpoint) is null) continue;
            if (!await stream.WriteAsync(StanzaWriter.Presence($"{endpoint}/{PresenceAndIq.Resource}", peer))) return;
        }
    }

    /// <summary>Notices a half-open connection: asks after silence, and gives up after a second question without an answer.</summary>
    private async Task KeepAliveAsync()
    {
        int asked = 0;
        while (!_closed.IsCancellationRequested)
        {
            await Task.Delay(s_keepAliveCheck, options.Time, _closed.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var silence = options.Time.GetElapsedTime(Interlocked.Read(ref _lastHeard));
            if (_isBusy || silence < XmppLimits.PingAfter)
            {
                asked = 0;
                continue;
            }
            if (silence < XmppLimits.PingAfter + asked * XmppLimits.PingTimeout) continue;
            if (asked == 2)
            {
                _isSilent = true;
                stream.Abort();
                return;
            }
            asked++;
            // Not awaited: a write to a dead connection waits for ever.
            _ = stream.WriteAsync(Ping(options, $"relay-alive-{++_keepAlives}"));
        }
    }
}
