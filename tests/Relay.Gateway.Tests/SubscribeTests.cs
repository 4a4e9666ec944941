using Google.Protobuf;
using Grpc.Core;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.V1;
using Case = Relay.V1.SubscribeResponse.MessageOneofCase;
using Stream = Grpc.Core.AsyncDuplexStreamingCall<Relay.V1.SubscribeRequest, Relay.V1.SubscribeResponse>;

namespace Relay.Gateway.Tests;

/// <summary>The stream of a subscription: delivery by credit, and settlements that are confirmed.</summary>
public sealed class SubscribeTests : IAsyncLifetime
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);
    private const string Name = "endpoints/e/subscriptions/s";
    private TestServer _server = null!;
    private RelayClient _bot = null!, _bridge = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        await _server.CreateEndpointAsync("e");
        _bot = await _server.ConnectAsync(Scope.Bot, "endpoints/e");
        _bridge = await _server.ConnectAsync(Scope.Bridge);
        await _bot.Subscriptions.CreateSubscriptionAsync(new CreateSubscriptionRequest
        {
            Parent = "endpoints/e", SubscriptionId = "s",
            // Longer than any test: what comes again comes because a stream has given it back.
            Subscription = new Subscription { AckWait = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromMinutes(30)) },
        });
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    /// <summary>Ordinary text of a peer is one event.</summary>
    private async Task ReceiveAsync(string peer, string text)
    {
        var inbound = new InboundWire
        {
            Endpoint = "endpoints/e", Peer = peer, MessageId = Guid.NewGuid().ToString("N"), Text = ByteString.CopyFromUtf8(text),
        };
        Assert.Equal("", (await _bridge.BridgeStreams.PushWireAsync(new PushWireRequest { Message = inbound })).Result.RejectReason);
    }

    private Stream Open(params SubscribeRequest[] requests)
    {
        var stream = _bot.Subscriptions.Subscribe();
        foreach (var request in requests) stream.RequestStream.WriteAsync(request).Wait(s_limit);
        return stream;
    }

    private static SubscribeRequest Attach(int credit) => new() { Attach = new AttachReader { Name = Name, Credit = credit } };

    private static Task AckAsync(Stream stream, params string[] cursors) =>
        stream.RequestStream.WriteAsync(new SubscribeRequest { Ack = new EventAck { Cursors = { cursors } } });

    /// <summary>The next response that says something of an event.</summary>
    private static async Task<string> NextAsync(Stream stream)
    {
        while (await stream.ResponseStream.MoveNext().WaitAsync(s_limit))
        {
            var next = stream.ResponseStream.Current;
            switch (next.MessageCase)
            {
                case Case.Event:
                    return $"{next.Event.Cursor}:{next.Event.Delivery}:{next.Event.TextReceived.Text}";
                case Case.Settled:
                    return $"settled {string.Join(',', next.Settled.Cursors)} {next.Settled.RejectReason}".TrimEnd();
                case Case.Draining:
                    return "draining";
            }
        }
        return "end";
    }

    [Fact]
    public async Task No_more_is_delivered_than_there_is_credit_for()
    {
        foreach (var peer in (string[])["a", "b", "c"]) await ReceiveAsync(peer, "of " + peer);
        using var stream = Open(Attach(2));
        Assert.Equal("1:1:of a", await NextAsync(stream));
        Assert.Equal("2:1:of b", await NextAsync(stream));
        await AckAsync(stream, "2");
        Assert.Equal("settled 2", await NextAsync(stream));
        Assert.Equal("3:1:of c", await NextAsync(stream));
        // Without credit nothing comes, and with more it goes on.
        await stream.RequestStream.WriteAsync(new SubscribeRequest { Credit = 0 });
        await AckAsync(stream, "1", "3");
        Assert.Equal("settled 1,3", await NextAsync(stream));
        await ReceiveAsync("a", "more");
        var pending = await _bot.Subscriptions.GetSubscriptionAsync(new GetSubscriptionRequest { Name = Name });
        Assert.Equal((1UL, 0), (pending.Pending, pending.Unacknowledged));
        await stream.RequestStream.WriteAsync(new SubscribeRequest { Credit = 5 });
        Assert.Equal("4:1:more", await NextAsync(stream));
    }

    /// <summary>However an event was settled: given back for a while, set aside, or acknowledged.</summary>
    [Fact]
    public async Task Each_settlement_gives_its_credit_back()
    {
        foreach (var peer in (string[])["a", "b", "c", "d"]) await ReceiveAsync(peer, "of " + peer);
        using var stream = Open(Attach(1));
        Assert.Equal("1:1:of a", await NextAsync(stream));
        var later = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromHours(1));
        await stream.RequestStream.WriteAsync(new SubscribeRequest { Nack = new EventNack { Cursors = { "1" }, Delay = later } });
        Assert.Equal("settled 1", await NextAsync(stream));
        Assert.Equal("2:1:of b", await NextAsync(stream));
        await stream.RequestStream.WriteAsync(new SubscribeRequest { Nack = new EventNack { Cursors = { "2" }, Terminate = true } });
        Assert.Equal("settled 2", await NextAsync(stream));
        Assert.Equal("3:1:of c", await NextAsync(stream));
        await AckAsync(stream, "3");
        Assert.Equal("settled 3", await NextAsync(stream));
        Assert.Equal("4:1:of d", await NextAsync(stream));
        // A refusal gives none, because it took none.
        await AckAsync(stream, "3");
        Assert.Equal("settled 3 EVENT_NOT_HELD", await NextAsync(stream));
        await ReceiveAsync("e", "of e");
        var pending = await _bot.Subscriptions.GetSubscriptionAsync(new GetSubscriptionRequest { Name = Name });
        Assert.Equal((3UL, 1), (pending.Pending, pending.Unacknowledged));
    }

    [Fact]
    public async Task A_confirmed_settlement_is_durable_and_what_is_not_settled_is_the_next_readers_at_once()
    {
        foreach (var peer in (string[])["a", "b", "c"]) await ReceiveAsync(peer, "of " + peer);
        using (var stream = Open(Attach(10)))
        {
            foreach (var of in (string[])["1:1:of a", "2:1:of b", "3:1:of c"]) Assert.Equal(of, await NextAsync(stream));
            await AckAsync(stream, "1");
            await stream.RequestStream.WriteAsync(new SubscribeRequest { Nack = new EventNack { Cursors = { "2" }, Terminate = true, Note = "no" } });
            // What was sent before the end of the requests is confirmed before the end of the stream.
            await stream.RequestStream.CompleteAsync();
            Assert.Equal(["end", "settled 1", "settled 2"], new[] { await NextAsync(stream), await NextAsync(stream), await NextAsync(stream) }.Order());
        }
        var letters = await _bot.Subscriptions.ListDeadLettersAsync(new ListDeadLettersRequest { Parent = Name });
        Assert.Equal("no", Assert.Single(letters.DeadLetters).Note);
        using var next = Open(Attach(10));
        Assert.Equal("3:2:of c", await NextAsync(next));
        await next.RequestStream.WriteAsync(new SubscribeRequest { Nack = new EventNack { Cursors = { "3" } } });
        string[] both = [await NextAsync(next), await NextAsync(next)];
        Assert.Equal(["3:3:of c", "settled 3"], both.Order());
    }

    [Fact]
    public async Task A_reader_settles_only_what_it_was_given_and_once()
    {
        await ReceiveAsync("a", "one");
        await ReceiveAsync("a", "two");
        using var liar = Open(Attach(1));
        Assert.Equal("1:1:one", await NextAsync(liar));
        // The second event of the conversation was given to nobody.
        await AckAsync(liar, "2");
        Assert.Equal("settled 2 EVENT_NOT_HELD", await NextAsync(liar));
        // And the first was given to the other reader.
        using var other = Open(Attach(1));
        await AckAsync(other, "1", "77");
        Assert.Equal("settled 1,77 EVENT_NOT_HELD", await NextAsync(other));
        await other.RequestStream.WriteAsync(new SubscribeRequest { Nack = new EventNack { Cursors = { "1" }, Terminate = true } });
        Assert.Equal("settled 1 EVENT_NOT_HELD", await NextAsync(other));
        await AckAsync(liar, "1", "1");
        string[] answers = [await NextAsync(liar), await NextAsync(liar)];
        Assert.Contains("settled 1", answers);
        Assert.Contains("settled 1 EVENT_NOT_HELD", answers);
        // Which of them gets it is open.
        var status = await _bot.Subscriptions.GetSubscriptionAsync(new GetSubscriptionRequest { Name = Name });
        Assert.Equal((1UL, 0), (status.Pending, status.DeadLetters));
    }

    [Fact]
    public async Task The_stream_ends_with_the_drain_and_with_the_subscription()
    {
        using var stream = Open(Attach(1));
        Assert.True(await stream.ResponseStream.MoveNext().WaitAsync(s_limit));
        Assert.Equal(Case.CaughtUp, stream.ResponseStream.Current.MessageCase);
        await _bot.Subscriptions.CreateSubscriptionAsync(new CreateSubscriptionRequest { Parent = "endpoints/e", SubscriptionId = "t" });
        using var deleted = Open(new SubscribeRequest { Attach = new AttachReader { Name = "endpoints/e/subscriptions/t", Credit = 1 } });
        Assert.True(await deleted.ResponseStream.MoveNext().WaitAsync(s_limit));
        await _bot.Subscriptions.DeleteSubscriptionAsync(new DeleteSubscriptionRequest { Name = "endpoints/e/subscriptions/t" });
        await Expect.RefusedAsync(StatusCode.NotFound, "SUBSCRIPTION_NOT_FOUND", () => NextAsync(deleted));
        var drain = _server.Host.DrainAsync(CancellationToken.None);
        Assert.Equal("draining", await NextAsync(stream));
        Assert.Equal("end", await NextAsync(stream));
        await drain.WaitAsync(s_limit);
    }

    [Fact]
    public async Task Wrong_requests_end_the_stream_with_the_field()
    {
        async Task RefusedAsync(string field, params SubscribeRequest[] requests)
        {
            using var stream = Open(requests);
            await Expect.FieldsAsync(() => NextAsync(stream), field);
        }
        await RefusedAsync("message", new SubscribeRequest());
        await RefusedAsync("message", new SubscribeRequest { Credit = 1 });
        await RefusedAsync("message", new SubscribeRequest { Ack = new EventAck { Cursors = { "1" } } });
        await RefusedAsync("attach.name", new SubscribeRequest { Attach = new AttachReader { Name = "x", Credit = 1 } });
        foreach (int credit in (int[])[-1, 0, 1001]) await RefusedAsync("attach.credit", Attach(credit));
        await RefusedAsync("attach", Attach(1), Attach(1));
        foreach (int credit in (int[])[-1, 1001]) await RefusedAsync("credit", Attach(1), new SubscribeRequest { Credit = credit });
        await RefusedAsync("cursors", Attach(1), new SubscribeRequest { Ack = new EventAck() });
        await RefusedAsync("cursors", Attach(1), new SubscribeRequest { Nack = new EventNack { Cursors = { "x" } } });
        using var foreign = (await _server.ConnectAsync(Scope.Bot, "endpoints/other")).Subscriptions.Subscribe();
        await foreign.RequestStream.WriteAsync(Attach(1));
        await Expect.RefusedAsync(StatusCode.PermissionDenied, "ENDPOINT_NOT_ALLOWED", () => NextAsync(foreign));
    }
}
