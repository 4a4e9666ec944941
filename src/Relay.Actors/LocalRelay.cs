using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors.Conversations;
using Relay.Actors.Endpoints;
using Relay.Actors.Outbox;
using Relay.Actors.Sealing;
using Relay.Actors.Shards;
using Relay.Actors.Store;
using Relay.Actors.Telemetry;

namespace Relay.Actors;

/// <summary>All shards in one process, over any store. Owns what it is given.</summary>
internal sealed class LocalRelay : IRelay
{
    private readonly IRelayStore _store;
    private readonly Sealer _sealer;
    private readonly KeyedIds _ids;
    private readonly RelayTelemetry _telemetry;
    private readonly ILogger _log;
    private readonly IDisposable[] _owned;
    private readonly AccountCache _accounts;
    private readonly Shard[] _shards;
    private readonly Admission _admission = new();
    private readonly DeadlineSweeper _sweeper;
    private readonly SemaphoreSlim _computing;
    private readonly CancellationTokenSource _draining = new();
    private readonly Lock _lock = new();
    private Task? _drained;
    private Task? _closed;

    /// <param name="owned">Disposed of last, in order.</param>
    public LocalRelay(IRelayStore store, Sealer sealer, KeyedIds ids, LocalRelayOptions options, RelayTelemetry telemetry, ILogger log, TimeProvider time, IRandomSource random, params IDisposable[] owned)
    {
        (_store, _sealer, _ids, _telemetry, _log, _owned) = (store, sealer, ids, telemetry, log, owned);
        _computing = new SemaphoreSlim(options.ConcurrentSteps);
        _accounts = new AccountCache(store, sealer, telemetry, log, options.MaxCachedAccounts);
        var signals = new StreamSignals(time);
        store.Appended += signals.Appended;
        store.Acknowledged += signals.Acknowledged;
        _sweeper = new DeadlineSweeper(store, time, WakeAsync, log);
        var context = new ConversationContext(store, sealer, ids, _accounts, signals, time, random, _computing, telemetry, log, _sweeper.Set);
        _shards = [.. Enumerable.Range(0, options.Shards).Select(_ => new Shard(context, Math.Max(1, options.MaxResidentConversations / options.Shards)))];
        Outbox = new SealedOutbox(store, sealer, signals, telemetry, log);
        Endpoints = new EndpointDirectory(store, sealer, ids, time, random, _computing, telemetry, log);
        telemetry.Observe(() => Resident, () => _admission.Count);
    }

    public IEndpoints Endpoints { get; }

    public IOutbox Outbox { get; }

    public bool IsReady => !_admission.IsClosed;

    public CancellationToken Draining => _draining.Token;

    /// <summary>Conversations in memory.</summary>
    public int Resident => _shards.Sum(s => s.Resident);

    /// <summary>Endpoint keys in memory.</summary>
    public int ResidentKeys => _accounts.Count;

    public void Start()
    {
        RelayLog.Opened(_log, _shards.Length);
        _sweeper.Start();
    }

    public async ValueTask<Reply> AskAsync(ConversationAddress address, Command command, CancellationToken cancellation)
    {
        Limits.RequestId(command.RequestId);
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
        return await PostAsync(address.EndpointId, id, new Envelope(peer, command, _admission.Leave)).WaitAsync(cancellation).ConfigureAwait(false);
    }

    public async ValueTask<ConversationView?> GetConversationAsync(string endpointId, string conversationId, CancellationToken cancellation)
        => await _store.LoadAsync(endpointId, conversationId, cancellation).ConfigureAwait(false) is { } stored ? View(stored) : null;

    public async ValueTask<IReadOnlyList<ConversationView>> ListConversationsAsync(string endpointId, string? afterId, int max, CancellationToken cancellation)
    {
        var rows = await _store.ListAsync(endpointId, afterId, Math.Clamp(max, 0, RelayLimits.MaxItemsPerRead), cancellation).ConfigureAwait(false);
        return [.. rows.Select(View).OfType<ConversationView>()];
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
        var empty = _admission.CloseAsync();
        await _draining.CancelAsync().ConfigureAwait(false);
        await _sweeper.StopAsync().ConfigureAwait(false);
        await empty.ConfigureAwait(false);
        foreach (var shard in _shards) shard.Evict();
    }

    private async Task CloseAsync()
    {
        await DrainAsync(CancellationToken.None).ConfigureAwait(false);
        await _store.DisposeAsync().ConfigureAwait(false);
        // An actor answers before it rests, so some may have rested only since the drain.
        foreach (var shard in _shards) shard.Evict();
        _accounts.Dispose();
        _sealer.Dispose();
        _ids.Dispose();
        _telemetry.Dispose();
        RelayLog.Closed(_log);
        foreach (var owned in _owned) owned.Dispose();
    }

    private Task<Reply> PostAsync(string endpointId, string id, Envelope envelope)
    {
        if (_admission.TryEnter(envelope) is { } refusal)
        {
            if (refusal is Reply.Overloaded overloaded) _telemetry.Overloaded(overloaded.Bound);
            return Task.FromResult(refusal);
        }
        _shards[ShardOf(id, _shards.Length)].Post(endpointId, id, envelope);
        return envelope.Reply;
    }

    private async Task<bool> WakeAsync(string endpointId, string id)
        => await PostAsync(endpointId, id, new Envelope(null, null, _admission.Leave)).ConfigureAwait(false) is Reply.Done;

    /// <summary>The id is a keyed hash, so its characters spread evenly.</summary>
    private static int ShardOf(string id, int shards)
    {
        uint hash = 0;
        for (int i = 0; i < 7; i++) hash = 31 * hash + id[i];
        return (int)(hash % (uint)shards);
    }

    private ConversationView? View(StoredConversation stored)
    {
        if (ConversationRecord.TryOpenView(_sealer, new RowKey(stored.EndpointId, stored.Id, stored.Version), stored.Sealed, DateTimeOffset.FromUnixTimeMilliseconds(stored.UpdatedMs)) is { } view) return view;
        _telemetry.Quarantined("conversation");
        RelayLog.ConversationQuarantined(_log, stored.Id);
        return null;
    }
}

/// <summary>The sizes that a test makes small.</summary>
internal sealed record LocalRelayOptions(int Shards)
{
    public string? SealingKeyFile { get; init; }
    public int ConcurrentSteps { get; init; } = Environment.ProcessorCount;
    public int MaxResidentConversations { get; init; } = RelayLimits.MaxResidentConversations;
    public int MaxCachedAccounts { get; init; } = RelayLimits.MaxCachedAccounts;
}
