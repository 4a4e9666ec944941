using Relay.Actors.Shards;
using Relay.Simulation.Tests.Engine;
using Relay.Storage;

namespace Relay.Simulation.Tests.Broker;

/// <summary>A command in a queue, with the way back for its answer.</summary>
internal sealed record BrokerMessage(long Number, ShardCommand Command, BrokerConnection ReplyTo, long Correlation);

/// <summary>
/// The broker's side: one durable queue a shard, one active consumer, the others in line behind it. What a consumer had
/// and did not settle when it went comes back first and in order.
/// </summary>
internal sealed class SimBroker
{
    /// <summary>Unsettled messages that a consumer may have.</summary>
    public const int Prefetch = 4;

    private readonly Schedule _schedule;
    private readonly ShardQueue[] _queues;
    private readonly List<BrokerConnection> _connections = [];
    private long _lastNumber;

    public SimBroker(Schedule schedule, SimProcess process, int shards, BrokerMutation mutation)
    {
        _schedule = schedule;
        Process = process;
        Mutation = mutation;
        _queues = [.. Enumerable.Range(0, shards).Select(s => new ShardQueue(s))];
    }

    public SimProcess Process { get; }

    public BrokerMutation Mutation { get; }

    public int Shards => _queues.Length;

    public BrokerFaults Faults { get; } = new();

    /// <summary>Messages that are in a queue, or with a consumer that has not settled them.</summary>
    public int Unsettled => _queues.Sum(q => q.Ready.Count + q.Line.Sum(c => c.Unsettled.Count));

    private sealed class ShardQueue(int shard)
    {
        public int Shard => shard;
        public LinkedList<BrokerMessage> Ready { get; } = [];
        /// <summary>The first is the active one.</summary>
        public List<BrokerConsumer> Line { get; } = [];
        /// <summary>Where exclusivity is violated: how many at the head of the line are active.</summary>
        public int Active { get; set; } = 1;
    }

    public void Connect(BrokerConnection connection) => _connections.Add(connection);

    /// <summary>A connection has ended on this side: its consumers leave the line, and nothing goes to it any more.</summary>
    public void Disconnect(BrokerConnection connection)
    {
        if (!_connections.Remove(connection) || Mutation == BrokerMutation.KeepsTheDeadInLine) return;
        foreach (var queue in _queues)
        {
            foreach (var consumer in queue.Line.Where(c => c.Connection == connection).ToArray()) Leave(queue, consumer);
        }
    }

    public bool IsConnected(BrokerConnection connection) => _connections.Contains(connection);

    public void Publish(int shard, ShardCommand command, BrokerConnection replyTo, long correlation)
    {
        if (_schedule.Random.Chance(Faults.Losing)) return;
        int times = _schedule.Random.Chance(Faults.Repeating) ? 2 : 1;
        for (int i = 0; i < times; i++) _queues[shard].Ready.AddLast(new BrokerMessage(++_lastNumber, command, replyTo, correlation));
        Dispatch(_queues[shard]);
    }

    public void Subscribe(int shard, BrokerConsumer consumer)
    {
        _queues[shard].Line.Add(consumer);
        Dispatch(_queues[shard]);
    }

    /// <summary>A consumer leaves the line; what it has not settled comes back.</summary>
    public void Unsubscribe(int shard, BrokerConsumer consumer) => Leave(_queues[shard], consumer);

    public void Settle(int shard, BrokerConsumer consumer, long number)
    {
        if (consumer.Unsettled.FirstOrDefault(m => m.Number == number) is { } message) consumer.Unsettled.Remove(message);
        Dispatch(_queues[shard]);
    }

    /// <summary>Direct reply-to: lost if the asker's connection is another one by now.</summary>
    public void Reply(BrokerMessage message, Relay.Actors.Reply reply)
    {
        if (IsConnected(message.ReplyTo) && !_schedule.Random.Chance(Faults.LosingReplies)) message.ReplyTo.Replied(message.Correlation, reply);
    }

    public void Announce(BrokerConnection from, StreamKey stream, ulong last)
    {
        foreach (var other in _connections)
        {
            if (other != from && !_schedule.Random.Chance(Faults.LosingAnnouncements)) other.Announced(stream, last);
        }
    }

    /// <summary>Violates exclusivity: the next in line becomes active beside the one that is, and gets a copy of what that one has.</summary>
    public bool MakeSecondOwner(int shard)
    {
        var queue = _queues[shard];
        if (queue.Line.Count < 2 || queue.Active > 1) return false;
        queue.Active = 2;
        foreach (var message in queue.Line[0].Unsettled.Reverse<BrokerMessage>()) queue.Ready.AddFirst(message with { Number = ++_lastNumber });
        Dispatch(queue);
        return true;
    }

    private void Leave(ShardQueue queue, BrokerConsumer consumer)
    {
        int place = queue.Line.IndexOf(consumer);
        if (place < 0) return;
        queue.Line.RemoveAt(place);
        if (place < queue.Active) queue.Active = 1;
        foreach (var message in consumer.Unsettled.Reverse<BrokerMessage>()) queue.Ready.AddFirst(message);
        consumer.Unsettled.Clear();
        Dispatch(queue);
    }

    private void Dispatch(ShardQueue queue)
    {
        while (queue.Ready.First is { } first)
        {
            var able = queue.Line.Take(queue.Active).Where(c => c.Unsettled.Count < Prefetch || Mutation == BrokerMutation.IgnoresPrefetch).ToArray();
            if (able.Length == 0) return;
            var consumer = able[able.Length == 1 ? 0 : _schedule.Random.Next(able.Length)];
            queue.Ready.RemoveFirst();
            consumer.Unsettled.Add(first.Value);
            consumer.Deliver(first.Value);
        }
    }
}

/// <summary>How the broker misbehaves at present, each in a thousand.</summary>
internal sealed class BrokerFaults
{
    public int Losing { get; set; }
    public int Repeating { get; set; }
    public int LosingReplies { get; set; }
    public int LosingAnnouncements { get; set; }

    public void End() => Losing = Repeating = LosingReplies = LosingAnnouncements = 0;
}

/// <summary>What a broken broker, or its client, does.</summary>
internal enum BrokerMutation
{
    None,
    /// <summary>Now and then a message that was answered is not settled.</summary>
    LosesSettlements,
    /// <summary>A repetition gets another answer than the first.</summary>
    AnswersAnew,
    /// <summary>A connection that has ended keeps its places in line.</summary>
    KeepsTheDeadInLine,
    /// <summary>A consumer gets all there is.</summary>
    IgnoresPrefetch,
}
