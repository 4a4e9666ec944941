using Akka.Actor;
using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors.Archives;
using Relay.Actors.Audit;
using Relay.Actors.Conversations;
using Relay.Actors.Deadlines;
using Relay.Actors.Documents;
using Relay.Actors.Endpoints;
using Relay.Actors.Epochs;
using Relay.Actors.Files;
using Relay.Actors.Hosting;
using Relay.Actors.Outbox;
using Relay.Actors.Subscriptions;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors;

/// <summary>One process of Relay over any store, alone or as a node of a cluster. Owns what it is given.</summary>
internal sealed class RelayNode : IRelay
{
    private readonly IRelayStore _store;
    private readonly Sealer _sealer;
    private readonly KeyedIds _ids;
    private readonly RelayTelemetry _telemetry;
    private readonly ILogger _log;
    private readonly IDisposable[] _owned;
    private readonly AccountCache _accounts;
    private readonly ResidentConversations _residents;
    private readonly IConversationHost _host;
    private readonly Admission _admission;
    private readonly ActorHost _actors;
    private readonly TimeSpan _deadlineRecheck;
    private readonly Props? _census, _epochs;
    private readonly EpochWatch? _epochWatch;
    private ActorSystem? _system;
    private IActorRef? _region, _deadlines;
    private ConversationClient? _client;
    private readonly EndpointWatch? _watch;
    private readonly EndpointPurger _purger;
    private readonly FileExpiry _fileExpiry;
    private readonly RotationNotices? _rotations;
    private readonly BoundedReads _reads;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _draining = new();
    private readonly Lock _lock = new();
    private Task? _drained;
    private Task? _closed;

    /// <param name="host">Makes what serves the conversations: this process alone, or as a node of a cluster.</param>
    /// <param name="epochs">Null: there are no sealing epochs.</param>
    /// <param name="owned">Disposed of last, in order.</param>
    public RelayNode(
        IRelayStore store, Sealer sealer, KeyedIds ids, RelayNodeOptions options, ActorHost actors,
        Func<ConversationContext, IConversationHost> host, RelayTelemetry telemetry, ILogger log, TimeProvider time, IRandomSource random,
            EpochParts? epochs, params IDisposable[] owned)
    {
        (_actors, _deadlineRecheck) = (actors, options.DeadlineRecheck);
        (_store, _sealer, _ids, _telemetry, _log, _owned) = (store, sealer, ids, telemetry, log, owned);
        _time = time;
        _reads = new BoundedReads(RelayLimits.MaxReadsUnderWay, time);
        _admission = new Admission();
        var loads = new BoundedReads(RelayLimits.MaxLoadsUnderWay, time);
        var computing = new ComputeGate(options.ConcurrentSteps);
        _accounts = new AccountCache(store, loads, sealer, telemetry, log, options.MaxCachedAccounts, time);
        var signals = new StreamSignals(time);
        store.Appended += signals.Appended;
        store.Acknowledged += signals.Acknowledged;
        var turn = new TurnEnvironment(sealer, ids, random, new ComputeBudgets(options.ComputeAllowance, time), signals, telemetry)
        {
            Files = options.Files,
        };
        _residents = new ResidentConversations(options.MaxResidentConversations, time);
        Messages = new MessageReader(store, _reads, sealer, signals, telemetry, time);
        Outbox = new SealedOutbox(store, _reads, sealer, signals, telemetry, log, time, options.StreamRecheck);
        _host = host(new ConversationContext(
            store, loads, _accounts, computing, time, log, turn, _residents, due => _deadlines?.Tell(new DeadlineStored(due)))
        {
            Subscriptions = new SubscriptionContext(store, Outbox),
        });
        var changes = new EndpointChangeSignals(_accounts.Invalidate);
        Endpoints = new EndpointDirectory(
            store, _reads, sealer, ids, time, random, computing, telemetry, log, changes, e => _rotations!.Add(e));
        _watch = options.EndpointRecheck is { } recheck ? new EndpointWatch(store, changes.Changed, recheck, time, log) : null;
        Subscriptions = new SubscriptionClient(
            Endpoints, store, () => _region ?? throw new InvalidOperationException("The node has not been started."));
        _rotations = new RotationNotices(
            this, key => Client.WakeAsync(key), options.EndpointRecheck is null ? TimeSpan.Zero : RelayLimits.RotationNotice, time, log);
        Archives = new IdentityArchives(this, store, _reads, sealer, time, random);
        _purger = new EndpointPurger(store, sealer, _accounts, changes, time, options.PurgeInterval, log);
        _fileExpiry = new FileExpiry(store, time, options.FileExpiryInterval, log);
        Files = new FileTransfers(this, store, _reads, sealer, ids, random, time, telemetry, options.Files, _fileExpiry.Deleted);
        Audit = new SealedAuditRows(store, sealer, _reads);
        Documents = store is IClusterStore cluster ? new SealedDocuments(cluster, sealer) : null;
        _census = options.CensusInterval is { } census
            ? StoreCensus.Props(store, sealer, telemetry.ObserveStore(time), census, time, log) : null;
        (_epochs, _epochWatch) = (epochs?.Props(sealer, telemetry, time, log), epochs?.Watch);
        telemetry.Observe(() => Resident, () => _admission.Utilization);
    }

    public IEndpoints Endpoints { get; }

    public IOutbox Outbox { get; }

    public ISubscriptions Subscriptions { get; }

    public IIdentityArchives Archives { get; }

    public IMessages Messages { get; }

    public IFiles Files { get; }

    public ISharedDocuments? Documents { get; }

    public IAuditRows Audit { get; }

    IAuditRows? IRelay.Audit => Audit;

    public ValueTask<IReadOnlyList<NodeView>> ListNodesAsync(CancellationToken cancellation) => _host.ListNodesAsync(cancellation);

    public Task<string> Lost => _host.Lost;

    public void BeginMetrics() => _telemetry.Begin();

    private ConversationClient Client => _client ?? throw new InvalidOperationException("The node has not been started.");

    public bool IsReady => !_admission.IsClosed;

    public CancellationToken Draining => _draining.Token;

    /// <summary>For tests: the way to the entities, and the actor system's serializers.</summary>
    internal (ActorSystem System, IActorRef Region) Actors
        => (_system ?? throw new InvalidOperationException("The node has not been started."), _region!);

    /// <summary>For tests: opens and seals rows as the node does.</summary>
    internal Sealer Sealing => _sealer;

    /// <summary>Conversations in memory.</summary>
    public int Resident => _residents.Count;

    /// <summary>Commands accepted and not answered.</summary>
    public int InFlight => _admission.Count;

    /// <summary>Callers' reads that the store has not answered.</summary>
    public int ReadsUnderWay => _reads.UnderWay;

    /// <summary>Endpoint keys in memory.</summary>
    public int ResidentKeys => _accounts.Count;

    public async Task StartAsync(CancellationToken cancellation)
    {
        _epochWatch?.Start();
        if (_watch is not null) await _watch.StartAsync(cancellation).ConfigureAwait(false);
        var system = _system = await _actors.StartAsync(_host.AddTo, cancellation).ConfigureAwait(false);
        _region = _actors.Registry.Get<ConversationActor>();
        _client = new ConversationClient(system, _region, _ids, _admission, _telemetry, _time);
        // A draining node wakes no conversations: its keeper moves to another node.
        var keeper = DeadlineKeeper.Props(_store, _time, _client.WakeAsync, _deadlineRecheck, () => IsReady, _log, _census, _epochs);
        _deadlines = _host.StartDeadlines(system, keeper);
        await _host.StartAsync(system, _region, cancellation).ConfigureAwait(false);
        _purger.Start();
        _fileExpiry.Start();
        _rotations!.Start();
        RelayLog.Opened(_log);
    }

    public ValueTask<ConversationReply> AskAsync(ConversationAddress address, Command command, CancellationToken cancellation)
        => Client.AskAsync(address, command, cancellation);

    public async ValueTask<ConversationView?> GetConversationAsync(string endpointId, string conversationId, CancellationToken cancellation)
    {
        var (stored, copy) = await _reads.ReadAsync(c => _store.LoadConversationAsync(endpointId, conversationId, c), cancellation)
            .ConfigureAwait(false);
        var view = stored is not null && !_sealer.IsOfLostEpoch(stored.Sealed) ? View(stored)
            : copy is not null ? ViewRestored(endpointId, conversationId, copy) : null;
        return view is { IsDeleted: true } ? null : view;
    }

    public string ConversationId(string endpointId, string peer) => _ids.Conversation(endpointId, peer);

    public async ValueTask<IReadOnlyList<ConversationView>> ListConversationsAsync(string endpointId, string? afterId, int max,
        CancellationToken cancellation)
    {
        var rows = await _reads.ReadAsync(c => _store.ListAsync(endpointId, afterId, Math.Clamp(max, 0, RelayLimits.MaxItemsPerRead), c),
            cancellation).ConfigureAwait(false);
        var views = new List<ConversationView>(rows.Count);
        foreach (var row in rows)
        {
            // Of one whose state is lost with an epoch's key the peer's keys are left.
            views.Add((_sealer.IsOfLostEpoch(row.Sealed)
                ? await GetConversationAsync(row.EndpointId, row.Id, cancellation).ConfigureAwait(false) : null) ?? View(row));
        }
        return views;
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
        // First what cannot block: a slow store must not delay the closing of admission.
        var empty = _admission.CloseAsync();
        await _draining.CancelAsync().ConfigureAwait(false);
        _deadlines?.Tell(Stop.HandOver);
        await empty.ConfigureAwait(false);
        if (_deadlines is { } keeper)
            await EndAsync(keeper, () => keeper.GracefulStop(RelayLimits.HandOverTimeout, Stop.HandOver)).ConfigureAwait(false);
        if (_region is { } region) await EndAsync(region, () => _host.HandOverAsync(region)).ConfigureAwait(false);
    }

    private async Task EndAsync(IActorRef actor, Func<Task> end)
    {
        try
        {
            await end().ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It ends with the actor system; the store completes what was under way, or does not.
            RelayLog.NotEnded(_log, actor.Path.Name);
        }
    }

    private async Task CloseAsync()
    {
        await DrainAsync(CancellationToken.None).ConfigureAwait(false);
        if (_watch is not null) await _watch.DisposeAsync().ConfigureAwait(false);
        if (_epochWatch is not null) await _epochWatch.DisposeAsync().ConfigureAwait(false);
        await _purger.DisposeAsync().ConfigureAwait(false);
        await _fileExpiry.DisposeAsync().ConfigureAwait(false);
        await _rotations!.DisposeAsync().ConfigureAwait(false);
        await _store.DisposeAsync().ConfigureAwait(false);
        await _host.DisposeAsync().ConfigureAwait(false);
        await _actors.DisposeAsync().ConfigureAwait(false);
        _accounts.Dispose();
        _sealer.Dispose();
        _ids.Dispose();
        _telemetry.Dispose();
        RelayLog.Closed(_log);
        foreach (var owned in _owned) owned.Dispose();
    }

    /// <summary>Shows a conversation of which only the peer's keys are left, because the database was restored without sessions.</summary>
    private ConversationView ViewRestored(string endpointId, string conversationId, byte[] copy)
        => Identities.TryOpenCopy(_sealer, new ConversationKey(endpointId, conversationId), copy) is var (peer, identities)
            ? new ConversationView(endpointId, conversationId, peer, MessageState.Plaintext, [], identities.Copied)
            {
                Identities = identities.Views, PeerKeys = identities.Keys, IsDeleted = identities.IsDeleted,
            }
            : ConversationView.Quarantined(endpointId, conversationId, DateTimeOffset.UnixEpoch);

    private ConversationView View(ConversationRow stored)
    {
        var updated = DateTimeOffset.FromUnixTimeMilliseconds(stored.UpdatedMs);
        if (ConversationState.TryOpenView(_sealer, new RowKey(stored.EndpointId, stored.Id, stored.Version), stored.Sealed, updated)
            is { } view) return view;
        _telemetry.DidNotOpen(SealedThing.Conversation);
        RelayLog.ConversationQuarantined(_log, stored.Id);
        return ConversationView.Quarantined(stored.EndpointId, stored.Id, updated);
    }
}
