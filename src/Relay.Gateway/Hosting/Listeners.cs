using System.Net;
using System.Security.Authentication;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Relay.Gateway.Hosting;

/// <summary>
/// Where and how the server listens: HTTP/2 for clients, with TLS wherever others than this machine can reach it, and plain
/// HTTP/1.1 for probes on a port of their own. Addresses and certificate are Kestrel's own settings.
/// </summary>
public sealed class Listeners
{
    private static readonly TimeSpan s_pingDelay = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_pingTimeout = TimeSpan.FromSeconds(20);
    private (ListenOptions Options, bool IsHttps)? _grpc;
    private (ListenOptions Options, bool IsHttps)? _health;

    /// <summary>Where clients reach the server, once it has started.</summary>
    public Uri Address => Bound(_grpc ?? throw new InvalidOperationException("The server has not started."));

    /// <summary>Where probes reach it by plain HTTP, if anywhere.</summary>
    public Uri? HealthAddress => _health is { } health ? Bound(health) : null;

    internal static void Configure(WebHostBuilderContext context, KestrelServerOptions kestrel)
    {
        var listeners = kestrel.ApplicationServices.GetRequiredService<Listeners>();
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = GatewayLimits.MaxConnections;
        kestrel.Limits.Http2.MaxStreamsPerConnection = GatewayLimits.MaxCallsPerConnection;
        kestrel.Limits.Http2.KeepAlivePingDelay = s_pingDelay;
        kestrel.Limits.Http2.KeepAlivePingTimeout = s_pingTimeout;
        // Not reloaded by Kestrel, which would close every connection of an endpoint whose certificate has changed.
        kestrel.Configure(context.Configuration.GetSection("Kestrel"), reloadOnChange: false)
            .Endpoint("Grpc", endpoint =>
            {
                listeners._grpc = (endpoint.ListenOptions, endpoint.IsHttps);
                endpoint.ListenOptions.Protocols = HttpProtocols.Http2;
                endpoint.ListenOptions.CloseWhenDraining();
                if (!endpoint.IsHttps) return;
                var certificate = kestrel.ApplicationServices.GetRequiredService<ServerCertificate>();
                // Kestrel has read it too, but without the key if that is in the same file.
                endpoint.HttpsOptions.ServerCertificate = certificate.Current.TargetCertificate;
                endpoint.HttpsOptions.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
                endpoint.HttpsOptions.OnAuthenticate = (_, tls) => tls.ServerCertificateContext = certificate.Current;
            })
            .Endpoint("Health", endpoint =>
            {
                listeners._health = (endpoint.ListenOptions, endpoint.IsHttps);
                endpoint.ListenOptions.Protocols = HttpProtocols.Http1;
                endpoint.ListenOptions.MarkForProbes();
            });
    }

    /// <summary>A port that was given as 0 is the one that was taken.</summary>
    private static Uri Bound((ListenOptions Options, bool IsHttps) listener)
    {
        var scheme = listener.IsHttps ? Uri.UriSchemeHttps : Uri.UriSchemeHttp;
        return listener.Options.EndPoint is IPEndPoint address ? new Uri($"{scheme}://{address}") : new Uri(listener.Options.ToString()!);
    }
}
