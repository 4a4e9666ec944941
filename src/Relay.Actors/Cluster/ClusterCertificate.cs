using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Akka.Event;
using Akka.Remote.Transport.DotNetty;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Cluster;

/// <summary>
/// A node's certificate for the cluster's port and the authority that those of all nodes come from. Whoever has a
/// certificate of the authority is a member of the cluster; nobody else gets past the handshake.
/// </summary>
/// <remarks>
/// By default the authority's P-256 key is derived from the sealing key, which all nodes share, and each node issues
/// itself a certificate when it starts. Such a certificate does not expire: its key never leaves the process, so it
/// cannot outlive the process, and an expiry could only stop a healthy node. Replacing the sealing key, which replaces
/// the authority, is how all of them are revoked.
/// </remarks>
internal sealed class ClusterCertificate : IDisposable
{
    private const string AuthorityPurpose = "cluster/authority/p-256/", ServerUse = "1.3.6.1.5.5.7.3.1", ClientUse = "1.3.6.1.5.5.7.3.2";
    /// <summary>RFC 5280, 4.1.2.5: no well-defined expiration date.</summary>
    private static readonly DateTimeOffset s_never = new(9999, 12, 31, 23, 59, 59, TimeSpan.Zero);
    /// <summary>Before any node's start, so that clocks do not matter.</summary>
    private static readonly DateTimeOffset s_always = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    /// <summary>The order of P-256 (FIPS 186-5, SP 800-186 3.2.1.3).</summary>
    private static readonly byte[] s_order = Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");

    private readonly X509Certificate2 _authority;

    private ClusterCertificate(X509Certificate2 node, X509Certificate2 authority) => (Node, _authority) = (node, authority);

    /// <summary>With its private key.</summary>
    public X509Certificate2 Node { get; }

    /// <summary>For Akka's transport: both sides show a certificate, and both look at the other's.</summary>
    public DotNettySslSetup ToSetup() => new(Node, suppressValidation: false, requireMutualAuthentication: true, customValidator: IsMember);

    /// <summary>Issues a certificate for a node from the authority that is derived from the sealing key.</summary>
    public static ClusterCertificate Issue(SealingKey key, string host)
    {
        using var authorityKey = DeriveAuthority(key);
        var authorityRequest = new CertificateRequest("CN=Relay cluster authority", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true,
            hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        authorityRequest.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        authorityRequest.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(authorityRequest.PublicKey, critical: false));
        using var signing = authorityRequest.CreateSelfSigned(s_always, s_never);

        using var nodeKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Relay node", nodeKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false,
            pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerUse), new Oid(ClientUse)], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(signing, includeKeyIdentifier: true,
            includeIssuerAndSerial: false));
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(host, out var address)) names.AddIpAddress(address);
        else names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        Span<byte> serial = stackalloc byte[16];
        RandomNumberGenerator.Fill(serial);
        serial[0] = (byte)(serial[0] & 0x7F | 0x01);
        using var issued = request.Create(signing, s_always, s_never, serial);
        return new ClusterCertificate(issued.CopyWithPrivateKey(nodeKey), X509CertificateLoader.LoadCertificate(signing.RawData));
    }

    /// <summary>Reads an organisation's own files.</summary>
    /// <exception cref="RelayStartException">
    /// A file cannot be read, does not go with the others, or has expired; the message names it.
    /// </exception>
    public static ClusterCertificate Read(ClusterCertificateFiles files, TimeProvider time)
    {
        var authority = Load(files.AuthorityPath, () => X509CertificateLoader.LoadCertificateFromFile(files.AuthorityPath));
        var node = Load(files.Path, () => X509Certificate2.CreateFromPemFile(files.Path, files.KeyPath));
        var own = new ClusterCertificate(node, authority);
        if (own.Expiry(time) is { } left && left <= TimeSpan.Zero)
            throw new RelayStartException($"The cluster certificate {files.Path} expired on "
                + $"{node.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm}Z. Put a new one of the same authority there and start again.");
        if (!own.IsOfAuthority(node))
            throw new RelayStartException($"The cluster certificate {files.Path} was not issued by the authority "
                + $"{files.AuthorityPath} for both server and client use: other nodes would refuse it. Issue one that was.");
        return own;
    }

    /// <summary>Time until the certificate expires; null if it does not.</summary>
    public TimeSpan? Expiry(TimeProvider time)
        => Node.NotAfter.Year == s_never.Year ? null : Node.NotAfter.ToUniversalTime() - time.GetUtcNow().UtcDateTime;

    /// <summary>Whether a peer's certificate comes from this cluster's authority. The platform's own trust does not count.</summary>
    private bool IsMember(X509Certificate2? certificate, X509Chain? _, string peer, SslPolicyErrors errors, ILoggingAdapter log)
    {
        if (certificate is null) return false;
        using var chain = new X509Chain();
        if (IsOfAuthority(certificate, chain)) return true;
        if (chain.ChainStatus.Any(s => s.Status == X509ChainStatusFlags.NotTimeValid))
            log.Warning("A node at {0} is refused: its cluster certificate has expired, or is not valid yet.", peer);
        return false;
    }

    internal bool IsOfAuthority(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        return IsOfAuthority(certificate, chain);
    }

    private bool IsOfAuthority(X509Certificate2 certificate, X509Chain chain)
    {
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        // A peer's certificate must not make this node fetch what it names.
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerUse));
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientUse));
        return chain.Build(certificate)
            && chain.ChainElements[^1].Certificate.RawDataMemory.Span.SequenceEqual(_authority.RawDataMemory.Span);
    }

    /// <summary>
    /// A private key from HKDF: 32 bytes of the first label that gives a number from 1 to n-1 (SP 800-186 A.2.2's
    /// rejection, deterministic). One in 2³² is refused, so that the comparison's time says nothing.
    /// </summary>
    private static ECDsa DeriveAuthority(SealingKey key)
    {
        var scalar = new byte[32];
        try
        {
            for (int attempt = 0; ; attempt++)
            {
                key.Derive(string.Create(CultureInfo.InvariantCulture, $"{AuthorityPurpose}{attempt}"), scalar);
                if (scalar.AsSpan().SequenceCompareTo(s_order) >= 0 || !scalar.AsSpan().ContainsAnyExcept((byte)0)) continue;
                return ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = scalar });
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(scalar);
        }
    }

    private static X509Certificate2 Load(string path, Func<X509Certificate2> load)
    {
        try
        {
            return load();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new RelayStartException($"The cluster certificate file {path} cannot be used ({e.GetType().Name}): it must be a PEM "
                + "file that this user may read, and the key must be the certificate's.", e);
        }
    }

    public void Dispose()
    {
        Node.Dispose();
        _authority.Dispose();
    }
}
