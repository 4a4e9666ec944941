using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using Relay.ChatProtocols.Dialing;

namespace Relay.Bridges.Xmpp;

/// <summary>Connects to an XMPP server as an external component (XEP-0114), up to the server's consent.</summary>
internal static class ComponentLogin
{
    /// <summary>Connects and authenticates.</summary>
    /// <returns>The stream, or why there is none.</returns>
    public static async Task<(StanzaStream? Stream, ConnectionEnd? End)> OpenAsync(
        XmppOptions options, CancellationToken cancellation)
    {
        if (!options.Tls && !options.AllowCleartext && !Dialer.IsLoopback(options.Host))
        {
            return (null, new ConnectionEnd("The secret and all messages would cross the network in the clear: name a loopback address, "
                + "use --tls, or permit it "
                + "with --allow-cleartext if the link is protected by other means.", ConnectionEndKind.Misconfigured));
        }
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(XmppLimits.ConnectTimeout);
        var tcp = new TcpClient { NoDelay = true };
        // An XML reader's read cannot be cancelled: closing the socket ends it.
        await using var onLimit = limit.Token.UnsafeRegister(_ => tcp.Close(), null);
        StanzaStream? stream = null;
        try
        {
            await tcp.ConnectAsync(options.Host, options.Port, limit.Token);
            stream = new StanzaStream(options.Tls ? await TlsAsync(tcp, options, limit.Token) : tcp.GetStream(), tcp);
            if (await AuthenticateAsync(stream, options) is { } end)
            {
                if (limit.IsCancellationRequested) end = TooSlow(options);
                await stream.DisposeAsync();
                cancellation.ThrowIfCancellationRequested();
                return (null, end);
            }
            return (stream, null);
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException or OperationCanceledException
            or AuthenticationException)
        {
            tcp.Dispose();
            cancellation.ThrowIfCancellationRequested();
            return (null, limit.IsCancellationRequested ? TooSlow(options) : Unreachable(options, e));
        }
    }

    private static async Task<Stream> TlsAsync(TcpClient tcp, XmppOptions options, CancellationToken cancellation)
    {
        var tls = new SslStream(tcp.GetStream());
        await tls.AuthenticateAsClientAsync(Dialer.TlsOptions(options.Host, options.Authorities), cancellation);
        return tls;
    }

    private static async Task<ConnectionEnd?> AuthenticateAsync(StanzaStream stream, XmppOptions options)
    {
        string secret;
        try
        {
            secret = options.Secret();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new ConnectionEnd($"The secret file cannot be read: {e.Message}", ConnectionEndKind.Refused);
        }
        await stream.WriteAsync(StanzaWriter.StreamStart(options.Domain));
        switch (await stream.ReadAsync())
        {
            case StreamRead.Element { Value: var start } when start.Is("stream", Ns.Streams):
                // A server that refuses the domain at once gives the stream no id, and says why in the next element.
                if (start["id"] is { Length: > 0 } id) await stream.WriteAsync(StanzaWriter.Handshake(Hash(id, secret)));
                break;
            case StreamRead.End end:
                return Ended(options, end.Reason);
            default:
                return NotAServer(options);
        }
        return await stream.ReadAsync() switch
        {
            StreamRead.Element { Value: var e } when e.Is("handshake", Ns.Component) => null,
            StreamRead.Element { Value: var e } when e.Is("error", Ns.Streams) => StreamErrors.Explain(e, options.Domain),
            StreamRead.End end => Ended(options, end.Reason),
            _ => NotAServer(options),
        };
    }

    /// <summary>The handshake of XEP-0114: lower-case hexadecimal SHA-1 of the stream's id and the secret.</summary>
    // CA5350: the protocol names SHA-1.
#pragma warning disable CA5350
    internal static string Hash(string id, string secret) => Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes(id + secret)));
#pragma warning restore CA5350

    private static ConnectionEnd Ended(XmppOptions options, string reason) =>
        new($"{options.Host}:{options.Port} did not accept the component. {reason}", ConnectionEndKind.Lost);

    private static ConnectionEnd NotAServer(XmppOptions options) =>
        new($"What listens at {options.Host}:{options.Port} does not speak XEP-0114: name the server's port for components.",
            ConnectionEndKind.Refused);

    private static ConnectionEnd TooSlow(XmppOptions options) =>
        new($"{options.Host}:{options.Port} did not answer within {XmppLimits.ConnectTimeout.TotalSeconds:0} s.", ConnectionEndKind.Lost);

    private static ConnectionEnd Unreachable(XmppOptions options, Exception fault) => fault switch
    {
        AuthenticationException => new($"TLS with {options.Host}:{options.Port} failed: {fault.Message} The certificate must be issued for "
            + "this name by an authority that is trusted: --xmpp-ca names one of your own.", ConnectionEndKind.Refused),
        _ => new($"{options.Host}:{options.Port} cannot be reached ({fault.Message}): is the XMPP server running, and its port for "
            + "components open?", ConnectionEndKind.Lost),
    };
}
