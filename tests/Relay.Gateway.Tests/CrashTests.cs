using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>kill -9 of a real server process, at random moments under traffic: the conversation goes on, nothing is lost or doubled.</summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    private const int UnderWay = 4;

    [Fact]
    public async Task A_conversation_outlives_its_server()
    {
        bool isLong = Environment.GetEnvironmentVariable("RELAY_LONG") == "1";
        int kills = isLong ? 40 : 5, messages = isLong ? 800 : 80;
        int seed = int.TryParse(Environment.GetEnvironmentVariable("RELAY_SEED"), out int given) ? given : Random.Shared.Next();
        output.WriteLine($"RELAY_SEED={seed}");
        var random = new Random(seed);

        using var directory = new TempDirectory();
        var data = directory.File("data");
        var log = directory.File("server.log");
        var server = await ServerProcess.StartAsync(data, "127.0.0.1:0", log, null, Patience.Token);
        var listen = $"127.0.0.1:{server.Address.Port}";
        try
        {
            var options = new RelayClientOptions { MaxBackoff = TimeSpan.FromMilliseconds(300) };
            await using var admin = RelayClient.Connect(server.Address, RelayKey.FromFile(Path.Combine(data, "admin.key")), options);
            var endpoint = (await admin.Endpoints.CreateEndpointAsync(new CreateEndpointRequest { RequestId = "1", EndpointId = "e", Network = "n", Account = "a", MaxWireBytes = 500, Dsa = TestKeys.Endpoint })).Name;
            await using var botClient = RelayClient.Connect(server.Address, await KeyAsync(admin, Scope.Bot), options);
            await using var bridgeClient = RelayClient.Connect(server.Address, await KeyAsync(admin, Scope.Bridge), options);
            using var alice = new Contact("alice", maxWireBytes: 500);
            await using var network = new Network(bridgeClient, endpoint, alice);
            using var stop = new CancellationTokenSource();
            var read = new List<string>();
            var echoing = EchoAsync(botClient.Bot(endpoint), read, stop.Token);

            alice.Start();
            Assert.Equal(Otr.Core.SessionCause.KeyExchange, await alice.Changes.NextAsync());
            var said = new List<string>();
            var heard = new List<string>();
            var killAt = Enumerable.Range(0, kills).Select(_ => random.Next(1, messages - 5)).ToHashSet();
            while (heard.Count < messages)
            {
                // A quarter of the messages is so long that it leaves in fragments.
                while (said.Count < messages && said.Count - heard.Count < UnderWay)
                {
                    said.Add($"message {said.Count} " + new string('x', random.Next(4) == 0 ? 1500 : 10));
                    alice.Send(said[^1]);
                }
                if (killAt.Remove(heard.Count))
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(random.NextDouble() * 30));
                    Assert.Equal(137, await server.KillAsync());
                    await server.DisposeAsync();
                    server = await ServerProcess.StartAsync(data, listen, log, null, Patience.Token);
                }
                var next = alice.Texts.NextAsync();
                await await Task.WhenAny(next, echoing, network.Fault);
                var (text, encrypted) = await next;
                Assert.True(encrypted);
                heard.Add(text);
            }
            Assert.Equal(said, read);
            Assert.Equal(said.Select(s => "echo: " + s), heard);
            Assert.False(alice.Texts.TryRead(out _));
            Assert.Equal(1, alice.KeyExchanges);
            Assert.Empty(alice.Rejects);
            Assert.All(network.Results, r => Assert.Equal("", r.RejectReason));
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => echoing);
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_drained_server_exits_with_0_and_its_successor_goes_on()
    {
        using var directory = new TempDirectory();
        var data = directory.File("data");
        await using var first = await ServerProcess.StartAsync(data, "127.0.0.1:0", directory.File("log"), null, Patience.Token);
        var options = new RelayClientOptions { MaxBackoff = TimeSpan.FromMilliseconds(300) };
        await using var admin = RelayClient.Connect(first.Address, RelayKey.FromFile(Path.Combine(data, "admin.key")), options);
        var endpoint = (await admin.Endpoints.CreateEndpointAsync(new CreateEndpointRequest { RequestId = "1", EndpointId = "e", Network = "n", Account = "a", Dsa = TestKeys.Endpoint })).Name;
        await using var botClient = RelayClient.Connect(first.Address, await KeyAsync(admin, Scope.Bot), options);
        await using var bridgeClient = RelayClient.Connect(first.Address, await KeyAsync(admin, Scope.Bridge), options);
        using var alice = new Contact("alice");
        await using var network = new Network(bridgeClient, endpoint, alice);
        using var stop = new CancellationTokenSource();
        var echoing = EchoAsync(botClient.Bot(endpoint), [], stop.Token);
        alice.Start();
        await alice.Changes.NextAsync();
        alice.Send("before");
        Assert.Equal(("echo: before", true), await alice.Texts.NextAsync());

        Assert.Equal(0, await first.DrainAsync(Patience.Token));
        alice.Send("between");
        await using var second = await ServerProcess.StartAsync(data, $"127.0.0.1:{first.Address.Port}", directory.File("log"), null, Patience.Token);
        Assert.Equal(("echo: between", true), await alice.Texts.NextAsync());
        Assert.Equal(1, alice.KeyExchanges);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => echoing);
    }

    private static async Task EchoAsync(Bot bot, List<string> read, CancellationToken stop)
    {
        await foreach (var e in bot.Events(stop))
        {
            if (e.Text is { } text)
            {
                Assert.True(e.IsPrivate);
                read.Add(text);
                await e.ReplyAsync("echo: " + text, stop);
            }
            await e.AckAsync();
        }
    }

    private static async Task<RelayKey> KeyAsync(RelayClient admin, Scope scope) =>
        RelayKey.Parse((await admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = Guid.NewGuid().ToString(), Scopes = { scope } })).Token);
}
