using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Relay.ChatProtocols.Dialing;

namespace Relay.ChatProtocols.Xmpp;

/// <summary>Whom to log in as, and where.</summary>
public sealed record XmppLoginOptions
{
    /// <summary>The account's name and domain.</summary>
    public required Jid Account { get; init; }

    public required string Password { get; init; }

    /// <summary>The server to connect to: it is not the name that its certificate is checked against, which is the account's domain.</summary>
    public required string Host { get; init; }

    public required int Port { get; init; }

    /// <summary>
    /// <see cref="Host"/> and <see cref="Port"/> are only the account's domain and the usual port: its servers are looked up (SRV), unless a proxy
    /// connects.
    /// </summary>
    public bool LooksUpServers { get; init; }

    /// <summary>TLS from the first byte; otherwise STARTTLS, without which there is no login.</summary>
    public bool DirectTls { get; init; }

    /// <summary>Whose certificate is taken; null: an authority of the system.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>
    /// Permits a login without TLS, by SCRAM only, to a host that can only be this machine. TLS that is offered is used all the same.
    /// </summary>
    public bool AllowsCleartextOnLoopback { get; init; }

    /// <summary>Only finds out whether the server can be logged in to: nothing of the account is sent but its domain.</summary>
    public bool EndsBeforeLogin { get; init; }

    public DialOptions Dial { get; init; } = new();

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(XmppLoginOptions);
}

/// <summary>Why a login failed.</summary>
/// <param name="IsRefused">The server refuses the account's name or password.</param>
public sealed record XmppLoginFailure(string Message, bool IsPermanent, bool IsRefused = false);

/// <summary>
/// Logs in to an XMPP server as a client: TLS with a certificate for the account's domain, then SASL. Without TLS nothing of the account is
/// sent. The caller opens the stream that follows the login.
/// </summary>
public static class XmppLogin
{
    private const int MaxRedirects = 3;

    /// <summary>The port for clients, with STARTTLS.</summary>
    public const int DefaultPort = 5222;

    /// <summary>The usual port for clients with TLS from the first byte.</summary>
    public const int DefaultDirectTlsPort = 5223;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);
    private static readonly SslApplicationProtocol s_xmpp = new("xmpp-client");

    /// <summary>Connects and logs in.</summary>
    /// <returns>The stream inside TLS, or why there is none.</returns>
    /// <exception cref="OperationCanceledException">The caller has given up.</exception>
    public static async Task<(Stream? Stream, XmppLoginFailure? Failure)> ConnectAsync(XmppLoginOptions options, CancellationToken cancellation)
    {
        var domain = options.Account.Domain;
        if (!options.LooksUpServers || options.Dial.Proxy is not null || !XmppServers.CanAsk(domain)) return await LogInAsync(options, cancellation);
        XmppLoginFailure failure = new($"{domain} says in DNS (SRV) that it has no server for clients.", IsPermanent: true);
        foreach (var server in await XmppServers.FindAsync(domain, options.DirectTls, options.Dial, cancellation))
        {
            var (stream, why) = await LogInAsync(
                options with { Host = server.Host, Port = server.Port, DirectTls = server.DirectTls, AllowsCleartextOnLoopback = false }, cancellation);
            // The next one would refuse the password, too, and count it.
            if (stream is not null || why!.IsRefused) return (stream, why);
            failure = why;
        }
        return (null, failure);
    }

    private static async Task<(Stream? Stream, XmppLoginFailure? Failure)> LogInAsync(XmppLoginOptions options, CancellationToken cancellation)
    {
        var (host, port) = (options.Host, options.Port);
        for (int redirects = 0; redirects <= MaxRedirects; redirects++)
        {
            var dialled = await Dialer.DialAsync(host, port, options.Dial, cancellation);
            if (dialled.Stream is null) return (null, new XmppLoginFailure(dialled.Failure!.Message, dialled.Failure.IsPermanent));
            await using var attempt = new Attempt(dialled.Stream, options, options.AllowsCleartextOnLoopback && Dialer.IsLoopback(host));
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(s_limit);
            // An XML reader's read cannot be cancelled: closing the connection ends it.
            await using var onLimit = limit.Token.UnsafeRegister(_ => dialled.Stream.Dispose(), null);
            try
            {
                if (await attempt.RunAsync(limit.Token) is not { } failure) return (attempt.Take(), null);
                cancellation.ThrowIfCancellationRequested();
                if (limit.IsCancellationRequested) failure = TooSlow(options);
                if (attempt.OtherHost is not { } other) return (null, failure);
                // The certificate there must be the domain's, too.
                (host, port) = other;
            }
            catch (AuthenticationException e)
            {
                return (null, new XmppLoginFailure($"TLS failed: {e.Message} The certificate must be valid for {options.Account.Domain} and issued "
                    + "by an authority that is trusted.", IsPermanent: true));
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
            {
                cancellation.ThrowIfCancellationRequested();
                return (null, limit.IsCancellationRequested ? TooSlow(options)
                    : new XmppLoginFailure("The server closed the connection during the login.", IsPermanent: false));
            }
        }
        return (null, new XmppLoginFailure("The server sends us from one host to another (see-other-host).", IsPermanent: false));
    }

    /// <summary>Where a stream error sends the client (RFC 6120, 4.9.3.19); null if it does not.</summary>
    public static (string Host, int Port)? OtherHost(XmppElement error) =>
        error.Child("see-other-host", Ns.StreamErrors)?.Text.Trim() is { Length: > 0 and < 300 } other ? Split(other) : null;

    private static XmppLoginFailure TooSlow(XmppLoginOptions options) =>
        new($"{options.Host}:{options.Port} did not complete the login within {s_limit.TotalSeconds:0} s.", IsPermanent: false);

    private static (string, int) Split(string address)
    {
        int colon = address.LastIndexOf(':');
        if (colon > 0 && !address.EndsWith(']')
            && int.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port is > 0 and < 65536)
            return (address[..colon].Trim('[', ']'), port);
        return (address.Trim('[', ']'), DefaultPort);
    }

    private sealed class Attempt(Stream stream, XmppLoginOptions options, bool allowsCleartext) : IAsyncDisposable
    {
        private Stream? _stream = stream;
        private XmlStreamReader? _reader;
        private bool _isTls;

        public (string Host, int Port)? OtherHost { get; private set; }

        public Stream Take()
        {
            var taken = _stream!;
            _stream = null;
            return taken;
        }

        public async Task<XmppLoginFailure?> RunAsync(CancellationToken cancellation)
        {
            if (options.DirectTls) await SecureAsync(cancellation);
            if (await OpenAsync() is not { } features) return Ended();
            bool canSecure = features.Child("starttls", Ns.Tls) is not null;
            if (!_isTls && (canSecure || !allowsCleartext))
            {
                if (!canSecure)
                {
                    return new XmppLoginFailure("The server offers no STARTTLS, or somebody on the way has removed the offer. Nothing was sent "
                        + "in the clear.", IsPermanent: true);
                }
                await WriteAsync($"<starttls xmlns='{Ns.Tls}'/>");
                if (await ReadAsync() is not { } answer) return Ended();
                if (!answer.Is("proceed", Ns.Tls)) return new XmppLoginFailure("The server does not begin TLS.", IsPermanent: false);
                // What came behind the answer in the clear is dropped with this reader.
                await SecureAsync(cancellation);
                features = await OpenAsync();
                if (features is null) return Ended();
            }
            return await AuthenticateAsync(features);
        }

        public async ValueTask DisposeAsync()
        {
            if (_stream is not null) await _stream.DisposeAsync();
        }

        private async Task SecureAsync(CancellationToken cancellation)
        {
            var tls = new SslStream(_stream!);
            _stream = tls;
            var settings = Dialer.TlsOptions(options.Account.Domain, options.Authorities);
            if (options.DirectTls) settings.ApplicationProtocols = [s_xmpp];
            await tls.AuthenticateAsClientAsync(settings, cancellation);
            _isTls = true;
        }

        /// <summary>Opens a stream and returns its features; null if the server ended it.</summary>
        private async Task<XmppElement?> OpenAsync()
        {
            _reader = new XmlStreamReader(_stream!);
            await WriteAsync($"<?xml version='1.0'?><stream:stream xmlns='{Ns.Client}' xmlns:stream='{Ns.Streams}' "
                + $"to='{XmppText.Escape(options.Account.Domain)}' version='1.0'>");
            if (await ReadAsync() is not { } start || !start.Is("stream", Ns.Streams)) return null;
            return await ReadAsync() is { } features && features.Is("features", Ns.Streams) ? features : null;
        }

        private async Task<XmppLoginFailure?> AuthenticateAsync(XmppElement features)
        {
            var offered = features.Child("mechanisms", Ns.Sasl)?.Children.Select(m => m.Text).ToHashSet() ?? [];
            var mechanism = ScramClient.Mechanisms.FirstOrDefault(offered.Contains) ?? (_isTls && offered.Contains("PLAIN") ? "PLAIN" : null);
            if (mechanism is null)
            {
                return new XmppLoginFailure($"The server offers no login that is supported: SCRAM-SHA-256, SCRAM-SHA-1{(_isTls ? " or PLAIN" : ", without TLS")}.",
                    IsPermanent: true);
            }
            if (options.EndsBeforeLogin) return null;
            var scram = mechanism == "PLAIN" ? null : ScramClient.Begin(mechanism, options.Account.Local, options.Password);
            var first = scram?.First ?? $"\0{options.Account.Local}\0{options.Password}";
            await WriteAsync($"<auth xmlns='{Ns.Sasl}' mechanism='{mechanism}'>{Base64(first)}</auth>");
            var isProven = scram is null;
            while (await ReadAsync() is { } answer)
            {
                if (answer.Is("failure", Ns.Sasl)) return Refusal(answer);
                var text = Text(answer.Text);
                if (answer.Is("success", Ns.Sasl))
                {
                    return isProven || scram!.Verify(text) ? null : new XmppLoginFailure(
                        "The server does not prove that it knows the password: it is not the account's server.", IsPermanent: true);
                }
                if (!answer.Is("challenge", Ns.Sasl) || scram is null || isProven) break;
                if (text.StartsWith("v=", StringComparison.Ordinal))
                {
                    isProven = scram.Verify(text);
                    if (!isProven) break;
                    await WriteAsync($"<response xmlns='{Ns.Sasl}'/>");
                }
                else if (scram.Final(text) is { } final) await WriteAsync($"<response xmlns='{Ns.Sasl}'>{Base64(final)}</response>");
                else break;
            }
            return OtherHost is null ? new XmppLoginFailure("The server does not follow SASL.", IsPermanent: false) : Ended();
        }

        private static XmppLoginFailure Refusal(XmppElement failure)
        {
            var condition = failure.Children.FirstOrDefault(c => c.Namespace == Ns.Sasl && c.Name != "text")?.Name ?? "";
            return condition == "temporary-auth-failure" ? new XmppLoginFailure("The server cannot check the password now.", IsPermanent: false)
                : new XmppLoginFailure("The server refuses the account's name or password.", IsPermanent: true, IsRefused: true);
        }

        private async Task<XmppElement?> ReadAsync()
        {
            if (await _reader!.ReadAsync() is not StreamRead.Element { Value: var element }) return null;
            if (!element.Is("error", Ns.Streams)) return element;
            OtherHost = XmppLogin.OtherHost(element);
            return null;
        }

        private async Task WriteAsync(string xml)
        {
            await _stream!.WriteAsync(Encoding.UTF8.GetBytes(xml));
            await _stream.FlushAsync();
        }

        private static XmppLoginFailure Ended() => new("The server ended the stream before the login.", IsPermanent: false);

        private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

        /// <summary>The text of base64; empty if it is none.</summary>
        private static string Text(string base64)
        {
            var bytes = new byte[base64.Length];
            return Convert.TryFromBase64String(base64.Trim(), bytes, out int length) ? Encoding.UTF8.GetString(bytes, 0, length) : "";
        }
    }
}
