using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using Relay.ChatProtocols.Dialing;

namespace Relay.Proxy.Irc;

/// <summary>
/// The connection to the network: through another proxy or directly, in TLS with a certificate for the network's host name; and with a
/// certificate of the account's own, the login by it.
/// </summary>
internal static class UpstreamConnection
{
    /// <summary>Connects.</summary>
    /// <returns>The stream and its reader, or why there are none, for the person.</returns>
    /// <exception cref="OperationCanceledException">The caller has given up.</exception>
    public static async Task<(Stream? Stream, IrcLineReader? Reader, string? Failure)> OpenAsync(IrcProxyOptions options, CancellationToken cancellation)
    {
        if (!options.Tls && !options.MayBeInTheClear)
            return (null, null, $"{options.Host} is neither on this machine nor an .onion address: without TLS everybody on the way could read all.");
        var dialled = await Dialer.DialAsync(options.Host, options.Port, options.Dial, cancellation);
        if (dialled.Stream is not { } stream) return (null, null, dialled.Failure!.Message);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(ProxyLimits.UpstreamTimeout);
        bool isOpen = false;
        try
        {
            if (options.Tls)
            {
                var tls = new SslStream(stream);
                stream = tls;
                await tls.AuthenticateAsClientAsync(TlsOptions(options), limit.Token);
            }
            var reader = new IrcLineReader(stream);
            if (options.ServerPassword is { } password) await WriteAsync(stream, IrcLine.Format("PASS", password), limit.Token);
            var failure = options.AccountCertificate is null ? null : await LogInByCertificateAsync(stream, reader, limit.Token);
            isOpen = failure is null;
            return isOpen ? (stream, reader, null) : (null, null, failure);
        }
        catch (AuthenticationException)
        {
            return (null, null, options.Pin is null ? $"The certificate of {options.Host}:{options.Port} is not valid for {options.Network}, or its "
                + "authority is not trusted. Name the authority with --upstream-ca, or the certificate with --pin."
                : $"The certificate of {options.Host}:{options.Port} is not the one of --pin. If the server has a new one, compare its SHA-256 and set it.");
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            return (null, null, limit.IsCancellationRequested ? $"{options.Host}:{options.Port} did not answer within {ProxyLimits.UpstreamTimeout.TotalSeconds:0} s."
                : $"{options.Host}:{options.Port} closed the connection.");
        }
        finally
        {
            if (!isOpen) await stream.DisposeAsync();
        }
    }

    private static SslClientAuthenticationOptions TlsOptions(IrcProxyOptions options)
    {
        var tls = Dialer.TlsOptions(options.Network, options.Authorities);
        if (options.AccountCertificate is { } own) tls.ClientCertificates = [own];
        // The pin replaces authorities and names: networks whose servers sign their certificates themselves are many.
        if (options.Pin is { } pin)
        {
            tls.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null
                && pin.Equals(certificate.GetCertHashString(HashAlgorithmName.SHA256), StringComparison.OrdinalIgnoreCase);
        }
        return tls;
    }

    /// <summary>SASL EXTERNAL. The negotiation of capabilities stays open, which holds the registration until the client ends it.</summary>
    /// <returns>Why the login failed; null: it did not.</returns>
    private static async Task<string?> LogInByCertificateAsync(Stream stream, IrcLineReader reader, CancellationToken cancellation)
    {
        await WriteAsync(stream, "CAP LS 302", cancellation);
        while (await reader.ReadAsync(cancellation) is { } line)
        {
            switch (line.Command)
            {
                case "PING":
                    await WriteAsync(stream, "PONG :" + IrcText.Clean(line.Text), cancellation);
                    break;
                case "CAP" when line.Param(1) == "LS" && line.Param(2) != "*":
                    await WriteAsync(stream, "CAP REQ :sasl", cancellation);
                    break;
                case "CAP" when line.Param(1) == "ACK":
                    await WriteAsync(stream, "AUTHENTICATE EXTERNAL", cancellation);
                    break;
                case "AUTHENTICATE":
                    await WriteAsync(stream, "AUTHENTICATE +", cancellation);
                    break;
                case "903":
                    return null;
                case "421" or "902" or "904" or "905" or "906" or "907":
                case "CAP" when line.Param(1) == "NAK":
                    return "The server refuses the login by certificate (SASL EXTERNAL). Is the certificate's fingerprint added to the account?";
                case "ERROR":
                    return $"The server says: {IrcText.Clean(line.Text)}";
            }
        }
        return "The server closed the connection during the login by certificate.";
    }

    private static async Task WriteAsync(Stream stream, string line, CancellationToken cancellation)
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes(line + "\r\n"), cancellation);
        await stream.FlushAsync(cancellation);
    }
}
