using Google.Protobuf;
using Relay.Cli;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>The commands for one message, for a look at events, and for a look at everything.</summary>
public sealed class TalkCommandTests
{
    [Fact]
    public async Task Send_says_what_became_of_the_message_and_status_what_waits()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateEndpointAsync("e");
        using var alice = new Contact("alice");
        var bridge = await server.ConnectAsync(Scope.Bridge);
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("bot.key"), await server.CreateKeyAsync(Scope.Bot, DateTimeOffset.UtcNow.AddDays(3)));
        var bot = new Dictionary<string, string> { ["RELAY_SERVER"] = server.Address.ToString(), ["RELAY_KEY_FILE"] = directory.File("bot.key") };
        var admin = new Dictionary<string, string>(bot) { ["RELAY_KEY_FILE"] = Path.Combine(server.DataDirectory, "admin.key") };
        await using (var network = new Network(bridge, "endpoints/e", alice))
        {
            alice.Start();
            await alice.Changes.NextAsync();
            var sent = await Terminal.RunAsync(bot, "from a pipe", "send", "e", "alice", "-", "--request-id", "r1");
            Assert.Equal((ExitCode.Ok, "Encrypted, and on its way to the bridge."), (sent.Code, sent.Out.Trim()));
            Assert.Equal(("from a pipe", true), await alice.Texts.NextAsync());
            // Under the same id it is sent once.
            Assert.Equal("ENCRYPTED", (await Terminal.RunAsync(bot, "from a pipe", "send", "e", "alice", "-", "--request-id", "r1", "--json")).Json.GetProperty("disposition").GetString());
        }
        Assert.StartsWith("Held:", (await Terminal.RunAsync(bot, null, "send", "e", "bob", "hello")).Out, StringComparison.Ordinal);
        alice.End();
        await bridge.BridgeStreams.PushWireAsync(new PushWireRequest { Message = new InboundWire { Endpoint = "endpoints/e", Peer = "alice", MessageId = "end", Text = ByteString.CopyFrom(await alice.Wire.NextAsync()) } });
        var refused = await Terminal.RunAsync(bot, null, "send", "endpoints/e", "alice", "too late", "--json");
        Assert.Equal("SESSION_FINISHED", refused.JsonError.GetProperty("reason").GetString());
        Assert.NotEqual(ExitCode.Ok, refused.Code);

        var status = await Terminal.RunAsync(admin, null, "status");
        Assert.Equal(ExitCode.Ok, status.Code);
        Assert.Matches(@"nodes +one process", status.Out);
        Assert.Matches(@"key ends soon .*in 3 days: relay keys rotate", status.Out);
        Assert.Matches(@"\n *e +none +2 +1 +1 ", status.Out);
        Assert.Matches(@"bridges +none is connected for 1 of 1 endpoints", status.Out);
        Assert.Matches(@"held +1 messages\r?\n", status.Out);
        Assert.Matches(@"quarantined +0 conversations\r?\n", status.Out);
        var json = (await Terminal.RunAsync(admin, null, "status", "--json")).Json;
        Assert.Equal(1, json.GetProperty("keysEndingSoon").GetArrayLength());
        Assert.Equal("1", json.GetProperty("endpoints")[0].GetProperty("status").GetProperty("wire").GetProperty("backlog").GetString());
    }

    [Fact]
    public async Task Tail_shows_what_comes_and_takes_nothing_from_the_bot()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateEndpointAsync("e");
        var bridge = await server.ConnectAsync(Scope.Bridge);
        var bot = await server.ConnectAsync(Scope.Bot);
        await bot.Subscriptions.CreateSubscriptionAsync(new CreateSubscriptionRequest { Parent = "endpoints/e", SubscriptionId = "audit" });
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("bot.key"), await server.CreateKeyAsync(Scope.Bot));
        async Task ReceiveAsync(string text) => await bridge.BridgeStreams.PushWireAsync(new PushWireRequest { Message = new InboundWire { Endpoint = "endpoints/e", Peer = "alice", MessageId = Guid.NewGuid().ToString("N"), Text = ByteString.CopyFromUtf8(text) } });
        await ReceiveAsync("before");
        (string[] Arguments, string Expected)[] runs =
        [
            (["tail", "e", "--texts"], @"^\S+ \S+  alice +text in the clear: now$"), (["tail", "e"], @"^\S+ \S+  alice +text in the clear$"),
            (["tail", "e", "--all", "--texts"], ": before$"), (["tail", "e/audit", "--texts", "--json"], "\"text\":\"before\""),
        ];
        foreach (var (arguments, expected) in runs)
        {
            using var tail = Terminal.Start(new() { ["RELAY_SERVER"] = server.Address.ToString(), ["RELAY_KEY_FILE"] = directory.File("bot.key") }, arguments);
            try
            {
                using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
                var line = tail.StandardOutput.ReadLineAsync(limit.Token).AsTask();
                // It may not be watching yet: what comes before it does is not shown.
                while (!line.IsCompleted)
                {
                    await ReceiveAsync("now");
                    await Task.WhenAny(line, Task.Delay(200, limit.Token));
                }
                Assert.Matches(expected, await line);
            }
            finally
            {
                tail.Kill();
            }
        }
        Assert.Equal("before", (await bot.EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = "endpoints/e" })).Events[0].TextReceived.Text);
        // Of a subscription it takes what it shows.
        var left = await bot.Subscriptions.PullSubscriptionAsync(new PullSubscriptionRequest { Name = "endpoints/e/subscriptions/audit", Wait = new Google.Protobuf.WellKnownTypes.Duration { Seconds = 40 } });
        Assert.DoesNotContain(left.Events, e => e.TextReceived.Text == "before" && e.Delivery == 1);
    }
}
