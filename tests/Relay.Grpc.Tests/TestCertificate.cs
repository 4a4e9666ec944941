using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace GrpcTests;

/// <summary>A self-signed certificate for localhost, made for one test.</summary>
internal sealed class TestCertificate : IDisposable
{
    private readonly TemporaryFile _file;

    public TestCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        DateTimeOffset now = DateTimeOffset.UtcNow;
        Certificate = request.CreateSelfSigned(now.AddMinutes(-5), now.AddHours(1));
        Pem = Certificate.ExportCertificatePem();
        _file = new TemporaryFile(System.Text.Encoding.ASCII.GetBytes(Pem));
    }

    public X509Certificate2 Certificate { get; }

    public string Pem { get; }

    public string PemFile => _file.Path;

    public void Dispose()
    {
        Certificate.Dispose();
        _file.Dispose();
    }
}
