using Akka.Actor;
using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors.Conversations;
using Relay.Actors.Deadlines;
using Relay.Actors.Documents;
using Relay.Actors.Endpoints;
using Relay.Actors.Hosting;
using Relay.Actors.Outbox;
using Relay.Actors.Shards;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors;

/// <summary>One process of Relay, over any store and any shards. Owns what it is given.</summary>
internal sealed class RelayNode : IRelay
{
    private readonly IRelayStore _store;
    private readonly Sealer _sealer;
    private readonly KeyedIds _ids;
    private readonly RelayTelemetry _telemetry;
    private readonly ILogger _log;
    private readonly IDisposable[] _owned;
    private readonly AccountCache _accounts;
    private readonly INodeShards _shards;
    private readonly Admission _admission;
    private readonly ActorHost _actors;
    private readonly TimeSpan _deadlineRecheck;
    private IActorRef? _region, _deadlines;
    private ConversationClient? _client;
    private readonly BoundedReads _reads;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _draining = new();
    private readonly Lock _lock = new();
    private Task? _drained;
    private Task? _closed;

    /// <param name="shards">Makes the shards, in this process or among nodes.</param>
    /// <param name="owned">Disposed of last, in order.</param>
    public RelayNode(
        IRelayStore store, Sealer sealer, KeyedIds ids, RelayNodeOptions options, ActorHost actors,
        Func<ConversationContext, INodeShards> shards, RelayTelemetry telemetry, ILogger log, TimeProvider time, IRandomSource random, params IDisposable[] owned)
    {
        (_actors, _deadlineRecheck) = (actors, options.DeadlineRecheck);
        (_store, _sealer, _ids, _telemetry, _log, _owned) = (store, sealer, ids, telemetry, log, owned);
        _time = time;
        _reads = new BoundedReads(RelayLimits.MaxReadsUnderWay, time);
        _admission = new Admission(options.Continuations);
        var loads = new BoundedReads(RelayLimits.MaxLoadsUnderWay, time);
        var computing = new ComputeGate(options.ConcurrentSteps, options.Continuations);
        _accounts = new AccountCache(store, loads, sealer, telemetry, log, options.MaxCachedAccounts, options.Continuations);
        var signals = new StreamSignals(time, options.Continuations);
        store.Appended += signals.Appended;
        store.Acknowledged += signals.Acknowledged;
        var turn = new TurnEnvironment(sealer, ids, random, new ComputeBudgets(options.ComputeAllowance, time), signals, telemetry);
        var residents = new ResidentConversations(options.MaxResidentConversations, time);
        _shards = shards(new ConversationContext(
            store, loads, _accounts, computing, time, log, turn, residents, due => _deadlines?.Tell(new DeadlineStored(due))));
        Outbox = new SealedOutbox(store, _reads, sealer, signals, telemetry, log, time, options.StreamRecheck);
        Endpoints = new EndpointDirectory(store, _reads, sealer, ids, time, random, computing, telemetry, log);
        Documents = store is IClusterStore cluster ? new SealedDocuments(cluster, sealer) : null;
        telemetry.Observe(() => Resident, () => _admission.Count);
    }

    public IEndpoints Endpoints { get; }

    public IOutbox Outbox { get; }

    public ISharedDocuments? Documents { get; }

    public IReadOnlyList<NodeView> Nodes => _shards.Nodes;

    private ConversationClient Client => _client ?? throw new InvalidOperationException("The node has not been started.");

    public bool IsReady => !_admission.IsClosed;

    public CancellationToken Draining => _draining.Token;

    /// <summary>Conversations in memory.</summary>
    public int Resident => _shards.Resident;

    /// <summary>Commands accepted and not answered.</summary>
    public int InFlight => _admission.Count;

    /// <summary>Callers' reads that the store has not answered.</summary>
    public int ReadsUnderWay => _reads.UnderWay;

    /// <summary>Endpoint keys in memory.</summary>
    public int ResidentKeys => _accounts.Count;

    public async Task StartAsync(CancellationToken cancellation)
    {
        var system = await _actors.StartAsync(_shards.AddTo, cancellation).ConfigureAwait(false);
        _region = _actors.Registry.Get<ConversationActor>();
        _client = new ConversationClient(system, _region, _ids, _admission, _telemetry, _time);
        await _shards.StartAsync(cancellation).ConfigureAwait(false);
        var keeper = DeadlineKeeper.Props(_store, _time, _client.WakeAsync, _deadlineRecheck, () => _shards.KeepsDeadlines, _log);
        _deadlines = system.ActorOf(keeper, "deadlines");
        RelayLog.Opened(_log);
    }

    public ValueTask<ConversationReply> AskAsync(ConversationAddress address, Command command, CancellationToken cancellation)
        => Client.AskAsync(address, command, cancellation);

    public async ValueTask<ConversationView?> GetConversationAsync(string endpointId, string conversationId, CancellationToken cancellation)
        => await _reads.ReadAsync(c => _store.LoadAsync(endpointId, conversationId, c), cancellation).ConfigureAwait(false) is { } stored ? View(stored) : null;

    public async ValueTask<IReadOnlyList<ConversationView>> ListConversationsAsync(string endpointId, string? afterId, int max, CancellationToken cancellation)
    {
        var rows = await _reads.ReadAsync(c => _store.ListAsync(endpointId, afterId, Math.Clamp(max, 0, RelayLimits.MaxItemsPerRead), c), cancellation).ConfigureAwait(false);
        return [.. rows.Select(View)];
    }

    public Task DrainAsync(CancellationToken cancellation)
    {
        lock (_lock) _drained ??= DrainOnceAsync();
        return _drained.WaitAsync(cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        lock (_lock) _closed ??= CloseAsync();
        await _closed.ConfigureAwait(false);
    }

    private async Task DrainOnceAsync()
    {
        RelayLog.Draining(_log);
        // First what nothing can hold up: a slow store must not keep callers coming.
        var empty = _admission.CloseAsync();
        await _draining.CancelAsync().ConfigureAwait(false);
        await _shards.AnnounceDrainAsync(CancellationToken.None).ConfigureAwait(false);
        _deadlines?.Tell(Stop.HandOver);
        await empty.ConfigureAwait(false);
        if (_deadlines is { } keeper) await EndAsync(keeper, () => keeper.GracefulStop(RelayLimits.HandOverTimeout, Stop.HandOver)).ConfigureAwait(false);
        if (_region is { } region) await EndAsync(region, () => _shards.HandOnAsync(region, CancellationToken.None)).ConfigureAwait(false);
    }

    private async Task EndAsync(IActorRef actor, Func<Task> end)
    {
        try
        {
            await end().ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It ends with the actor system; what it had under way is done by the store, or is not.
            RelayLog.NotEnded(_log, actor.Path.Name);
        }
    }

    private async Task CloseAsync()
    {
        await DrainAsync(CancellationToken.None).ConfigureAwait(false);
        await _store.DisposeAsync().ConfigureAwait(false);
        await _shards.DisposeAsync().ConfigureAwait(false);
        await _actors.DisposeAsync().ConfigureAwait(false);
        _accounts.Dispose();
        _sealer.Dispose();
        _ids.Dispose();
        _telemetry.Dispose();
        RelayLog.Closed(_log);
        foreach (var owned in _owned) owned.Dispose();
    }

    private ConversationView View(ConversationRow stored)
    {
        var updated = DateTimeOffset.FromUnixTimeMilliseconds(stored.UpdatedMs);
        if (ConversationState.TryOpenView(_sealer, new RowKey(stored.EndpointId, stored.Id, stored.Version), stored.Sealed, updated) is { } view) return view;
        _telemetry.Quarantined("conversation");
        RelayLog.ConversationQuarantined(_log, stored.Id);
        return ConversationView.Quarantined(stored.EndpointId, stored.Id, updated);
    }
}
