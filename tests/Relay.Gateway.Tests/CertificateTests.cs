using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>Certificates that are replaced while the server runs.</summary>
public sealed class CertificateTests
{
    [Fact]
    public async Task New_connections_get_the_new_certificate_and_old_ones_go_on()
    {
        using var directory = new TempDirectory();
        string chain = directory.File("chain.pem"), key = directory.File("key.pem");
        var (first, second) = (Make("first"), Make("second"));
        Write(first, chain, key);
        await using var server = await TestServer.StartAsync(new FakeRelay(), new() { ["--certificate"] = chain, ["--certificate-key"] = key });
        Assert.Equal("CN=first", await SubjectAsync(server.Address.Port));
        await using var client = RelayClient.Connect(server.Address, RelayKey.Parse(server.AdminToken), new RelayClientOptions { GiveUpAfter = TimeSpan.Zero, TrustedCertificateFile = Trusted(directory, first) });
        using var stream = client.EventStreams.StreamEvents();
        await client.CallAsync(o => client.Admin.GetServerAsync(new GetServerRequest(), o));

        // Halfway through, the files do not fit together: what was there stays.
        File.WriteAllText(chain, second.Chain);
        await Task.Delay(Hosting.GatewayLimits.CertificateRecheck + TimeSpan.FromMilliseconds(200));
        Assert.Equal("CN=first", await SubjectAsync(server.Address.Port));
        File.WriteAllText(key, second.Key);
        await UntilAsync("CN=second", server.Address.Port);
        // The connection that was there is still there, with the certificate of then.
        await client.CallAsync(o => client.Admin.GetServerAsync(new GetServerRequest(), o));

        // Files that are gone, or damaged, leave the last good one.
        File.Delete(chain);
        await Task.Delay(Hosting.GatewayLimits.CertificateRecheck + TimeSpan.FromMilliseconds(200));
        Assert.Equal("CN=second", await SubjectAsync(server.Address.Port));
        Write(first, chain, key);
        await UntilAsync("CN=first", server.Address.Port);
    }

    [Fact]
    public async Task Certificate_and_key_may_be_in_one_file()
    {
        using var directory = new TempDirectory();
        var file = directory.File("both.pem");
        var made = Make("both");
        File.WriteAllText(file, made.Chain + "\n" + made.Key);
        await using var server = await TestServer.StartAsync(new FakeRelay(), new() { ["--certificate"] = file });
        Assert.Equal("CN=both", await SubjectAsync(server.Address.Port));
        // The server tells its end, and an operator's look at everything points it out.
        await using var client = RelayClient.Connect(server.Address, RelayKey.Parse(server.AdminToken), new RelayClientOptions { GiveUpAfter = TimeSpan.Zero, TrustedCertificateFile = Trusted(directory, made) });
        var ends = (await client.CallAsync(o => client.Admin.GetServerAsync(new GetServerRequest(), o))).CertificateExpireTime.ToDateTimeOffset();
        Assert.InRange(ends, DateTimeOffset.UtcNow.AddHours(20), DateTimeOffset.UtcNow.AddHours(25));
        var environment = new Dictionary<string, string>
        {
            ["RELAY_SERVER"] = server.Address.ToString(), ["RELAY_KEY_FILE"] = Path.Combine(server.DataDirectory, "admin.key"), ["RELAY_CA"] = directory.File("trusted.pem"),
        };
        Assert.Matches("certificate +ends in 2[0-9] hours", (await Terminal.RunAsync(environment, null, "status")).Out);
    }

    private static async Task UntilAsync(string subject, int port)
    {
        var limit = Patience.Token;
        while (await SubjectAsync(port) != subject) await Task.Delay(100, limit);
    }

    /// <summary>The certificate that a new connection is shown.</summary>
    private static async Task<string> SubjectAsync(int port)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, port);
        // Whoever it is, it is looked at only.
        await using var tls = new SslStream(socket.GetStream(), false, (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", ApplicationProtocols = [SslApplicationProtocol.Http2] }, Patience.Token);
        return tls.RemoteCertificate!.Subject;
    }

    /// <summary>A certificate for loopback that signs itself.</summary>
    internal static (string Chain, string Key) Make(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    private static void Write((string Chain, string Key) made, string chain, string key)
    {
        File.WriteAllText(chain, made.Chain);
        File.WriteAllText(key, made.Key);
    }

    private static string Trusted(TempDirectory directory, (string Chain, string Key) made)
    {
        File.WriteAllText(directory.File("trusted.pem"), made.Chain);
        return directory.File("trusted.pem");
    }
}
