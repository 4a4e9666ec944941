using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors.Conversations;
using Relay.Actors.Documents;
using Relay.Actors.Endpoints;
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
    private readonly DeadlineSweeper _sweeper;
    private readonly BoundedReads _reads;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _draining = new();
    private readonly Lock _lock = new();
    private Task? _drained;
    private Task? _closed;

    /// <param name="shards">Makes the shards, in this process or among nodes.</param>
    /// <param name="owned">Disposed of last, in order.</param>
    public RelayNode(IRelayStore store, Sealer sealer, KeyedIds ids, RelayNodeOptions options, Func<ConversationContext, INodeShards> shards, RelayTelemetry telemetry, ILogger log, TimeProvider time, IRandomSource random, params IDisposable[] owned)
    {
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
        _sweeper = new DeadlineSweeper(store, time, WakeAsync, log) { LongestSleep = options.DeadlineRecheck, IsOurs = () => _shards!.KeepsDeadlines, Continuations = options.Continuations };
        _shards = shards(new ConversationContext(store, loads, sealer, ids, _accounts, signals, time, random, computing, new ComputeBudgets(options.ComputeAllowance, time), telemetry, log, options.Schedule, _sweeper.Set) { Continuations = options.Continuations });
        Outbox = new SealedOutbox(store, _reads, sealer, signals, telemetry, log, time, options.StreamRecheck);
        Endpoints = new EndpointDirectory(store, _reads, sealer, ids, time, random, computing, telemetry, log);
        Documents = store is IClusterStore cluster ? new SealedDocuments(cluster, sealer) : null;
        telemetry.Observe(() => Resident, () => _admission.Count);
    }

    public IEndpoints Endpoints { get; }

    public IOutbox Outbox { get; }

    public ISharedDocuments? Documents { get; }

    public IReadOnlyList<NodeView> Nodes => _shards.Nodes;

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
        await _shards.StartAsync(cancellation).ConfigureAwait(false);
        RelayLog.Opened(_log);
        _sweeper.Start();
    }

    public async ValueTask<Reply> AskAsync(ConversationAddress address, Command command, CancellationToken cancellation)
    {
        Limits.RequestId(command.RequestId);
        if (command is Command.ReceiveWire { After: { } before }) Limits.RequestId(before);
        string id;
        string? peer = null;
        switch (address)
        {
            case ConversationAddress.ByPeer by:
                Limits.Address(by.Peer);
                peer = by.Peer;
                id = _ids.Conversation(by.EndpointId, by.Peer);
                break;
            case ConversationAddress.ById by when KeyedIds.IsId(by.ConversationId):
                id = by.ConversationId;
                break;
            default:
                return new Reply.NotFound("conversation");
        }
        try
        {
            return await PostAsync(new ShardCommand(address.EndpointId, id, peer, command), cancellation).WaitAsync(RelayLimits.AnswerTimeout, _time, cancellation).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Under way still, and counted so: a repetition waits behind it and gets its answer.
            _telemetry.AnsweredLate();
            return ConversationActor.Unavailable("slow");
        }
    }

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
        await _sweeper.StopAsync().ConfigureAwait(false);
        await empty.ConfigureAwait(false);
        await _shards.HandOnAsync(CancellationToken.None).ConfigureAwait(false);
    }

    private async Task CloseAsync()
    {
        await DrainAsync(CancellationToken.None).ConfigureAwait(false);
        await _store.DisposeAsync().ConfigureAwait(false);
        await _shards.DisposeAsync().ConfigureAwait(false);
        _accounts.Dispose();
        _sealer.Dispose();
        _ids.Dispose();
        _telemetry.Dispose();
        RelayLog.Closed(_log);
        foreach (var owned in _owned) owned.Dispose();
    }

    /// <summary>Counts as in flight until it is answered, also if the caller has gone.</summary>
    private async Task<Reply> PostAsync(ShardCommand command, CancellationToken cancellation)
    {
        int bytes = command.Command?.TextLength ?? 0;
        if (_admission.TryEnter(command.EndpointId, bytes) is { } refusal)
        {
            if (refusal is Reply.Overloaded overloaded) _telemetry.Overloaded(overloaded.Bound);
            return refusal;
        }
        try
        {
            return await _shards.AskAsync(command, cancellation).ConfigureAwait(false);
        }
        finally
        {
            _admission.Leave(command.EndpointId, bytes);
        }
    }

    private async Task<bool> WakeAsync(string endpointId, string id)
        => await PostAsync(new ShardCommand(endpointId, id, null, null), CancellationToken.None).ConfigureAwait(false) is Reply.Done;

    private ConversationView View(ConversationRow stored)
    {
        var updated = DateTimeOffset.FromUnixTimeMilliseconds(stored.UpdatedMs);
        if (ConversationRecord.TryOpenView(_sealer, new RowKey(stored.EndpointId, stored.Id, stored.Version), stored.Sealed, updated) is { } view) return view;
        _telemetry.Quarantined("conversation");
        RelayLog.ConversationQuarantined(_log, stored.Id);
        return ConversationView.Quarantined(stored.EndpointId, stored.Id, updated);
    }
}
