using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Relay.Proxy.Storage;

/// <summary>The certificate that clients of the proxy see. It is made once, so that a client that has accepted it sees it again.</summary>
public static class ClientCertificate
{
    private const string FileName = "client-tls.pem";

    /// <summary>The file in an account's directory.</summary>
    public static string PathIn(string directory) => Path.Combine(directory, FileName);

    /// <summary>Reads the account's certificate, or makes it: for the domain, which some clients check, and for loopback, which others check.</summary>
    public static X509Certificate2 LoadOrCreate(string directory, string domain)
    {
        SafeFile.CreateFolder(directory);
        var path = PathIn(directory);
        if (!File.Exists(path)) SafeFile.Write(path, Encoding.ASCII.GetBytes(Create(domain)));
        return X509Certificate2.CreateFromPemFile(path);
    }

    private static string Create(string domain)
    {
        using var key = RSA.Create(3072);
        var request = new CertificateRequest($"CN={domain}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(domain);
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        var now = DateTimeOffset.UtcNow;
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(20));
        return certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n";
    }
}
