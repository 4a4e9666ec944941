using System.Globalization;
using Akka.Actor;
using Akka.Dispatch;
using Akka.Dispatch.MessageQueues;
using Relay.Actors.Conversations;

namespace Relay.Actors.Tests.Conversations;

/// <summary>The entities' message queue keeps every message, and each sender's in order.</summary>
public sealed class ConversationMailboxTests
{
    private readonly ConversationMessageQueue _queue = new();

    private static Envelope Message(object message) => new(message, ActorRefs.NoSender);

    private object? Take() => _queue.TryDequeue(out var envelope) ? envelope.Message : null;

    [Fact]
    public void Messages_come_out_in_the_order_in_which_they_came()
    {
        Assert.Null(Take());
        int put = 0, taken = 0;
        // Every length from empty to several, growing and shrinking.
        foreach (int step in (int[])[1, -1, 3, -1, 2, -4, 1, -1, 5, -5])
        {
            for (int i = 0; i < step; i++) _queue.Enqueue(ActorRefs.Nobody, Message(put++));
            for (int i = 0; i < -step; i++) Assert.Equal(taken++, Take());
            Assert.Equal((put - taken, put > taken), (_queue.Count, _queue.HasMessages));
        }
        Assert.Null(Take());
    }

    [Fact]
    public async Task Nothing_is_lost_or_swapped_between_threads()
    {
        const int senders = 4, each = 20_000;
        var sending = Enumerable.Range(0, senders).Select(s => Task.Run(() =>
        {
            for (int i = 0; i < each; i++) _queue.Enqueue(ActorRefs.Nobody, Message((s, i)));
        })).ToArray();
        var next = new int[senders];
        for (int left = senders * each; left > 0;)
        {
            if (Take() is not (int sender, int number)) continue;
            Assert.Equal(next[sender]++, number);
            left--;
        }
        await Task.WhenAll(sending);
        Assert.Equal(0, _queue.Count);
    }

    [Fact]
    public void What_is_left_when_the_entity_ends_goes_to_the_dead_letters()
    {
        for (int i = 0; i < 3; i++) _queue.Enqueue(ActorRefs.Nobody, Message(i.ToString(CultureInfo.InvariantCulture)));
        var dead = new UnboundedMessageQueue();
        _queue.CleanUp(ActorRefs.Nobody, dead);
        Assert.Equal((0, 3), (_queue.Count, dead.Count));
    }
}
