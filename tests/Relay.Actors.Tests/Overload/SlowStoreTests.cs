using System.Text;
using Otr.Core;
using Relay.Actors.Tests.Harness;
using Relay.Storage;

namespace Relay.Actors.Tests.Overload;

/// <summary>A store that hangs or is slow: callers are told to come back, nothing grows, nothing is lost, all of it ends.</summary>
public class SlowStoreTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static async Task<(TestRelay Relay, ManualTime Time)> StartAsync()
    {
        var time = new ManualTime();
        // Text goes out in the clear as it comes in: one row of the stream for each command.
        var relay = await TestRelay.StartAsync(new TestRelay { Time = time, Policy = OtrPolicy.AllowV3 });
        for (int e = 1; e < 5; e++) Assert.IsType<CreateEndpointReply.Created>(await relay.CreateEndpointAsync($"create{e}", $"bot{e}", $"bot{e}@example.net"));
        return (relay, time);
    }

    private static Task<ConversationReply> SendAsync(TestRelay relay, string endpoint, int peer, string id) =>
        relay.AskAsync(new Command.SendText(id, Encoding.UTF8.GetBytes(id)), new ConversationAddress.ByPeer(endpoint, $"peer{peer}"));

    private static void AssertComesBack(ConversationReply reply) =>
        Assert.True(reply is ConversationReply.Overloaded { RetryAfter.Ticks: > 0 } or ConversationReply.Unavailable { RetryAfter.Ticks: > 0 }, reply.GetType().Name);

    [Fact]
    public async Task Commits_that_hang_end_nobodys_patience_and_everything_is_done_once_when_they_go_on()
    {
        var (relay, time) = await StartAsync();
        await using var _ = relay;
        var gate = new TaskCompletionSource();
        relay.Store.Gate = gate.Task;
        const int each = 500;
        var asked = (from e in Enumerable.Range(1, 4) from i in Enumerable.Range(0, each) select (Endpoint: $"bot{e}", Peer: i % 100, Id: $"r{i}")).ToList();
        var first = asked.Select(a => SendAsync(relay, a.Endpoint, a.Peer, a.Id)).ToList();
        // Once each of the conversations is loaded and its first commit hangs: what is loaded only after the expiry has none.
        Assert.True(SpinWait.SpinUntil(() => relay.Store.CountAtGate == 400, Limit));
        Assert.Equal(asked.Count, relay.Local.InFlight);

        time.Advance(RelayLimits.CommandExpiry);
        Assert.All(await Task.WhenAll(first), r => Assert.Equal(new ConversationReply.Unavailable("slow", RelayLimits.UnavailableRetryAfter), r));
        // They are under way still. Whoever repeats them waits behind them, up to the mailbox's bound, and no longer either.
        const int repetitions = 40;
        var repeated = Enumerable.Range(0, repetitions).SelectMany(_ => asked.Where(a => a.Peer == 0)).Select(a => SendAsync(relay, a.Endpoint, a.Peer, a.Id)).ToList();
        // Of the five commands of each of those four conversations one is being committed, and the others wait.
        int over = 4 * (repetitions * 5 + 4 - RelayLimits.MaxMailboxDepth);
        Assert.True(SpinWait.SpinUntil(() => repeated.Count(r => r.IsCompleted) == over, Limit));
        var early = await Task.WhenAll(repeated.Where(r => r.IsCompleted));
        Assert.All(early, r => Assert.Equal("mailbox", Assert.IsType<ConversationReply.Overloaded>(r).Bound));
        // In the mailboxes of those four conversations there is room for so many each, and some are being worked on.
        Assert.InRange(relay.Local.InFlight, asked.Count, asked.Count + 4 * (RelayLimits.MaxMailboxDepth + RelayLimits.MaxCommandsPerUnit));
        time.Advance(RelayLimits.CommandExpiry);
        foreach (var reply in await Task.WhenAll(repeated)) AssertComesBack(reply);

        gate.SetResult();
        foreach (var a in asked)
        {
            ConversationReply reply;
            while ((reply = await SendAsync(relay, a.Endpoint, a.Peer, a.Id)) is ConversationReply.Overloaded) await Task.Yield();
            Assert.IsType<ConversationReply.Done>(reply);
        }
        Assert.Equal(0, relay.Local.InFlight);
        for (int e = 1; e < 5; e++)
        {
            var texts = (await relay.ReadAsync(new StreamKey($"bot{e}", StreamKind.Wire))).Select(i => (i.Peer, Encoding.UTF8.GetString(((OutboxBody.WireText)i.Body).Text.Span))).ToList();
            Assert.Equal(each, texts.Count);
            // Once each, and of each peer in order.
            Assert.All(texts.GroupBy(t => t.Peer), g => Assert.Equal(asked.Where(a => a.Endpoint == $"bot{e}" && $"peer{a.Peer}" == g.Key).Select(a => a.Id), g.Select(t => t.Item2)));
        }
    }

    [Fact]
    public async Task A_flood_while_the_store_hangs_is_turned_away_at_the_bound_and_leaves_others_their_share()
    {
        var (relay, time) = await StartAsync();
        await using var _ = relay;
        var gate = new TaskCompletionSource();
        relay.Store.Hold = unit => unit.EndpointId == "bot1" ? gate.Task : Task.CompletedTask;
        var flood = Enumerable.Range(0, RelayLimits.MaxCommandsInFlight).Select(i => SendAsync(relay, "bot1", i, "r")).ToList();
        Assert.Equal(RelayLimits.MaxCommandsInFlightPerEndpoint, relay.Local.InFlight);
        Assert.Equal(RelayLimits.MaxCommandsInFlight - RelayLimits.MaxCommandsInFlightPerEndpoint, flood.Count(f => f is { IsCompleted: true, Result: ConversationReply.Overloaded { Bound: "endpoint-commands-in-flight" } }));
        // Another endpoint's are done at once, though their conversations have to be made.
        for (int i = 0; i < 50; i++) Assert.IsType<ConversationReply.Done>(await SendAsync(relay, "bot2", i, "r"));
        time.Advance(RelayLimits.CommandExpiry);
        foreach (var reply in await Task.WhenAll(flood)) AssertComesBack(reply);
        Assert.Equal(RelayLimits.MaxCommandsInFlightPerEndpoint, relay.Local.InFlight);
        gate.SetResult();
        await relay.Relay.DrainAsync(CancellationToken.None).WaitAsync(Limit);
        Assert.Equal(0, relay.Local.InFlight);
        var (_, last) = await relay.Relay.Outbox.PositionAsync(new StreamKey("bot1", StreamKind.Wire), default);
        Assert.Equal((ulong)RelayLimits.MaxCommandsInFlightPerEndpoint, last);
    }

    [Fact]
    public async Task Two_seconds_a_commit_are_borne_and_every_text_goes_out_once_and_in_order()
    {
        var (relay, time) = await StartAsync();
        await using var _ = relay;
        relay.Store.Hold = _ => Task.Delay(TimeSpan.FromSeconds(2), time);
        const int peers = 10, each = 120;
        // Bots that send one after the other, and repeat with the same id what they are told to.
        async Task<int> BotAsync(int peer)
        {
            int repetitions = 0;
            for (int i = 0; i < each; i += 40)
            {
                var pending = Enumerable.Range(i, 40).ToDictionary(n => n, n => SendAsync(relay, TestRelay.Endpoint, peer, $"r{n:d3}"));
                foreach (int n in pending.Keys.ToArray())
                {
                    ConversationReply reply;
                    while ((reply = await pending[n]) is not ConversationReply.Done)
                    {
                        AssertComesBack(reply);
                        repetitions++;
                        pending[n] = SendAsync(relay, TestRelay.Endpoint, peer, $"r{n:d3}");
                    }
                }
            }
            return repetitions;
        }
        var bots = Task.WhenAll(Enumerable.Range(0, peers).Select(BotAsync));
        while (!bots.IsCompleted)
        {
            // No more than those that the bots have sent, whatever they repeat.
            Assert.InRange(relay.Local.InFlight, 0, 2 * peers * each);
            time.Advance(TimeSpan.FromMilliseconds(500));
            await Task.WhenAny(bots, Task.Delay(1));
        }
        await bots;
        var rows = await relay.ReadAsync(TestRelay.Wire);
        Assert.Equal(1000, rows.Count);
        rows = [.. rows, .. await relay.ReadAsync(TestRelay.Wire, 1000)];
        foreach (var group in rows.GroupBy(r => r.Peer))
            Assert.Equal(Enumerable.Range(0, each).Select(i => $"r{i:d3}"), group.Select(r => Encoding.UTF8.GetString(((OutboxBody.WireText)r.Body).Text.Span)));
    }

    [Fact]
    public async Task Reads_that_hang_are_bounded_in_number_and_time()
    {
        var (relay, time) = await StartAsync();
        await using var _ = relay;
        var id = Assert.IsType<ConversationReply.Done>(await SendAsync(relay, "bot1", 0, "r")).ConversationId;
        var gate = new TaskCompletionSource();
        relay.Store.ReadGate = gate.Task;
        IRelay r = relay.Relay;
        Func<Task>[] kinds =
        [
            async () => await r.GetConversationAsync("bot1", id, default),
            async () => await r.ListConversationsAsync("bot1", null, 10, default),
            async () => await r.Endpoints.GetAsync("bot1", default),
            async () => await r.Endpoints.ListAsync(new EndpointQuery(null, 10, _ => true), default),
            async () => await r.Outbox.ReadAsync(TestRelay.Wire, 0, 10, long.MaxValue, default),
            async () => await r.Outbox.PositionAsync(TestRelay.Wire, default),
            async () => await r.Outbox.WaitAsync(TestRelay.Wire, 0, default),
        ];
        var reads = Enumerable.Range(0, RelayLimits.MaxReadsUnderWay + 500).Select(i => kinds[i % kinds.Length]()).ToList();
        Assert.Equal(500, reads.Count(t => t.IsFaulted));
        Assert.Equal(RelayLimits.MaxReadsUnderWay, relay.Local.ReadsUnderWay);
        time.Advance(StorageLimits.ReadTimeout);
        foreach (var read in reads) await Assert.ThrowsAsync<StoreException>(() => read.WaitAsync(Limit));
        // Nobody waits, but the store has not let go of them: no more are given to it.
        Assert.Equal(RelayLimits.MaxReadsUnderWay, relay.Local.ReadsUnderWay);
        foreach (var kind in kinds) await Assert.ThrowsAsync<StoreException>(kind);
        gate.SetResult();
        Assert.True(SpinWait.SpinUntil(() => relay.Local.ReadsUnderWay == 0, Limit));
        Assert.NotNull(await r.GetConversationAsync("bot1", id, default));
    }

    [Fact]
    public async Task A_conversation_that_cannot_be_loaded_answers_in_time_and_works_when_the_store_does()
    {
        var (relay, time) = await StartAsync();
        await using var _ = relay;
        await SendAsync(relay, "bot1", 0, "before");
        await relay.ReopenAsync();
        var gate = new TaskCompletionSource();
        relay.Store.ReadGate = gate.Task;
        for (int i = 0; i < 3; i++)
        {
            var asked = Enumerable.Range(0, 5).Select(e => SendAsync(relay, $"bot{e % 4 + 1}", 0, $"r{i}")).ToList();
            time.Advance(StorageLimits.ReadTimeout);
            foreach (var reply in await Task.WhenAll(asked)) Assert.IsType<ConversationReply.Unavailable>(reply);
        }
        gate.SetResult();
        for (int e = 1; e < 5; e++)
        {
            ConversationReply reply;
            while ((reply = await SendAsync(relay, $"bot{e}", 0, "after")) is ConversationReply.Unavailable) await Task.Yield();
            Assert.IsType<ConversationReply.Done>(reply);
        }
    }
}
