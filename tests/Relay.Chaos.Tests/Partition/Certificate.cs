using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Relay.Chaos.Tests.Partition;

/// <summary>A certificate for one address, for a day.</summary>
internal static class Certificate
{
    /// <summary>Writes certificate and private key into one PEM file.</summary>
    public static void Write(string file, IPAddress address)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=relay chaos test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(address);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var written = new FileStream(file, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        using var text = new StreamWriter(written);
        text.WriteLine(certificate.ExportCertificatePem());
        text.WriteLine(key.ExportPkcs8PrivateKeyPem());
    }
}
