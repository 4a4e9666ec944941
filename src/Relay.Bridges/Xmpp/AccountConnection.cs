using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Relay.Bridges.Xmpp;

/// <summary>One connection of <see cref="XmppAccountNetwork"/>: reads stanzas, answers what a client must answer, writes messages.</summary>
internal sealed class AccountConnection
{
    private readonly StanzaStream _stream;
    private readonly AccountSession _session;
    private readonly XmppAccountOptions _options;
    private readonly EndpointDirectory _endpoints;
    private readonly IBridgeInbox _inbox;
    private readonly Jid _account;
    private readonly AccountAnswers _answers;
    private readonly MessageExchange _messages;
    private readonly PingConfirmations _confirmations;
    private readonly KeepAlive _keepAlive;
    private readonly CancellationTokenSource _closed = new();

    public AccountConnection(
        StanzaStream stream, AccountSession session, XmppAccountOptions options, EndpointDirectory endpoints, SessionResources resources,
        SentStanzas sentStanzas, IBridgeInbox inbox, string id)
    {
        (_stream, _session, _options, _endpoints, _inbox, _account) = (stream, session, options, endpoints, inbox, session.Address.Bare);
        _answers = new AccountAnswers(session.SendAsync, session.Address, options, endpoints, resources);
        _confirmations = new PingConfirmations(async pingId =>
        {
            await session.SendAsync(Ping($"{id}-{pingId}"));
            await session.RequestAckAsync();
        });
        _pingPrefix = id + "-";
        _keepAlive = new KeepAlive(options.Time, number => session.SendAsync(Ping($"relay-alive-{number}")), stream.Abort);
        _messages = new MessageExchange(options, endpoints, resources, sentStanzas, inbox, _keepAlive, id)
        {
            Write = session.SendAsync, Sender = _ => session.Address.ToString(), Refuse = _answers.RefuseMessageAsync,
            RefuseClear = _answers.RefuseClearAsync,
        };
    }

    private readonly string _pingPrefix;

    /// <summary>Where the server has sent us; null: nowhere.</summary>
    public (string Host, int Port)? Other { get; private set; }

    /// <param name="early">What came before the session was complete.</param>
    /// <param name="isNew">The session is not a resumed one.</param>
    public async Task<ConnectionEnd> RunAsync(IReadOnlyList<XmppElement> early, bool isNew, CancellationToken cancellation)
    {
        // Closing ends the read that waits.
        await using var onStop = cancellation.UnsafeRegister(_ => _ = _stream.DisposeAsync().AsTask(), null);
        await _session.AttachAsync(_stream);
        var keepAlive = _keepAlive.RunAsync(_closed.Token);
        // Its presence is written before any text: a server may store what answers a text of an account that is not there yet.
        var announcing = isNew ? AnnounceAsync() : Task.CompletedTask;
        _inbox.Connected();
        try
        {
            foreach (var stanza in early) await HandleAsync(stanza, settled: null, cancellation);
            while (true)
            {
                var read = await _stream.ReadAsync();
                _keepAlive.Hear();
                switch (read)
                {
                    case StreamRead.Element { Value: var e } when e.Is("error", Ns.Streams):
                        Other = XmppLogin.OtherHost(e);
                        return StreamErrors.ExplainAccount(e, _account.Domain);
                    case StreamRead.Element { Value: var e } when e.Namespace == Ns.StreamManagement:
                        if (await ManageAsync(e) is { } end) return end;
                        break;
                    case StreamRead.Element { Value: var e } when e.Namespace == Ns.Client:
                        await HandleAsync(e, _session.Management?.Receive(), cancellation);
                        break;
                    case StreamRead.Dropped:
                        // The server counts it as well.
                        _session.Management?.Receive()();
                        break;
                    case StreamRead.End ended:
                        cancellation.ThrowIfCancellationRequested();
                        return new ConnectionEnd(_keepAlive.IsSilent ? StreamErrors.Silent : ended.Reason, ConnectionEndKind.Lost);
                }
            }
        }
        finally
        {
            // Before the session is detached: a write that waits holds it.
            _stream.Abort();
            await _closed.CancelAsync();
            await keepAlive;
            await announcing;
            await _session.DetachAsync();
            _confirmations.End();
        }
    }

    /// <inheritdoc cref="MessageExchange.SendAsync"/>
    public Task<Carried> SendAsync(string from, Jid to, string body, bool isOtr, OutboundText text, CancellationToken cancellation) =>
        _messages.SendAsync(from, to, body, isOtr, text, stanza => CarryAsync(stanza, cancellation));

    private async Task<bool> CarryAsync(string stanza, CancellationToken cancellation)
    {
        var (isWritten, settled) = await _session.SendAsync(stanza);
        if (!isWritten) return false;
        // The ping's answer comes after what the server refuses; the acknowledgement alone may come before.
        var pinged = _confirmations.ConfirmAsync();
        if (settled is null) return await InTimeAsync(pinged, cancellation) ?? true;
        while (!settled.IsCompleted)
        {
            // A server that lives and does not acknowledge: the next connection asks it for its count.
            if (await InTimeAsync(settled, cancellation) is null) _stream.Abort();
        }
        if (!await settled) return false;
        await InTimeAsync(pinged, cancellation);
        return true;
    }

    /// <summary>The result; null if there is none within <see cref="XmppLimits.ConfirmWithin"/>.</summary>
    private async Task<bool?> InTimeAsync(Task<bool> task, CancellationToken cancellation)
    {
        try
        {
            return await task.WaitAsync(XmppLimits.ConfirmWithin, _options.Time, cancellation);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    private string Ping(string pingId) => StanzaWriter.Ping(_session.Address.ToString(), _account.Domain, pingId);

    /// <returns>Why the connection must end; null: it goes on.</returns>
    private async Task<ConnectionEnd?> ManageAsync(XmppElement element)
    {
        switch (element.Name)
        {
            case "r":
                await _session.AcknowledgeAsync();
                return null;
            case "a" when _session.Management is { } management:
                if (uint.TryParse(element["h"], NumberStyles.None, CultureInfo.InvariantCulture, out uint h) && management.Acknowledge(h))
                    return null;
                _session.End();
                return new ConnectionEnd("The server acknowledges what was not sent: its count is wrong.", ConnectionEndKind.Lost);
            default:
                return null;
        }
    }

    private async ValueTask HandleAsync(XmppElement stanza, Action? settled, CancellationToken cancellation)
    {
        // What has no sender is from the account's own server.
        if (!Jid.TryParse(stanza["from"] ?? _account.ToString(), out var from)
            || !Jid.TryParse(stanza["to"] ?? _account.ToString(), out var to) || to.Bare != _account)
        {
            settled?.Invoke();
            return;
        }
        if (stanza.Name == "message" && from.Bare != _account)
        {
            await _messages.ReceiveAsync(stanza, from, _account.ToString(), ArchiveId(stanza), settled, cancellation);
            return;
        }
        switch (stanza.Name)
        {
            case "presence":
                await _answers.PresenceAsync(stanza, from);
                break;
            case "iq" when stanza["type"] is "result" or "error":
                var id = stanza["id"] ?? "";
                if (from == new Jid("", _account.Domain, "") && id.StartsWith(_pingPrefix, StringComparison.Ordinal))
                    _confirmations.Answer(id[_pingPrefix.Length..]);
                break;
            case "iq":
                await _answers.IqAsync(stanza, from);
                break;
        }
        settled?.Invoke();
    }

    /// <summary>
    /// The id by which the account's server knows a message (XEP-0359), hashed to an id of fixed length: what comes again after a bridge
    /// died is one message. A peer that could forge it would only suppress messages of its own.
    /// </summary>
    private string? ArchiveId(XmppElement message)
    {
        foreach (var child in message.Children)
        {
            if (child.Is("stanza-id", Ns.StanzaIds) && child["id"] is { Length: > 0 } id && Jid.TryParse(child["by"], out var by) && by == _account)
                return $"sid-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)).AsSpan(0, 16))}";
        }
        return null;
    }

    /// <summary>
    /// Says that the account is there once its endpoint is: until then the server keeps what contacts send. No person uses the account, so
    /// that its priority is the highest.
    /// </summary>
    private async Task AnnounceAsync()
    {
        var isThere = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void OnAdded(string address) => isThere.TrySetResult();
        _endpoints.Added += OnAdded;
        try
        {
            if (_endpoints.Count == 0) await isThere.Task.WaitAsync(_closed.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _session.SendAsync(StanzaWriter.InitialPresence);
        }
        finally
        {
            _endpoints.Added -= OnAdded;
        }
    }
}
