using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Relay.Bridges.Irc;

/// <summary>Where a connection goes.</summary>
internal readonly record struct IrcAddress(string Host, int Port, bool Tls);

/// <summary>Opens the byte stream to a server: TCP, and TLS with a certificate that is verified or pinned.</summary>
internal static class IrcConnection
{
    /// <summary>Returns the stream, or why there is none.</summary>
    /// <param name="address">
    /// The configured one, or one that the server sent the bridge to: its certificate must be valid for the configured name all the same.
    /// </param>
    public static async Task<(Stream? Stream, ConnectionEnd? Failure)> OpenAsync(
        IrcOptions options, IrcAddress address, TimeProvider time, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(options.ConnectTimeout, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        Socket? socket = null;
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(address.Host, limit.Token);
            if (addresses.Length == 0) return Failed(ConnectionEndKind.Lost, "The host of --irc has no address.");
            if (!address.Tls && !options.AllowsCleartext && !addresses.All(IPAddress.IsLoopback))
                return Failed(ConnectionEndKind.Misconfigured, "Without TLS everybody on the way can read who talks to whom, and the "
                    + "password. Use --tls; --allow-cleartext permits a connection without it.");
            socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(addresses, address.Port, limit.Token);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            socket = null;
            if (!address.Tls) return (stream, null);
            var secure = new SslStream(stream);
            try
            {
                await secure.AuthenticateAsClientAsync(TlsOptions(options), limit.Token);
                return (secure, null);
            }
            catch
            {
                await secure.DisposeAsync();
                throw;
            }
        }
        catch (AuthenticationException)
        {
            return Failed(ConnectionEndKind.Misconfigured, options.CertificatePin is null
                ? "The server's certificate is not valid for the host of --irc. Name its authority with --irc-ca, or pin it with --pin."
                : "The server's certificate is not the one of --pin. If the server has a new one, compare its SHA-256 and set it.");
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return Failed(ConnectionEndKind.Lost, $"The server cannot be reached: {e.Message}");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return Failed(ConnectionEndKind.Lost,
                $"The server did not accept the connection within {options.ConnectTimeout.TotalSeconds:0} s.");
        }
        finally
        {
            socket?.Dispose();
        }
    }

    private static SslClientAuthenticationOptions TlsOptions(IrcOptions options)
    {
        var tls = new SslClientAuthenticationOptions
        {
            TargetHost = options.Host,
            ClientCertificates = options.ClientCertificate is { } own ? [own] : null,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        // A private authority has no service that lists revoked certificates.
        if (options.TrustedAuthorities is { } authorities)
        {
            tls.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck,
            };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }
        // The pin replaces authorities and names: networks whose servers sign their certificates themselves are many.
        if (options.CertificatePin is { } pin)
        {
            tls.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                certificate is not null
                && pin.Equals(certificate.GetCertHashString(HashAlgorithmName.SHA256), StringComparison.OrdinalIgnoreCase);
        }
        return tls;
    }

    private static (Stream?, ConnectionEnd?) Failed(ConnectionEndKind kind, string reason) => (null, new ConnectionEnd(reason, kind));
}
