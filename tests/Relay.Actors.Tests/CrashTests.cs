using Otr.Core;
using Relay.Actors.Tests.Harness;

namespace Relay.Actors.Tests;

/// <summary>
/// The relay dies at every write of a scripted conversation, just before and just after it is durable; it is started anew,
/// and everybody repeats what got no answer. Nothing may be lost, doubled, out of order, or exchanged anew.
/// </summary>
public class CrashTests
{
    private static readonly string Long = string.Concat(Enumerable.Range(0, 300).Select(i => $"line {i} ✓\n"));

    private static readonly (string Id, string Text)[] BotSays = [("b1", "first, held"), ("b2", "second"), ("b3", Long), ("b4", "fourth")];

    [Fact]
    public async Task Killed_at_every_moment_a_conversation_goes_on()
    {
        await using var begun = await TestRelay.StartAsync(new TestRelay { MaxWireBytes = 400 });
        await begun.CloseAsync();
        int writes = await RunAsync(begun, null);
        Assert.InRange(writes, 15, 200);
        for (int write = 1; write <= writes; write++)
        {
            foreach (bool after in new[] { false, true })
            {
                try
                {
                    await RunAsync(begun, (write, after));
                }
                catch (Exception e) when (e is not OutOfMemoryException)
                {
                    throw new InvalidOperationException($"Killed {(after ? "after" : "before")} write {write} of {writes}.", e);
                }
            }
        }
    }

    private static async Task<int> RunAsync(TestRelay begun, (int Write, bool AfterIt)? crash)
    {
        await using var relay = new TestRelay().CopyOf(begun);
        await relay.OpenAsync();
        relay.Store.CrashAt = crash;
        using var world = new World();
        var answers = new Dictionary<string, ConversationReply>();
        int crashes = 0;

        async Task DoAsync(Func<Task> act)
        {
            while (true)
            {
                try
                {
                    await act();
                    await world.PumpAsync(relay);
                    return;
                }
                catch (RelayDiedException)
                {
                    Assert.True(++crashes == 1 && relay.Store.IsDead);
                    await relay.ReopenAsync();
                }
            }
        }

        async Task SayAsync(int i)
        {
            if (!answers.ContainsKey(BotSays[i].Id)) answers[BotSays[i].Id] = World.Answered(await relay.SendAsync(BotSays[i].Id, BotSays[i].Text));
        }

        async Task ContactSaysAsync(params string[] texts)
        {
            foreach (var text in texts) world.ContactSays(text);
            await DoAsync(() => Task.CompletedTask);
        }

        await DoAsync(() => SayAsync(0));
        await ContactSaysAsync("one", "two", "three");
        await DoAsync(async () => { await SayAsync(1); await SayAsync(2); });
        await ContactSaysAsync("four");
        await DoAsync(() => SayAsync(3));
        await ContactSaysAsync("five");
        int writes = relay.Store.Writes;

        Assert.Equal(crash is null ? 0 : 1, crashes);
        Assert.Equal(BotSays.Select(s => s.Text), world.ContactReceived);
        Assert.Equal(["one", "two", "three", "four", "five"], world.BotReceived);
        Assert.Equal(1, world.KeyExchanges);
        Assert.Empty(world.ContactRejected);
        Assert.DoesNotContain(world.Bridged.Values, b => b.ConversationReply is not ConversationReply.Done);

        // Everything once more: the first answers, and nothing happens.
        var (_, lastWire) = await relay.Relay.Outbox.PositionAsync(TestRelay.Wire, default);
        var (_, lastEvent) = await relay.Relay.Outbox.PositionAsync(TestRelay.Events, default);
        foreach (var (id, text) in BotSays) Assert.Equal(answers[id], await relay.SendAsync(id, text));
        foreach (var (id, (text, reply)) in world.Bridged) Assert.Equal(reply, await relay.ReceiveAsync(id, text));
        Assert.Equal((lastWire, lastWire), await relay.Relay.Outbox.PositionAsync(TestRelay.Wire, default));
        Assert.Equal((lastEvent, lastEvent), await relay.Relay.Outbox.PositionAsync(TestRelay.Events, default));
        return writes;
    }
}
