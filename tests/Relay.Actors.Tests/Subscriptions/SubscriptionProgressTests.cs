using System.Text;
using Relay.Actors.Subscriptions;

namespace Relay.Actors.Tests.Subscriptions;

/// <summary>Which events a subscription lends, to whom, how often, and in which order.</summary>
public class SubscriptionProgressTests
{
    private static readonly SubscriptionSettings s_settings = new("s", EventTypes.All, TimeSpan.FromSeconds(30), 3);

    private static OutboxItem Item(ulong sequence, string conversation)
        => new(sequence, DateTimeOffset.UnixEpoch.AddSeconds(sequence), conversation, conversation, new OutboxBody.Notice("N", default));

    /// <summary>Events from 1, one for each letter, which is its conversation.</summary>
    private static SubscriptionProgress Of(string conversations)
    {
        var progress = new SubscriptionProgress(0);
        progress.Read([.. conversations.Select((c, i) => Item((ulong)i + 1, c.ToString()))]);
        return progress;
    }

    private static string Take(SubscriptionProgress progress, string reader = "r", int max = 100, long now = 0, SubscriptionSettings? settings = null)
        => string.Join(' ', progress.Take(reader, max, int.MaxValue, now, settings ?? s_settings).Select(e => $"{e.Item.Sequence}:{e.Delivery}"));

    private static SubscriptionRequest.Reject Nack(ulong cursor, int seconds = 0, bool final = false) => new([cursor], TimeSpan.FromSeconds(seconds), final, "why");

    [Fact]
    public void The_next_event_of_a_conversation_comes_when_the_one_before_is_settled()
    {
        var progress = Of("aabac");
        Assert.Equal("1:1 3:1 5:1", Take(progress));
        // Another reader gets nothing of these conversations meanwhile.
        Assert.Equal("", Take(progress, "other"));
        progress.Acknowledge([3, 1]);
        Assert.Equal("2:1", Take(progress, "other"));
        progress.Acknowledge([2]);
        Assert.Equal("4:1", Take(progress));
        Assert.Equal((3UL, 2), (progress.Floor, progress.Unacknowledged));
        progress.Acknowledge([4, 5]);
        Assert.Equal((5UL, 0, 0), (progress.Floor, progress.Unacknowledged, progress.Settled.Count()));
    }

    [Fact]
    public void Readers_compete_and_a_batch_has_a_bound()
    {
        var progress = Of("abcd");
        Assert.Equal("1:1 2:1", Take(progress, "r", 2));
        Assert.Equal("3:1 4:1", Take(progress, "s"));
        Assert.Equal(["r", "s"], progress.Readers);
        // Of large ones at least one.
        Assert.Single(Of("ab").Take("r", 9, 1, 0, s_settings));
    }

    [Fact]
    public void What_is_not_acknowledged_comes_again_and_then_never()
    {
        var progress = Of("aab");
        Assert.Equal("1:1 3:1", Take(progress));
        progress.Acknowledge([3]);
        progress.Expire(29_999, s_settings);
        Assert.Equal("", Take(progress, now: 29_999));
        Assert.Equal(30_000, progress.NextDueMs(29_999));
        progress.Expire(30_000, s_settings);
        Assert.Equal("1:2", Take(progress, now: 30_000));
        progress.Expire(60_000, s_settings);
        Assert.Equal("1:3", Take(progress, now: 60_000));
        Assert.Empty(progress.DeadLetters);
        progress.Expire(90_000, s_settings);
        // The third delivery was the last: the rest goes on.
        var letter = Assert.Single(progress.DeadLetters);
        Assert.Equal((1UL, 3, 90_000L, 1), (letter.Item.Sequence, letter.Deliveries, letter.TimeMs, progress.NewDeadLetters));
        Assert.Equal("2:1", Take(progress, now: 90_000));
        Assert.Equal(1UL, progress.Floor);
        // Without a limit it comes for ever.
        var patient = Of("a");
        var without = s_settings with { MaxDeliveries = 0 };
        for (int i = 1; i <= 50; i++)
        {
            Assert.Equal($"1:{i}", Take(patient, now: i * 30_000, settings: without));
            patient.Expire((i + 1) * 30_000, without);
        }
        Assert.Empty(patient.DeadLetters);
    }

    [Fact]
    public void A_reader_that_goes_gives_back_what_it_has()
    {
        var progress = Of("ab");
        Assert.Equal("1:1", Take(progress, "r", 1));
        Assert.Equal("2:1", Take(progress, "s", 1));
        progress.Release("r", 5, s_settings);
        Assert.Equal("1:2", Take(progress, "s", now: 5));
        progress.Release("s", 5, s_settings);
        Assert.Equal("1:3 2:2", Take(progress, "t", now: 5));
        // A reader that dies of an event at each delivery does not keep the others from theirs.
        progress.Release("t", 5, s_settings);
        Assert.Equal("2:3", Take(progress, "u", now: 5));
    }

    [Fact]
    public void A_rejected_event_waits_and_keeps_its_place_in_its_conversation()
    {
        var progress = Of("aab");
        Take(progress);
        Assert.Equal(1, progress.Reject(Nack(1, 10), 1_000, s_settings));
        progress.Acknowledge([3]);
        Assert.Equal("", Take(progress, now: 10_999));
        Assert.Equal(11_000, progress.NextDueMs(10_999));
        Assert.Equal("1:2", Take(progress, now: 11_000));
        Assert.Equal(1, progress.Reject(Nack(1, final: true), 12_000, s_settings));
        Assert.Equal("why", Assert.Single(progress.DeadLetters).Note);
        Assert.Equal("2:1", Take(progress, now: 12_000));
        // What is settled cannot be rejected.
        Assert.Equal(0, progress.Reject(Nack(3), 12_000, s_settings));
        Assert.Equal(0, progress.Reject(Nack(99), 12_000, s_settings));
    }

    [Fact]
    public void Dead_letters_are_delivered_again_or_dropped_on_request()
    {
        var progress = Of("abc");
        Take(progress);
        foreach (ulong i in (ulong[])[1, 2, 3]) progress.Reject(Nack(i, final: true), 0, s_settings);
        Assert.Equal((3, 3UL, 0UL), (progress.DeadLetterCount, progress.Floor, progress.PendingUpTo(3)));
        Assert.Equal(1, progress.Retry([2, 77]));
        Assert.Equal((2, 1UL), (progress.DeadLetterCount, progress.PendingUpTo(3)));
        Assert.Equal("2:1", Take(progress));
        progress.Acknowledge([2]);
        Assert.Equal([1UL, 3], progress.DeadLetters.Select(d => d.Item.Sequence));
        Assert.Equal(2, progress.Retry([]));
        Assert.Equal("1:1 3:1", Take(progress));
        // It fails again, and is a dead letter again, once.
        progress.Reject(Nack(1, final: true), 5, s_settings);
        Assert.Equal((1, 2), (progress.DeadLetterCount, progress.DeadLetters.Count()));
        Assert.Equal(2, progress.Drop([]));
        Assert.Empty(progress.DeadLetters);
        Assert.Equal("", Take(progress, now: long.MaxValue / 2));
        Assert.Equal(0UL, progress.PendingUpTo(3));
    }

    [Fact]
    public void Full_dead_letters_lose_nothing()
    {
        var progress = new SubscriptionProgress(0);
        progress.Read([.. Enumerable.Range(1, RelayLimits.MaxDeadLetters + 1).Select(i => Item((ulong)i, $"c{i}"))]);
        Take(progress, max: 1000);
        for (ulong i = 1; i <= RelayLimits.MaxDeadLetters + 1; i++) progress.Reject(Nack(i, final: true), 0, s_settings);
        Assert.Equal(RelayLimits.MaxDeadLetters, progress.DeadLetterCount);
        // The last one comes again, slowly, until there is room.
        Assert.Equal("", Take(progress, now: 29_999));
        Assert.Equal($"{RelayLimits.MaxDeadLetters + 1}:2", Take(progress, now: 30_000));
        progress.Drop([1]);
        progress.Reject(Nack(RelayLimits.MaxDeadLetters + 1, final: true), 30_000, s_settings);
        Assert.Equal(RelayLimits.MaxDeadLetters, progress.DeadLetterCount);
    }

    /// <summary>Otherwise a receiver that asks for a day's patience for one event would fill the stream with all that came after it.</summary>
    [Fact]
    public void An_event_that_waits_long_does_not_hold_back_the_stream()
    {
        const int many = RelayLimits.MaxSettledAhead + 50;
        var progress = new SubscriptionProgress(0);
        progress.Read([.. Enumerable.Range(1, many).Select(i => Item((ulong)i, $"c{i}"))]);
        Take(progress, max: many);
        progress.Reject(Nack(1, 3600), 0, s_settings);
        for (ulong i = 2; i <= many; i++) progress.Acknowledge([i]);
        Assert.Equal(((ulong)many, 0, 0, true), (progress.Floor, progress.Settled.Count(), progress.DeadLetterCount, progress.HasRoom));
        Assert.Equal((1UL, 0), (progress.PendingUpTo(many), progress.Drop([])));
        // Also after a failover it comes when it is due, with its count.
        var copy = new SubscriptionProgress(progress.Floor);
        copy.Restore([.. progress.Settled], [.. progress.Attempted], [.. progress.DeadLetters]);
        foreach (var state in (SubscriptionProgress[])[progress, copy])
        {
            Assert.Equal("", Take(state, now: 3_599_999));
            Assert.Equal("1:2", Take(state, now: 3_600_000));
        }
        progress.Acknowledge([1]);
        Assert.Empty(progress.DeadLetters);
        // It may also become a dead letter after all, or be passed over.
        copy.Reject(Nack(1, final: true), 3_600_000, s_settings);
        Assert.Equal((1, 0UL), (copy.DeadLetterCount, copy.PendingUpTo(many)));
        var third = new SubscriptionProgress(0, 1);
        third.Read([Item(1, "a"), Item(2, "b"), Item(3, "c")]);
        Take(third);
        third.Acknowledge([2, 3]);
        Assert.Equal((3UL, 1), (third.Floor, third.DeadLetters.Count()));
        Assert.Equal(1, third.SettleThrough(3));
        Assert.Empty(third.DeadLetters);
        third.Expire(30_000, s_settings);
        Assert.Equal("", Take(third, now: 30_000));
    }

    [Fact]
    public void Passing_over_leaves_dead_letters_and_what_is_newer()
    {
        var progress = Of("abcde");
        Take(progress);
        progress.Reject(Nack(2, final: true), 0, s_settings);
        progress.Retry([2]);
        progress.Acknowledge([5]);
        progress.SettleThrough(3);
        Assert.Equal(3UL, progress.Floor);
        Assert.Equal("2:1", Take(progress, now: 0));
        progress.SettleThrough(4);
        Assert.Equal(5UL, progress.Floor);
        Assert.Equal(0, progress.SettleThrough(1));
        // Beyond what was read.
        progress.SettleThrough(9);
        Assert.Equal((9UL, 9UL), (progress.Floor, progress.ReadThrough));
    }

    [Fact]
    public void What_is_stored_is_restored()
    {
        var progress = Of("abcd");
        Take(progress);
        progress.Acknowledge([1, 3]);
        progress.Reject(Nack(2, 60), 0, s_settings);
        progress.Reject(Nack(4, final: true), 7, s_settings);
        Assert.True(progress is { IsDirty: true, AreDeadLettersDirty: true });
        var copy = new SubscriptionProgress(progress.Floor);
        copy.Restore([.. progress.Settled], [.. progress.Attempted], [.. progress.DeadLetters]);
        Assert.False(copy.IsDirty || copy.AreDeadLettersDirty);
        copy.Read([Item(2, "b"), Item(3, "c"), Item(4, "d"), Item(5, "e")]);
        Assert.Equal("5:1", Take(copy, now: 59_999));
        Assert.Equal("2:2", Take(copy, now: 60_000));
        Assert.Equal((1UL, 1), (copy.Floor, copy.DeadLetterCount));
        // Stored among the dead letters, and not yet as settled: a crash lay between.
        var torn = new SubscriptionProgress(1);
        torn.Restore([], [], [new SubscriptionProgress.DeadLetter(Item(2, "b"), 3, 0, "")]);
        torn.Read([Item(2, "b"), Item(3, "c")]);
        Assert.Equal("3:1", Take(torn));
    }

    /// <summary>Against a model that knows only what each event has come to: whatever is done, in whatever order.</summary>
    [Fact]
    public void Nothing_is_lost_repeated_out_of_turn_or_lent_twice()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            // Few, so that events are kept apart, too.
            var progress = new SubscriptionProgress(0, 3);
            var done = new HashSet<ulong>();
            var lent = new Dictionary<ulong, string>();
            var conversations = new Dictionary<ulong, string>();
            ulong last = 0;
            long now = 0;
            for (int step = 0; step < 200; step++)
            {
                now += random.Next(5_000);
                progress.Expire(now, s_settings);
                foreach (var cursor in lent.Keys.Where(c => !IsLent(c)).ToArray()) lent.Remove(cursor);
                switch (random.Next(7))
                {
                    case 0:
                        var items = Enumerable.Range(0, random.Next(4)).Select(_ => Item(++last, ((char)('a' + random.Next(3))).ToString())).ToArray();
                        foreach (var item in items) conversations[item.Sequence] = item.ConversationId;
                        progress.Read(items);
                        break;
                    case 1 or 2:
                        var reader = $"r{random.Next(3)}";
                        foreach (var e in progress.Take(reader, random.Next(1, 4), int.MaxValue, now, s_settings))
                        {
                            ulong cursor = e.Item.Sequence;
                            Assert.DoesNotContain(cursor, done);
                            Assert.True(lent.TryAdd(cursor, reader), $"seed {seed}: {cursor} was lent twice");
                            // Everything before it in its conversation is settled, or set aside.
                            Assert.All(conversations.Where(c => c.Key < cursor && c.Value == e.Item.ConversationId),
                                c => Assert.True(done.Contains(c.Key) || IsDead(c.Key), $"seed {seed}: {cursor} before {c.Key}"));
                        }
                        break;
                    case 3 when lent.Count > 0:
                        var acknowledged = lent.Keys.ElementAt(random.Next(lent.Count));
                        Assert.Equal(1, progress.Acknowledge([acknowledged]));
                        Assert.Equal(0, progress.Acknowledge([acknowledged]));
                        lent.Remove(acknowledged);
                        done.Add(acknowledged);
                        break;
                    case 4 when lent.Count > 0:
                        var rejected = lent.Keys.ElementAt(random.Next(lent.Count));
                        progress.Reject(Nack(rejected, random.Next(3), random.Next(4) == 0), now, s_settings);
                        lent.Remove(rejected);
                        break;
                    case 5:
                        progress.Retry([]);
                        break;
                    case 6:
                        // A failover: leases are forgotten, the rest is not.
                        var next = new SubscriptionProgress(progress.Floor, 3);
                        next.Restore([.. progress.Settled], [.. progress.Attempted], [.. progress.DeadLetters]);
                        next.Read([.. conversations.Where(c => c.Key > next.Floor).OrderBy(c => c.Key).Select(c => Item(c.Key, c.Value))]);
                        progress = next;
                        lent.Clear();
                        break;
                }
                // Each event is settled, set aside, or still to come.
                for (ulong cursor = 1; cursor <= last; cursor++)
                    Assert.Equal(done.Contains(cursor) || IsDead(cursor) || IsRetried(cursor), cursor <= progress.Floor || progress.Settled.Contains(cursor));
                Assert.Equal(lent.Count, progress.Unacknowledged);
            }

            bool IsLent(ulong cursor) => progress.IsLent(cursor);
            bool IsDead(ulong cursor) => progress.DeadLetters.Any(d => d.Item.Sequence == cursor && !d.IsRetried);
            bool IsRetried(ulong cursor) => progress.DeadLetters.Any(d => d.Item.Sequence == cursor && d.IsRetried);
        }
    }

    [Fact]
    public void Notes_and_texts_are_not_printed()
    {
        var text = new OutboxBody.TextReceived(Encoding.UTF8.GetBytes("secret"), true, false, null);
        var letter = new DeadLetterView(new OutboxItem(1, default, "c", "p", text), 1, default, "secret");
        Assert.DoesNotContain("secret", $"{letter} {new SubscriptionRequest.Reject([1], default, true, "secret")}", StringComparison.Ordinal);
    }
}
