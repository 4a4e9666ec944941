using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.V1;
using State = Relay.V1.Message.Types.State;

namespace Relay.Gateway.Tests;

/// <summary>What becomes of messages, as bots see it and bridges say it.</summary>
public sealed class MessageTests
{
    private const string Endpoint = "endpoints/e";
    private static readonly Policy s_clear = new() { RequireEncryption = false };

    private sealed record Stage(TestServer Server, RelayClient Bot, RelayClient Bridge) : IAsyncDisposable
    {
        public static async Task<Stage> StartAsync(Policy? policy = null, Dictionary<string, string>? settings = null)
        {
            var server = await TestServer.StartAsync(settings: settings);
            await server.CreateEndpointAsync("e", policy: policy ?? s_clear);
            return new Stage(server, await server.ConnectAsync(Scope.Bot), await server.ConnectAsync(Scope.Bridge));
        }

        public async Task<Message> SendAsync(string text, double waitSeconds = 0, string peer = "alice")
        {
            var request = new SendMessageRequest { RequestId = text, Parent = Endpoint, Peer = peer, Text = text };
            if (waitSeconds > 0) request.Wait = Duration.FromTimeSpan(TimeSpan.FromSeconds(waitSeconds));
            return (await Bot.Messages.SendMessageAsync(request)).Message;
        }

        public async Task<State> StateAsync(Message message) => (await Bot.Messages.GetMessageAsync(new GetMessageRequest { Name = message.Name })).State;

        public async Task<OutboundWire[]> WireAsync() => [.. (await Bridge.BridgeStreams.PullWireAsync(new PullWireRequest { Endpoint = Endpoint })).Messages];

        public async Task<SettleWireResponse> SettleAsync(ulong sequence, string failure = "") =>
            await Bridge.BridgeStreams.SettleWireAsync(new SettleWireRequest { Endpoint = Endpoint, Settlements = { new Settlement { Sequence = sequence, Failure = failure } } });

        public async Task<IReadOnlyList<Event>> EventsAsync() => (await Bot.EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = Endpoint, MaxEvents = 100 })).Events;

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }

    [Fact]
    public async Task What_is_acknowledged_is_carried_and_what_is_refused_is_undeliverable()
    {
        await using var stage = await Stage.StartAsync();
        Message[] sent = [await stage.SendAsync("one"), await stage.SendAsync("two"), await stage.SendAsync("three")];
        Assert.All(sent, m => Assert.Equal(State.Clear, m.State));
        var wire = await stage.WireAsync();
        Assert.Equal(sent.Select(m => (m.Name, 1U, 1U)), wire.Select(w => (w.Message, w.Piece, w.Pieces)));

        // The second one first: it is told, and nothing is acknowledged, because the first is open.
        var settled = await stage.SettleAsync(2, "NO_SUCH_PEER");
        Assert.Equal(("", false, 0UL), (settled.Results[0].Reason, settled.Results[0].Retry, settled.AcknowledgedSequence));
        Assert.Equal(State.Undeliverable, await stage.StateAsync(sent[1]));
        // That one is carried is nothing that could be stored while one before it is open.
        settled = await stage.SettleAsync(3);
        Assert.Equal(("OUT_OF_ORDER", true), (settled.Results[0].Reason, settled.Results[0].Retry));
        Assert.Equal(State.Clear, await stage.StateAsync(sent[2]));

        await stage.Bridge.BridgeStreams.AckWireAsync(new AckWireRequest { Endpoint = Endpoint, Sequence = 1 });
        // Late, twice, for another reason, and as carried: each has come to its end.
        Assert.Equal("ALREADY_SETTLED", (await stage.SettleAsync(1, "BLOCKED")).Results[0].Reason);
        foreach (var again in new[] { "NO_SUCH_PEER", "BLOCKED", "" }) await stage.SettleAsync(2, again);
        settled = await stage.SettleAsync(3);
        Assert.Equal(("", 3UL), (settled.Results[0].Reason, settled.AcknowledgedSequence));
        Assert.Equal([State.Carried, State.Undeliverable, State.Carried], await Task.WhenAll(sent.Select(stage.StateAsync)));
        var told = Assert.Single(await stage.EventsAsync()).MessageChanged.Message;
        Assert.Equal((sent[1].Name, State.Undeliverable, "NO_SUCH_PEER"), (told.Name, told.State, told.Reason));
        Assert.Empty(await stage.WireAsync());

        foreach (ulong unknown in new ulong[] { 0, 4, ulong.MaxValue }) Assert.Equal("UNKNOWN_SEQUENCE", (await stage.SettleAsync(unknown, "REFUSED")).Results[0].Reason);
    }

    [Fact]
    public async Task Messages_are_listed_by_state_the_newest_first()
    {
        await using var stage = await Stage.StartAsync();
        var sent = new List<Message>();
        for (int i = 0; i < 5; i++) sent.Add(await stage.SendAsync($"{i}"));
        await stage.SettleAsync(1, "BLOCKED");
        await stage.Bridge.BridgeStreams.AckWireAsync(new AckWireRequest { Endpoint = Endpoint, Sequence = 3 });
        var parent = sent[0].Name[..sent[0].Name.IndexOf("/messages/", StringComparison.Ordinal)];
        async Task<IReadOnlyList<string>> ListAsync(string filter, int size = 0)
        {
            var names = new List<string>();
            var token = "";
            do
            {
                var page = await stage.Bot.Messages.ListMessagesAsync(new ListMessagesRequest { Parent = parent, Filter = filter, PageSize = size, PageToken = token });
                Assert.InRange(page.Messages.Count, 0, size == 0 ? 100 : size);
                names.AddRange(page.Messages.Select(m => m.Name));
                token = page.NextPageToken;
            }
            while (token.Length > 0);
            return names;
        }
        // Those of one millisecond are in some order.
        var all = await ListAsync("");
        Assert.Equal(sent.Select(m => m.Name).Order(), all.Order());
        var times = sent.ToDictionary(m => m.Name, m => m.CreateTime.ToDateTimeOffset());
        Assert.Equal(all.Select(n => times[n]).OrderDescending(), all.Select(n => times[n]));
        Assert.Equal(all, await ListAsync("", 2));
        Assert.Equal([sent[0].Name], await ListAsync("state = UNDELIVERABLE"));
        Assert.Equal(sent.Skip(1).Take(2).Select(m => m.Name).Order(), (await ListAsync("state = \"CARRIED\"")).Order());
        Assert.Equal(3, (await ListAsync("state = CLEAR OR state=UNDELIVERABLE", 1)).Count);
        foreach (var wrong in new[] { "state", "state = NONE", "text = x", "state = HELD AND state = CLEAR", new string('x', 1000) })
            await Expect.FieldsAsync(async () => await stage.Bot.Messages.ListMessagesAsync(new ListMessagesRequest { Parent = parent, Filter = wrong }), "filter");
        await Expect.FieldsAsync(async () => await stage.Bot.Messages.ListMessagesAsync(new ListMessagesRequest { Parent = "x", PageSize = -1 }), "parent", "page_size");
        await Expect.FieldsAsync(async () => await stage.Bot.Messages.ListMessagesAsync(new ListMessagesRequest { Parent = parent, PageToken = "eA==" }), "page_token");
        await Expect.RefusedAsync(StatusCode.NotFound, "CONVERSATION_NOT_FOUND", async () =>
            await stage.Bot.Messages.ListMessagesAsync(new ListMessagesRequest { Parent = "endpoints/e/conversations/aaaaaaaaaaaaaaaaaaaaaaaaaa" }));
    }

    [Fact]
    public async Task Whoever_waits_gets_the_end_or_what_is_known_when_the_time_is_over()
    {
        await using var stage = await Stage.StartAsync();
        Assert.Equal(State.Clear, (await stage.SendAsync("nobody carries it", 0.3)).State);
        var carried = stage.SendAsync("carried", 60);
        await UntilAsync(async () => (await stage.WireAsync()).Length == 2);
        Assert.False(carried.IsCompleted);
        await stage.Bridge.BridgeStreams.AckWireAsync(new AckWireRequest { Endpoint = Endpoint, Sequence = 2 });
        Assert.Equal(State.Carried, (await carried.WaitAsync(Patience.Limit)).State);
        var refused = stage.SendAsync("refused", 60);
        await UntilAsync(async () => (await stage.WireAsync()).Length == 1);
        await stage.SettleAsync(3, "TOO_LARGE");
        Assert.Equal((State.Undeliverable, "TOO_LARGE"), await refused.WaitAsync(Patience.Limit) is { } m ? (m.State, m.Reason) : default);
        // Once more under the same id: the same message, and what it has come to.
        Assert.Equal((await refused).Name, (await stage.SendAsync("refused", 1)).Name);
        foreach (var wait in new[] { new Duration { Seconds = 61 }, new Duration { Seconds = -1 }, new Duration { Nanos = int.MaxValue } })
            await Expect.FieldsAsync(async () => await stage.Bot.Messages.SendMessageAsync(new SendMessageRequest { RequestId = "r", Parent = Endpoint, Peer = "alice", Text = "x", Wait = wait }), "wait");
    }

    [Fact]
    public async Task What_is_held_can_be_taken_back_and_ends_with_the_offer()
    {
        await using var stage = await Stage.StartAsync(new Policy());
        var bot = stage.Bot.Bot(Endpoint);
        Message[] held = [await stage.SendAsync("one"), await stage.SendAsync("two")];
        Assert.All(held, m => Assert.Equal(State.Held, m.State));
        Assert.Equal(State.Cancelled, (await bot.CancelMessageAsync(held[0].Name, "c1")).Response.State);
        Assert.Equal(State.Cancelled, (await bot.CancelMessageAsync(held[0].Name, "c1")).Response.State);
        Assert.Equal("MESSAGE_NOT_HELD", (await bot.CancelMessageAsync(held[0].Name)).Refusal!.Reason);
        var offer = Assert.Single(await stage.WireAsync());
        Assert.Equal(held[0].Name, offer.Message);
        // The offer does not arrive: nothing that waits for the session will.
        await stage.SettleAsync(offer.Sequence, "PEER_UNAVAILABLE");
        Assert.Equal([State.Cancelled, State.Held], await Task.WhenAll(held.Select(stage.StateAsync)));
    }

    [Fact]
    public async Task A_message_is_carried_with_its_last_piece_and_delivered_by_a_confirmation()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateEndpointAsync("e", maxWireBytes: 400);
        using var alice = new Contact("alice");
        var (bot, bridge) = (await server.ConnectAsync(Scope.Bot), await server.ConnectAsync(Scope.Bridge));
        await using (var network = new Network(bridge, Endpoint, alice))
        {
            alice.Start();
            await alice.Changes.NextAsync();
        }
        var message = (await bot.Bot().SendToAsync(Endpoint, "alice", new string('x', 1000))).Response.Message;
        Assert.Equal(State.Encrypted, message.State);
        OutboundWire[] wire = [];
        await UntilAsync(async () => (wire = [.. (await bridge.BridgeStreams.PullWireAsync(new PullWireRequest { Endpoint = Endpoint })).Messages.Where(m => m.Message.Length > 0)]).Length > 0);
        Assert.InRange(wire.Length, 3, 20);
        Assert.Equal(Enumerable.Range(1, wire.Length).Select(i => (message.Name, (uint)i, (uint)wire.Length)), wire.Select(w => (w.Message, w.Piece, w.Pieces)));
        await bridge.BridgeStreams.AckWireAsync(new AckWireRequest { Endpoint = Endpoint, Sequence = wire[^2].Sequence });
        Assert.Equal(State.Encrypted, (await bot.Bot().GetMessageAsync(message.Name)).State);
        await bridge.BridgeStreams.AckWireAsync(new AckWireRequest { Endpoint = Endpoint, Sequence = wire[^1].Sequence });
        Assert.Equal(State.Carried, (await bot.Bot().GetMessageAsync(message.Name)).State);

        var settle = new SettleWireRequest { Endpoint = Endpoint, Delivered = { message.Name, message.Name[..^26] + "aaaaaaaaaaaaaaaaaaaaaaaaaa", "x", message.Name.Replace("endpoints/e", "endpoints/f", StringComparison.Ordinal) } };
        for (int i = 0; i < 2; i++) Assert.Equal(settle.Delivered.Skip(1), (await bridge.BridgeStreams.SettleWireAsync(settle)).Unknown);
        Assert.Equal(State.Delivered, (await bot.Bot().GetMessageAsync(message.Name)).State);
        var events = (await bot.EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = Endpoint, MaxEvents = 100 })).Events;
        Assert.Equal(State.Delivered, Assert.Single(events, e => e.MessageChanged is not null).MessageChanged.Message.State);
    }

    /// <summary>On a stream, and by the SDK: the acknowledgement that follows a settlement does not overtake it.</summary>
    [Fact]
    public async Task A_bridge_that_refuses_and_then_acknowledges_has_refused()
    {
        await using var stage = await Stage.StartAsync();
        Message[] sent = [await stage.SendAsync("one"), await stage.SendAsync("two"), await stage.SendAsync("three")];
        using (var stream = stage.Bridge.BridgeStreams.StreamWire(cancellationToken: Patience.Token))
        {
            await stream.RequestStream.WriteAsync(new StreamWireRequest { Open = new OpenStream { Endpoint = Endpoint } });
            await stream.RequestStream.WriteAsync(new StreamWireRequest { Settle = new SettleWireRequest { Endpoint = Endpoint, Settlements = { new Settlement { Sequence = 1, Failure = "BLOCKED" } } } });
            await stream.RequestStream.WriteAsync(new StreamWireRequest { Ack = new Ack { Endpoint = Endpoint, Sequence = 1 } });
            while (stream.ResponseStream.Current?.Settled is null) Assert.True(await stream.ResponseStream.MoveNext(Patience.Token));
            Assert.Equal(("", 1UL), (stream.ResponseStream.Current.Settled.Results[0].Reason, stream.ResponseStream.Current.Settled.AcknowledgedSequence));
        }
        await using var bridge = stage.Bridge.Bridge(Endpoint);
        await foreach (var message in bridge.Outbound(Patience.Token))
        {
            Assert.True(message.EndsMessage);
            if (message.Message.Sequence == 2) Assert.True(await message.RefuseAsync("NO_ROUTE"));
            await message.AckAsync();
            if (message.Message.Sequence == 3) break;
        }
        await UntilAsync(async () => await stage.StateAsync(sent[2]) == State.Carried);
        Assert.Equal([State.Undeliverable, State.Undeliverable], [await stage.StateAsync(sent[0]), await stage.StateAsync(sent[1])]);
        Assert.Equal(["BLOCKED", "NO_ROUTE"], (await stage.EventsAsync()).Select(e => e.MessageChanged.Message.Reason));
    }

    [Fact]
    public async Task Nobody_learns_of_or_settles_what_is_not_theirs()
    {
        await using var stage = await Stage.StartAsync();
        var message = await stage.SendAsync("one");
        await stage.Server.CreateEndpointAsync("f");
        var (otherBot, otherBridge) = (await stage.Server.ConnectAsync(Scope.Bot, "endpoints/f"), await stage.Server.ConnectAsync(Scope.Bridge, "endpoints/f"));
        var missing = message.Name[..^26] + "aaaaaaaaaaaaaaaaaaaaaaaaaa";
        Task RefusedAsync(RelayClient bot, string name) => Expect.RefusedAsync(StatusCode.NotFound, "MESSAGE_NOT_FOUND", async () => await bot.Messages.GetMessageAsync(new GetMessageRequest { Name = name }));
        await RefusedAsync(stage.Bot, missing);
        await RefusedAsync(stage.Bot, "endpoints/e/conversations/aaaaaaaaaaaaaaaaaaaaaaaaaa/messages/aaaaaaaaaaaaaaaaaaaaaaaaaa");
        await Expect.RefusedAsync(StatusCode.NotFound, "MESSAGE_NOT_FOUND", async () => await stage.Bot.Messages.CancelMessageAsync(new CancelMessageRequest { RequestId = "c", Name = missing }));
        // An endpoint outside the key's is the same, whether it is there or not.
        var foreign = await Assert.ThrowsAsync<RpcException>(async () => await otherBot.Messages.GetMessageAsync(new GetMessageRequest { Name = message.Name }));
        var nowhere = await Assert.ThrowsAsync<RpcException>(async () => await otherBot.Messages.GetMessageAsync(new GetMessageRequest { Name = message.Name.Replace("endpoints/e", "endpoints/none", StringComparison.Ordinal) }));
        Assert.Equal((nowhere.StatusCode, RelayException.From(nowhere).Reason), (foreign.StatusCode, RelayException.From(foreign).Reason));
        await Assert.ThrowsAsync<RpcException>(async () => await otherBridge.BridgeStreams.SettleWireAsync(new SettleWireRequest { Endpoint = Endpoint, Settlements = { new Settlement { Sequence = 1, Failure = "BLOCKED" } } }));
        Assert.Equal([message.Name], (await otherBridge.BridgeStreams.SettleWireAsync(new SettleWireRequest { Endpoint = "endpoints/f", Delivered = { message.Name } })).Unknown);
        Assert.Equal(State.Clear, await stage.StateAsync(message));

        await Expect.FieldsAsync(async () => await stage.Bot.Messages.GetMessageAsync(new GetMessageRequest { Name = "endpoints/e/messages/x" }), "name");
        await Expect.FieldsAsync(async () => await stage.SettleAsync(1, "no text of the network's"), "settlements.failure");
        var many = new SettleWireRequest { Endpoint = Endpoint };
        many.Settlements.AddRange(Enumerable.Repeat(new Settlement { Sequence = 1 }, 101));
        many.Delivered.AddRange(Enumerable.Repeat("x", 101));
        await Expect.FieldsAsync(async () => await stage.Bridge.BridgeStreams.SettleWireAsync(many), "settlements", "delivered");
    }

    [Fact]
    public async Task Over_http_and_the_command_line()
    {
        await using var stage = await Stage.StartAsync(settings: new() { ["--http-listen"] = "127.0.0.1:0" });
        Message[] sent = [await stage.SendAsync("one"), await stage.SendAsync("two")];
        using var http = new HttpClient { BaseAddress = stage.Server.Host.HttpAddress };
        http.DefaultRequestHeaders.Authorization = new("Bearer", await stage.Server.CreateKeyAsync(Scope.Bridge));
        using var body = new StringContent("""{"settlements":[{"sequence":"1","failure":"BLOCKED"},{"sequence":"2"}]}""", System.Text.Encoding.UTF8, "application/json");
        var answer = await http.PostAsync("/v1/endpoints/e/wire:settle", body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        Assert.Contains("\"acknowledgedSequence\":\"2\"", (await answer.Content.ReadAsStringAsync()).Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);

        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("bot.key"), await stage.Server.CreateKeyAsync(Scope.Bot));
        var bot = new Dictionary<string, string> { ["RELAY_SERVER"] = stage.Server.Address.ToString(), ["RELAY_KEY_FILE"] = directory.File("bot.key") };
        var list = (await Terminal.RunAsync(bot, null, "messages", "list", "e", "alice", "--state", "undeliverable", "--json")).Json;
        Assert.Equal((1, sent[0].Name), (list.GetArrayLength(), list[0].GetProperty("name").GetString()));
        Assert.Matches(@"state +CARRIED", (await Terminal.RunAsync(bot, null, "messages", "get", sent[1].Name)).Out);
        Assert.Equal("MESSAGE_NOT_HELD", (await Terminal.RunAsync(bot, null, "messages", "cancel", sent[1].Name, "--json")).JsonError.GetProperty("reason").GetString());
        var waiting = Terminal.RunAsync(bot, null, "send", "e", "alice", "three", "--wait", "50s");
        await UntilAsync(async () => (await stage.WireAsync()).Length == 1);
        await stage.SettleAsync(3, "NO_SUCH_PEER");
        var (code, text) = await waiting is var run ? (run.Code, run.Out) : default;
        Assert.Equal((Cli.ExitCode.Failed, "Not delivered: the network has refused it (NO_SUCH_PEER)."), (code, text.Trim()));
    }

    [Fact]
    public async Task The_networks_time_reaches_the_bot()
    {
        await using var stage = await Stage.StartAsync();
        var time = new Timestamp { Seconds = 1_700_000_000, Nanos = 5_000_000 };
        Timestamp?[] times = [time, null, new Timestamp { Seconds = long.MaxValue }];
        foreach (var (networkTime, i) in times.Select((t, i) => (t, i)))
        {
            await stage.Bridge.BridgeStreams.PushWireAsync(new PushWireRequest
            {
                Message = new InboundWire { Endpoint = Endpoint, Peer = "alice", MessageId = $"{i}", Text = ByteString.CopyFromUtf8("hello"), NetworkTime = networkTime },
            });
        }
        Assert.Equal([time, null, null], (await stage.EventsAsync()).Select(e => e.TextReceived.NetworkTime));
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        var limit = Patience.Token;
        while (!await isSo()) await Task.Delay(20, limit);
    }
}
