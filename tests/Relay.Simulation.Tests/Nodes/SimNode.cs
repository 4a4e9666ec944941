using Microsoft.Extensions.Logging;
using Relay.Actors;
using Relay.Actors.Cluster;
using Relay.Actors.Shards;
using Relay.Actors.Telemetry;
using Relay.Simulation.Tests.Broker;
using Relay.Simulation.Tests.Engine;
using Relay.Simulation.Tests.Store;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Simulation.Tests.Nodes;

/// <summary>What all nodes have in common.</summary>
internal sealed record Cluster(Schedule Schedule, SimStore Store, SimProcess Database, StoreFaults StoreFaults, SimBroker Broker)
{
    /// <summary>Idle conversations that a node keeps in memory.</summary>
    public int MaxResident { get; init; } = 2;

    public static readonly byte[] SealingKey = [.. Enumerable.Repeat((byte)7, Relay.Storage.Sealing.SealingKey.Size)], IdKey = [.. Enumerable.Repeat((byte)9, KeyedIds.KeySize)];

    /// <summary>A conversation's id, as every node works it out.</summary>
    public static string ConversationId(string endpoint, string peer)
    {
        using var ids = new KeyedIds(IdKey);
        return ids.Conversation(endpoint, peer);
    }
}

/// <summary>One run of the real node, from start to death, over the model of store and broker.</summary>
internal sealed class SimNode : ILogger, IDisposable
{
    private readonly Cluster _cluster;
    private readonly NodeStoreClient _store;
    private readonly BrokerClient _broker;
    private readonly RelayTelemetry _telemetry = new();
    private readonly RelayNode _node;
    private Task? _drained;

    /// <param name="run">How often a node of this name has been started before.</param>
    public SimNode(Cluster cluster, string name, int run, long skewMs)
    {
        _cluster = cluster;
        var schedule = cluster.Schedule;
        Process = new SimProcess(run == 0 ? name : $"{name}.{run}");
        var random = schedule.Random.Fork((ulong)run);
        var time = new SimTime(schedule, Process, skewMs);
        _store = new NodeStoreClient(schedule, cluster.Database, Process, cluster.Store, cluster.StoreFaults);
        _broker = new BrokerClient(schedule, cluster.Broker, Process, time);
        var bytes = new byte[16];
        random.Fill(bytes);
        var self = new NodeRow(new Guid(bytes), name, false);
        var options = new RelayNodeOptions(cluster.Broker.Shards)
        {
            Schedule = item => schedule.Post(Process, "actor runs", 0, item.Execute),
            Continuations = TaskCreationOptions.None,
            MaxResidentConversations = cluster.MaxResident,
            DeadlineRecheck = RelayLimits.ClusterRecheck,
            StreamRecheck = RelayLimits.ClusterRecheck,
        };
        using var key = new SealingKey(Cluster.SealingKey);
        _node = new RelayNode(_store, new Sealer(key, random.Fill), new KeyedIds(Cluster.IdKey), options, Shards, _telemetry, this, time, random);

        INodeShards Shards(Actors.Conversations.ConversationContext context)
        {
            var membership = new Membership(_store, self, cluster.Broker.Shards, time, this, TaskCreationOptions.None);
            return new ClusterShards(context, _broker, _store, membership, options.MaxResidentConversations);
        }
    }

    public SimProcess Process { get; }

    public IRelay Relay => _node;

    public bool IsStarted { get; private set; }

    public bool IsDraining => _drained is not null;

    /// <summary>Takes calls: what a client finds out by trying.</summary>
    public bool IsUp => !Process.IsDead;

    public int Resident => _node.Resident;

    /// <summary>Commands that this node has sent through the broker and that wait for an answer.</summary>
    public int Waiting => _broker.Waiting;

    /// <summary>Called when this node has died or been drained.</summary>
    public event Action? Gone;

    public void Start() => _cluster.Schedule.Post(Process, "starts", 0, () => _cluster.Schedule.Watch(StartAsync()));

    /// <summary>kill -9: none of its events happen any more; what it sent may still arrive.</summary>
    public void Kill()
    {
        Process.Die();
        _store.Abandon();
        _broker.Connection?.EndWithNode();
        End();
    }

    /// <summary>SIGSTOP; the broker gives up a connection without heartbeats after a time.</summary>
    public void Pause(long heartbeatMs)
    {
        Process.IsPaused = true;
        var connection = _broker.Connection;
        _cluster.Schedule.Post(_cluster.Broker.Process, "misses heartbeats", 0, () =>
        {
            if (Process.IsPaused && !Process.IsDead) connection?.EndAtBroker(0);
        }, heartbeatMs);
    }

    /// <summary>SIGCONT.</summary>
    public void Resume() => Process.IsPaused = false;

    /// <summary>SIGTERM.</summary>
    public Task DrainAsync()
    {
        if (_drained is not null) return _drained;
        _drained = DrainAndCloseAsync();
        _cluster.Schedule.Watch(_drained);
        return _drained;
    }

    /// <summary>The connection to the broker is lost: on either side first.</summary>
    public void LoseConnection(bool atBrokerFirst, long noticedAfterMs)
    {
        if (_broker.Connection is not { } connection) return;
        if (atBrokerFirst) connection.EndAtBroker(noticedAfterMs);
        else connection.EndFirstAtNode(noticedAfterMs);
    }

    private async Task StartAsync()
    {
        try
        {
            await _node.StartAsync(CancellationToken.None);
            IsStarted = true;
        }
        catch (StoreException)
        {
            // The process ends with an error; its supervisor starts it again.
            Kill();
        }
    }

    private async Task DrainAndCloseAsync()
    {
        await _node.DrainAsync(CancellationToken.None);
        await _node.DisposeAsync();
        Process.Die();
        End();
    }

    public void Dispose() => _telemetry.Dispose();

    private void End()
    {
        _telemetry.Dispose();
        Gone?.Invoke();
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        _cluster.Schedule.AssertThread();
        _cluster.Schedule.Note(Process.Name, eventId.Name ?? "logs", eventId.Id);
        bool isFault = eventId.Name == nameof(RelayLog.Fault);
        if (state is IReadOnlyList<KeyValuePair<string, object?>> values && eventId.Name is nameof(RelayLog.SeatFailed) or nameof(RelayLog.SweepFailed))
            isFault |= values.Any(v => v is { Key: "Error", Value: not nameof(StoreException) });
        if (isFault || eventId.Name is nameof(RelayLog.ConversationQuarantined) or nameof(RelayLog.OutboxItemDamaged) or nameof(RelayLog.EndpointDamaged))
            _cluster.Schedule.Fail(new ViolationException(Invariant.NoFault, formatter(state, exception)));
    }
}
