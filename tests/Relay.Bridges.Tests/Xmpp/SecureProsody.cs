using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>Prosody with TLS and SCRAM: what a proxy, or a bridge with an account, logs in to. The contact's client may log in without TLS.</summary>
internal sealed class SecureProsody(string directory) : XmppServer(directory)
{
    private const string Program = "/usr/bin/prosody";

    public override string CertificateFile => PathOf("cert.pem");

    protected override string Log => File.Exists(PathOf("prosody.log")) ? File.ReadAllText(PathOf("prosody.log")) : "";

    public static async Task<SecureProsody> StartAsync(string directory, params string[] accounts)
    {
        var server = new SecureProsody(Path.Combine(directory, "secure-prosody"));
        await server.ConfigureAsync(accounts);
        await server.RunAsync();
        return server;
    }

    protected override async Task ConfigureAsync(string[] accounts)
    {
        Assert.SkipUnless(File.Exists(Program), "prosody is missing: apt-get install prosody");
        var stored = Directory.CreateDirectory(Path.Combine(DirectoryPath, "data", "example%2eorg", "accounts")).FullName;
        foreach (var account in accounts)
            await File.WriteAllTextAsync(Path.Combine(stored, account + ".dat"), $"return {{ [\"password\"] = \"{account}-password\" }};\n");
        WriteCertificate(Domain, CertificateFile, PathOf("key.pem"));
        await File.WriteAllTextAsync(PathOf("prosody.cfg.lua"), $$"""
            run_as_root = true
            daemonize = false
            pidfile = "{{DirectoryPath}}/prosody.pid"
            data_path = "{{DirectoryPath}}/data"
            log = { info = "{{DirectoryPath}}/prosody.log" }
            interfaces = { "127.0.0.1" }
            c2s_ports = { {{ClientPort}} }
            c2s_direct_tls_ports = { }
            s2s_ports = { }
            s2s_direct_tls_ports = { }
            http_ports = { }
            https_ports = { }
            ssl = { certificate = "{{CertificateFile}}"; key = "{{PathOf("key.pem")}}" }
            modules_enabled = { "roster", "saslauth", "tls", "disco", "ping", "carbons", "smacks" }
            modules_disabled = { "s2s" }
            authentication = "internal_plain"
            allow_unencrypted_plain_auth = true
            c2s_require_encryption = false
            {{Documented("lua")}}
            VirtualHost "example.org"

            """);
    }

    protected override ProcessStartInfo StartInfo() => new(Program, ["-F", "--config", PathOf("prosody.cfg.lua")]);

    /// <summary>A certificate for a name, and perhaps others, that signs itself, as two PEM files.</summary>
    public static X509Certificate2 WriteCertificate(string name, string certificateFile, string keyFile, params string[] others)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        foreach (var other in others) names.AddDnsName(other);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem() + "\n");
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem() + "\n");
        return X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
    }

    private string PathOf(string name) => Path.Combine(DirectoryPath, name);
}
