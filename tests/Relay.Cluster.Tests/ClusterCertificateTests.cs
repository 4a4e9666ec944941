using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using Relay.Actors.Cluster;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Cluster.Tests;

/// <summary>The node's certificate and what is accepted as another node's.</summary>
public sealed class ClusterCertificateTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-test-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static ClusterCertificate Issue(byte fill, string host = "relay1")
    {
        using var key = new SealingKey([.. Enumerable.Repeat(fill, 32)]);
        return ClusterCertificate.Issue(key, host);
    }

    [Fact]
    public void Nodes_with_one_sealing_key_accept_each_other_and_those_with_another_do_not()
    {
        using var a = Issue(1);
        using var b = Issue(1, "10.0.0.7");
        using var other = Issue(2);
        Assert.NotEqual(a.Node.GetPublicKey(), b.Node.GetPublicKey());
        Assert.True(a.IsOfAuthority(b.Node) && b.IsOfAuthority(a.Node));
        Assert.False(a.IsOfAuthority(other.Node) || other.IsOfAuthority(a.Node));
    }

    [Fact]
    public void Neither_a_certificate_for_one_use_nor_a_self_signed_one_of_the_same_name_is_a_nodes()
    {
        using var a = Issue(1);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var self = new CertificateRequest("CN=Relay cluster authority", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        Assert.False(a.IsOfAuthority(self));
        var (authority, node) = Files("server", DateTimeOffset.UtcNow.AddDays(1), "1.3.6.1.5.5.7.3.1");
        Assert.Contains("both server and client", Assert.Throws<RelayStartException>(()
            => ClusterCertificate.Read(new ClusterCertificateFiles(node, node + ".key", authority), TimeProvider.System)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_nodes_own_certificate_does_not_expire_while_its_process_lives()
    {
        using var a = Issue(1);
        Assert.Null(a.Expiry(TimeProvider.System));
        Assert.Equal(9999, a.Node.NotAfter.ToUniversalTime().Year);
    }

    [Fact]
    public void Own_files_are_read_and_watched()
    {
        var (authority, node) = Files("a", DateTimeOffset.UtcNow.AddDays(40), "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2");
        using var own = ClusterCertificate.Read(new ClusterCertificateFiles(node, node + ".key", authority), TimeProvider.System);
        Assert.InRange(own.Expiry(TimeProvider.System)!.Value.TotalDays, 39, 40);
        Assert.True(own.Node.HasPrivateKey);
    }

    [Fact]
    public void Files_that_do_not_fit_are_refused_by_name()
    {
        var uses = new[] { "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2" };
        var (authority, node) = Files("a", DateTimeOffset.UtcNow.AddDays(1), uses);
        var (otherAuthority, other) = Files("b", DateTimeOffset.UtcNow.AddDays(1), uses);
        var (expiredAuthority, expired) = Files("c", DateTimeOffset.UtcNow.AddMinutes(-5), uses);
        Assert.Contains("was not issued by the authority", Refusal(node, node + ".key", otherAuthority), StringComparison.Ordinal);
        Assert.Contains(Path.Combine(_directory, "absent"), Refusal(Path.Combine(_directory, "absent"), node + ".key", authority),
            StringComparison.Ordinal);
        Assert.Contains(node, Refusal(node, other + ".key", authority), StringComparison.Ordinal);
        Assert.Contains("expired on", Refusal(expired, expired + ".key", expiredAuthority), StringComparison.Ordinal);

        string Refusal(string path, string key, string from)
            => Assert.Throws<RelayStartException>(() => ClusterCertificate.Read(new ClusterCertificateFiles(path, key, from),
            TimeProvider.System)).Message;
    }

    /// <summary>An organisation's authority and a node's certificate of it, as PEM files.</summary>
    private (string Authority, string Node) Files(string name, DateTimeOffset until, params string[] uses)
    {
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authority = new CertificateRequest($"CN={name} authority", authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var signing = authority.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-1), DateTimeOffset.UtcNow.AddYears(1));
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. uses.Select(u => new Oid(u))], false));
        using var issued = request.Create(signing.SubjectName, X509SignatureGenerator.CreateForECDsa(authorityKey),
            DateTimeOffset.UtcNow.AddDays(-1), until, [1, 2, 3]);
        var (authorityPath, nodePath) = (Path.Combine(_directory, name + "-ca.pem"), Path.Combine(_directory, name + ".pem"));
        File.WriteAllText(authorityPath, signing.ExportCertificatePem());
        File.WriteAllText(nodePath, issued.ExportCertificatePem());
        File.WriteAllText(nodePath + ".key", key.ExportPkcs8PrivateKeyPem());
        return (authorityPath, nodePath);
    }
}
