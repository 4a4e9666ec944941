using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Reflection.V1;
using Relay.Actors;
using Relay.Client;
using Relay.Gateway.Hosting;
using Relay.Gateway.Tests.Harness;
using Relay.Storage;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>Where the server listens and how: TLS off loopback, health, reflection.</summary>
public sealed class TransportTests
{
    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    [InlineData("192.0.2.1")]
    public async Task Off_loopback_it_refuses_to_start_without_a_certificate(string address)
    {
        using var directory = new TempDirectory();
        var listen = new IPEndPoint(IPAddress.Parse(address), 0).ToString();
        var e = await Assert.ThrowsAsync<RelayConfigurationException>(() => ServerHost.StartAsync(new() { ["--data"] = directory.File("data"), ["--listen"] = listen }));
        Assert.Contains("--certificate", e.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory.File("data")));
    }

    [Fact]
    public async Task With_a_certificate_it_speaks_TLS_and_only_whom_the_client_trusts()
    {
        using var directory = new TempDirectory();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=relay test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await File.WriteAllTextAsync(directory.File("chain.pem"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(directory.File("key.pem"), key.ExportPkcs8PrivateKeyPem());

        await using var server = await TestServer.StartAsync(new FakeRelay(), new()
        {
            ["--listen"] = "0.0.0.0:0", ["--certificate"] = directory.File("chain.pem"), ["--certificate-key"] = directory.File("key.pem"),
        });
        var address = new Uri($"https://127.0.0.1:{server.Address.Port}");
        var options = new RelayClientOptions { GiveUpAfter = TimeSpan.Zero, TrustedCertificateFile = directory.File("chain.pem") };
        await using var trusting = RelayClient.Connect(address, RelayKey.Parse(server.AdminToken), options);
        Assert.NotEmpty((await trusting.Admin.GetServerAsync(new GetServerRequest())).Version);
        await using var stranger = RelayClient.Connect(address, RelayKey.Parse(server.AdminToken), options with { TrustedCertificateFile = null });
        var e = await Assert.ThrowsAsync<RelayException>(() => stranger.CallAsync(o => stranger.Admin.GetServerAsync(new GetServerRequest(), o)));
        Assert.Equal(StatusCode.Unavailable, e.Code);
    }

    [Fact]
    public async Task The_intermediate_certificates_of_the_file_are_sent_along()
    {
        using var directory = new TempDirectory();
        using ECDsa rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256), middleKey = ECDsa.Create(ECCurve.NamedCurves.nistP256), key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DateTimeOffset from = DateTimeOffset.UtcNow.AddDays(-1), to = DateTimeOffset.UtcNow.AddDays(1);
        static CertificateRequest Request(string name, ECDsa key, bool authority)
        {
            var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, false, 0, true));
            return request;
        }
        var leafRequest = Request("CN=relay test", key, false);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        leafRequest.CertificateExtensions.Add(names.Build());
        using var root = Request("CN=relay test root", rootKey, true).CreateSelfSigned(from, to);
        using var middle = Request("CN=relay test middle", middleKey, true).Create(root, from, to, [1]);
        using var signer = middle.CopyWithPrivateKey(middleKey);
        using var leaf = leafRequest.Create(signer, from, to, [2]);
        await File.WriteAllTextAsync(directory.File("root.pem"), root.ExportCertificatePem());
        await File.WriteAllTextAsync(directory.File("chain.pem"), leaf.ExportCertificatePem() + "\n" + middle.ExportCertificatePem());
        await File.WriteAllTextAsync(directory.File("key.pem"), key.ExportPkcs8PrivateKeyPem());

        await using var server = await TestServer.StartAsync(new FakeRelay(), new() { ["--certificate"] = directory.File("chain.pem"), ["--certificate-key"] = directory.File("key.pem") });
        await using var client = RelayClient.Connect(new Uri($"https://127.0.0.1:{server.Address.Port}"), RelayKey.Parse(server.AdminToken),
            new RelayClientOptions { GiveUpAfter = TimeSpan.Zero, TrustedCertificateFile = directory.File("root.pem") });
        Assert.NotEmpty((await client.Admin.GetServerAsync(new GetServerRequest())).Version);
    }

    [Fact]
    public async Task A_sealing_key_kept_apart_is_not_in_the_data_directory()
    {
        using var apart = new TempDirectory();
        await using var server = await TestServer.StartAsync(settings: new() { ["--sealing-key"] = apart.File("sealing.key") });
        Assert.True(File.Exists(apart.File("sealing.key")));
        Assert.False(File.Exists(Path.Combine(server.DataDirectory, "sealing.key")));
    }

    [Fact]
    public async Task A_certificate_that_cannot_be_used_is_a_clear_refusal()
    {
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("chain.pem"), "nothing");
        var e = await Assert.ThrowsAsync<RelayConfigurationException>(() => ServerHost.StartAsync(new() { ["--data"] = directory.File("data"), ["--certificate"] = directory.File("chain.pem") }));
        Assert.Contains(directory.File("chain.pem"), e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_client_sends_no_key_in_the_clear_off_this_machine()
    {
        var key = RelayKey.Parse("relay_aaaaaaaaaaaaaaaa_" + new string('0', 64));
        Assert.Throws<ArgumentException>(() => RelayClient.Connect(new Uri("http://192.0.2.1:1"), key));
    }

    [Fact]
    public async Task A_taken_port_is_a_clear_refusal()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        using var directory = new TempDirectory();
        var e = await Assert.ThrowsAsync<RelayStartException>(() => ServerHost.StartAsync(new() { ["--data"] = directory.File("data"), ["--listen"] = $"127.0.0.1:{server.Address.Port}" }));
        Assert.Contains("--listen", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_needs_no_key_and_turns_when_draining()
    {
        var relay = new FakeRelay();
        await using var server = await TestServer.StartAsync(relay);
        var health = new Health.HealthClient(server.Connect(null).Invoker);
        foreach (var service in new[] { "", "relay.v1.EventService", "relay.v1.BridgeService" })
            Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, (await health.CheckAsync(new HealthCheckRequest { Service = service })).Status);
        await relay.DrainAsync(CancellationToken.None);
        // On a connection of its own: the other one is being closed, and .NET's client may begin a call on it before it has read that.
        var later = new Health.HealthClient(server.Connect(null).Invoker);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.NotServing, (await later.CheckAsync(new HealthCheckRequest())).Status);
        Assert.False(await server.Connect(null).IsServingAsync());
    }

    [Fact]
    public async Task Who_watches_health_is_told_at_once_and_does_not_hold_up_the_end()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        using var watch = new Health.HealthClient(server.Connect(null).Invoker).Watch(new HealthCheckRequest { Service = "relay.v1.EventService" });
        Assert.True(await watch.ResponseStream.MoveNext(Patience.Token));
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, watch.ResponseStream.Current.Status);
        var begun = System.Diagnostics.Stopwatch.StartNew();
        Assert.True(await server.Host.DrainAsync(CancellationToken.None));
        // What Kestrel would wait for a call that does not end.
        Assert.InRange(begun.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(4));
        Assert.True(await watch.ResponseStream.MoveNext(Patience.Token));
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.NotServing, watch.ResponseStream.Current.Status);
    }

    [Fact]
    public async Task Reflection_lists_the_services_to_whoever_has_a_key()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var stranger = new ServerReflection.ServerReflectionClient(server.Connect(null).Invoker);
        using (var call = stranger.ServerReflectionInfo())
        {
            await Expect.RefusedAsync(StatusCode.Unauthenticated, "KEY_MISSING", () => call.ResponseStream.MoveNext(Patience.Token));
        }
        var bot = new ServerReflection.ServerReflectionClient((await server.ConnectAsync(Scope.Bot)).Invoker);
        using var listing = bot.ServerReflectionInfo();
        await listing.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "" });
        Assert.True(await listing.ResponseStream.MoveNext(Patience.Token));
        var names = listing.ResponseStream.Current.ListServicesResponse.Service.Select(s => s.Name).ToList();
        foreach (var name in new[] { "relay.v1.EndpointService", "relay.v1.ConversationService", "relay.v1.MessageService", "relay.v1.EventService", "relay.v1.BridgeService", "relay.v1.AdminService", "grpc.health.v1.Health" })
            Assert.Contains(name, names);
    }
}
