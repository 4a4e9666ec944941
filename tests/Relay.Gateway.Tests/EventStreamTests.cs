using System.Text;
using Grpc.Core;
using Relay.Actors;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.Storage;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>The bot's stream: cursors, catch-up, acknowledgement, bounds, draining; and its unary twins.</summary>
public sealed class EventStreamTests
{
    private const string Endpoint = "endpoints/e";

    [Fact]
    public async Task It_catches_up_says_so_and_goes_on()
    {
        var relay = new FakeRelay();
        relay.Stream("e", StreamKind.Events).Add(Text("1"), Text("2"));
        await using var server = await TestServer.StartAsync(relay);
        using var stream = await OpenAsync(server, null);
        Assert.Equal(1UL, (await NextAsync(stream)).Event.Sequence);
        var second = (await NextAsync(stream)).Event;
        Assert.Equal((2UL, "2", true), (second.Sequence, second.TextReceived.Text, second.TextReceived.Encrypted));
        var caughtUp = (await NextAsync(stream)).CaughtUp;
        Assert.Equal((Endpoint, 2UL), (caughtUp.Endpoint, caughtUp.Sequence));
        relay.Stream("e", StreamKind.Events).Add(Text("3"));
        Assert.Equal(3UL, (await NextAsync(stream)).Event.Sequence);
    }

    [Fact]
    public async Task It_begins_after_the_cursor_or_after_what_is_acknowledged()
    {
        var relay = new FakeRelay();
        var items = relay.Stream("e", StreamKind.Events);
        items.Add([.. Enumerable.Range(1, 5).Select(i => Text($"{i}"))]);
        await using var server = await TestServer.StartAsync(relay);
        using (var stream = await OpenAsync(server, 3)) Assert.Equal(4UL, (await NextAsync(stream)).Event.Sequence);
        items.Acknowledge(2);
        using (var stream = await OpenAsync(server, null)) Assert.Equal(3UL, (await NextAsync(stream)).Event.Sequence);
        // What is acknowledged is gone, whatever the cursor says.
        using (var stream = await OpenAsync(server, 0)) Assert.Equal(3UL, (await NextAsync(stream)).Event.Sequence);
        using (var stream = await OpenAsync(server, 6))
        {
            var e = await Expect.RefusedAsync(StatusCode.OutOfRange, "CURSOR_BEYOND_END", () => stream.ResponseStream.MoveNext(CancellationToken.None));
            Assert.Equal("open.after_sequence", Assert.Single(e.Violations).Field);
        }
    }

    [Fact]
    public async Task Acknowledgements_are_cumulative_and_durable_when_the_stream_ends()
    {
        var relay = new FakeRelay();
        var items = relay.Stream("e", StreamKind.Events);
        items.Add([.. Enumerable.Range(1, 5).Select(i => Text($"{i}"))]);
        await using var server = await TestServer.StartAsync(relay);
        using var stream = await OpenAsync(server, null);
        for (int i = 0; i < 5; i++) await NextAsync(stream);
        await AckAsync(stream, 4);
        await AckAsync(stream, 2);
        await stream.RequestStream.CompleteAsync();
        await stream.ResponseStream.EndsAsync();
        Assert.Equal(4UL, items.Acknowledged);
    }

    [Fact]
    public async Task What_was_not_delivered_cannot_be_acknowledged()
    {
        var relay = new FakeRelay();
        var items = relay.Stream("e", StreamKind.Events);
        items.Add(Text("1"));
        await using var server = await TestServer.StartAsync(relay);
        using var stream = await OpenAsync(server, null);
        await NextAsync(stream);
        await AckAsync(stream, 2);
        await Expect.RefusedAsync(StatusCode.OutOfRange, "CURSOR_BEYOND_END", () => stream.ResponseStream.EndsAsync());
        Assert.Equal(0UL, items.Acknowledged);
    }

    [Fact]
    public async Task Several_endpoints_share_a_stream_and_each_opens_once()
    {
        var relay = new FakeRelay();
        relay.Stream("e", StreamKind.Events).Add(Text("of e"));
        relay.Stream("f", StreamKind.Events).Add(Text("of f"));
        await using var server = await TestServer.StartAsync(relay);
        using var stream = await OpenAsync(server, null);
        await stream.RequestStream.SayAsync(new StreamEventsRequest { Open = new OpenStream { Endpoint = "endpoints/f" } });
        var seen = new List<string>();
        while (seen.Count < 2)
        {
            if ((await NextAsync(stream)) is { MessageCase: StreamEventsResponse.MessageOneofCase.Event } r) seen.Add($"{r.Event.Endpoint} {r.Event.TextReceived.Text}");
        }
        Assert.Equal(["endpoints/e of e", "endpoints/f of f"], seen.Order());
        await stream.RequestStream.SayAsync(new StreamEventsRequest { Open = new OpenStream { Endpoint = "endpoints/f" } });
        await Expect.FieldsAsync(() => stream.ResponseStream.EndsAsync(), "open.endpoint");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nonsense_on_the_stream_ends_it_with_the_field(bool strangeAck)
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        using var stream = await OpenAsync(server, null);
        await stream.RequestStream.SayAsync(strangeAck ? new StreamEventsRequest { Ack = new Ack { Endpoint = "endpoints/other", Sequence = 1 } } : new StreamEventsRequest());
        await Expect.FieldsAsync(() => stream.ResponseStream.EndsAsync(), strangeAck ? "ack.endpoint" : "message");
    }

    [Fact]
    public async Task A_client_that_does_not_acknowledge_gets_a_window_and_no_more()
    {
        const int window = 1000;
        var relay = new FakeRelay();
        var items = relay.Stream("e", StreamKind.Events);
        items.Add([.. Enumerable.Range(1, window + 200).Select(i => Text($"{i}"))]);
        await using var server = await TestServer.StartAsync(relay, new() { ["Relay:Streams:KeepAlive"] = "0.3" });
        using var stream = await OpenAsync(server, null);
        ulong last = 0;
        // The keep-alive comes only when the server has nothing more that it may send.
        while ((await NextAsync(stream)) is { MessageCase: not StreamEventsResponse.MessageOneofCase.KeepAlive } r) last = r.Event.Sequence;
        Assert.Equal((ulong)window, last);
        Assert.Equal((ulong)window, items.HighestRead);
        await AckAsync(stream, 100);
        while (last < window + 100)
        {
            if ((await NextAsync(stream)) is { MessageCase: StreamEventsResponse.MessageOneofCase.Event } r) last = r.Event.Sequence;
        }
        Assert.Equal((ulong)window + 100, items.HighestRead);
    }

    [Fact]
    public async Task A_client_that_does_not_read_costs_no_more_than_the_buffers_of_one_stream()
    {
        var relay = new FakeRelay();
        var items = relay.Stream("e", StreamKind.Events);
        var large = new string('x', 60_000);
        items.Add([.. Enumerable.Range(1, 900).Select(_ => Text(large))]);
        await using var server = await TestServer.StartAsync(relay);
        using var stream = await OpenAsync(server, null);
        await NextAsync(stream);
        // Nothing is read from here on; another stream gets all of it meanwhile, so time enough has passed.
        using (var other = await OpenAsync(server, null))
        {
            for (int i = 0; i < 900; i++) await NextAsync(other);
        }
        items.Acknowledge(0);
        using var slow = await OpenAsync(server, 890);
        Assert.Equal(891UL, (await NextAsync(slow)).Event.Sequence);
        // The first stream still goes on where it was, one by one.
        Assert.Equal(2UL, (await NextAsync(stream)).Event.Sequence);
    }

    [Fact]
    public async Task Silence_is_broken_by_keep_alives()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay(), new() { ["Relay:Streams:KeepAlive"] = "0.05" });
        using var stream = await OpenAsync(server, null);
        Assert.Equal(StreamEventsResponse.MessageOneofCase.CaughtUp, (await NextAsync(stream)).MessageCase);
        Assert.Equal(StreamEventsResponse.MessageOneofCase.KeepAlive, (await NextAsync(stream)).MessageCase);
        Assert.Equal(StreamEventsResponse.MessageOneofCase.KeepAlive, (await NextAsync(stream)).MessageCase);
    }

    [Fact]
    public async Task A_draining_server_says_so_and_ends_the_stream_in_good_order()
    {
        var relay = new FakeRelay();
        var items = relay.Stream("e", StreamKind.Events);
        items.Add(Text("1"));
        await using var server = await TestServer.StartAsync(relay);
        using var stream = await OpenAsync(server, null);
        await NextAsync(stream);
        await NextAsync(stream);
        var draining = server.Host.DrainAsync(CancellationToken.None);
        Assert.Equal(StreamEventsResponse.MessageOneofCase.Draining, (await NextAsync(stream)).MessageCase);
        Assert.False(await stream.ResponseStream.MoveNext(Patience.Token));
        Assert.Equal(StatusCode.OK, stream.GetStatus().StatusCode);
        await draining;
    }

    [Fact]
    public async Task The_unary_twins_see_the_same_stream()
    {
        var relay = new FakeRelay();
        relay.Stream("e", StreamKind.Events).Add([.. Enumerable.Range(1, 5).Select(i => Text($"{i}"))]);
        await using var server = await TestServer.StartAsync(relay);
        var bot = await server.ConnectAsync(Scope.Bot);
        var first = await bot.EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = Endpoint, MaxEvents = 2 });
        Assert.Equal((2, 2UL, 5UL), (first.Events.Count, first.Events[^1].Sequence, first.LastSequence));
        Assert.Equal(5UL, (await bot.EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = Endpoint, AfterSequence = 2 })).Events[^1].Sequence);
        await bot.EventStreams.AckEventsAsync(new AckEventsRequest { Endpoint = Endpoint, Sequence = 3 });
        Assert.Equal(4UL, (await bot.EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = Endpoint })).Events[0].Sequence);
        await Expect.RefusedAsync(StatusCode.OutOfRange, "CURSOR_BEYOND_END", async () => await bot.EventStreams.AckEventsAsync(new AckEventsRequest { Endpoint = Endpoint, Sequence = 6 }));
        await Expect.RefusedAsync(StatusCode.OutOfRange, "CURSOR_BEYOND_END", async () => await bot.EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = Endpoint, AfterSequence = 6 }));
    }

    [Fact]
    public async Task A_pull_fits_into_one_answer_however_large_the_events()
    {
        var relay = new FakeRelay();
        relay.Stream("e", StreamKind.Events).Add([.. Enumerable.Range(1, 100).Select(_ => Text(new string('x', 60_000)))]);
        await using var server = await TestServer.StartAsync(relay);
        var bot = await server.ConnectAsync(Scope.Bot);
        var pulled = await bot.EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = Endpoint });
        Assert.InRange(pulled.Events.Count, 1, 99);
        Assert.Equal(100UL, pulled.LastSequence);
    }

    [Fact]
    public async Task Wire_text_in_a_bots_stream_is_a_fault_and_never_delivered()
    {
        var relay = new FakeRelay();
        relay.Stream("e", StreamKind.Events).Add(new OutboxBody.WireText(Encoding.UTF8.GetBytes("?OTR:secret.")));
        await using var server = await TestServer.StartAsync(relay);
        using var stream = await OpenAsync(server, null);
        await Expect.RefusedAsync(StatusCode.Internal, "INTERNAL", () => stream.ResponseStream.MoveNext(Patience.Token));
    }

    private static OutboxBody Text(string text) => new OutboxBody.TextReceived(Encoding.UTF8.GetBytes(text), true, false, null);

    private static async Task<AsyncDuplexStreamingCall<StreamEventsRequest, StreamEventsResponse>> OpenAsync(TestServer server, ulong? after)
    {
        var bot = await server.ConnectAsync(Scope.Bot);
        var stream = bot.EventStreams.StreamEvents();
        var open = new OpenStream { Endpoint = Endpoint };
        if (after is not null) open.AfterSequence = after.Value;
        await stream.RequestStream.SayAsync(new StreamEventsRequest { Open = open });
        return stream;
    }

    private static Task AckAsync(AsyncDuplexStreamingCall<StreamEventsRequest, StreamEventsResponse> stream, ulong sequence) =>
        stream.RequestStream.SayAsync(new StreamEventsRequest { Ack = new Ack { Endpoint = Endpoint, Sequence = sequence } });

    private static async Task<StreamEventsResponse> NextAsync(AsyncDuplexStreamingCall<StreamEventsRequest, StreamEventsResponse> stream)
    {
        Assert.True(await stream.ResponseStream.MoveNext(Patience.Token));
        return stream.ResponseStream.Current;
    }
}
