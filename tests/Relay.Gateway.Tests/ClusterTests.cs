using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors;
using Relay.Cli;
using Relay.Client;
using Relay.Gateway.Hosting;
using Relay.Gateway.Tests.Harness;
using Relay.Storage;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>Two nodes over a real database, as bots, bridges and operators see them.</summary>
public sealed class ClusterTests(ClusterEngines engines) : IClassFixture<ClusterEngines>
{
    private const int Shards = 4;

    [Fact]
    public async Task A_conversation_goes_on_while_node_after_node_is_restarted()
    {
        Assert.SkipUnless(ClusterEngines.Missing is null, ClusterEngines.Missing ?? "");
        using var directory = new TempDirectory();
        var first = await StartAsync(directory, "a");
        var second = await StartAsync(directory, "b");
        try
        {
            var admin = RelayKey.FromFile(engines.AdminKey);
            var options = new RelayClientOptions { MaxBackoff = TimeSpan.FromMilliseconds(300) };
            await using var operators = RelayClient.Connect(first.Address, admin, options);
            var endpoint = (await operators.Endpoints.CreateEndpointAsync(new CreateEndpointRequest { RequestId = "1", EndpointId = "e", Network = "n", Account = "a", Dsa = TestKeys.Endpoint })).Name;
            // Each sees one node first, and the other one when that goes.
            await using var botClient = RelayClient.Connect([first.Address, second.Address], await KeyAsync(operators, Scope.Bot), options);
            await using var bridgeClient = RelayClient.Connect([second.Address, first.Address], await KeyAsync(operators, Scope.Bridge), options);
            using var alice = new Contact("alice");
            await using var network = new Network(bridgeClient, endpoint, alice);
            using var stop = new CancellationTokenSource();
            var read = new List<string>();
            var echoing = EchoAsync(botClient.Bot(endpoint), read, stop.Token);
            alice.Start();
            Assert.Equal(SessionCause.KeyExchange, await alice.Changes.NextAsync());

            var said = new List<string>();
            async Task TalkAsync(int messages)
            {
                for (int i = 0; i < messages; i++)
                {
                    said.Add($"message {said.Count}");
                    alice.Send(said[^1]);
                    var next = alice.Texts.NextAsync();
                    await await Task.WhenAny(next, echoing, network.Fault);
                    Assert.Equal(("echo: " + said[^1], true), await next);
                }
            }
            await TalkAsync(5);
            Assert.True(await first.DrainAsync(CancellationToken.None));
            await first.DisposeAsync();
            await TalkAsync(5);
            first = await StartAsync(directory, "a", first.Address.Port);
            await TalkAsync(2);
            Assert.True(await second.DrainAsync(CancellationToken.None));
            await second.DisposeAsync();
            await TalkAsync(5);
            Assert.Equal(said, read);
            Assert.Equal(1, alice.KeyExchanges);
            Assert.Empty(alice.Rejects);
            Assert.All(network.Results, r => Assert.Equal("", r.RejectReason));
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => echoing);
        }
        finally
        {
            await first.DisposeAsync();
            await second.DisposeAsync();
        }
    }

    /// <summary>Readers at different nodes compete; a deletion is heard of at both; and what a node took with it comes again at the other.</summary>
    [Fact]
    public async Task A_subscription_is_one_on_all_nodes_and_outlives_each()
    {
        Assert.SkipUnless(ClusterEngines.Missing is null, ClusterEngines.Missing ?? "");
        using var directory = new TempDirectory();
        var first = await StartAsync(directory, "a");
        await using var second = await StartAsync(directory, "b");
        try
        {
            var admin = RelayKey.FromFile(engines.AdminKey);
            await using var one = RelayClient.Connect(first.Address, admin);
            await using var two = RelayClient.Connect(second.Address, admin);
            var endpoint = (await one.Endpoints.CreateEndpointAsync(new CreateEndpointRequest { RequestId = "s1", EndpointId = "s", Network = "s", Account = "s", Dsa = TestKeys.Endpoint })).Name;
            var key = await KeyAsync(one, Scope.Bot);
            await using var bots = RelayClient.Connect(first.Address, key);
            await using var others = RelayClient.Connect(second.Address, key);
            await using var bridge = RelayClient.Connect(second.Address, await KeyAsync(one, Scope.Bridge));
            // Several, so that each node owns some of them.
            string[] names = [.. Enumerable.Range(0, 6).Select(i => $"{endpoint}/subscriptions/s{i}")];
            foreach (var name in names) await bots.Subscriptions.CreateSubscriptionAsync(new CreateSubscriptionRequest { Parent = endpoint, SubscriptionId = name.Split('/')[^1] });
            // Conversations of both nodes follow within a second.
            await Task.Delay(TimeSpan.FromSeconds(2));
            async Task ReceiveAsync(string peer, string text) => Assert.Equal("", (await bridge.CallAsync(o => bridge.BridgeStreams.PushWireAsync(new PushWireRequest
            {
                Message = new InboundWire { Endpoint = endpoint, Peer = peer, MessageId = text, Text = Google.Protobuf.ByteString.CopyFromUtf8(text) },
            }, o))).Result.RejectReason);
            async Task<string> PullAsync(RelayClient client, string name) => string.Join(' ', (await client.CallAsync(o => client.Subscriptions.PullSubscriptionAsync(
                new PullSubscriptionRequest { Name = name, MaxEvents = 2, Wait = new Google.Protobuf.WellKnownTypes.Duration { Seconds = 10 } }, o))).Events.Select(e => $"{e.Delivery}:{e.TextReceived.Text}"));
            foreach (var peer in (string[])["a", "b", "c", "d"]) await ReceiveAsync(peer, "of " + peer);
            foreach (var name in names)
            {
                Assert.Equal("1:of a 1:of b", await PullAsync(bots, name));
                Assert.Equal("1:of c 1:of d", await PullAsync(others, name));
                await bots.CallAsync(o => bots.Subscriptions.AckSubscriptionAsync(new AckSubscriptionRequest { Name = name, Cursors = { "1", "3" } }, o));
            }
            Assert.True(await first.DrainAsync(CancellationToken.None));
            await first.DisposeAsync();
            // Where the entity has moved, its leases are forgotten: what was not acknowledged comes again. Where it stayed, they hold.
            foreach (var name in names)
            {
                await others.CallAsync(o => others.Subscriptions.AckSubscriptionAsync(new AckSubscriptionRequest { Name = name, Cursors = { "2" } }, o));
                var left = await others.CallAsync(o => others.Subscriptions.GetSubscriptionAsync(new GetSubscriptionRequest { Name = name }, o));
                Assert.Equal(1UL, left.Pending);
                if (left.Unacknowledged == 0) Assert.EndsWith(":of d", await PullAsync(others, name));
            }
            await two.Endpoints.DeleteEndpointAsync(new DeleteEndpointRequest { Name = endpoint });
            first = await StartAsync(directory, "a", first.Address.Port);
            await Expect.RefusedAsync(Grpc.Core.StatusCode.NotFound, "ENDPOINT_NOT_FOUND", async () => await bots.Subscriptions.GetSubscriptionAsync(new GetSubscriptionRequest { Name = names[0] }));
        }
        finally
        {
            await first.DisposeAsync();
        }
    }

    [Fact]
    public async Task The_doctor_finds_a_cluster_well_and_says_what_is_wrong_with_a_node()
    {
        Assert.SkipUnless(ClusterEngines.Missing is null, ClusterEngines.Missing ?? "");
        using var directory = new TempDirectory();
        await using var node = await StartAsync(directory, "a");
        await File.WriteAllTextAsync(directory.File("db"), engines.Database);
        string[] Doctor(params string[] more) =>
            ["doctor", "--json", "--data", directory.File("a"), "--key-file", engines.AdminKey, "--server", node.Address.ToString(), "--database-file", directory.File("db"), .. more];

        var well = await Terminal.RunAsync(Doctor("--sealing-key", engines.SealingKey, "--shards", $"{Shards}"));
        var found = Findings(well);
        Assert.True(well.Code == ExitCode.Ok, well.Out);
        foreach (var check in new[] { "database", "durability", "database clock", "schema", "cluster's key", "server", "key" }) Assert.Equal("ok", found[check]);
        Assert.Equal("warning", found["nodes"]);
        Assert.DoesNotContain("password", well.Out, StringComparison.OrdinalIgnoreCase);

        var wrong = await Terminal.RunAsync(Doctor("--sealing-key", OtherKey(directory), "--shards", $"{Shards}"));
        Assert.Equal(ExitCode.Failed, wrong.Code);
        Assert.Equal("problem", Findings(wrong)["cluster's key"]);
        // With mistakes in the configuration nothing further is looked at in the database.
        var mistaken = await Terminal.RunAsync(Doctor("--sealing-key", engines.SealingKey, "--cluster-host", "no host"));
        Assert.Equal((ExitCode.Failed, "problem"), (mistaken.Code, Findings(mistaken)["configuration"]));

        var shards = await Terminal.RunAsync(Doctor("--sealing-key", engines.SealingKey, "--shards", $"{Shards + 1}"));
        Assert.Equal("problem", Findings(shards)["shards"]);

        await File.WriteAllTextAsync(directory.File("db"), "postgresql://relay:secret@127.0.0.1:1/relay");
        var down = await Terminal.RunAsync(Doctor("--sealing-key", engines.SealingKey));
        Assert.Equal("problem", Findings(down)["database"]);
        Assert.DoesNotContain("secret", down.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_with_another_sealing_key_or_number_of_shards_is_refused_clearly()
    {
        Assert.SkipUnless(ClusterEngines.Missing is null, ClusterEngines.Missing ?? "");
        using var directory = new TempDirectory();
        await using var node = await StartAsync(directory, "a");
        var key = await Assert.ThrowsAsync<RelayStartException>(() => ServerHost.StartAsync(new(Settings(directory, "b", 0)) { ["--sealing-key"] = OtherKey(directory) }));
        Assert.Contains("other.key", key.Message, StringComparison.Ordinal);
        var shards = await Assert.ThrowsAsync<RelayStartException>(() => ServerHost.StartAsync(new(Settings(directory, "c", 0)) { ["--shards"] = $"{Shards + 1}" }));
        Assert.Contains($"--shards {Shards}", shards.Message, StringComparison.Ordinal);
    }

    private Task<ServerHost> StartAsync(TempDirectory directory, string name, int port = 0) => ServerHost.StartAsync(Settings(directory, name, port));

    private Dictionary<string, string> Settings(TempDirectory directory, string name, int port) => new()
    {
        ["--data"] = directory.File(name), ["--listen"] = $"127.0.0.1:{port}", ["--shards"] = $"{Shards}",
        ["--sealing-key"] = engines.SealingKey, ["--admin-key"] = engines.AdminKey,
        ["--database"] = engines.Database, ["--cluster-host"] = "127.0.0.1", ["--cluster-port"] = $"{ClusterPort(directory, name)}",
    };

    /// <summary>A free port, which the node keeps when it is started again.</summary>
    private static int ClusterPort(TempDirectory directory, string name)
    {
        var file = directory.File(name + ".port");
        if (!File.Exists(file))
        {
            using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            File.WriteAllText(file, $"{((IPEndPoint)listener.LocalEndpoint).Port}");
        }
        return int.Parse(File.ReadAllText(file), System.Globalization.CultureInfo.InvariantCulture);
    }

    private static string OtherKey(TempDirectory directory)
    {
        var file = directory.File("other.key");
        File.WriteAllText(file, $"relay-sealing-key-v1 {Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))}\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return file;
    }

    private static Dictionary<string, string> Findings(TerminalResult result) =>
        result.Json.GetProperty("findings").EnumerateArray().GroupBy(f => f.GetProperty("check").GetString()!).ToDictionary(g => g.Key, g => g.Last().GetProperty("verdict").GetString()!);

    private static async Task EchoAsync(Bot bot, List<string> read, CancellationToken stop)
    {
        await foreach (var e in bot.Events(stop))
        {
            if (e.Text is { } text)
            {
                read.Add(text);
                await e.ReplyAsync("echo: " + text, stop);
            }
            await e.AckAsync();
        }
    }

    private static async Task<RelayKey> KeyAsync(RelayClient admin, Scope scope) =>
        RelayKey.Parse((await admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = Guid.NewGuid().ToString(), Scopes = { scope } })).Token);
}
