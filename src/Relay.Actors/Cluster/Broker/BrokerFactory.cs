using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using RabbitMQ.Client;
using Relay.Storage;

namespace Relay.Actors.Cluster.Broker;

/// <summary>Makes connections as the options say: credentials, TLS, bounds. Nothing recovers by itself; that is <see cref="BrokerConnection"/>'s.</summary>
internal sealed class BrokerFactory : IDisposable
{
    private readonly ConnectionFactory _factory;
    private readonly X509Certificate2Collection _authorities = [];
    private readonly X509Certificate2? _own;

    /// <exception cref="RelayStartException">The address or a certificate file cannot be read.</exception>
    public BrokerFactory(RabbitBrokerOptions options)
    {
        if (options.Uri is not { IsAbsoluteUri: true, Scheme: "amqp" or "amqps", Host.Length: > 0 }) throw new RelayStartException("The broker's address must be amqp://user:password@host:port/vhost, or amqps://… for TLS.");
        _factory = new ConnectionFactory
        {
            Uri = options.Uri,
            AutomaticRecoveryEnabled = false,
            TopologyRecoveryEnabled = false,
            RequestedHeartbeat = options.Heartbeat,
            RequestedConnectionTimeout = RelayLimits.BrokerTimeout,
            HandshakeContinuationTimeout = RelayLimits.BrokerTimeout,
            ContinuationTimeout = RelayLimits.BrokerTimeout,
            SocketReadTimeout = RelayLimits.BrokerTimeout,
            SocketWriteTimeout = RelayLimits.BrokerTimeout,
            MaxInboundMessageBodySize = RelayLimits.MaxBrokerInboundBytes,
        };
        if (options.Uri.Scheme != "amqps") return;
        if (options.CertificateAuthorityFile is { } file)
        {
            Read(file, () => { _authorities.ImportFromPemFile(file); return true; });
            if (_authorities.Count == 0) throw new RelayStartException($"{file} holds no certificate.");
        }
        if (options.ClientCertificateFile is { } own) _own = Read(own, () => X509Certificate2.CreateFromPemFile(own, options.ClientKeyFile));
        _factory.Ssl = new SslOption(options.ServerName ?? options.Uri.Host, enabled: true)
        {
            CertificateValidationCallback = _authorities.Count == 0 ? null : Validate,
            Certs = _own is null ? null : new X509Certificate2Collection(_own),
        };
    }

    public Task<IConnection> ConnectAsync(string name, CancellationToken cancellation) => _factory.CreateConnectionAsync(name, cancellation);

    /// <summary>Against the given authorities only; the name has been checked by the platform.</summary>
    private bool Validate(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != 0) return false;
        using var ours = new X509Chain();
        ours.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        ours.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        ours.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        // Intermediate certificates that the broker sent.
        if (chain is not null) ours.ChainPolicy.ExtraStore.AddRange(chain.ChainPolicy.ExtraStore);
        using var presented = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return ours.Build(presented);
    }

    private static T Read<T>(string file, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new RelayStartException($"{file} cannot be read as PEM for TLS with the broker: {e.Message}", e);
        }
    }

    public void Dispose()
    {
        _own?.Dispose();
        foreach (var authority in _authorities) authority.Dispose();
    }
}
