using System.Net;
using System.Security.Authentication;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Relay.Gateway.Auth;
using Relay.Gateway.WebConsole;

namespace Relay.Gateway.Hosting;

/// <summary>
/// Configures Kestrel's listeners: for clients, with TLS on every address but loopback, and there for HTTP/2 and HTTP/1.1; on loopback
/// without TLS, where the two cannot share a port, HTTP/2 (gRPC) and a port of its own for HTTP/1.1 (JSON); plain HTTP/1.1 for probes;
/// and a port for the operators' console. Addresses and certificate are Kestrel's own settings.
/// </summary>
public sealed class Listeners
{
    private static readonly TimeSpan s_pingDelay = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_pingTimeout = TimeSpan.FromSeconds(20);
    private (ListenOptions Options, bool IsHttps)? _grpc;
    private (ListenOptions Options, bool IsHttps)? _health;
    private (ListenOptions Options, bool IsHttps)? _http;
    private (ListenOptions Options, bool IsHttps)? _console;

    /// <summary>The address for clients.</summary>
    /// <exception cref="InvalidOperationException">The server has not started.</exception>
    public Uri Address => Bound(_grpc ?? throw new InvalidOperationException("The server has not started."));

    /// <summary>The address for HTTP probes; null if the listener is not configured.</summary>
    public Uri? HealthAddress => _health is { } health ? Bound(health) : null;

    /// <summary>The address for HTTP/JSON: the clients' with TLS, otherwise the one of its own; null if that is not configured.</summary>
    public Uri? HttpAddress => _http is { } http ? Bound(http) : _grpc is { IsHttps: true } grpc ? Bound(grpc) : null;

    /// <summary>The address of the operators' console; null if it is not configured.</summary>
    public Uri? ConsoleAddress => _console is { } console ? Bound(console) : null;

    internal static void Configure(WebHostBuilderContext context, KestrelServerOptions kestrel)
    {
        var listeners = kestrel.ApplicationServices.GetRequiredService<Listeners>();
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = GatewayLimits.MaxConnections;
        kestrel.Limits.Http2.MaxStreamsPerConnection = GatewayLimits.MaxCallsPerConnection;
        kestrel.Limits.Http2.KeepAlivePingDelay = s_pingDelay;
        kestrel.Limits.Http2.KeepAlivePingTimeout = s_pingTimeout;
        // Kestrel must not reload: it would close every connection of an endpoint whose certificate has changed.
        kestrel.Configure(context.Configuration.GetSection("Kestrel"), reloadOnChange: false)
            .Endpoint("Grpc", endpoint =>
            {
                listeners._grpc = (endpoint.ListenOptions, endpoint.IsHttps);
                // Without TLS the protocol is not negotiated.
                endpoint.ListenOptions.Protocols = endpoint.IsHttps ? HttpProtocols.Http1AndHttp2 : HttpProtocols.Http2;
                endpoint.ListenOptions.CloseWhenDraining();
                if (!endpoint.IsHttps) return;
                UseCertificate(endpoint.HttpsOptions, kestrel.ApplicationServices);
                var clients = kestrel.ApplicationServices.GetRequiredService<ClientCertificates>();
                if (!clients.IsEnabled) return;
                // A client without a certificate may still have a key.
                endpoint.HttpsOptions.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                endpoint.HttpsOptions.ClientCertificateValidation = (sent, chain, _) => clients.IsTrusted(sent, chain);
            })
            .Endpoint("Http", endpoint =>
            {
                listeners._http = (endpoint.ListenOptions, endpoint.IsHttps);
                endpoint.ListenOptions.Protocols = HttpProtocols.Http1;
                endpoint.ListenOptions.CloseWhenDraining();
            })
            .Endpoint("Health", endpoint =>
            {
                listeners._health = (endpoint.ListenOptions, endpoint.IsHttps);
                endpoint.ListenOptions.Protocols = HttpProtocols.Http1;
                endpoint.ListenOptions.MarkForProbes();
            })
            .Endpoint("Console", endpoint =>
            {
                listeners._console = (endpoint.ListenOptions, endpoint.IsHttps);
                endpoint.ListenOptions.Protocols = endpoint.IsHttps ? HttpProtocols.Http1AndHttp2 : HttpProtocols.Http1;
                endpoint.ListenOptions.MarkForConsole();
                if (endpoint.IsHttps) UseCertificate(endpoint.HttpsOptions, kestrel.ApplicationServices);
            });
    }

    private static void UseCertificate(HttpsConnectionAdapterOptions https, IServiceProvider services)
    {
        var certificate = services.GetRequiredService<ServerCertificate>();
        // Kestrel has loaded the certificate too, but without the key if that is in the same file.
        https.ServerCertificate = certificate.Current.TargetCertificate;
        https.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
        https.OnAuthenticate = (_, tls) => tls.ServerCertificateContext = certificate.Current;
    }

    /// <summary>The address of a listener; port 0 is replaced by the port that was assigned.</summary>
    private static Uri Bound((ListenOptions Options, bool IsHttps) listener)
    {
        var scheme = listener.IsHttps ? Uri.UriSchemeHttps : Uri.UriSchemeHttp;
        return listener.Options.EndPoint is IPEndPoint address ? new Uri($"{scheme}://{address}") : new Uri(listener.Options.ToString()!);
    }
}
