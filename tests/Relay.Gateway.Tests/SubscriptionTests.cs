using System.Net.Http.Headers;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Relay.Cli;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>Subscriptions as bots, operators and the web see them.</summary>
public sealed class SubscriptionTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);
    private const string Audit = "endpoints/e/subscriptions/audit";

    private static async Task<(TestServer Server, RelayClient Bot, Func<string, string, Task> Receive)> StartAsync(params string[] subscriptions)
    {
        var server = await TestServer.StartAsync();
        await server.CreateEndpointAsync("e");
        var bot = await server.ConnectAsync(Scope.Bot, "endpoints/e");
        var bridge = await server.ConnectAsync(Scope.Bridge);
        foreach (var id in subscriptions)
            await bot.Subscriptions.CreateSubscriptionAsync(new CreateSubscriptionRequest { Parent = "endpoints/e", SubscriptionId = id });
        // Ordinary text of a peer is one event.
        return (server, bot, async (peer, text) => Assert.Equal("", (await bridge.BridgeStreams.PushWireAsync(new PushWireRequest
        {
            Message = new InboundWire { Endpoint = "endpoints/e", Peer = peer, MessageId = Guid.NewGuid().ToString("N"), Text = ByteString.CopyFromUtf8(text) },
        })).Result.RejectReason));
    }

    private static async Task<string> PullAsync(RelayClient bot, int seconds = 0, string name = Audit)
    {
        var page = await bot.Subscriptions.PullSubscriptionAsync(new PullSubscriptionRequest { Name = name, Wait = new Duration { Seconds = seconds } });
        return string.Join(' ', page.Events.Select(e => $"{e.Cursor}:{e.Delivery}:{e.Peer}:{e.TextReceived?.Text}"));
    }

    [Fact]
    public async Task A_subscription_is_made_read_settled_changed_and_deleted()
    {
        var (server, bot, receive) = await StartAsync();
        await using var _ = server;
        var api = bot.Subscriptions;
        var made = await api.CreateSubscriptionAsync(new CreateSubscriptionRequest
        {
            Parent = "endpoints/e", SubscriptionId = "audit", Subscription = new Subscription { Types_ = { Subscription.Types.EventType.TextReceived }, MaxDeliveries = 2 },
        });
        Assert.Equal((Audit, 30L, 2), (made.Name, made.AckWait.Seconds, made.MaxDeliveries));
        await Expect.RefusedAsync(StatusCode.AlreadyExists, "SUBSCRIPTION_EXISTS", async () => await api.CreateSubscriptionAsync(new CreateSubscriptionRequest { Parent = "endpoints/e", SubscriptionId = "audit" }));
        await receive("a", "one");
        await receive("a", "two");
        await receive("b", "three");
        var status = await api.GetSubscriptionAsync(new GetSubscriptionRequest { Name = Audit });
        Assert.Equal((3UL, 0, 0, 0), (status.Pending, status.Unacknowledged, status.DeadLetters, status.Readers));
        Assert.Equal("1:1:a:one 3:1:b:three", await PullAsync(bot));
        Assert.Equal(2, (await api.AckSubscriptionAsync(new AckSubscriptionRequest { Name = Audit, Cursors = { "1", "3", "3" } })).Acknowledged);
        Assert.Equal("2:1:a:two", await PullAsync(bot));
        status = await api.GetSubscriptionAsync(new GetSubscriptionRequest { Name = Audit });
        Assert.Equal((1UL, 1, 1), (status.Pending, status.Unacknowledged, status.Readers));
        Assert.InRange(status.OldestAge.ToTimeSpan(), TimeSpan.Zero, s_limit);
        // The endpoint's own stream is apart.
        Assert.Equal(3, (await bot.EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = "endpoints/e" })).Events.Count);

        var changed = await api.UpdateSubscriptionAsync(new UpdateSubscriptionRequest
        {
            Subscription = new Subscription { Name = Audit, AckWait = new Duration { Seconds = 60 } }, UpdateMask = new FieldMask { Paths = { "ack_wait", "max_deliveries" } },
        });
        Assert.Equal((60L, 5, 1), (changed.AckWait.Seconds, changed.MaxDeliveries, changed.Types_.Count));
        var listed = Assert.Single((await server.Admin.Subscriptions.ListSubscriptionsAsync(new ListSubscriptionsRequest { Parent = "endpoints/e" })).Subscriptions);
        Assert.Equal(changed, listed);
        // An update of the endpoint leaves its subscriptions.
        await server.Admin.Endpoints.UpdateEndpointAsync(new UpdateEndpointRequest { Endpoint = new Endpoint { Name = "endpoints/e", DisplayName = "x" }, UpdateMask = new FieldMask { Paths = { "display_name" } } });
        Assert.Single((await api.ListSubscriptionsAsync(new ListSubscriptionsRequest { Parent = "endpoints/e" })).Subscriptions);

        await api.DeleteSubscriptionAsync(new DeleteSubscriptionRequest { Name = Audit });
        foreach (var call in (Func<Task>[])[() => PullAsync(bot), async () => await api.GetSubscriptionAsync(new GetSubscriptionRequest { Name = Audit }), async () => await api.DeleteSubscriptionAsync(new DeleteSubscriptionRequest { Name = Audit })])
            await Expect.RefusedAsync(StatusCode.NotFound, "SUBSCRIPTION_NOT_FOUND", call);
    }

    [Fact]
    public async Task A_long_poll_and_a_watch_get_the_next_event_at_once()
    {
        var (server, bot, receive) = await StartAsync("audit", "other");
        await using var _ = server;
        var polling = PullAsync(bot, 30);
        using var watch = bot.Subscriptions.WatchSubscription(new WatchSubscriptionRequest { Name = "endpoints/e/subscriptions/other" });
        Assert.True(await watch.ResponseStream.MoveNext().WaitAsync(s_limit));
        Assert.Equal(WatchSubscriptionResponse.MessageOneofCase.CaughtUp, watch.ResponseStream.Current.MessageCase);
        await receive("a", "one");
        Assert.Equal("1:1:a:one", await polling.WaitAsync(s_limit));
        Assert.True(await watch.ResponseStream.MoveNext().WaitAsync(s_limit));
        Assert.Equal("one", watch.ResponseStream.Current.Event.TextReceived.Text);
        // A poll without an event ends when its time is over.
        Assert.Equal("", await PullAsync(bot, 1));
        // Whoever stops watching gives back what it has not acknowledged, at once.
        watch.Dispose();
        Assert.Equal("1:2:a:one", await PullAsync(bot, 30, "endpoints/e/subscriptions/other"));
    }

    [Fact]
    public async Task Deleting_the_endpoint_or_the_subscription_and_draining_end_a_watch()
    {
        var (server, bot, _) = await StartAsync("audit", "other");
        await using var server_ = server;
        using var other = bot.Subscriptions.WatchSubscription(new WatchSubscriptionRequest { Name = "endpoints/e/subscriptions/other" });
        Assert.True(await other.ResponseStream.MoveNext().WaitAsync(s_limit));
        await bot.Subscriptions.DeleteSubscriptionAsync(new DeleteSubscriptionRequest { Name = "endpoints/e/subscriptions/other" });
        await Expect.RefusedAsync(StatusCode.NotFound, "SUBSCRIPTION_NOT_FOUND", () => other.ResponseStream.MoveNext().WaitAsync(s_limit));
        using var watch = bot.Subscriptions.WatchSubscription(new WatchSubscriptionRequest { Name = Audit });
        Assert.True(await watch.ResponseStream.MoveNext().WaitAsync(s_limit));
        await server.Admin.Endpoints.DeleteEndpointAsync(new DeleteEndpointRequest { Name = "endpoints/e" });
        await Expect.RefusedAsync(StatusCode.NotFound, "ENDPOINT_NOT_FOUND", () => watch.ResponseStream.MoveNext().WaitAsync(s_limit));
        await server.Admin.Endpoints.UndeleteEndpointAsync(new UndeleteEndpointRequest { Name = "endpoints/e" });
        using var draining = bot.Subscriptions.WatchSubscription(new WatchSubscriptionRequest { Name = Audit });
        Assert.True(await draining.ResponseStream.MoveNext().WaitAsync(s_limit));
        var drain = server.Host.DrainAsync(CancellationToken.None);
        Assert.True(await draining.ResponseStream.MoveNext().WaitAsync(s_limit));
        Assert.Equal(WatchSubscriptionResponse.MessageOneofCase.Draining, draining.ResponseStream.Current.MessageCase);
        Assert.False(await draining.ResponseStream.MoveNext().WaitAsync(s_limit));
        await drain.WaitAsync(s_limit);
    }

    /// <summary>Field report F20 with the SDK: one event that the bot cannot handle does not stop everybody else's.</summary>
    [Fact]
    public async Task A_bot_sets_a_poisoned_event_aside_and_goes_on()
    {
        var (server, bot, receive) = await StartAsync("audit");
        await using var _ = server;
        await receive("a", "poison");
        await receive("a", "after it");
        await receive("b", "hello");
        var handled = new List<string>();
        int failures = 0;
        using var limit = new CancellationTokenSource(s_limit);
        await foreach (var e in bot.Bot().Subscription(Audit, limit.Token))
        {
            try
            {
                if (e.Text == "poison") throw new InvalidOperationException("The bot cannot handle this.");
                handled.Add(e.Text!);
                Assert.True((await e.ReplyAsync("to " + e.Text, limit.Token)).IsAccepted);
                await e.AckAsync(limit.Token);
            }
            catch (InvalidOperationException)
            {
                failures++;
                Assert.Equal(failures, e.Delivery);
                await e.NackAsync(note: "InvalidOperationException", cancellation: limit.Token);
            }
            if (handled.Count == 2) break;
        }
        Assert.Equal(["after it", "hello"], handled.Order());
        Assert.Equal(5, failures);
        var letter = Assert.Single((await bot.Subscriptions.ListDeadLettersAsync(new ListDeadLettersRequest { Parent = Audit })).DeadLetters);
        Assert.Equal(("poison", 5, "InvalidOperationException"), (letter.Event.TextReceived.Text, letter.Deliveries, letter.Note));
        Assert.Equal(1, (await server.Admin.Subscriptions.RetryDeadLettersAsync(new RetryDeadLettersRequest { Parent = Audit })).Retried);
        Assert.StartsWith($"{letter.Event.Cursor}:1:a:poison", await PullAsync(bot, 10));
        await bot.Subscriptions.NackSubscriptionAsync(new NackSubscriptionRequest { Name = Audit, Cursors = { letter.Event.Cursor }, Terminate = true });
        Assert.Equal(1, (await server.Admin.Subscriptions.DropDeadLettersAsync(new DropDeadLettersRequest { Parent = Audit, Cursors = { letter.Event.Cursor } })).Dropped);
    }

    [Fact]
    public async Task Two_bots_on_two_subscriptions_both_reply_to_the_same_event()
    {
        var (server, bot, receive) = await StartAsync("one", "two");
        await using var _ = server;
        await receive("a", "hello");
        foreach (var name in (string[])["one", "two"])
        {
            using var limit = new CancellationTokenSource(s_limit);
            await foreach (var e in bot.Bot().Subscription($"endpoints/e/subscriptions/{name}", limit.Token))
            {
                Assert.True((await e.ReplyAsync("from " + name, limit.Token)).IsAccepted);
                await e.AckAsync(limit.Token);
                break;
            }
        }
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            using var limit = new CancellationTokenSource(s_limit);
            await foreach (var e in bot.Bot("endpoints/e").Events(limit.Token)) await e.NackAsync(cancellation: limit.Token);
        });
    }

    [Fact]
    public async Task Over_HTTP_it_is_lines_of_JSON_or_server_sent_events()
    {
        await using var server = await TestServer.StartAsync(settings: new() { ["--http-listen"] = "127.0.0.1:0" });
        await server.CreateEndpointAsync("e");
        var bridge = await server.ConnectAsync(Scope.Bridge);
        using var http = new HttpClient { BaseAddress = server.Host.HttpAddress };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await server.CreateKeyAsync(Scope.Bot));
        async Task<string> PostAsync(string path, string json)
        {
            using var response = await http.PostAsync(path, new StringContent(json, MediaTypeHeaderValue.Parse("application/json")));
            Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
            return await response.Content.ReadAsStringAsync();
        }
        await PostAsync("/v1/endpoints/e/subscriptions", """{"subscriptionId":"audit","subscription":{"types":["TEXT_RECEIVED"],"ackWait":"10s"}}""");
        await bridge.BridgeStreams.PushWireAsync(new PushWireRequest { Message = new InboundWire { Endpoint = "endpoints/e", Peer = "a", MessageId = "1", Text = ByteString.CopyFromUtf8("hello") } });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/{Audit}/events:watch");
        request.Headers.Accept.ParseAdd("text/event-stream");
        // A browser that reconnects sends this; the subscription knows by itself where it was.
        request.Headers.Add("Last-Event-ID", "7");
        using var watching = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", watching.Content.Headers.ContentType!.MediaType);
        using var lines = new StreamReader(await watching.Content.ReadAsStreamAsync());
        Assert.Equal("id: 1", await lines.ReadLineAsync().WaitAsync(s_limit));
        Assert.Contains("\"cursor\": \"1\"", (await lines.ReadLineAsync().WaitAsync(s_limit))!.Replace("\":\"", "\": \"", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("1", await PostAsync($"/v1/{Audit}/events:ack", """{"cursors":["1"]}"""), StringComparison.Ordinal);
        Assert.DoesNotContain("hello", await http.GetStringAsync($"/v1/{Audit}/events?wait=0s"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_requests_are_refused_and_change_nothing()
    {
        var (server, bot, receive) = await StartAsync("audit");
        await using var _ = server;
        await receive("a", "one");
        var api = bot.Subscriptions;
        await Expect.FieldsAsync(async () => await api.CreateSubscriptionAsync(new CreateSubscriptionRequest
        {
            SubscriptionId = "Not", Subscription = new Subscription { AckWait = new Duration { Nanos = 1 }, MaxDeliveries = 1001, Types_ = { (Subscription.Types.EventType)99 } },
        }), "parent", "subscription_id", "subscription.types", "subscription.ack_wait", "subscription.max_deliveries");
        await Expect.FieldsAsync(async () => await api.PullSubscriptionAsync(new PullSubscriptionRequest { Name = "x", MaxEvents = -1, Wait = new Duration { Seconds = 61 } }), "name", "max_events", "wait");
        await Expect.FieldsAsync(async () => await api.AckSubscriptionAsync(new AckSubscriptionRequest { Name = Audit }), "cursors");
        foreach (var cursor in (string[])["", "0", "-1", "1.5", "x", "18446744073709551616"])
            await Expect.FieldsAsync(async () => await api.AckSubscriptionAsync(new AckSubscriptionRequest { Name = Audit, Cursors = { cursor } }), "cursors");
        await Expect.RefusedAsync(StatusCode.OutOfRange, "CURSOR_BEYOND_END", async () => await api.AckSubscriptionAsync(new AckSubscriptionRequest { Name = Audit, Cursors = { "1", "2" } }));
        await Expect.FieldsAsync(async () => await api.NackSubscriptionAsync(new NackSubscriptionRequest { Name = Audit, Delay = new Duration { Seconds = -1 }, Note = new string('x', 501) }), "cursors", "delay", "note");
        await Expect.FieldsAsync(async () => await api.UpdateSubscriptionAsync(new UpdateSubscriptionRequest { Subscription = new Subscription { Name = Audit }, UpdateMask = new FieldMask { Paths = { "name" } } }), "update_mask");
        await Expect.FieldsAsync(async () => await api.UpdateSubscriptionAsync(new UpdateSubscriptionRequest()), "subscription.name", "update_mask");
        await Expect.FieldsAsync(async () => await api.SeekSubscriptionAsync(new SeekSubscriptionRequest { Name = Audit, Time = new Timestamp { Seconds = long.MaxValue } }), "time");
        await Expect.FieldsAsync(async () => await api.ListDeadLettersAsync(new ListDeadLettersRequest { Parent = Audit, PageToken = "eA==" }), "page_token");
        var foreign = await server.ConnectAsync(Scope.Bot, "endpoints/other");
        await Expect.RefusedAsync(StatusCode.PermissionDenied, "ENDPOINT_NOT_ALLOWED", () => PullAsync(foreign));
        await Expect.RefusedAsync(StatusCode.PermissionDenied, "SCOPE_MISSING", () => PullAsync(server.Admin));
        await Expect.RefusedAsync(StatusCode.NotFound, "ENDPOINT_NOT_FOUND", async () => await server.Admin.Subscriptions.CreateSubscriptionAsync(new CreateSubscriptionRequest { Parent = "endpoints/none", SubscriptionId = "s" }));
        Assert.Equal("1:1:a:one", await PullAsync(bot));
    }

    [Fact]
    public async Task The_own_stream_can_be_turned_off()
    {
        var (server, bot, receive) = await StartAsync("audit");
        await using var _ = server;
        await server.Admin.Endpoints.UpdateEndpointAsync(new UpdateEndpointRequest
        {
            Endpoint = new Endpoint { Name = "endpoints/e", DisableEventStream = true }, UpdateMask = new FieldMask { Paths = { "disable_event_stream" } },
        });
        await receive("a", "one");
        await Expect.RefusedAsync(StatusCode.FailedPrecondition, "EVENT_STREAM_DISABLED", async () => await bot.EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = "endpoints/e" }));
        Assert.Equal("1:1:a:one", await PullAsync(bot));
        Assert.Equal(0UL, (await bot.Endpoints.GetEndpointStatusAsync(new GetEndpointStatusRequest { Name = "endpoints/e/status" })).Events.Backlog);
    }

    [Fact]
    public async Task The_commands_do_what_they_say()
    {
        var (server, bot, receive) = await StartAsync();
        await using var _ = server;
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("bot.key"), await server.CreateKeyAsync(Scope.Bot));
        var environment = new Dictionary<string, string> { ["RELAY_SERVER"] = server.Address.ToString(), ["RELAY_KEY_FILE"] = directory.File("bot.key") };
        async Task<string> RelayAsync(params string[] arguments)
        {
            var ran = await Terminal.RunAsync(environment, null, arguments);
            Assert.True(ran.Code == ExitCode.Ok, ran.Error);
            return ran.Out;
        }
        Assert.Contains("2, then a dead letter", await RelayAsync("subscriptions", "create", "e/audit", "--events", "text,notice", "--max-deliveries", "2", "--ack-wait", "1m"), StringComparison.Ordinal);
        await receive("alice", "a text with\nan end \u001b[31m");
        await PullAsync(bot);
        await bot.Subscriptions.NackSubscriptionAsync(new NackSubscriptionRequest { Name = Audit, Cursors = { "1" }, Terminate = true, Note = "no handler" });
        var list = await RelayAsync("subscriptions", "list", "e");
        Assert.Matches(@"audit +text, notice +0 +0 +1", list);
        var letters = await RelayAsync("dead-letters", "list", "e/audit");
        Assert.Contains("no handler", letters, StringComparison.Ordinal);
        Assert.DoesNotContain("a text with", letters, StringComparison.Ordinal);
        var texts = await RelayAsync("dead-letters", "list", Audit, "--texts");
        Assert.Contains("a text with", texts, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', texts);
        Assert.Equal("1 will be delivered again.", (await RelayAsync("dead-letters", "retry", "e/audit", "1")).Trim());
        Assert.Contains("1, of which readers have 0", await RelayAsync("subscriptions", "show", "e/audit"), StringComparison.Ordinal);
        Assert.Contains("1 are deleted", await RelayAsync("dead-letters", "drop", "e/audit"), StringComparison.Ordinal);
        await receive("alice", "another");
        Assert.Contains("0, of which readers have 0", await RelayAsync("subscriptions", "seek", "e/audit"), StringComparison.Ordinal);
        Assert.Contains("is deleted", await RelayAsync("subscriptions", "delete", "e/audit"), StringComparison.Ordinal);
        Assert.Matches("whsec_[A-Za-z0-9+/]{43}=", await RelayAsync("subscriptions", "create", "e/hook", "--webhook", "https://example.org/hook"));
        var hook = await RelayAsync("subscriptions", "show", "e/hook");
        Assert.Matches("webhook +https://example.org/hook\nlast taken +not yet", hook);
        Assert.DoesNotContain("whsec_", hook, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, (await Terminal.RunAsync(environment, null, "subscriptions", "show", "audit")).Code);
        Assert.Equal(ExitCode.NotFound, (await Terminal.RunAsync(environment, null, "subscriptions", "show", "e/audit")).Code);
        Assert.Equal(ExitCode.Usage, (await Terminal.RunAsync(environment, null, "subscriptions", "create", "e/x", "--events", "everything")).Code);
    }
}
