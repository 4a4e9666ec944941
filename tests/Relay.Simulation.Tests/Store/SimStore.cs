using Relay.Actors;
using Relay.Storage;

namespace Relay.Simulation.Tests.Store;

/// <summary>
/// The shared database as the contract has it: each operation happens whole, at one moment, or not at all. It outlives
/// every node. The clock is its own.
/// </summary>
internal sealed class SimStore
{
    private readonly Dictionary<(string Endpoint, string Id), Row> _conversations = [];
    private readonly Dictionary<(string Endpoint, string Id), byte[]> _identities = [];
    private readonly Dictionary<StreamKey, SimStream> _streams = [];
    private readonly Dictionary<string, EndpointRow> _endpoints = [];
    private readonly List<string> _changes = [];
    private readonly Dictionary<(string Endpoint, string Name, SubscriptionPart Part), SubscriptionRow> _subscriptions = [];
    private readonly List<AuditRow> _audit = [];
    private SimFiles _files = new();
    private readonly Dictionary<string, byte[]> _meta = [];
    private readonly Dictionary<string, DocumentRow> _documents = [];
    private readonly Dictionary<object, int> _locks = [];
    private readonly Dictionary<int, long> _epochs = [];

    private sealed record Row(ulong Version, byte[] Sealed, long UpdatedMs, long? DueMs, IReadOnlyList<SeenRow> Seen, ulong WireBefore);

    /// <summary>What it does wrong on purpose.</summary>
    public StoreMutation Mutation { get; init; }

    /// <summary>Unacknowledged items that a stream may hold.</summary>
    public int MaxStreamItems { get; init; } = StorageLimits.MaxStreamItems;

    /// <summary>Told of each commit that was done, before anybody else learns of it.</summary>
    public Action<CommitUnit, IReadOnlyList<OutboxPlace>>? Committed { get; set; }

    /// <summary>Told of each claim.</summary>
    public Action<ShardFence>? Claimed { get; set; }

    public IEnumerable<(string Endpoint, string Id)> Conversations => _conversations.Keys;

    /// <summary>Another database with the same content.</summary>
    public SimStore Copy(StoreMutation mutation, int maxStreamItems)
    {
        var copy = new SimStore { Mutation = mutation, MaxStreamItems = maxStreamItems };
        foreach (var (key, row) in _conversations) copy._conversations.Add(key, row);
        foreach (var (key, identities) in _identities) copy._identities.Add(key, identities);
        foreach (var (key, stream) in _streams) copy._streams.Add(key, stream.Copy());
        foreach (var (key, endpoint) in _endpoints) copy._endpoints.Add(key, endpoint);
        copy._changes.AddRange(_changes);
        foreach (var (key, row) in _subscriptions) copy._subscriptions.Add(key, row);
        copy._audit.AddRange(_audit);
        copy._files = _files.Copy();
        foreach (var (key, value) in _meta) copy._meta.Add(key, value);
        foreach (var (key, document) in _documents) copy._documents.Add(key, document);
        foreach (var (key, epoch) in _epochs) copy._epochs.Add(key, epoch);
        return copy;
    }

    public ulong VersionOf(string endpoint, string id) => _conversations.TryGetValue((endpoint, id), out var row) ? row.Version : 0;

    public ConversationRow? Load(string endpoint, string id) => _conversations.TryGetValue((endpoint, id), out var row) ? Show(endpoint, id, row, row.Seen) : null;

    public byte[]? LoadIdentities(string endpoint, string id) => _identities.GetValueOrDefault((endpoint, id));

    public IReadOnlyList<ConversationRow> List(string endpoint, string? afterId, int max)
        => [.. _conversations.Where(c => c.Key.Endpoint == endpoint && string.CompareOrdinal(c.Key.Id, afterId) > 0).OrderBy(c => c.Key.Id, StringComparer.Ordinal).Take(max).Select(c => Show(endpoint, c.Key.Id, c.Value, []))];

    public CommitResult Commit(CommitUnit unit)
    {
        var result = Prepare(unit, out var apply);
        apply();
        return result;
    }

    /// <summary>Decides what becomes of a unit; what it changes is left to <paramref name="apply"/>, until which its rows must be locked.</summary>
    public CommitResult Prepare(CommitUnit unit, out Action apply)
    {
        apply = static () => { };
        if (unit.Fence is { } fence && Epoch(fence.Shard) != fence.Epoch && !Mutation.HasFlag(StoreMutation.IgnoresFence)) return CommitResult.Fenced.Instance;
        var key = (unit.EndpointId, unit.ConversationId);
        _conversations.TryGetValue(key, out var old);
        foreach (var append in unit.Outbox)
        {
            if (Stream(append.Stream).IsFull(MaxStreamItems)) return new CommitResult.StreamFull(append.Stream);
        }
        var wire = new StreamKey(unit.EndpointId, StreamKind.Wire);
        if (unit.UnacknowledgedWire is { } open && Stream(wire).Acknowledged >= open && !Mutation.HasFlag(StoreMutation.IgnoresAcknowledgements))
            return CommitResult.AlreadyAcknowledged.Instance;
        if ((old?.Version ?? 0) != unit.ExpectedVersion)
        {
            if (Mutation.HasFlag(StoreMutation.LeavesGaps)) foreach (var append in unit.Outbox) Stream(append.Stream).Last++;
            if (!Mutation.HasFlag(StoreMutation.IgnoresVersion)) return CommitResult.Conflict.Instance;
        }
        if (unit.ExpectedVersion == 0 && !_endpoints.ContainsKey(unit.EndpointId)) return CommitResult.NoEndpoint.Instance;
        // Sealed before anything is changed: a row that breaks leaves no trace.
        var last = new Dictionary<StreamKey, ulong>();
        var rows = unit.Outbox.Select(a =>
        {
            ulong sequence = last[a.Stream] = (last.TryGetValue(a.Stream, out var l) ? l : Stream(a.Stream).Last) + 1;
            return (Place: new OutboxPlace(a.Stream, sequence), Sealed: a.Seal(sequence));
        }).ToArray();
        ulong wireBefore = rows.Any(r => r.Place.Stream == wire) ? Stream(wire).Last : 0;
        apply = () =>
        {
            foreach (var (place, value) in rows)
            {
                if (Mutation.HasFlag(StoreMutation.DamagesItems)) value[^1] ^= 1;
                Stream(place.Stream).Append(place.Sequence, value);
            }
            if (!Mutation.HasFlag(StoreMutation.ForgetsState)) _conversations[key] = Next(old, unit, wireBefore);
            if (unit.SealedIdentities is { } identities) _identities[key] = identities;
            foreach (var file in unit.Files) _files.Save(file);
            Committed?.Invoke(unit, [.. rows.Select(r => r.Place)]);
        };
        return new CommitResult.Committed(wireBefore);
    }

    /// <summary>What a transaction that is neither done nor undone keeps the others from.</summary>
    public bool IsLocked(object row) => _locks.ContainsKey(row);

    public void Lock(object row) => _locks[row] = _locks.GetValueOrDefault(row) + 1;

    public void Unlock(object row)
    {
        if (--_locks[row] == 0) _locks.Remove(row);
    }

    private Row Next(Row? old, CommitUnit unit, ulong wireBefore)
    {
        ulong version = (old?.Version ?? 0) + 1;
        if (Mutation.HasFlag(StoreMutation.IgnoresVersion)) version = unit.ExpectedVersion + 1;
        var seen = (old?.Seen ?? []).Where(s => s.Version > unit.ForgetSeenThrough && s.Version != version);
        if (unit.SealedSeen is { } ids && !Mutation.HasFlag(StoreMutation.ForgetsSeenIds)) seen = seen.Append(new SeenRow(version, ids, wireBefore));
        return new Row(version, unit.Sealed, unit.UpdatedMs, unit.DueMs, [.. seen], wireBefore);
    }

    public DueConversations ReadDue(long untilMs, int max)
    {
        var due = _conversations.Where(c => c.Value.DueMs <= untilMs).OrderBy(c => c.Value.DueMs).ThenBy(c => c.Key.Id, StringComparer.Ordinal).Take(max).Select(c => c.Key).ToArray();
        return new DueConversations(due, _conversations.Values.Where(c => c.DueMs > untilMs).Min(c => c.DueMs));
    }

    public StoreFigures ReadFigures()
    {
        return new StoreFigures
        {
            Endpoints = _endpoints.Values.Count(e => e.PurgeMs is null), Conversations = _conversations.Count,
            EarliestDueMs = _conversations.Values.Min(c => c.DueMs),
            EventsBacklog = Backlog(k => k.Kind == StreamKind.Events && !k.EndpointId.Contains('/', StringComparison.Ordinal)),
            WireBacklog = Backlog(k => k.Kind == StreamKind.Wire),
            SubscriptionBacklog = Backlog(k => k.EndpointId.Contains('/', StringComparison.Ordinal)),
        };

        long Backlog(Func<StreamKey, bool> isCounted) => _streams.Where(s => isCounted(s.Key)).Sum(s => (long)(s.Value.Last - s.Value.Acknowledged));
    }

    public IReadOnlyList<StreamHead> ReadHeads(StreamKey? after, int max) => [.. _streams
        .Where(s => s.Value.Last > s.Value.Acknowledged)
        .Where(s => after is not { } a || (string.CompareOrdinal(s.Key.EndpointId, a.EndpointId), s.Key.Kind).CompareTo((0, a.Kind)) > 0)
        .OrderBy(s => s.Key.EndpointId, StringComparer.Ordinal).ThenBy(s => s.Key.Kind).Take(max)
        .Select(s => (s.Key, s.Value.Read(s.Value.Acknowledged, 1, 0)[0])).Select(s => new StreamHead(s.Key, s.Item2.Sequence, s.Item2.Sealed))];

    public void Suspend(string endpoint, string id) => Change(endpoint, id, row => row with { DueMs = null });

    public void Postpone(string endpoint, string id, long dueByMs, long untilMs) => Change(endpoint, id, row => row.DueMs <= dueByMs ? row with { DueMs = untilMs } : row);

    public IReadOnlyList<(ulong Sequence, byte[] Sealed)> Read(StreamKey stream, ulong after, int max, long maxBytes) => Stream(stream).Read(after, max, maxBytes);

    public (ulong Acknowledged, ulong Last) Position(StreamKey stream) => (Stream(stream).Acknowledged, Stream(stream).Last);

    public void Acknowledge(StreamKey stream, ulong sequence) => Stream(stream).Acknowledge(Mutation.HasFlag(StoreMutation.AcknowledgesTooMuch) ? sequence + 1 : sequence);

    public InsertEndpointResult InsertEndpoint(EndpointRow endpoint)
    {
        if (_endpoints.Values.Any(e => e.Request == endpoint.Request)) return InsertEndpointResult.RequestSeen;
        if (_endpoints.ContainsKey(endpoint.Id)) return InsertEndpointResult.IdTaken;
        if (_endpoints.Values.Any(e => e.Address == endpoint.Address)) return InsertEndpointResult.AddressTaken;
        if (_endpoints.Count >= StorageLimits.MaxEndpoints) return InsertEndpointResult.TooMany;
        _endpoints.Add(endpoint.Id, endpoint);
        return InsertEndpointResult.Inserted;
    }

    public bool UpdateEndpoint(string id, ulong expectedRevision, byte[] value, long? purgeMs)
    {
        if (!_endpoints.TryGetValue(id, out var endpoint) || endpoint.Revision != expectedRevision) return false;
        _endpoints[id] = endpoint with { Sealed = value, Revision = expectedRevision + 1, PurgeMs = purgeMs };
        _changes.Add(id);
        return true;
    }

    public IReadOnlyList<EndpointRow> ReadPurgeDue(long untilMs, int max)
        => [.. _endpoints.Values.Where(e => e.PurgeMs <= untilMs).OrderBy(e => e.PurgeMs).ThenBy(e => e.Id, StringComparer.Ordinal).Take(max)];

    public bool PurgeEndpoint(string id, ulong expectedRevision)
    {
        if (!UpdateEndpoint(id, expectedRevision, [], 0)) return false;
        foreach (var key in _conversations.Keys.Where(k => k.Endpoint == id).ToArray()) _conversations.Remove(key);
        foreach (var key in _identities.Keys.Where(k => k.Endpoint == id).ToArray()) _identities.Remove(key);
        foreach (var key in _streams.Keys.Where(k => k.EndpointId == id || k.EndpointId.StartsWith(id + "/", StringComparison.Ordinal)).ToArray()) _streams.Remove(key);
        foreach (var key in _subscriptions.Keys.Where(k => k.Endpoint == id).ToArray()) _subscriptions.Remove(key);
        _files.Purge(id);
        _endpoints.Remove(id);
        return true;
    }

    public void DeleteSubscription(string endpoint, string name)
    {
        _streams.Remove(StreamKey.OfSubscription(endpoint, name));
        foreach (var part in Enum.GetValues<SubscriptionPart>()) _subscriptions.Remove((endpoint, name, part));
    }

    public SubscriptionRow? LoadSubscription(string endpoint, string name, SubscriptionPart part) => _subscriptions.GetValueOrDefault((endpoint, name, part));

    public bool SaveSubscription(string endpoint, string name, SubscriptionPart part, ulong expectedRevision, byte[] value)
    {
        if ((LoadSubscription(endpoint, name, part)?.Revision ?? 0) != expectedRevision) return false;
        _subscriptions[(endpoint, name, part)] = new SubscriptionRow(expectedRevision + 1, value);
        return true;
    }

    public SimFiles Files => _files;

    public SaveFileResult SaveFile(FileRow file) => _endpoints.ContainsKey(file.EndpointId) ? _files.Save(file) : SaveFileResult.NoEndpoint;

    public bool AppendAudit(ulong sequence, byte[] value)
    {
        if (AuditBounds().Last + 1 != sequence) return false;
        _audit.Add(new AuditRow(sequence, value));
        return true;
    }

    public IReadOnlyList<AuditRow> ReadAudit(ulong after, int max) => [.. _audit.Where(r => r.Sequence > after).Take(max)];

    public (ulong First, ulong Last) AuditBounds() => _audit.Count == 0 ? default : (_audit[0].Sequence, _audit[^1].Sequence);

    public void TrimAudit(ulong through)
    {
        var (_, last) = AuditBounds();
        _audit.RemoveAll(r => r.Sequence <= through && r.Sequence != last);
    }

    public EndpointChanges ReadChanges(ulong after)
        => new([.. _changes.Skip((int)after).Distinct().Where(_endpoints.ContainsKey).Select(id => (id, _endpoints[id].Revision))], Math.Max(after, (ulong)_changes.Count));

    public EndpointRow? LoadEndpoint(string id) => _endpoints.GetValueOrDefault(id);

    public EndpointRow? FindEndpoint(UInt128 request) => _endpoints.Values.FirstOrDefault(e => e.Request == request);

    public IReadOnlyList<EndpointRow> ListEndpoints(string? afterId, int max)
        => [.. _endpoints.Values.Where(e => string.CompareOrdinal(e.Id, afterId) > 0).OrderBy(e => e.Id, StringComparer.Ordinal).Take(max)];

    public byte[] GetOrAddMeta(string name, byte[]? candidate)
    {
        if (_meta.TryGetValue(name, out var stored)) return stored;
        _meta.Add(name, candidate ?? throw new StoreException("The database lacks a meta row that every Relay database has."));
        return candidate;
    }

    public long Epoch(int shard) => _epochs.GetValueOrDefault(shard);

    public ShardFence Claim(int shard)
    {
        if (Mutation.HasFlag(StoreMutation.LosesConversations)) _conversations.Clear();
        var fence = new ShardFence(shard, _epochs[shard] = Epoch(shard) + 1);
        Claimed?.Invoke(fence);
        return fence;
    }

    public DocumentRow? LoadDocument(string name) => _documents.GetValueOrDefault(name);

    public bool SaveDocument(string name, ulong expectedVersion, byte[] value)
    {
        if ((_documents.GetValueOrDefault(name)?.Version ?? 0) != expectedVersion) return false;
        _documents[name] = new DocumentRow(expectedVersion + 1, value);
        return true;
    }

    private SimStream Stream(StreamKey key)
    {
        if (!_streams.TryGetValue(key, out var stream)) _streams.Add(key, stream = new SimStream());
        return stream;
    }

    private void Change(string endpoint, string id, Func<Row, Row> change)
    {
        if (_conversations.TryGetValue((endpoint, id), out var row)) _conversations[(endpoint, id)] = change(row);
    }

    private static ConversationRow Show(string endpoint, string id, Row row, IReadOnlyList<SeenRow> seen) => new(endpoint, id, row.Version, row.Sealed, row.UpdatedMs, row.DueMs, seen, row.WireBefore);
}

/// <summary>Where an item of a stream stands.</summary>
internal readonly record struct OutboxPlace(StreamKey Stream, ulong Sequence);
