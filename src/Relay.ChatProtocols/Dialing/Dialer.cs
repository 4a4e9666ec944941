using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Relay.ChatProtocols.Dialing;

/// <summary>Connects to a server, directly or through a proxy. If the proxy fails there is no connection: never a direct one.</summary>
public static class Dialer
{
    /// <summary>Connects within <see cref="DialOptions.Timeout"/>.</summary>
    /// <param name="host">A name, or an address. A proxy gets it as it is.</param>
    /// <exception cref="OperationCanceledException">The caller has given up.</exception>
    public static async Task<Dialled> DialAsync(string host, int port, DialOptions options, CancellationToken cancellation)
    {
        if (host.EndsWith(".onion", StringComparison.OrdinalIgnoreCase) && options.Proxy is not { Kind: ProxyKind.Socks5 })
            return new DialFailure($"{host} can be reached through Tor's SOCKS port only: name it with --proxy socks5://127.0.0.1:9050.", IsPermanent: true);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(options.Timeout);
        var (nextHost, nextPort) = options.Proxy is { } proxy ? (proxy.Host, proxy.Port) : (host, port);
        Stream? stream = null;
        try
        {
            stream = await ConnectAsync(nextHost, nextPort, options, limit.Token);
            if (stream is null) return new DialFailure($"There is no address for the name {nextHost}.");
            var failure = options.Proxy switch
            {
                null => null,
                { Kind: ProxyKind.Socks5 } socks => await Socks5.ConnectAsync(stream, socks, host, port, limit.Token),
                { Kind: ProxyKind.Http } http => await HttpConnect.ConnectAsync(stream, http, host, port, limit.Token),
                { } https => await HttpConnect.ConnectAsync(
                    stream = await TlsAsync(stream, https, limit.Token), https, host, port, limit.Token),
            };
            if (failure is null) return stream;
            await stream.DisposeAsync();
            return failure;
        }
        catch (Exception e) when (e is SocketException or IOException or AuthenticationException or OperationCanceledException)
        {
            if (stream is not null) await stream.DisposeAsync();
            cancellation.ThrowIfCancellationRequested();
            return Explain(e, options, nextHost, nextPort);
        }
    }

    /// <summary>True if a host name can only mean this machine.</summary>
    public static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    /// <summary>Settings for TLS to a server whose certificate must be valid for a name.</summary>
    /// <param name="authorities">Null: the system's.</param>
    public static SslClientAuthenticationOptions TlsOptions(string name, X509Certificate2Collection? authorities)
    {
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = name, CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        if (authorities is null) return options;
        options.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck,
        };
        options.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        return options;
    }

    private static DialFailure Explain(Exception fault, DialOptions options, string host, int port) => fault switch
    {
        OperationCanceledException => new DialFailure(
            $"{(options.Proxy is null ? "The server" : "The proxy")} {host}:{port} did not answer within {options.Timeout.TotalSeconds:0} s."),
        AuthenticationException => new DialFailure($"The certificate of the proxy {host}:{port} is not valid for its name.", IsPermanent: true),
        _ => new DialFailure($"{(options.Proxy is null ? "The server" : "The proxy")} {host}:{port} cannot be reached: {fault.Message}"),
    };

    private static async Task<Stream?> ConnectAsync(string host, int port, DialOptions options, CancellationToken cancellation)
    {
        var addresses = IPAddress.TryParse(host, out var address) ? [address] : await options.Resolve(host, cancellation);
        if (addresses.Length == 0) return null;
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<Stream> TlsAsync(Stream stream, ProxyServer proxy, CancellationToken cancellation)
    {
        var tls = new SslStream(stream);
        try
        {
            await tls.AuthenticateAsClientAsync(TlsOptions(proxy.Host, proxy.Authorities), cancellation);
            return tls;
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }
}
