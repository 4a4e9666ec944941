using Relay.Actors;
using Relay.Actors.Cluster;
using Relay.Actors.Conversations;
using Relay.Actors.Shards;
using Relay.Simulation.Tests.Engine;
using Relay.Storage;

namespace Relay.Simulation.Tests.Broker;

/// <summary>A node's side of the broker: connects again when the connection is lost, asks, and stands in line.</summary>
internal sealed class BrokerClient : IShardBroker
{
    /// <summary>How long an answer is waited for.</summary>
    private static readonly TimeSpan AskTimeout = TimeSpan.FromSeconds(10);
    private const int ReconnectMs = 300;

    private readonly Schedule _schedule;
    private readonly SimBroker _broker;
    private readonly SimProcess _node;
    private readonly TimeProvider _time;
    private readonly Dictionary<long, (BrokerConnection Connection, TaskCompletionSource<Reply> Answer)> _asked = [];
    private readonly List<BrokerConsumer> _consumers = [];
    private TaskCompletionSource _connected = new();
    private long _lastCorrelation;
    private bool _disposed;

    public BrokerClient(Schedule schedule, SimBroker broker, SimProcess node, TimeProvider time)
    {
        (_schedule, _broker, _node, _time) = (schedule, broker, node, time);
        Connect();
    }

    public event Action<StreamKey, ulong>? Announced;

    public int Shards => _broker.Shards;

    public bool IsConnected => Connection is not null;

    public BrokerConnection? Connection { get; private set; }

    /// <summary>Commands that wait for an answer.</summary>
    public int Waiting => _asked.Count;

    public async Task<Reply> AskAsync(ShardCommand command, CancellationToken cancellation)
    {
        _schedule.AssertThread();
        if (Connection is not { } connection) return ConversationActor.Unavailable("broker");
        long correlation = ++_lastCorrelation;
        var answer = new TaskCompletionSource<Reply>();
        _asked.Add(correlation, (connection, answer));
        using var timer = _time.CreateTimer(_ => answer.TrySetResult(ConversationActor.Unavailable("no answer")), null, AskTimeout, Timeout.InfiniteTimeSpan);
        int shard = ShardOf(command.ConversationId);
        connection.Publish(() => _broker.Publish(shard, command, connection, correlation));
        var reply = await answer.Task;
        _asked.Remove(correlation);
        return reply;
    }

    public async Task<IShardSubscription> SubscribeAsync(int shard, IShardOwner owner, CancellationToken cancellation)
    {
        while (true)
        {
            if (Connection is { } connection)
            {
                var consumer = new BrokerConsumer(_schedule, _broker, connection, shard, owner);
                _consumers.Add(consumer);
                consumer.Subscribe();
                return consumer;
            }
            await _connected.Task.WaitAsync(cancellation);
        }
    }

    public void Announce(StreamKey stream, ulong last)
    {
        var connection = Connection;
        connection?.Publish(() => _broker.Announce(connection, stream, last));
    }

    public void Replied(BrokerConnection connection, long correlation, Reply reply)
    {
        if (_asked.TryGetValue(correlation, out var asked) && asked.Connection == connection) asked.Answer.TrySetResult(reply);
    }

    public void OnAnnounced(StreamKey stream, ulong last) => Announced?.Invoke(stream, last);

    public void ConnectionLost(BrokerConnection connection)
    {
        if (Connection != connection) return;
        Connection = null;
        _connected = new();
        foreach (var consumer in _consumers.ToArray()) consumer.End();
        _consumers.Clear();
        foreach (var (_, answer) in _asked.Values.ToArray()) answer.TrySetResult(ConversationActor.Unavailable("broker"));
        if (!_disposed) _schedule.Post(_node, "connects to the broker", 0, Connect, ReconnectMs);
    }

    public ValueTask DisposeAsync()
    {
        _disposed = true;
        Connection?.EndFirstAtNode(0);
        return ValueTask.CompletedTask;
    }

    private void Connect()
    {
        if (_disposed) return;
        Connection = new BrokerConnection(_schedule, _broker, _node, this);
        _connected.TrySetResult();
    }

    private int ShardOf(string id)
    {
        uint hash = 2166136261;
        foreach (char c in id) hash = (hash ^ c) * 16777619;
        return (int)(hash % (uint)_broker.Shards);
    }
}
