using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Interop.Tests.Gateway;

/// <summary>A self-signed certificate for localhost, made for one test.</summary>
internal sealed class TestCertificate : IDisposable
{
    private readonly TemporaryFile _chain;
    private readonly TemporaryFile _key;

    public TestCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        var now = DateTimeOffset.UtcNow;
        using var certificate = request.CreateSelfSigned(now.AddMinutes(-5), now.AddHours(1));
        _chain = new TemporaryFile(Encoding.ASCII.GetBytes(certificate.ExportCertificatePem()));
        _key = new TemporaryFile(Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()));
    }

    public string PemFile => _chain.Path;

    public string KeyFile => _key.Path;

    /// <summary>What a client needs that trusts this certificate and no other.</summary>
    public SslClientAuthenticationOptions Trust()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(PemFile);
        return new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
    }

    public void Dispose()
    {
        _chain.Dispose();
        _key.Dispose();
    }
}
