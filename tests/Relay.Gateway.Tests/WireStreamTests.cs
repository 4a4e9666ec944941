using System.Collections.Concurrent;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Relay.Actors;
using Relay.Client;
using Relay.Gateway.Hosting;
using Relay.Gateway.Tests.Harness;
using Relay.Storage;
using Relay.V1;
using MessageState = Otr.Core.MessageState;

namespace Relay.Gateway.Tests;

/// <summary>The bridge's stream: order, concurrency, results, bounds, one bridge at a time.</summary>
public sealed class WireStreamTests
{
    private const string Endpoint = "endpoints/e";

    [Fact]
    public async Task One_peers_messages_are_worked_on_in_order_and_different_peers_at_once()
    {
        var relay = new FakeRelay();
        var gate = new TaskCompletionSource();
        var order = new ConcurrentQueue<string>();
        relay.OnAsk = async (address, command, _) =>
        {
            var peer = ((ConversationAddress.ByPeer)address).Peer;
            order.Enqueue($"{peer} {command.RequestId}");
            // The first peer's first message waits for the second peer's last.
            if (command.RequestId == "a1") await gate.Task.WaitAsync(Patience.Limit);
            if (command.RequestId == "b3") gate.SetResult();
            return new ConversationReply.Done(FakeRelay.ConversationId, MessageState.Encrypted, null);
        };
        await using var server = await TestServer.StartAsync(relay);
        using var stream = await OpenAsync(server);
        foreach (var id in new[] { "a1", "a2", "b1", "a3", "b2", "b3" }) await SendAsync(stream, id[..1], id);
        var results = new List<string>();
        while (results.Count < 6)
        {
            var r = await NextAsync(stream);
            if (r.MessageCase == StreamWireResponse.MessageOneofCase.InboundResult) results.Add(r.InboundResult.MessageId);
        }
        Assert.Equal(["a1", "a2", "a3"], results.Where(r => r[0] == 'a'));
        Assert.Equal(["b1", "b2", "b3"], results.Where(r => r[0] == 'b'));
        Assert.Equal(["a a1", "a a2", "a a3"], order.Where(o => o[0] == 'a'));
        var asked = order.ToList();
        Assert.True(asked.IndexOf("b b3") < asked.IndexOf("a a2"));
    }

    [Fact]
    public async Task Work_in_flight_is_bounded_and_the_server_stops_reading_at_the_bound()
    {
        const int bound = 256;
        var relay = new FakeRelay();
        var gate = new TaskCompletionSource();
        int inWork = 0, highest = 0;
        var full = new TaskCompletionSource();
        relay.OnAsk = async (_, _, _) =>
        {
            int now = Interlocked.Increment(ref inWork);
            lock (gate) highest = Math.Max(highest, now);
            if (now == bound) full.TrySetResult();
            await gate.Task;
            Interlocked.Decrement(ref inWork);
            return new ConversationReply.Done(FakeRelay.ConversationId, MessageState.Encrypted, null);
        };
        await using var server = await TestServer.StartAsync(relay);
        using var stream = await OpenAsync(server);
        var sending = Task.Run(async () => { for (int i = 0; i < bound + 100; i++) await SendAsync(stream, $"peer{i}", $"{i}"); });
        await full.Task.WaitAsync(Patience.Limit);
        gate.SetResult();
        int results = 0;
        while (results < bound + 100)
        {
            if ((await NextAsync(stream)).MessageCase == StreamWireResponse.MessageOneofCase.InboundResult) results++;
        }
        await sending;
        Assert.Equal(bound, highest);
    }

    [Fact]
    public async Task What_a_stranger_may_cause_is_a_result_and_never_the_end_of_the_stream()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        using var stream = await OpenAsync(server);
        var cases = new (InboundWire Message, string Reason)[]
        {
            (Wire("p\nq", "1", "x"), "INVALID_PEER"),
            (Wire("", "2", "x"), "INVALID_PEER"),
            (Wire(new string('p', 3072), "3", "x"), "INVALID_PEER"),
            (Wire("p", "", "x"), "INVALID_MESSAGE_ID"),
            (Wire("p", new string('i', 129), "x"), "INVALID_MESSAGE_ID"),
            (Wire("p", "6", ""), "EMPTY"),
            // However large: its conversation rejects it.
            (Wire("p", "7", new string('x', GatewayLimits.MaxWireBytes + 1)), ""),
        };
        foreach (var (message, reason) in cases)
        {
            await stream.RequestStream.SayAsync(new StreamWireRequest { Inbound = message });
            var result = await ResultAsync(stream);
            Assert.Equal((message.MessageId, reason, false), (result.MessageId, result.RejectReason, result.Retry));
        }
    }

    [Fact]
    public async Task Passing_troubles_say_when_to_send_it_again()
    {
        var relay = new FakeRelay();
        var wait = TimeSpan.FromMilliseconds(700);
        await using var server = await TestServer.StartAsync(relay);
        using var stream = await OpenAsync(server);
        foreach (var (reply, reason, retry) in new (ConversationReply, string, bool)[]
        {
            (new ConversationReply.Overloaded("mailbox", wait), "OVERLOADED", true),
            (new ConversationReply.Unavailable("store", wait), "UNAVAILABLE", true),
            (new ConversationReply.NotFound("endpoint"), "ENDPOINT_NOT_FOUND", false),
            (new ConversationReply.RequestIdReused(), "MESSAGE_ID_REUSED", false),
            (new ConversationReply.Quarantined(FakeRelay.ConversationId), "QUARANTINED", false),
        })
        {
            relay.OnAsk = (_, _, _) => ValueTask.FromResult(reply);
            await SendAsync(stream, "p", "1");
            var result = await ResultAsync(stream);
            Assert.Equal((reason, retry), (result.RejectReason, result.Retry));
            Assert.Equal(retry ? wait : null, result.RetryDelay?.ToTimeSpan());
        }
    }

    [Fact]
    public async Task The_newest_bridge_carries_the_endpoint_and_the_older_one_is_told()
    {
        var relay = new FakeRelay();
        await using var server = await TestServer.StartAsync(relay);
        using var older = await OpenAsync(server);
        Assert.Equal(StreamWireResponse.MessageOneofCase.CaughtUp, (await NextAsync(older)).MessageCase);
        using var newer = await OpenAsync(server);
        await Expect.RefusedAsync(StatusCode.Aborted, "STREAM_REPLACED", () => older.ResponseStream.EndsAsync());
        relay.Stream("e", StreamKind.Wire).Add(new OutboxBody.WireText("?OTR"u8.ToArray()));
        Assert.Equal(StreamWireResponse.MessageOneofCase.CaughtUp, (await NextAsync(newer)).MessageCase);
        var outbound = (await NextAsync(newer)).Outbound;
        Assert.Equal((Endpoint, 1UL, "peer", "?OTR"), (outbound.Endpoint, outbound.Sequence, outbound.Peer, outbound.Text.ToStringUtf8()));
    }

    [Fact]
    public async Task The_SDKs_bridge_that_is_replaced_gives_up_rather_than_fight()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        await using var older = (await server.ConnectAsync(Scope.Bridge)).Bridge(Endpoint);
        // Its stream is open once a message has gone through it.
        await older.DeliverAsync("p", "1", "x"u8.ToArray());
        await using var newer = (await server.ConnectAsync(Scope.Bridge)).Bridge(Endpoint);
        await newer.DeliverAsync("p", "2", "x"u8.ToArray());
        var e = await Assert.ThrowsAsync<RelayException>(async () => { await foreach (var _ in older.Outbound(Patience.Token)) { } });
        Assert.Equal("STREAM_REPLACED", e.Reason);
        await Assert.ThrowsAsync<RelayException>(() => older.DeliverAsync("p", "3", "x"u8.ToArray()));
        await newer.DeliverAsync("p", "4", "x"u8.ToArray());
    }

    [Fact]
    public async Task A_chained_message_begins_once_the_one_before_it_has_begun()
    {
        var relay = new FakeRelay();
        var gate = new TaskCompletionSource();
        var asked = new ConcurrentQueue<string>();
        var all = new TaskCompletionSource();
        relay.OnAsk = async (_, command, _) =>
        {
            asked.Enqueue($"{command.RequestId} after {((Command.ReceiveWire)command).After}");
            if (asked.Count == 3) all.SetResult();
            await gate.Task;
            return new ConversationReply.Done(FakeRelay.ConversationId, MessageState.Encrypted, null);
        };
        await using var server = await TestServer.StartAsync(relay);
        using var stream = await OpenAsync(server);
        for (int i = 1; i <= 3; i++) await stream.RequestStream.SayAsync(new StreamWireRequest { Inbound = new InboundWire(Wire("p", $"{i}", "x")) { AfterMessageId = i == 1 ? "" : $"{i - 1}" } });
        await stream.RequestStream.SayAsync(new StreamWireRequest { Inbound = Wire("p", "4", "x") });
        await all.Task.WaitAsync(Patience.Limit);
        Assert.Equal(["1 after ", "2 after 1", "3 after 2"], asked);
        gate.SetResult();
        for (int i = 0; i < 4; i++) await ResultAsync(stream);
        // What is not chained waits until those before it are done.
        Assert.Equal("4 after ", asked.Last());
    }

    /// <summary>
    /// The one before it may not have begun itself, because it is not chained and waits until the first is done: a conversation that had the
    /// third before the second would send it back.
    /// </summary>
    [Fact]
    public async Task A_chained_message_waits_for_one_that_has_not_begun()
    {
        var relay = new FakeRelay();
        var gate = new TaskCompletionSource();
        var asked = new ConcurrentQueue<string>();
        relay.OnAsk = async (_, command, _) =>
        {
            asked.Enqueue(command.RequestId);
            if (command.RequestId == "1") await gate.Task;
            return new ConversationReply.Done(FakeRelay.ConversationId, MessageState.Encrypted, null);
        };
        await using var server = await TestServer.StartAsync(relay);
        using var stream = await OpenAsync(server);
        await SendAsync(stream, "p", "1");
        await SendAsync(stream, "p", "2");
        await stream.RequestStream.SayAsync(new StreamWireRequest { Inbound = new InboundWire(Wire("p", "3", "x")) { AfterMessageId = "2" } });
        // Requests are read in order: with the answer to this one, all before it were read.
        await SendAsync(stream, "other", "4");
        Assert.Equal("4", (await ResultAsync(stream)).MessageId);
        Assert.Equal(["1", "4"], asked);
        gate.SetResult();
        for (int i = 0; i < 3; i++) await ResultAsync(stream);
        Assert.Equal(["1", "4", "2", "3"], asked);
    }

    [Fact]
    public async Task A_message_is_not_taken_in_before_the_one_that_it_follows()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateEndpointAsync("e");
        using var stream = await OpenAsync(server);
        async Task<(string, bool)> BringAsync(string id, string after)
        {
            await stream.RequestStream.SayAsync(new StreamWireRequest { Inbound = new InboundWire(Wire("p", id, "text " + id)) { AfterMessageId = after } });
            var result = await ResultAsync(stream);
            Assert.Equal(id, result.MessageId);
            return (result.RejectReason, result.Retry);
        }
        Assert.Equal(("OUT_OF_ORDER", true), await BringAsync("2", "1"));
        Assert.Equal(("", false), await BringAsync("1", ""));
        Assert.Equal(("OUT_OF_ORDER", true), await BringAsync("3", "2"));
        Assert.Equal(("", false), await BringAsync("2", "1"));
        Assert.Equal(("", false), await BringAsync("3", "2"));
        // What was taken in is answered as before, whatever it is said to follow.
        Assert.Equal(("", false), await BringAsync("3", "9"));
        var texts = (await (await server.ConnectAsync(Scope.Bot)).EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = Endpoint })).Events;
        Assert.Equal(["text 1", "text 2", "text 3"], texts.Select(e => e.TextReceived.Text));
    }

    [Fact]
    public async Task The_SDKs_burst_for_one_peer_is_under_way_at_once_and_arrives_in_order_whatever_becomes_of_each()
    {
        int seed = Random.Shared.Next();
        var random = new Random(seed);
        var relay = new FakeRelay();
        // What a conversation does, with troubles: it knows what it has taken in.
        var taken = new List<string>();
        var gate = new Lock();
        int inWork = 0, highest = 0;
        relay.OnAsk = async (_, command, _) =>
        {
            var wire = (Command.ReceiveWire)command;
            int trouble, late;
            lock (gate)
            {
                highest = Math.Max(highest, ++inWork);
                (trouble, late) = (random.Next(12), random.Next(3));
            }
            // Answers come in any order, and so do the messages.
            if (late == 0) await Task.Delay(2);
            else await Task.Yield();
            lock (gate)
            {
                inWork--;
                if (taken.Contains(wire.RequestId)) return Done();
                if (wire.After is { } before && !taken.Contains(before)) return new ConversationReply.Unavailable(ConversationReply.OutOfOrder, TimeSpan.FromMilliseconds(1));
                if (trouble == 0) return new ConversationReply.Overloaded("mailbox", TimeSpan.FromMilliseconds(1));
                taken.Add(wire.RequestId);
                // Done, but nobody can say so.
                return trouble == 1 ? new ConversationReply.Unavailable("moved", TimeSpan.FromMilliseconds(1)) : Done();
            }
        };
        static ConversationReply Done() => new ConversationReply.Done(FakeRelay.ConversationId, MessageState.Encrypted, null);
        await using var server = await TestServer.StartAsync(relay);
        var client = server.Connect(await server.CreateKeyAsync(Scope.Bridge), new RelayClientOptions { FirstBackoff = TimeSpan.FromMilliseconds(1), MaxBackoff = TimeSpan.FromMilliseconds(5) });
        await using var bridge = client.Bridge(Endpoint);
        const int messages = 200;
        var results = await Task.WhenAll(Enumerable.Range(1, messages).Select(i => bridge.DeliverAsync("p", $"{i}", "x"u8.ToArray()))).WaitAsync(Patience.Limit);
        Assert.All(results, r => Assert.Equal("", r.RejectReason));
        Assert.True(Enumerable.Range(1, messages).Select(i => $"{i}").SequenceEqual(taken), $"seed {seed}: {string.Join(' ', taken)}");
        // Copies of what is sent again count, too.
        Assert.InRange(highest, 2, 16);
    }

    [Fact]
    public async Task A_draining_server_answers_what_it_has_taken_in_before_it_says_so()
    {
        var relay = new FakeRelay();
        var taken = new TaskCompletionSource();
        relay.OnAsk = async (_, _, _) =>
        {
            taken.SetResult();
            await Task.Delay(Timeout.Infinite, relay.Draining).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return new ConversationReply.Done(FakeRelay.ConversationId, MessageState.Encrypted, null);
        };
        await using var server = await TestServer.StartAsync(relay);
        using var stream = await OpenAsync(server);
        await SendAsync(stream, "p", "1");
        await taken.Task.WaitAsync(Patience.Limit);
        var draining = server.Host.DrainAsync(CancellationToken.None);
        Assert.Equal("1", (await ResultAsync(stream)).MessageId);
        while ((await NextAsync(stream)).MessageCase != StreamWireResponse.MessageOneofCase.Draining) { }
        Assert.False(await stream.ResponseStream.MoveNext(Patience.Token));
        await draining;
    }

    [Fact]
    public async Task The_unary_twins_do_the_same()
    {
        var relay = new FakeRelay();
        relay.Stream("e", StreamKind.Wire).Add(new OutboxBody.WireText("one"u8.ToArray()), new OutboxBody.WireText("two"u8.ToArray()));
        await using var server = await TestServer.StartAsync(relay);
        var bridge = await server.ConnectAsync(Scope.Bridge);
        var pulled = await bridge.BridgeStreams.PullWireAsync(new PullWireRequest { Endpoint = Endpoint });
        Assert.Equal(["one", "two"], pulled.Messages.Select(m => m.Text.ToStringUtf8()));
        await bridge.BridgeStreams.AckWireAsync(new AckWireRequest { Endpoint = Endpoint, Sequence = 1 });
        Assert.Equal("two", Assert.Single((await bridge.BridgeStreams.PullWireAsync(new PullWireRequest { Endpoint = Endpoint })).Messages).Text.ToStringUtf8());
        var result = (await bridge.BridgeStreams.PushWireAsync(new PushWireRequest { Message = Wire("p", "1", "x") })).Result;
        Assert.Equal(("1", ""), (result.MessageId, result.RejectReason));
        relay.OnAsk = (_, _, _) => ValueTask.FromResult<ConversationReply>(new ConversationReply.Overloaded("mailbox", TimeSpan.FromSeconds(1)));
        await Expect.RefusedAsync(StatusCode.ResourceExhausted, "OVERLOADED", async () => await bridge.BridgeStreams.PushWireAsync(new PushWireRequest { Message = Wire("p", "2", "x") }));
    }

    [Fact]
    public async Task Plaintext_in_a_bridges_stream_is_a_fault_and_never_delivered()
    {
        var relay = new FakeRelay();
        relay.Stream("e", StreamKind.Wire).Add(new OutboxBody.TextReceived(Encoding.UTF8.GetBytes("secret"), true, false, null));
        await using var server = await TestServer.StartAsync(relay);
        using var stream = await OpenAsync(server);
        await Expect.RefusedAsync(StatusCode.Internal, "INTERNAL", () => stream.ResponseStream.MoveNext(Patience.Token));
    }

    [Fact]
    public async Task A_damaged_item_is_passed_over_and_the_rest_goes_on()
    {
        var relay = new FakeRelay();
        // What the actors make of a stored row whose seal fails.
        relay.Stream("e", StreamKind.Wire).Add(new OutboxBody.Notice("DAMAGED", default), new OutboxBody.WireText("whole"u8.ToArray()));
        await using var server = await TestServer.StartAsync(relay);
        using var stream = await OpenAsync(server);
        var next = (await NextAsync(stream)).Outbound;
        Assert.Equal((2UL, "whole"), (next.Sequence, next.Text.ToStringUtf8()));
        var bridge = await server.ConnectAsync(Scope.Bridge);
        Assert.Equal(2UL, Assert.Single((await bridge.BridgeStreams.PullWireAsync(new PullWireRequest { Endpoint = Endpoint })).Messages).Sequence);
    }

    private static async Task<AsyncDuplexStreamingCall<StreamWireRequest, StreamWireResponse>> OpenAsync(TestServer server)
    {
        var stream = (await server.ConnectAsync(Scope.Bridge)).BridgeStreams.StreamWire();
        await stream.RequestStream.SayAsync(new StreamWireRequest { Open = new OpenStream { Endpoint = Endpoint } });
        return stream;
    }

    private static Task SendAsync(AsyncDuplexStreamingCall<StreamWireRequest, StreamWireResponse> stream, string peer, string id) =>
        stream.RequestStream.SayAsync(new StreamWireRequest { Inbound = Wire(peer, id, "?OTR") });

    private static InboundWire Wire(string peer, string id, string text) => new() { Endpoint = Endpoint, Peer = peer, MessageId = id, Text = ByteString.CopyFromUtf8(text) };

    private static async Task<StreamWireResponse> NextAsync(AsyncDuplexStreamingCall<StreamWireRequest, StreamWireResponse> stream)
    {
        Assert.True(await stream.ResponseStream.MoveNext(Patience.Token));
        return stream.ResponseStream.Current;
    }

    private static async Task<InboundResult> ResultAsync(AsyncDuplexStreamingCall<StreamWireRequest, StreamWireResponse> stream)
    {
        while (true)
        {
            var r = await NextAsync(stream);
            if (r.MessageCase == StreamWireResponse.MessageOneofCase.InboundResult) return r.InboundResult;
        }
    }
}
