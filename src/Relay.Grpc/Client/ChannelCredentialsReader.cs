using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;

namespace Grpc.Net.Client;

/// <summary>Takes channel credentials apart.</summary>
internal sealed class ChannelCredentialsReader : ChannelCredentialsConfiguratorBase
{
    private readonly List<CallCredentials> _callCredentials = [];
    private string? _rootCertificates;
    private KeyCertificatePair? _keyCertificatePair;
    private VerifyPeerCallback? _verifyPeer;

    public ChannelCredentialsReader(ChannelCredentials? credentials) => credentials?.InternalPopulateConfiguration(this, this);

    /// <summary>Whether the credentials are TLS; null if none were given.</summary>
    public bool? IsTls { get; private set; }

    public IReadOnlyList<CallCredentials> CallCredentials => _callCredentials;

    public override void SetInsecureCredentials(object state) => IsTls = false;

    public override void SetSslCredentials(object state, string? rootCertificates, KeyCertificatePair? keyCertificatePair, VerifyPeerCallback? verifyPeerCallback)
    {
        IsTls = true;
        _rootCertificates = rootCertificates;
        _keyCertificatePair = keyCertificatePair;
        _verifyPeer = verifyPeerCallback;
    }

    public override void SetCompositeCredentials(object state, ChannelCredentials channelCredentials, CallCredentials callCredentials)
    {
        channelCredentials.InternalPopulateConfiguration(this, state);
        _callCredentials.Add(callCredentials);
    }

    public SslClientAuthenticationOptions ToSslOptions()
    {
        var options = new SslClientAuthenticationOptions();
        if (_rootCertificates is not null)
        {
            var roots = new X509Certificate2Collection();
            roots.ImportFromPem(_rootCertificates);
            options.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                // A private root publishes no revocation lists.
                RevocationMode = X509RevocationMode.NoCheck,
            };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        }
        if (_keyCertificatePair is not null)
            options.ClientCertificates = [X509Certificate2.CreateFromPem(_keyCertificatePair.CertificateChain, _keyCertificatePair.PrivateKey)];
        if (_verifyPeer is { } verifyPeer)
        {
            options.RemoteCertificateValidationCallback = (sender, certificate, _, errors) =>
                errors == SslPolicyErrors.None && certificate is X509Certificate2 peer &&
                verifyPeer(new VerifyPeerContext(sender is SslStream ssl ? ssl.TargetHostName : "", peer.ExportCertificatePem()));
        }
        return options;
    }
}
