using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors;
using Relay.Actors.Conversations;
using Relay.Actors.Endpoints;
using Relay.Actors.Outbox;
using Relay.Actors.Telemetry;
using Relay.Simulation.Tests.Engine;
using Relay.Simulation.Tests.Network;
using Relay.Simulation.Tests.Store;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Simulation.Tests.Nodes;

/// <summary>What all nodes have in common.</summary>
internal sealed record Cluster(Schedule Schedule, SimStore Store, SimProcess Database, StoreFaults StoreFaults, SimNetwork Network, NodeMutation Mutation)
{
    public static readonly byte[] SealingKey = [.. Enumerable.Repeat((byte)7, Relay.Storage.Sealing.SealingKey.Size)], IdKey = [.. Enumerable.Repeat((byte)9, KeyedIds.KeySize)];

    public Ownership Ownership { get; set; } = null!;

    /// <summary>A conversation's id, as every node works it out.</summary>
    public static string ConversationId(string endpoint, string peer)
    {
        using var ids = new KeyedIds(IdKey);
        return ids.Conversation(endpoint, peer);
    }

    public static int ShardOf(ConversationKey key) => key.ConversationId[0] % Profile.Shards;
}

/// <summary>
/// One run of a node, from start to death: the real accounts, turns and streams over the model of the store, in shells that
/// follow the actors' rules.
/// </summary>
internal sealed class SimNode : ILogger, IDisposable
{
    private const int DeadlineIntervalMs = 1000;
    private const int MaxDue = 8;

    private readonly SimTime _time;
    private readonly RelayTelemetry _telemetry = new();
    private readonly AccountCache _accounts;
    private readonly Sealer _sealer;
    private readonly KeyedIds _ids = new(Cluster.IdKey);
    private readonly StreamSignals _signals;
    private readonly Guid _id;
    private readonly SimShard?[] _shards = new SimShard?[Profile.Shards];
    private readonly LinkedList<SimEntity> _idle = [];
    private readonly HashSet<SimAsk> _asks = [];
    private bool _isEnded;

    /// <param name="run">How often a node of this name has been started before.</param>
    public SimNode(Cluster cluster, Profile profile, string name, int run, long skewMs)
    {
        (Cluster, Profile) = (cluster, profile);
        var schedule = cluster.Schedule;
        Process = new SimProcess(run == 0 ? name : $"{name}.{run}");
        var random = schedule.Random.Fork((ulong)run);
        var bytes = new byte[16];
        random.Fill(bytes);
        _id = new Guid(bytes);
        _time = new SimTime(schedule, Process, skewMs);
        Store = new NodeStoreClient(schedule, cluster.Database, Process, cluster.Store, cluster.StoreFaults);
        using (var key = new SealingKey(Cluster.SealingKey)) _sealer = new Sealer(key, random.Fill);
        _signals = new StreamSignals(_time, TaskCreationOptions.None);
        Store.Appended += Grown;
        Store.Acknowledged += _signals.Acknowledged;
        var loads = new BoundedReads(RelayLimits.MaxLoadsUnderWay, _time);
        _accounts = new AccountCache(Store, loads, _sealer, _telemetry, this, RelayLimits.MaxCachedAccounts, _time, TaskCreationOptions.None);
        Environment = new TurnEnvironment(_sealer, _ids, random, new ComputeBudgets(ComputeAllowance.Default, _time), _signals, _telemetry)
        {
            MaxCommandLifetime = profile.Log.Kept,
            Log = Has(NodeMutation.ForgetsYoungIds) ? profile.Log with { Kept = TimeSpan.Zero } : profile.Log,
        };
        Context = new ConversationContext(Store, loads, _accounts, new ComputeGate(1, TaskCreationOptions.None), _time, this, Environment, new ResidentConversations(int.MaxValue, _time), _ => { });
        Outbox = new SealedOutbox(Store, new BoundedReads(RelayLimits.MaxReadsUnderWay, _time), _sealer, _signals, _telemetry, this, _time, RelayLimits.ClusterRecheck);
        Messages = new MessageReader(Store, new BoundedReads(RelayLimits.MaxReadsUnderWay, _time), _sealer, _signals, _telemetry, _time);
    }

    public Cluster Cluster { get; }

    public Profile Profile { get; }

    public SimProcess Process { get; }

    public NodeStoreClient Store { get; }

    public TurnEnvironment Environment { get; }

    public ConversationContext Context { get; }

    public IOutbox Outbox { get; }

    public IMessages Messages { get; }

    public long NowMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    public bool IsDraining { get; private set; }

    /// <summary>Takes calls: what a client finds out by trying.</summary>
    public bool IsUp => !Process.IsDead;

    /// <summary>Idle conversations in memory.</summary>
    public int Resident => _idle.Count;

    /// <summary>Commands that wait for a reply here, or for their turn.</summary>
    public int InFlight => _asks.Count + _shards.Sum(s => s?.Entities.Sum(e => e.InHand) ?? 0);

    /// <summary>Called when this node has died or been drained.</summary>
    public event Action? Gone;

    public bool Has(NodeMutation mutation) => Cluster.Mutation.HasFlag(mutation);

    public void Start() => Cluster.Schedule.Post(Process, "starts", 0, () => Cluster.Schedule.Watch(KeepDeadlinesAsync()));

    /// <summary>kill -9: none of its events happen any more; what it sent may still arrive.</summary>
    public void Kill()
    {
        Process.Die();
        Store.Abandon();
        End();
    }

    /// <summary>SIGTERM: hands its shards over, waits for its own callers' replies, and goes.</summary>
    public void Drain()
    {
        if (IsDraining) return;
        IsDraining = true;
        Cluster.Schedule.Post(Process, "drains", 0, () =>
        {
            for (int shard = 0; shard < _shards.Length; shard++) GiveUp(shard, _shards[shard]?.Fence.Epoch ?? 0);
        });
        WaitUntilEmpty();
    }

    public bool Owns(int shard) => _shards[shard] is not null;

    /// <summary>Claims a shard, as its lease does before any entity starts.</summary>
    public void Take(int shard) => Cluster.Schedule.Watch(TakeAsync(shard));

    /// <summary>Hands a shard over, unless it was claimed anew since.</summary>
    public void GiveUp(int shard, long epoch)
    {
        if (_shards[shard] is not { } seat || seat.Fence.Epoch != epoch) return;
        seat.HandOver(() =>
        {
            _shards[shard] = null;
            Cluster.Ownership.GivenUp(this, shard, epoch);
        });
    }

    /// <summary>Asks a conversation as the gateway does: again and again under one id and expiry, until there is a reply or it has expired.</summary>
    public async ValueTask<ConversationReply> AskAsync(ConversationAddress.ByPeer address, Command command, CancellationToken cancellation)
    {
        if (IsDraining) return ConversationTurn.Unavailable("draining");
        var key = new ConversationKey(address.EndpointId, _ids.Conversation(address.EndpointId, address.Peer));
        var ask = new SimAsk(new ConversationCommand(key, address.Peer, command, NowMs + Profile.ExpiryMs, default));
        _asks.Add(ask);
        Send(ask);
        try
        {
            return await ask.Reply.WaitAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            _asks.Remove(ask);
        }
    }

    /// <summary>An entity has come to rest: the longest idle one goes if there are too many.</summary>
    public void Rests(SimEntity entity)
    {
        _idle.Remove(entity);
        if (!entity.HasState)
        {
            entity.Passivate();
            return;
        }
        _idle.AddLast(entity);
        if (_idle.Count > Profile.MaxResident) _idle.First!.Value.Passivate();
    }

    public void Forget(SimEntity entity) => _idle.Remove(entity);

    private async Task TakeAsync(int shard)
    {
        try
        {
            var fence = await Store.ClaimShardAsync(shard, _id, CancellationToken.None);
            if (IsDraining || Owns(shard))
            {
                Cluster.Ownership.Failed(this, shard);
                return;
            }
            _shards[shard] = new SimShard(this, fence);
            Cluster.Ownership.Taken(this, fence);
        }
        catch (StoreException)
        {
            Cluster.Ownership.Failed(this, shard);
        }
    }

    private void Send(SimAsk ask)
    {
        var message = ask.Next(NowMs);
        if (message is null) return;
        Tell(message, ask, reply =>
        {
            if (reply is ConversationReply.Unavailable { Reason: ConversationReply.Moved }) Cluster.Schedule.Note(Process.Name, "moved");
            else ask.Answer(reply);
        });
        Cluster.Schedule.Post(Process, "asks again", 0, () => Send(ask), Profile.AskAgainMs);
    }

    private void Tell(IConversationMessage message, object sender, Action<ConversationReply> answer)
    {
        int number = Cluster.ShardOf(message.Key);
        if (Cluster.Ownership.Route(number) is not { } owner) return;
        Cluster.Network.Send(Process, owner.Process, "command comes", number, () => owner.Deliver(number, message, sender, reply =>
            Cluster.Network.Send(owner.Process, Process, "reply comes", number, () => answer(reply))));
    }

    private void Deliver(int shard, IConversationMessage message, object sender, Action<ConversationReply> reply)
    {
        var entity = _shards[shard]?.Entity(message.Key);
        if (entity is null) return;
        _idle.Remove(entity);
        entity.Receive(message, sender, r =>
        {
            if (r is ConversationReply.Unavailable { Reason: ConversationReply.Expired }) Cluster.Schedule.Note(Process.Name, "expired");
            reply(r);
        });
        if (entity.IsIdle) Rests(entity);
    }

    private void Grown(StreamKey stream, ulong last)
    {
        _signals.Appended(stream, last);
        foreach (var other in Cluster.Ownership.Others(this)) Cluster.Network.Send(Process, other.Process, "a stream grew", (long)last, () => other._signals.Appended(stream, last));
    }

    /// <summary>Wakes conversations whose deadline has come. Every node does: twice is harmless.</summary>
    private async Task KeepDeadlinesAsync()
    {
        while (!IsDraining)
        {
            await Sleep.ForAsync(TimeSpan.FromMilliseconds(DeadlineIntervalMs), _time, CancellationToken.None);
            try
            {
                var due = await Store.ReadDueAsync(NowMs, MaxDue, CancellationToken.None);
                foreach (var (endpoint, id) in due.Due) Tell(new Wake(new ConversationKey(endpoint, id)), new object(), static _ => { });
            }
            catch (StoreException)
            {
                // Again after the interval.
            }
        }
    }

    private void WaitUntilEmpty() => Cluster.Schedule.Post(Process, "waits for what is in flight", 0, () =>
    {
        if (_asks.Count > 0 || _shards.Any(s => s is not null)) WaitUntilEmpty();
        else Cluster.Schedule.Watch(CloseAsync());
    }, 50);

    private async Task CloseAsync()
    {
        await Store.DisposeAsync();
        Process.Die();
        End();
    }

    public void Dispose()
    {
        if (!_isEnded) _telemetry.Dispose();
    }

    private void End()
    {
        if (_isEnded) return;
        _isEnded = true;
        _telemetry.Dispose();
        Cluster.Ownership.Gone(this);
        Gone?.Invoke();
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        Cluster.Schedule.AssertThread();
        Cluster.Schedule.Note(Process.Name, eventId.Name ?? "logs", eventId.Id);
        if (eventId.Name is nameof(RelayLog.ConversationQuarantined) or nameof(RelayLog.OutboxItemDamaged) or nameof(RelayLog.EndpointDamaged))
            Cluster.Schedule.Fail(new ViolationException(Invariant.NoFault, formatter(state, exception)));
    }
}

/// <summary>One command that a node's caller waits for.</summary>
internal sealed class SimAsk(ConversationCommand command)
{
    private readonly TaskCompletionSource<ConversationReply> _reply = new();
    private bool _wasSent;

    public Task<ConversationReply> Reply => _reply.Task;

    /// <summary>What is to be sent now; null once there is a reply or it has expired.</summary>
    public ConversationCommand? Next(long nowMs)
    {
        if (nowMs >= command.ExpiresAtMs) Answer(ConversationTurn.Unavailable("slow"));
        if (_reply.Task.IsCompleted) return null;
        var next = command with { IsRepeated = _wasSent };
        _wasSent = true;
        return next;
    }

    public void Answer(ConversationReply reply) => _reply.TrySetResult(reply);
}
