using System.Diagnostics;
using System.Text.Json;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Relay.Client;
using Relay.Gateway.Auth;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>A bridge that <c>relay serve</c> hosts, with a real XMPP server.</summary>
public sealed class HostedBridgesTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-hosted-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_bridge_starts_once_its_key_exists_and_again_when_it_has_ended()
    {
        await using var xmpp = await XmppServer.StartAsync("prosody", _directory, "alice");
        await File.WriteAllTextAsync(PathOf("component.secret"), XmppServer.Secret);
        await using var serve = Start(["serve", "--data", PathOf("data"), "--listen", "127.0.0.1:0", "--json"], new()
        {
            ["Network"] = "xmpp", ["Component"] = $"127.0.0.1:{xmpp.ComponentPort}", ["Domain"] = XmppServer.ComponentDomain,
            ["SecretFile"] = PathOf("component.secret"), ["KeyFile"] = PathOf("bridge.key"),
        });
        await serve.PrintsAsync("\"ready\"");
        var ready = serve.Printed.Split('\n').First(l => l.Contains("\"ready\"", StringComparison.Ordinal));
        var address = new Uri(JsonDocument.Parse(ready).RootElement.GetProperty("address").GetString()!);
        using var channel = GrpcChannel.ForAddress(address);
        var health = new Health.HealthClient(channel);
        await serve.PrintsAsync("xmpp-0: ended. The bridge's key cannot be read");
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, await AskAsync(health, ""));
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.NotServing, await AskAsync(health, "relay.bridges"));

        await using var admin = RelayClient.Connect(address, RelayKey.FromFile(PathOf(Path.Combine("data", AdminKey.FileName))));
        await admin.CallAsync(o => admin.Endpoints.CreateEndpointAsync(
            new CreateEndpointRequest { RequestId = "e", EndpointId = "bot", Network = "xmpp", Account = XmppStage.Bot, MaxWireBytes = 65536 }, o));
        var first = await CreateKeyAsync(admin, "first");
        await serve.PrintsAsync("xmpp-0: connected");
        await IsAsync(health, "relay.bridges.xmpp-0", HealthCheckResponse.Types.ServingStatus.Serving);
        await using var alice = await XmppClient.LogInAsync(xmpp.ClientPort, "alice", "phone");
        await alice.SendMessageAsync(XmppStage.Bot, "?OTRv3?");
        Assert.StartsWith("?OTR", XmppClient.Body(await alice.NextMessageAsync()), StringComparison.Ordinal);

        await admin.CallAsync(o => admin.Admin.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = first }, o));
        await serve.PrintsAsync("xmpp-0: ended. Relay refuses the bridge");
        await IsAsync(health, "relay.bridges", HealthCheckResponse.Types.ServingStatus.NotServing);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, await AskAsync(health, ""));
        await CreateKeyAsync(admin, "second");
        await serve.PrintsAsync("xmpp-0: connected", times: 2);
        await IsAsync(health, "relay.bridges", HealthCheckResponse.Types.ServingStatus.Serving);
        Assert.Equal(0, await serve.StopAsync());
    }

    [Fact]
    public async Task Mistakes_are_told_by_the_names_of_settings()
    {
        await using var show = Start(["config", "show"], new() { ["Network"] = "xmpp", ["Component"] = "127.0.0.1", ["Domian"] = "x" });
        Assert.Equal(2, await show.EndsAsync());
        await show.PrintsAsync("Relay:Bridges:0:Domian is not a setting of a bridge to xmpp, which has Network, Component, Domain,");
        await show.PrintsAsync("Relay:Bridges:0:KeyFile must name a file");
        await show.PrintsAsync("Relay:Bridges:0: Option 'Domain' is required.");
        await using var serve = Start(["serve", "--data", PathOf("none")], new() { ["Network"] = "telegram" });
        Assert.Equal(2, await serve.EndsAsync());
        await serve.PrintsAsync("Relay:Bridges:0:Network must be xmpp or irc.");
        Assert.False(Directory.Exists(PathOf("none")));
    }

    private string PathOf(string name) => Path.Combine(_directory, name);

    private static RelayProcess Start(string[] arguments, Dictionary<string, string> bridge)
    {
        var info = RelayProgram.StartInfo(arguments);
        foreach (var (key, value) in bridge) info.Environment["Relay__Bridges__0__" + key] = value;
        return RelayProcess.Start(info);
    }

    private async Task<string> CreateKeyAsync(RelayClient admin, string id)
    {
        var key = await admin.CallAsync(o => admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = id, Scope = Scope.Bridge }, o));
        await File.WriteAllTextAsync(PathOf("bridge.key"), key.Token);
        return key.ApiKey.Name;
    }

    private static async Task<HealthCheckResponse.Types.ServingStatus> AskAsync(Health.HealthClient health, string service) =>
        (await health.CheckAsync(new HealthCheckRequest { Service = service })).Status;

    private static async Task IsAsync(Health.HealthClient health, string service, HealthCheckResponse.Types.ServingStatus status)
    {
        using var limit = new CancellationTokenSource(Wait.Limit);
        while (await AskAsync(health, service) != status) await Task.Delay(100, limit.Token);
    }
}
