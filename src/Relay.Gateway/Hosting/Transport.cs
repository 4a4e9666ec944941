using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Relay.Actors;
using Relay.Storage;

namespace Relay.Gateway.Hosting;

/// <summary>Where and how the server listens: HTTP/2, with TLS wherever others than this machine can reach it.</summary>
internal static class Transport
{
    private static readonly TimeSpan s_pingDelay = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_pingTimeout = TimeSpan.FromSeconds(20);

    /// <summary>The certificate, or null on loopback without one.</summary>
    /// <exception cref="RelayStartException">None was given off loopback, or it cannot be read.</exception>
    public static X509Certificate2? Certificate(GatewayOptions options)
    {
        if (options.CertificateFile is null)
        {
            if (IPAddress.IsLoopback(options.Listen.Address)) return null;
            throw new RelayStartException(
                $"Relay does not listen on {options.Listen} without TLS: API keys and plaintext would cross the network readably. "
                + "Give a certificate (--certificate FILE --certificate-key FILE, PEM), or listen on 127.0.0.1 or ::1.");
        }
        try
        {
            using var pem = X509Certificate2.CreateFromPemFile(options.CertificateFile, options.CertificateKeyFile);
            // A key read from PEM is ephemeral, which some platforms do not take in a TLS server.
            return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new RelayStartException($"The certificate {options.CertificateFile} cannot be used: {e.Message}", e);
        }
    }

    /// <summary>What stands in the certificate's file besides it: sent along, because clients know only the root.</summary>
    private static X509Certificate2Collection Intermediates(string file)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(file);
        return chain;
    }

    public static void Configure(KestrelServerOptions kestrel, GatewayOptions options, X509Certificate2? certificate)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = GatewayLimits.MaxConnections;
        kestrel.Limits.Http2.MaxStreamsPerConnection = GatewayLimits.MaxCallsPerConnection;
        kestrel.Limits.Http2.KeepAlivePingDelay = s_pingDelay;
        kestrel.Limits.Http2.KeepAlivePingTimeout = s_pingTimeout;
        kestrel.Listen(options.Listen, listen =>
        {
            // Cleartext HTTP/2 has no negotiation: anything but Http2 here would make it HTTP/1.1.
            listen.Protocols = HttpProtocols.Http2;
            listen.CloseWhenDraining();
            if (certificate is not null)
            {
                listen.UseHttps(certificate, https =>
                {
                    https.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
                    https.ServerCertificateChain = Intermediates(options.CertificateFile!);
                });
            }
        });
        if (options.HealthListen is { } health) PlainHealth.Listen(kestrel, health);
    }
}
