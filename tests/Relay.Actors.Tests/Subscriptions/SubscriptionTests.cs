using System.Text;
using Otr.Core;
using Relay.Actors.Subscriptions;
using Relay.Actors.Tests.Harness;
using Relay.Storage;

namespace Relay.Actors.Tests.Subscriptions;

/// <summary>Subscriptions over a real store: what they get, what survives a restart, and what they do when the store fails.</summary>
public class SubscriptionTests
{
    private static readonly SubscriptionSettings s_audit = new("audit", EventTypes.All, TimeSpan.FromSeconds(30), 3);

    private static readonly SubscriptionRequest.Describe s_describe = new();

    private static async Task<TestRelay> StartAsync(params SubscriptionSettings[] subscriptions)
    {
        var relay = await TestRelay.StartAsync(new TestRelay { Policy = OtrPolicy.AllowV3 });
        foreach (var settings in subscriptions)
            Assert.Equal(SubscriptionChange.Done, await relay.Relay.Subscriptions.SaveAsync(TestRelay.Endpoint, settings, true, default));
        return relay;
    }

    /// <summary>Ordinary text of a peer is one event.</summary>
    private static async Task ReceiveAsync(TestRelay relay, string peer, string text)
        => Assert.IsType<ConversationReply.Done>(await relay.AskAsync(
            new Command.ReceiveWire(Guid.NewGuid().ToString("N"), Encoding.UTF8.GetBytes(text)), new ConversationAddress.ByPeer(TestRelay.Endpoint, peer)));

    private static async Task<T> AskAsync<T>(TestRelay relay, SubscriptionRequest request, SubscriptionSettings? settings = null) where T : SubscriptionReply
        => Assert.IsType<T>(await relay.Relay.Subscriptions.AskAsync(TestRelay.Endpoint, settings ?? s_audit, request, default).AsTask().WaitAsync(TimeSpan.FromMinutes(1)));

    private static async Task<string> PullAsync(TestRelay relay, string reader = "r", double seconds = 0, SubscriptionSettings? settings = null)
    {
        var delivered = await AskAsync<SubscriptionReply.Delivered>(relay, new SubscriptionRequest.Pull(reader, 100, TimeSpan.FromSeconds(seconds)), settings);
        return string.Join(' ', delivered.Events.Select(e => $"{e.Item.Sequence}:{e.Delivery}:{e.Item.Peer}:{Text(e.Item)}"));
    }

    private static string Text(OutboxItem item) => item.Body is OutboxBody.TextReceived text ? Encoding.UTF8.GetString(text.Utf8.Span) : item.Body.GetType().Name;

    [Fact]
    public async Task Each_subscription_has_what_it_wants_and_its_own_memory()
    {
        var texts = new SubscriptionSettings("texts", EventTypes.TextReceived, TimeSpan.FromSeconds(30), 0);
        await using var relay = await StartAsync(s_audit, texts);
        using var world = new World();
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        await ReceiveAsync(relay, "b", "hello");
        Assert.Contains("SessionChanged", await PullAsync(relay), StringComparison.Ordinal);
        Assert.Equal("1:1:b:hello", await PullAsync(relay, settings: texts));
        // The endpoint's own stream is not touched by what they acknowledge.
        var (_, last) = await relay.Relay.Outbox.PositionAsync(TestRelay.Events, default);
        await AskAsync<SubscriptionReply.Done>(relay, new SubscriptionRequest.Acknowledge([1]), texts);
        Assert.Equal(last, (await relay.Relay.Outbox.PositionAsync(TestRelay.Events, default)).Last);
        Assert.Equal((1UL, 1UL), await relay.Relay.Outbox.PositionAsync(StreamKey.OfSubscription(TestRelay.Endpoint, "texts"), default));
        var described = await AskAsync<SubscriptionReply.Described>(relay, s_describe);
        Assert.Equal((2UL, 2), (described.Pending, described.Unacknowledged));
        Assert.Equal(new SubscriptionReply.Described(0, 0, 0, null, 0), await AskAsync<SubscriptionReply.Described>(relay, s_describe, texts));
    }

    [Fact]
    public async Task A_pull_waits_for_the_next_event_and_no_longer_than_it_says()
    {
        await using var relay = await StartAsync(s_audit);
        Assert.Equal("", await PullAsync(relay));
        Assert.Equal("", await PullAsync(relay, seconds: 0.1));
        var waiting = PullAsync(relay, seconds: 30);
        await Task.Delay(50);
        Assert.False(waiting.IsCompleted);
        await ReceiveAsync(relay, "a", "one");
        Assert.Equal("1:1:a:one", await waiting);
        // What came while nobody waited is there at once.
        await ReceiveAsync(relay, "b", "two");
        Assert.Equal("2:1:b:two", await PullAsync(relay));
        // A conversation's next event comes when the one before is settled.
        await ReceiveAsync(relay, "a", "three");
        waiting = PullAsync(relay, seconds: 30);
        await AskAsync<SubscriptionReply.Done>(relay, new SubscriptionRequest.Acknowledge([1]));
        Assert.Equal("3:1:a:three", await waiting);
    }

    [Fact]
    public async Task What_was_settled_set_aside_and_delivered_survives_a_restart()
    {
        await using var relay = await StartAsync(s_audit);
        foreach (var peer in (string[])["a", "b", "c", "d"]) await ReceiveAsync(relay, peer, "text of " + peer);
        await PullAsync(relay);
        Assert.Equal(2, (await AskAsync<SubscriptionReply.Done>(relay, new SubscriptionRequest.Acknowledge([1, 3]))).Count);
        await AskAsync<SubscriptionReply.Done>(relay, new SubscriptionRequest.Reject([4], TimeSpan.Zero, true, "a note"));
        await relay.ReopenAsync();
        // The second has been delivered and not acknowledged.
        Assert.Equal("2:2:b:text of b", await PullAsync(relay));
        var letters = await AskAsync<SubscriptionReply.ListedDeadLetters>(relay, new SubscriptionRequest.ListDeadLetters(0, 10));
        var letter = Assert.Single(letters.DeadLetters);
        Assert.Equal((4UL, "text of d", 1, "a note", false), (letter.Item.Sequence, Text(letter.Item), letter.Deliveries, letter.Note, letters.HasMore));
        // A cursor that was delivered before the restart is as good as a new one.
        await relay.ReopenAsync();
        Assert.Equal(0, (await AskAsync<SubscriptionReply.Done>(relay, new SubscriptionRequest.Acknowledge([2]))).Count);
        Assert.Equal("", await PullAsync(relay));
        await AskAsync<SubscriptionReply.UnknownCursor>(relay, new SubscriptionRequest.Acknowledge([2, 99]));
        await AskAsync<SubscriptionReply.UnknownCursor>(relay, new SubscriptionRequest.Reject([99], TimeSpan.Zero, false, ""));
        // Dead letters are delivered again with the text, although its row is long gone.
        Assert.Equal(1, (await AskAsync<SubscriptionReply.Done>(relay, new SubscriptionRequest.RetryDeadLetters([]))).Count);
        await relay.ReopenAsync();
        Assert.Equal("4:1:d:text of d", await PullAsync(relay));
        await AskAsync<SubscriptionReply.Done>(relay, new SubscriptionRequest.Acknowledge([4]));
        Assert.Empty((await AskAsync<SubscriptionReply.ListedDeadLetters>(relay, new SubscriptionRequest.ListDeadLetters(0, 10))).DeadLetters);
        await relay.ReopenAsync();
        Assert.Equal("", await PullAsync(relay));
    }

    /// <summary>Field report F20: one event that its reader dies of must not stop everybody else's.</summary>
    [Fact]
    public async Task A_poisoned_event_is_set_aside_and_the_rest_goes_on()
    {
        await using var relay = await StartAsync(s_audit);
        await ReceiveAsync(relay, "a", "poison");
        await ReceiveAsync(relay, "a", "next of a");
        await ReceiveAsync(relay, "b", "of b");
        for (int life = 1; life <= 3; life++)
        {
            Assert.StartsWith($"1:{life}:a:poison", await PullAsync(relay, $"life {life}"));
            if (life == 1) await AskAsync<SubscriptionReply.Done>(relay, new SubscriptionRequest.Acknowledge([3]));
            // The reader dies of it.
            await AskAsync<SubscriptionReply.Done>(relay, new SubscriptionRequest.Release($"life {life}"));
        }
        Assert.Equal("2:1:a:next of a", await PullAsync(relay, "another"));
        var described = await AskAsync<SubscriptionReply.Described>(relay, s_describe);
        Assert.Equal((1UL, 1, 1), (described.Pending, described.DeadLetters, described.Readers));
    }

    [Fact]
    public async Task Seeking_passes_over_what_is_older()
    {
        await using var relay = await StartAsync(s_audit);
        await ReceiveAsync(relay, "a", "old");
        await Task.Delay(20);
        var time = DateTimeOffset.UtcNow;
        await Task.Delay(20);
        await ReceiveAsync(relay, "b", "new");
        await AskAsync<SubscriptionReply.Done>(relay, new SubscriptionRequest.Seek(time));
        Assert.Equal("2:1:b:new", await PullAsync(relay));
        await AskAsync<SubscriptionReply.Done>(relay, new SubscriptionRequest.Seek(null));
        Assert.Equal("", await PullAsync(relay));
        await ReceiveAsync(relay, "b", "newest");
        Assert.Equal("3:1:b:newest", await PullAsync(relay));
    }

    public static TheoryData<int, bool> Crashes => new(from write in Enumerable.Range(1, 3) from after in (bool[])[false, true] select (write, after));

    /// <summary>
    /// The three writes of a settlement: the dead letters, the progress, the acknowledged position. Wherever the process dies, what the
    /// caller was told is so, and what it was not told is so or comes again.
    /// </summary>
    [Theory, MemberData(nameof(Crashes))]
    public async Task A_crash_between_any_two_writes_loses_nothing(int write, bool afterIt)
    {
        await using var relay = await StartAsync(s_audit);
        await ReceiveAsync(relay, "a", "one");
        await ReceiveAsync(relay, "b", "two");
        await PullAsync(relay);
        relay.Store.CrashAt = (relay.Store.Writes + write, afterIt);
        // One settlement for both: they are taken while the first is not yet answered.
        var rejecting = relay.Relay.Subscriptions.AskAsync(TestRelay.Endpoint, s_audit, new SubscriptionRequest.Reject([1], TimeSpan.Zero, true, ""), default).AsTask();
        Assert.Equal("store", Assert.IsType<SubscriptionReply.Unavailable>(await rejecting).Reason);
        await relay.ReopenAsync();
        bool isSetAside = (await AskAsync<SubscriptionReply.ListedDeadLetters>(relay, new SubscriptionRequest.ListDeadLetters(0, 10))).DeadLetters.Count == 1;
        // The dead letters are the first to be written: from then on the event is one, and only one.
        Assert.Equal(write > 1 || afterIt, isSetAside);
        var again = await PullAsync(relay);
        Assert.Equal(!isSetAside, again.Contains("a:one", StringComparison.Ordinal));
        Assert.Contains("b:two", again, StringComparison.Ordinal);
        await AskAsync<SubscriptionReply.Done>(relay, new SubscriptionRequest.Acknowledge([1, 2]));
        Assert.Equal("", await PullAsync(relay));
    }

    [Fact]
    public async Task A_store_that_does_not_answer_reads_is_told_and_the_next_request_looks_again()
    {
        await using var relay = await StartAsync(s_audit);
        await ReceiveAsync(relay, "a", "one");
        relay.Store.ReadGate = Task.FromException(new StoreException("Made to fail."));
        Assert.Equal("store", (await AskAsync<SubscriptionReply.Unavailable>(relay, s_describe)).Reason);
        relay.Store.ReadGate = Task.CompletedTask;
        Assert.Equal("1:1:a:one", await PullAsync(relay));
    }

    /// <summary>Another owner has written: the one in memory finds that out before it tells anybody that something is settled.</summary>
    [Fact]
    public async Task Of_two_owners_the_one_that_has_lost_the_subscription_answers_nothing_and_looks_again()
    {
        await using var relay = await StartAsync(s_audit);
        await ReceiveAsync(relay, "a", "one");
        await ReceiveAsync(relay, "b", "two");
        await PullAsync(relay);
        await AskAsync<SubscriptionReply.Done>(relay, new SubscriptionRequest.Acknowledge([2]));
        var stored = (await relay.Store.LoadSubscriptionAsync(TestRelay.Endpoint, "audit", SubscriptionPart.Progress, default))!;
        // The same content under the next revision does not open, as another owner's would; so this is damage, too.
        Assert.True(await relay.Store.SaveSubscriptionAsync(TestRelay.Endpoint, "audit", SubscriptionPart.Progress, stored.Revision, stored.Sealed, default));
        Assert.Equal("moved", (await AskAsync<SubscriptionReply.Unavailable>(relay, new SubscriptionRequest.Acknowledge([1]))).Reason);
        Assert.Equal("damaged", (await AskAsync<SubscriptionReply.Unavailable>(relay, s_describe)).Reason);
        // Deleting it and creating it again is the way out.
        Assert.Equal(SubscriptionChange.Done, await relay.Relay.Subscriptions.DeleteAsync(TestRelay.Endpoint, "audit", default));
        Assert.Equal(SubscriptionChange.Done, await relay.Relay.Subscriptions.SaveAsync(TestRelay.Endpoint, s_audit, true, default));
        await ReceiveAsync(relay, "c", "three");
        Assert.Equal("1:1:c:three", await PullAsync(relay));
    }

    [Fact]
    public async Task Subscriptions_are_made_changed_and_deleted_within_bounds()
    {
        await using var relay = await StartAsync(s_audit);
        var subscriptions = relay.Relay.Subscriptions;
        Assert.Equal(SubscriptionChange.WrongName, await subscriptions.SaveAsync(TestRelay.Endpoint, s_audit, true, default));
        Assert.Equal(SubscriptionChange.WrongName, await subscriptions.SaveAsync(TestRelay.Endpoint, s_audit with { Name = "none" }, false, default));
        Assert.Equal(SubscriptionChange.NoEndpoint, await subscriptions.SaveAsync("none", s_audit, true, default));
        var changed = s_audit with { Types = EventTypes.Notice };
        Assert.Equal(SubscriptionChange.Done, await subscriptions.SaveAsync(TestRelay.Endpoint, changed, false, default));
        for (int i = 1; i < RelayLimits.MaxSubscriptions; i++)
            Assert.Equal(SubscriptionChange.Done, await subscriptions.SaveAsync(TestRelay.Endpoint, s_audit with { Name = $"s{i}" }, true, default));
        Assert.Equal(SubscriptionChange.TooMany, await subscriptions.SaveAsync(TestRelay.Endpoint, s_audit with { Name = "more" }, true, default));
        await relay.ReopenAsync();
        var view = (await relay.Relay.Endpoints.GetAsync(TestRelay.Endpoint, default))!;
        Assert.Equal((RelayLimits.MaxSubscriptions, changed), (view.Settings.Subscriptions.Count, view.Settings.Subscriptions[0]));
        await ReceiveAsync(relay, "a", "not wanted");
        Assert.Equal("", await PullAsync(relay, settings: changed));
        Assert.Equal("1:1:a:not wanted", await PullAsync(relay, settings: s_audit with { Name = "s1" }));
        Assert.Equal(SubscriptionChange.Done, await relay.Relay.Subscriptions.DeleteAsync(TestRelay.Endpoint, "s1", default));
        Assert.Equal((0UL, 0UL), await relay.Relay.Outbox.PositionAsync(StreamKey.OfSubscription(TestRelay.Endpoint, "s1"), default));
    }

    [Fact]
    public async Task Without_its_own_stream_an_endpoint_has_only_its_subscriptions()
    {
        await using var relay = await StartAsync(s_audit);
        await relay.Relay.Endpoints.UpdateAsync(TestRelay.Endpoint, e => e.Settings with { HasOwnEventStream = false }, null, default);
        await ReceiveAsync(relay, "a", "one");
        Assert.Equal((0UL, 0UL), await relay.Relay.Outbox.PositionAsync(TestRelay.Events, default));
        Assert.Equal("1:1:a:one", await PullAsync(relay));
    }

    [Fact]
    public async Task Many_readers_and_a_writer_lose_nothing_and_keep_the_order_of_each_conversation()
    {
        await using var relay = await StartAsync(s_audit);
        const int conversations = 5, each = 40;
        var seen = Enumerable.Range(0, conversations).ToDictionary(i => $"p{i}", _ => new List<string>());
        using var stop = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 3).Select(n => Task.Run(async () =>
        {
            var random = new Random(n);
            while (!stop.IsCancellationRequested)
            {
                var delivered = await AskAsync<SubscriptionReply.Delivered>(relay, new SubscriptionRequest.Pull($"r{n}", 3, TimeSpan.FromMilliseconds(200)));
                foreach (var e in delivered.Events)
                {
                    if (e.Delivery < 3 && random.Next(5) == 0)
                    {
                        await AskAsync<SubscriptionReply.Done>(relay, new SubscriptionRequest.Reject([e.Item.Sequence], TimeSpan.Zero, false, ""));
                        continue;
                    }
                    lock (seen) seen[e.Item.Peer].Add(Text(e.Item));
                    await AskAsync<SubscriptionReply.Done>(relay, new SubscriptionRequest.Acknowledge([e.Item.Sequence]));
                }
            }
        })).ToArray();
        await Task.WhenAll(seen.Keys.Select(async peer =>
        {
            for (int i = 0; i < each; i++) await ReceiveAsync(relay, peer, $"{i}");
        }));
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while ((await AskAsync<SubscriptionReply.Described>(relay, s_describe)).Pending > 0) await Task.Delay(20, limit.Token);
        await stop.CancelAsync();
        await Task.WhenAll(readers);
        Assert.All(seen.Values, texts => Assert.Equal(Enumerable.Range(0, each).Select(i => $"{i}"), texts));
    }
}
