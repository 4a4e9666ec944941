using System.Globalization;

namespace Relay.Bridges.Xmpp;

/// <summary>Logs in to an account, and resumes its session or begins a new one.</summary>
internal sealed class AccountLogin
{
    private const string BindId = "relay-bind";
    private readonly XmppAccountOptions _options;
    private readonly Jid _account;
    private readonly string _resource;
    private readonly StanzaStream _stream;
    private readonly List<XmppElement> _early = [];

    private AccountLogin(XmppAccountOptions options, Jid account, string resource, StanzaStream stream) =>
        (_options, _account, _resource, _stream) = (options, account, resource, stream);

    /// <summary>What became of an attempt.</summary>
    /// <param name="Stream">Null: there is none, and <paramref name="End"/> says why.</param>
    /// <param name="Session">The former one if it was resumed.</param>
    /// <param name="Early">Stanzas that came before the session was complete, which nobody counts.</param>
    /// <param name="Other">Where the server sends us.</param>
    internal sealed record Result(
        StanzaStream? Stream, AccountSession? Session, IReadOnlyList<XmppElement> Early, ConnectionEnd? End, (string Host, int Port)? Other)
    {
        public static implicit operator Result(ConnectionEnd end) => new(null, null, [], end, null);
    }

    /// <param name="former">Null, or a session to resume; it has ended if another is returned.</param>
    /// <param name="other">Where the server has sent us; null: as configured.</param>
    public static async Task<Result> OpenAsync(
        XmppAccountOptions options, Jid account, string resource, AccountSession? former, (string Host, int Port)? other,
        CancellationToken cancellation)
    {
        string password;
        try
        {
            password = options.Password();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new ConnectionEnd($"The password file cannot be read: {e.Message}", ConnectionEndKind.Refused);
        }
        var (host, port) = other ?? (options.Host, options.Port);
        var (bytes, failure) = await XmppLogin.ConnectAsync(new XmppLoginOptions
        {
            Account = account, Password = password, Host = host, Port = port, DirectTls = options.DirectTls,
            LooksUpServers = options.LooksUpServers && other is null,
            Authorities = options.Authorities, AllowsCleartextOnLoopback = options.AllowCleartextOnLoopback, Dial = options.Dial,
        }, cancellation);
        if (bytes is null) return Explain(failure!);
        var stream = new StanzaStream(bytes, bytes);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(XmppLimits.ConnectTimeout);
        // An XML reader's read cannot be cancelled: closing the connection ends it.
        await using var onLimit = limit.Token.UnsafeRegister(_ => stream.Abort(), null);
        var result = await new AccountLogin(options, account, resource, stream).NegotiateAsync(former);
        if (result.Stream is not null && !limit.IsCancellationRequested) return result;
        await stream.DisposeAsync();
        cancellation.ThrowIfCancellationRequested();
        return limit.IsCancellationRequested
            ? new ConnectionEnd($"The server did not begin a session within {XmppLimits.ConnectTimeout.TotalSeconds:0} s.", ConnectionEndKind.Lost)
            : result;
    }

    private async Task<Result> NegotiateAsync(AccountSession? former)
    {
        await _stream.WriteAsync(StanzaWriter.ClientStreamStart(_account.Domain));
        var (start, end) = await ReadAsync();
        if (end is not null) return end;
        if (!start!.Is("stream", Ns.Streams)) return Unexpected("the start of the stream");
        (var features, end) = await ReadAsync();
        if (end is not null) return end;
        if (!features!.Is("features", Ns.Streams)) return Unexpected("the features of the stream");
        bool isManaged = features.Child("sm", Ns.StreamManagement) is not null;
        if (isManaged && former?.Management is { ResumptionId: { } id } management)
        {
            (var isResumed, end) = await ResumeAsync(management, id);
            if (end is not null) return end;
            if (isResumed) return new Result(_stream, former, [], null, null);
        }
        former?.End();
        (var address, end) = await BindAsync();
        if (end is not null) return end;
        string? resumptionId = null;
        if (isManaged)
        {
            (isManaged, resumptionId, end) = await EnableAsync();
            if (end is not null) return end;
        }
        return new Result(_stream, new AccountSession(address, isManaged, resumptionId), _early, null, null);
    }

    private async Task<(bool IsResumed, Result? End)> ResumeAsync(StreamManagement management, string id)
    {
        await _stream.WriteAsync(StanzaWriter.Resume(management.Received, id));
        var (answer, end) = await ReadAsync();
        if (end is not null) return (false, end);
        // A server that refuses may still know what it has handled.
        bool isCounted = uint.TryParse(answer!["h"], NumberStyles.None, CultureInfo.InvariantCulture, out uint h) && management.Acknowledge(h);
        if (answer.Is("failed", Ns.StreamManagement)) return (false, null);
        return answer.Is("resumed", Ns.StreamManagement) && isCounted ? (true, null) : (false, Unexpected("the resumption"));
    }

    private async Task<(Jid Address, Result? End)> BindAsync()
    {
        await _stream.WriteAsync(StanzaWriter.Bind(BindId, _resource));
        while (true)
        {
            var (answer, end) = await ReadAsync();
            if (end is not null) return (default, end);
            if (!answer!.Is("iq", Ns.Client) || answer["id"] != BindId)
            {
                if (!IsKept(answer)) return (default, Unexpected("the binding of the resource"));
                continue;
            }
            if (answer["type"] == "result" && Jid.TryParse(answer.Child("bind", Ns.Bind)?.Child("jid", Ns.Bind)?.Text, out var address)
                && address.Bare == _account && !address.IsBare) return (address, null);
            return (default, new ConnectionEnd("The server does not bind the bridge's resource: it allows no more connections of the account, "
                + "or another one has the resource.", ConnectionEndKind.Refused));
        }
    }

    private async Task<(bool IsManaged, string? ResumptionId, Result? End)> EnableAsync()
    {
        await _stream.WriteAsync(StanzaWriter.EnableManagement);
        while (true)
        {
            var (answer, end) = await ReadAsync();
            if (end is not null) return (false, null, end);
            if (answer!.Is("failed", Ns.StreamManagement)) return (false, null, null);
            if (answer.Is("enabled", Ns.StreamManagement))
            {
                var id = answer["id"] is { Length: > 0 and <= XmppLimits.MaxResumptionId } given && answer["resume"] is "true" or "1"
                    ? given : null;
                return (true, id, null);
            }
            if (!IsKept(answer)) return (false, null, Unexpected("stream management"));
        }
    }

    /// <summary>Keeps a stanza for the session that is about to begin; false if there are too many.</summary>
    private bool IsKept(XmppElement stanza)
    {
        _early.Add(stanza);
        return _early.Count <= XmppLimits.MaxEarlyStanzas;
    }

    private async Task<(XmppElement? Element, Result? End)> ReadAsync() => await _stream.ReadAsync() switch
    {
        StreamRead.Element { Value: var e } when e.Is("error", Ns.Streams) =>
            (null, new Result(null, null, [], StreamErrors.ExplainAccount(e, _account.Domain), XmppLogin.OtherHost(e))),
        StreamRead.Element { Value: var e } => (e, null),
        StreamRead.End end => (null, new ConnectionEnd(end.Reason, ConnectionEndKind.Lost)),
        _ => (null, Unexpected("the session")),
    };

    private Result Unexpected(string what) =>
        new ConnectionEnd($"The server {_options.Host} does not answer as XMPP asks for at {what}.", ConnectionEndKind.Lost);

    private static ConnectionEnd Explain(XmppLoginFailure failure) => failure switch
    {
        { IsRefused: true } => new ConnectionEnd($"{failure.Message} Compare the password file with the account's password.", ConnectionEndKind.Refused),
        { IsPermanent: true } => new ConnectionEnd(failure.Message, ConnectionEndKind.Refused),
        _ => new ConnectionEnd(failure.Message, ConnectionEndKind.Lost),
    };
}
