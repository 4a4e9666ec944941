using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Relay.Bridges.Tests.Irc;
using Relay.Bridges.Tests.Xmpp;
using Relay.Client;
using Relay.V1;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Relay.Bridges.Tests;

/// <summary>Bridges that <c>relay serve</c> hosts, with real chat servers.</summary>
public sealed class HostedBridgesTests : IAsyncLifetime
{
    private const string All = "relay.bridges", Xmpp = "relay.bridges.xmpp-0";
    private readonly HostedServer _server = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_bridge_starts_once_its_key_exists_and_again_when_it_has_ended()
    {
        await using var xmpp = await XmppServer.StartAsync("prosody", _server.DirectoryPath, "alice");
        await _server.StartAsync(await ComponentAsync(xmpp));
        await _server.Process.PrintsAsync("xmpp-0: ended. The bridge's key cannot be read");
        Assert.Equal(ServingStatus.Serving, await _server.AskAsync(""));
        Assert.Equal(ServingStatus.NotServing, await _server.AskAsync(All));

        await _server.CreateEndpointAsync("xmpp", XmppStage.Bot, 65536);
        var first = await _server.GiveKeyAsync("first");
        await _server.Process.PrintsAsync("xmpp-0: connected");
        await _server.IsAsync(Xmpp, ServingStatus.Serving);
        await using var alice = await XmppClient.LogInAsync(xmpp.ClientPort, "alice", "phone");
        await alice.SendMessageAsync(XmppStage.Bot, "?OTRv3?");
        Assert.StartsWith("?OTR", XmppClient.Body(await alice.NextMessageAsync()), StringComparison.Ordinal);

        await _server.Admin.CallAsync(o => _server.Admin.Admin.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = first }, o));
        await _server.Process.PrintsAsync("xmpp-0: ended. Relay refuses the bridge");
        await _server.IsAsync(All, ServingStatus.NotServing);
        Assert.Equal(ServingStatus.Serving, await _server.AskAsync(""));
        await _server.GiveKeyAsync("second");
        await _server.Process.PrintsAsync("xmpp-0: connected", times: 2);
        await _server.IsAsync(All, ServingStatus.Serving);
        Assert.Equal(0, await _server.Process.StopAsync());
    }

    [Fact]
    public async Task A_bridge_whose_endpoints_another_one_has_opened_does_not_come_back()
    {
        await using var xmpp = await XmppServer.StartAsync("prosody", _server.DirectoryPath, "alice");
        await _server.StartAsync(await ComponentAsync(xmpp));
        await _server.CreateEndpointAsync("xmpp", XmppStage.Bot, 65536);
        await _server.GiveKeyAsync();
        await _server.IsAsync(Xmpp, ServingStatus.Serving);

        await using var client = RelayClient.Connect(_server.Address, RelayKey.FromFile(_server.PathOf("bridge.key")));
        await using var other = client.Bridge("endpoints/bot");
        using var stop = new CancellationTokenSource(Wait.Limit);
        await using var outbound = other.Outbound(stop.Token).GetAsyncEnumerator(stop.Token);
        var next = outbound.MoveNextAsync().AsTask();
        await _server.Process.PrintsAsync("xmpp-0: ended, and is not started again before the server is. Another bridge has taken over");
        await _server.IsAsync(All, ServingStatus.NotServing);
        Assert.Equal(ServingStatus.Serving, await _server.AskAsync(""));
        // The other one is served: nobody has taken the endpoint back.
        await other.DeliverAsync("alice@example.org", "1", Encoding.UTF8.GetBytes("?OTRv3?"), cancellation: stop.Token);
        Assert.True(await next);
        Assert.StartsWith("?OTR", Encoding.UTF8.GetString(outbound.Current.Text.Span), StringComparison.Ordinal);
    }

    /// <summary>The account's connection is taken by somebody else: the bridge ends for good, and the server goes on.</summary>
    [Fact]
    public async Task A_bridge_to_an_account_carries_and_is_not_started_again_after_it_was_replaced()
    {
        await using var xmpp = await XmppServer.StartAsync("prosody", _server.DirectoryPath, "alice", "helper");
        await File.WriteAllTextAsync(_server.PathOf("helper.password"), "helper-password");
        await _server.StartAsync(new()
        {
            ["Network"] = "xmpp", ["Account"] = XmppStage.Helper, ["PasswordFile"] = _server.PathOf("helper.password"),
            ["Host"] = $"127.0.0.1:{xmpp.ClientPort}", ["AllowCleartext"] = "true",
        });
        await _server.CreateEndpointAsync("xmpp", XmppStage.Helper, 65536);
        await _server.GiveKeyAsync();
        await _server.IsAsync(Xmpp, ServingStatus.Serving);
        await using var alice = await XmppClient.LogInAsync(xmpp.ClientPort, "alice", "phone");
        await alice.SendMessageAsync(XmppStage.Helper, "?OTRv3?");
        var answer = await alice.NextMessageAsync();
        Assert.StartsWith("?OTR", XmppClient.Body(answer), StringComparison.Ordinal);

        var resource = answer.Attribute("from")!.Value.Split('/')[1];
        Assert.StartsWith("relay-", resource, StringComparison.Ordinal);
        await using var other = await XmppClient.LogInAsync(xmpp.ClientPort, "helper", resource);
        await _server.Process.PrintsAsync("xmpp-0: ended, and is not started again before the server is. Another connection has taken");
        await _server.IsAsync(All, ServingStatus.NotServing);
        Assert.Equal(ServingStatus.Serving, await _server.AskAsync(""));
    }

    [Fact]
    public async Task A_bridge_to_IRC_carries_under_its_nick()
    {
        await using var irc = await RealIrcServer.StartAsync(RealIrcServer.Ngircd, Directory.CreateDirectory(_server.PathOf("irc")).FullName);
        File.SetUnixFileMode(_server.DirectoryPath, (UnixFileMode)Convert.ToInt32("755", 8));
        await _server.StartAsync(new()
        {
            ["Network"] = "irc", ["Irc"] = $"127.0.0.1:{irc.Port}", ["Nick"] = "bot", ["Endpoint"] = "bot",
        });
        await _server.CreateEndpointAsync("irc", "bot", 350);
        await _server.GiveKeyAsync();
        await _server.IsAsync("relay.bridges.irc-0", ServingStatus.Serving);
        await using var user = await IrcUser.ConnectAsync("person", irc.Port);
        await user.UntilThereIsAsync("bot");
        await user.SayAsync("bot", "?OTRv3?");
        await Wait.UntilAsync(() => user.Texts.Any(t => t.StartsWith("?OTR", StringComparison.Ordinal)));
    }

    /// <summary>The bridge is no exception: the certificate must be valid for the address that it is given.</summary>
    [Fact]
    public async Task A_bridge_of_a_server_with_TLS_verifies_its_certificate()
    {
        await using var xmpp = await XmppServer.StartAsync("prosody", _server.DirectoryPath, "alice");
        WriteCertificate("localhost", "server");
        WriteCertificate("localhost", "other");
        var (port, _) = XmppServer.FreePorts();
        var bridge = await ComponentAsync(xmpp);
        bridge["Server"] = $"https://localhost:{port}";
        bridge["Ca"] = _server.PathOf("ca.pem");
        File.Copy(_server.PathOf("other.pem"), _server.PathOf("ca.pem"));
        await _server.StartAsync(bridge, $"127.0.0.1:{port}", _server.PathOf("server.pem"),
            "--certificate", _server.PathOf("server.pem"), "--certificate-key", _server.PathOf("server.key"));
        await _server.GiveKeyAsync();
        // Another authority's: there is no connection, and so the endpoints cannot be listed.
        await _server.Process.PrintsAsync("xmpp-0: the endpoints cannot be listed");
        Assert.DoesNotContain("xmpp-0: connected", _server.Process.Printed, StringComparison.Ordinal);
        Assert.Equal(0, await _server.Process.StopAsync());

        bridge["Ca"] = _server.PathOf("server.pem");
        await using var again = HostedServer.Run(["serve", "--data", _server.PathOf("data"), "--shards", "4",
            "--listen", $"127.0.0.1:{port}", "--certificate", _server.PathOf("server.pem"), "--certificate-key", _server.PathOf("server.key")], bridge);
        await again.PrintsAsync("xmpp-0: connected");
        Assert.Equal(0, await again.StopAsync());
    }

    private async Task<Dictionary<string, string>> ComponentAsync(XmppServer xmpp)
    {
        await File.WriteAllTextAsync(_server.PathOf("component.secret"), XmppServer.Secret);
        return new()
        {
            ["Network"] = "xmpp", ["Component"] = $"127.0.0.1:{xmpp.ComponentPort}", ["Domain"] = XmppServer.ComponentDomain,
            ["SecretFile"] = _server.PathOf("component.secret"),
        };
    }

    private void WriteCertificate(string name, string file)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + file, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(_server.PathOf(file + ".pem"), certificate.ExportCertificatePem());
        File.WriteAllText(_server.PathOf(file + ".key"), key.ExportPkcs8PrivateKeyPem());
    }
}
