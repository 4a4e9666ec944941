using Otr.Core;
using Relay.Actors.Endpoints;
using Relay.Actors.Tests.Harness;

namespace Relay.Actors.Tests.Overload;

/// <summary>What peers make the relay compute: bounded for each by its conversation, and for all of an endpoint by this process.</summary>
public class ComputeBudgetTests
{
    private const string Other = "other";

    private static async Task<(TestRelay Relay, ManualTime Time)> StartAsync(ComputeAllowance allowance)
    {
        var time = new ManualTime();
        var relay = await TestRelay.StartAsync(new TestRelay { Time = time, Options = new RelayNodeOptions { ComputeAllowance = allowance } });
        Assert.IsType<CreateEndpointReply.Created>(await relay.CreateEndpointAsync("create-other", Other, "other@example.net", key: 2));
        return (relay, time);
    }

    /// <summary>Carries and brings until all have fallen silent; the clock goes on only while somebody is turned away.</summary>
    private static async Task<int> SettleAsync(TestRelay relay, ManualTime time, IReadOnlyDictionary<string, Caller> callers)
    {
        var carrier = new Carrier(relay);
        for (int rounds = 0; ; rounds++)
        {
            Assert.InRange(rounds, 0, 10_000);
            bool moved = await carrier.CarryAsync(callers), turnedAway = false;
            foreach (var caller in callers.Values)
            {
                while (caller.HasMail)
                {
                    moved = true;
                    if (await caller.BringAsync() is not ConversationReply.Overloaded) continue;
                    turnedAway = true;
                    break;
                }
            }
            if (!moved) return rounds;
            if (turnedAway) time.Advance(RelayLimits.OverloadedRetryAfter);
        }
    }

    [Fact]
    public async Task A_flood_from_many_strangers_is_turned_away_and_holds_nobody_else_up()
    {
        var (relay, time) = await StartAsync(new(new(10, 1), new(20, 20), new(5, 5)));
        await using var _ = relay;
        // Somebody whose session stands, before the flood.
        using var known = new Caller(relay, "known@example.net");
        known.Commit();
        var callers = new Dictionary<string, Caller> { [known.Peer] = known };
        await SettleAsync(relay, time, callers);
        Assert.Equal(MessageState.Encrypted, known.State);
        time.Advance(TimeSpan.FromMinutes(1));

        var strangers = Enumerable.Range(0, 300).Select(i => new Caller(relay, $"stranger{i}@example.net")).ToList();
        var replies = new List<ConversationReply>();
        foreach (var stranger in strangers)
        {
            stranger.Commit();
            replies.Add(await stranger.BringAsync());
        }
        Assert.Equal(10, replies.Count(r => r is ConversationReply.Done));
        Assert.All(replies.Skip(10), r => Assert.Equal(new ConversationReply.Overloaded("key-exchanges", RelayLimits.OverloadedRetryAfter), r));
        // Nothing of those turned away is stored or kept.
        Assert.Equal(11, (await relay.Relay.ListConversationsAsync(TestRelay.Endpoint, null, 1000, default)).Count);
        Assert.InRange(relay.Local.Resident, 0, 11);

        // Text in the standing session, both ways, a new exchange of the known peer, and another endpoint's stranger.
        known.Says("still here");
        Assert.IsType<ConversationReply.Done>(await known.BringAsync());
        Assert.Equal(SendDisposition.Encrypted, Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.SendText("r", "so am I"u8.ToArray()), known.Address)).Disposition);
        known.Commit();
        Assert.IsType<ConversationReply.Done>(await known.BringAsync());
        using var elsewhere = new Caller(relay, "stranger0@example.net", Other);
        elsewhere.Commit();
        Assert.IsType<ConversationReply.Done>(await elsewhere.BringAsync());

        // The same ids again, when there is room again.
        time.Advance(TimeSpan.FromSeconds(3));
        var again = new List<ConversationReply>();
        foreach (var stranger in strangers.Skip(10).Take(5)) again.Add(await stranger.BringAsync());
        Assert.Equal([true, true, true, false, false], again.Select(r => r is ConversationReply.Done));
        foreach (var stranger in strangers) stranger.Dispose();
    }

    [Fact]
    public async Task An_honest_storm_of_contacts_that_come_back_gets_through_in_the_time_that_the_rate_says()
    {
        const int contacts = 60, burst = 30, rate = 10;
        var (relay, time) = await StartAsync(new(new(1000, 1000), new(burst, rate), new(5, 5)));
        await using var _ = relay;
        var callers = Enumerable.Range(0, contacts).Select(i => new Caller(relay, $"contact{i}@example.net")).ToDictionary(c => c.Peer);
        foreach (var caller in callers.Values) caller.Commit();
        await SettleAsync(relay, time, callers);
        Assert.All(callers.Values, c => Assert.Equal(MessageState.Encrypted, c.State));

        // Their clients start anew, all at once: keys known, sessions gone.
        var back = callers.Keys.Select(p => new Caller(relay, p, ids: "back")).ToDictionary(c => c.Peer);
        foreach (var caller in back.Values) caller.Commit();
        foreach (var caller in callers.Values) caller.Dispose();
        var before = time.GetUtcNow();
        await SettleAsync(relay, time, back);
        Assert.All(back.Values, c => Assert.Equal(MessageState.Encrypted, c.State));
        Assert.All(back.Values, c => Assert.Empty(c.Rejects));
        // Two messages of each were paid for: (2·60 − 30) / 10 s.
        Assert.InRange((time.GetUtcNow() - before).TotalSeconds, (2 * contacts - burst) / rate, (2 * contacts - burst) / rate + 3);
        foreach (var caller in back.Values) caller.Dispose();
    }

    [Fact]
    public async Task A_peer_beyond_its_own_bound_is_rejected_for_good_told_and_not_refilled_by_a_restart()
    {
        var (relay, time) = await StartAsync(new(new(OtrLimits.AkeBurst + 1, 1), new(1, 1), new(1, 1)));
        await using var _ = relay;
        var wires = new List<(string Id, byte[] Text)>();
        for (int i = 0; i < OtrLimits.AkeBurst + 30; i++)
        {
            // Another device each time: each begins an exchange.
            using var device = new Caller(relay, TestRelay.Peer);
            device.Commit();
            var text = device.Take().Text;
            var reply = await relay.ReceiveAsync($"flood{i}", text);
            wires.Add(($"flood{i}", text));
            if (i < OtrLimits.AkeBurst) Assert.IsType<ConversationReply.Done>(reply);
            else Assert.Equal(RejectReason.RateLimited, Assert.IsType<ConversationReply.WireRejected>(reply).Reason);
            Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.EndSession($"end{i}")));
        }
        // The last token of the endpoint is there for somebody else.
        using var other = new Caller(relay, "other@example.net");
        other.Commit();
        Assert.IsType<ConversationReply.Done>(await other.BringAsync());
        var notices = (await relay.ReadAsync(TestRelay.Events)).Select(i => i.Body).OfType<OutboxBody.Notice>().Where(n => n.Code == "RATE_LIMITED").ToList();
        Assert.Equal(RelayLimits.MaxNoticesPerWindow, notices.Count);

        await relay.ReopenAsync();
        // The first answer again, and the bound as it was: a restart buys nothing.
        Assert.Equal(RejectReason.RateLimited, Assert.IsType<ConversationReply.WireRejected>(await relay.ReceiveAsync(wires[^1].Id, wires[^1].Text)).Reason);
        Assert.Equal(RejectReason.RateLimited, Assert.IsType<ConversationReply.WireRejected>(await relay.ReceiveAsync("after", wires[^1].Text)).Reason);
        time.Advance(TimeSpan.FromMilliseconds(OtrLimits.AkeRefillInterval));
        Assert.IsType<ConversationReply.Done>(await relay.ReceiveAsync("later", wires[^1].Text));
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.EndSession("end-later")));
        Assert.IsType<ConversationReply.WireRejected>(await relay.ReceiveAsync("later still", wires[^2].Text));
    }

    [Fact]
    public async Task A_conversation_out_of_memory_keeps_its_peer_s_bound()
    {
        var time = new ManualTime();
        await using var relay = await TestRelay.StartAsync(new TestRelay { Time = time, Options = new RelayNodeOptions { MaxResidentConversations = 1 } });
        int answered = 0;
        for (int i = 0; i < OtrLimits.AkeBurst + 5; i++)
        {
            using var device = new Caller(relay, TestRelay.Peer);
            device.Commit();
            if (await relay.ReceiveAsync($"flood{i}", device.Take().Text) is ConversationReply.Done) answered++;
            await relay.AskAsync(new Command.EndSession($"end{i}"));
            // Puts the first out of memory.
            await relay.AskAsync(new Command.StartSession($"start{i}"), new ConversationAddress.ByPeer(TestRelay.Endpoint, "somebody else"));
        }
        Assert.Equal(OtrLimits.AkeBurst, answered);
    }

    [Fact]
    public async Task Smp_beyond_the_endpoint_s_budget_waits_in_order_and_is_not_lost()
    {
        var (relay, time) = await StartAsync(new(new(100, 100), new(100, 100), new(1, 1)));
        await using var _ = relay;
        using Caller first = new(relay, "first@example.net"), second = new(relay, "second@example.net");
        var callers = new Dictionary<string, Caller> { [first.Peer] = first, [second.Peer] = second };
        first.Commit();
        second.Commit();
        await SettleAsync(relay, time, callers);
        first.Step(new OtrInput.SmpStartRequested("s"u8.ToArray()));
        Assert.IsType<ConversationReply.Done>(await first.BringAsync());
        second.Says("before");
        second.Step(new OtrInput.SmpStartRequested("s"u8.ToArray()));
        second.Says("after");
        Assert.IsType<ConversationReply.Done>(await second.BringAsync());
        for (int i = 0; i < 3; i++) Assert.Equal(new ConversationReply.Overloaded("smp", RelayLimits.OverloadedRetryAfter), await second.BringAsync());
        await relay.ReopenAsync();
        // A restart fills the endpoint's bucket; taken by the first peer's next run.
        first.Step(new OtrInput.SmpStartRequested("s"u8.ToArray()));
        while (first.HasMail) Assert.IsType<ConversationReply.Done>(await first.BringAsync());
        Assert.IsType<ConversationReply.Overloaded>(await second.BringAsync());
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.IsType<ConversationReply.Done>(await second.BringAsync());
        Assert.IsType<ConversationReply.Done>(await second.BringAsync());
        var texts = (await relay.ReadAsync(TestRelay.Events)).Where(i => i.Peer == second.Peer).Select(i => i.Body).OfType<OutboxBody.TextReceived>();
        Assert.Equal(["before", "after"], texts.Select(t => System.Text.Encoding.UTF8.GetString(t.Utf8.Span)));
    }

    /// <summary>A bridge that does not wait for answers: what stands behind a postponed message must not overtake it.</summary>
    [Fact]
    public async Task What_waits_behind_a_postponed_message_in_one_batch_waits_too()
    {
        var (relay, time) = await StartAsync(new(new(100, 100), new(100, 100), new(1, 1)));
        await using var _ = relay;
        using var caller = new Caller(relay, TestRelay.Peer);
        caller.Commit();
        await SettleAsync(relay, time, new Dictionary<string, Caller> { [caller.Peer] = caller });
        // The endpoint's one run goes to somebody.
        using var greedy = new Caller(relay, "greedy@example.net");
        greedy.Commit();
        await SettleAsync(relay, time, new Dictionary<string, Caller> { [caller.Peer] = caller, [greedy.Peer] = greedy });
        greedy.Step(new OtrInput.SmpStartRequested("s"u8.ToArray()));
        Assert.IsType<ConversationReply.Done>(await greedy.BringAsync());

        var gate = new TaskCompletionSource();
        relay.Store.AtGate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        relay.Store.Gate = gate.Task;
        caller.Says("one");
        caller.Step(new OtrInput.SmpStartRequested("s"u8.ToArray()));
        caller.Says("two");
        var messages = new[] { caller.Take(), caller.Take(), caller.Take() };
        Task<ConversationReply> Bring(int i) => relay.ReceiveAsync(messages[i].Id, messages[i].Text);
        var first = Bring(0);
        await relay.Store.AtGate.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Task<ConversationReply> smp = Bring(1), second = Bring(2);
        var send = relay.SendAsync("r1", "the bot's own are not held up");
        gate.SetResult();
        Assert.IsType<ConversationReply.Done>(await first);
        Assert.IsType<ConversationReply.Overloaded>(await smp);
        Assert.IsType<ConversationReply.Overloaded>(await second);
        Assert.IsType<ConversationReply.Done>(await send);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.IsType<ConversationReply.Done>(await Bring(1));
        Assert.IsType<ConversationReply.Done>(await Bring(2));
    }

    /// <summary>Small budgets, impatient peers, restarts: every text arrives once, in order, and nobody's session breaks.</summary>
    [Fact]
    public async Task Whatever_is_turned_away_every_text_arrives_once_and_in_order()
    {
        for (int seed = 0; seed < 8; seed++)
        {
            var random = new Random(seed);
            var (relay, time) = await StartAsync(new(new(random.Next(1, 4), 1), new(random.Next(1, 4), 1), new(1, 1)));
            await using var _ = relay;
            var callers = Enumerable.Range(0, 6).Select(i => new Caller(relay, $"peer{i}@example.net")).ToDictionary(c => c.Peer);
            var carrier = new Carrier(relay);
            var said = callers.Keys.ToDictionary(p => p, _ => new List<string>());
            foreach (var caller in callers.Values) caller.Commit();
            for (int step = 0; step < 400 || callers.Values.Any(c => c.HasMail); step++)
            {
                Assert.True(step < 3000, $"Seed {seed} never falls silent.");
                var caller = callers.Values.ElementAt(random.Next(callers.Count));
                switch (random.Next(8))
                {
                    case 0 when step < 300 && caller.State == MessageState.Encrypted:
                        said[caller.Peer].Add($"{caller.Peer} {step}");
                        caller.Says(said[caller.Peer][^1]);
                        break;
                    case 1 when step < 300 && random.Next(4) == 0 && caller.State == MessageState.Encrypted:
                        caller.Step(new OtrInput.SmpStartRequested("s"u8.ToArray()));
                        break;
                    case 2: time.Advance(TimeSpan.FromMilliseconds(random.Next(600))); break;
                    case 3 when random.Next(20) == 0: await relay.ReopenAsync(); break;
                    case < 6 when caller.HasMail: Assert.False(await caller.BringAsync() is ConversationReply.WireRejected, $"Seed {seed}, step {step}."); break;
                    default: await carrier.CarryAsync(callers); break;
                }
            }
            var heard = (await relay.ReadAsync(TestRelay.Events)).Where(i => i.Body is OutboxBody.TextReceived).ToList();
            foreach (var (peer, texts) in said)
                Assert.Equal(texts, heard.Where(i => i.Peer == peer).Select(i => System.Text.Encoding.UTF8.GetString(((OutboxBody.TextReceived)i.Body).Utf8.Span)));
            Assert.All(callers.Values, c => Assert.Empty(c.Rejects));
            Assert.NotEmpty(heard);
            foreach (var caller in callers.Values) caller.Dispose();
        }
    }
}
