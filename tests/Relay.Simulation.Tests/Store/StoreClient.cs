using Relay.Actors;
using Relay.Storage;

namespace Relay.Simulation.Tests.Store;

/// <summary>One process's access to the shared store; how an operation gets there and back is said by who derives from it.</summary>
internal abstract class StoreClient : IClusterStore
{
    public event Action<StreamKey, ulong>? Appended;

    public event Action<StreamKey>? Acknowledged;

    /// <summary>Has an operation done.</summary>
    /// <param name="touched">The rows that it needs for itself.</param>
    /// <param name="done">Called on this process once it learns that it was.</param>
    protected abstract ValueTask<T> DoAsync<T>(StoreOperation operation, Func<SimStore, T> apply, Action<T>? done = null, params object[] touched);

    public ValueTask<StoredConversation> LoadConversationAsync(string endpointId, string conversationId, CancellationToken cancellation) => DoAsync(StoreOperation.Load, s => new StoredConversation(s.Load(endpointId, conversationId), s.LoadIdentities(endpointId, conversationId)));

    public abstract ValueTask<CommitResult> CommitAsync(CommitUnit unit, CancellationToken cancellation);

    protected static CommitResult Prepare(SimStore store, CommitUnit unit, out Action apply)
    {
        try
        {
            return store.Prepare(unit, out apply);
        }
        catch (Exception e) when (e is not StoreException)
        {
            throw new StoreException("The transaction failed.", e);
        }
    }

    /// <summary>Word of a commit, on this process.</summary>
    protected void TellAppended(IEnumerable<OutboxPlace> places)
    {
        foreach (var place in places) Appended?.Invoke(place.Stream, place.Sequence);
    }

    public ValueTask<IReadOnlyList<ConversationRow>> ListAsync(string endpointId, string? afterId, int max, CancellationToken cancellation) => DoAsync(StoreOperation.Read, s => s.List(endpointId, afterId, max));

    public ValueTask<DueConversations> ReadDueAsync(long untilMs, int max, CancellationToken cancellation) => DoAsync(StoreOperation.Read, s => s.ReadDue(untilMs, max));

    public async ValueTask SuspendAsync(string endpointId, string conversationId, CancellationToken cancellation) => await WriteAsync(s => s.Suspend(endpointId, conversationId));

    public async ValueTask PostponeAsync(string endpointId, string conversationId, long dueByMs, long untilMs, CancellationToken cancellation) => await WriteAsync(s => s.Postpone(endpointId, conversationId, dueByMs, untilMs));

    public ValueTask<IReadOnlyList<(ulong Sequence, byte[] Sealed)>> ReadAsync(StreamKey stream, ulong after, int max, long maxBytes, CancellationToken cancellation) => DoAsync(StoreOperation.Read, s => s.Read(stream, after, max, maxBytes));

    public ValueTask<(ulong Acknowledged, ulong Last)> PositionAsync(StreamKey stream, CancellationToken cancellation) => DoAsync(StoreOperation.Read, s => s.Position(stream));

    public async ValueTask AcknowledgeAsync(StreamKey stream, ulong sequence, CancellationToken cancellation) => await WriteAsync(s => s.Acknowledge(stream, sequence), () => Acknowledged?.Invoke(stream), stream);

    public ValueTask<InsertEndpointResult> InsertEndpointAsync(EndpointRow endpoint, CancellationToken cancellation) => DoAsync(StoreOperation.Write, s => s.InsertEndpoint(endpoint));

    public ValueTask<EndpointRow?> LoadEndpointAsync(string id, CancellationToken cancellation) => DoAsync(StoreOperation.Load, s => s.LoadEndpoint(id));

    public ValueTask<EndpointRow?> FindEndpointByRequestAsync(UInt128 request, CancellationToken cancellation) => DoAsync(StoreOperation.Read, s => s.FindEndpoint(request));

    public ValueTask<IReadOnlyList<EndpointRow>> ListEndpointsAsync(string? afterId, int max, CancellationToken cancellation) => DoAsync(StoreOperation.Read, s => s.ListEndpoints(afterId, max));

    public ValueTask<bool> UpdateEndpointAsync(string id, ulong expectedRevision, byte[] value, long? purgeMs, CancellationToken cancellation) => DoAsync(StoreOperation.Write, s => s.UpdateEndpoint(id, expectedRevision, value, purgeMs));

    public ValueTask<IReadOnlyList<EndpointRow>> ReadPurgeDueAsync(long untilMs, int max, CancellationToken cancellation) => DoAsync(StoreOperation.Read, s => s.ReadPurgeDue(untilMs, max));

    public ValueTask<bool> PurgeEndpointAsync(string id, ulong expectedRevision, CancellationToken cancellation) => DoAsync(StoreOperation.Write, s => s.PurgeEndpoint(id, expectedRevision));

    public ValueTask OpenStreamAsync(StreamKey stream, CancellationToken cancellation) => ValueTask.CompletedTask;

    public async ValueTask DeleteSubscriptionAsync(string endpointId, string name, CancellationToken cancellation) => await WriteAsync(s => s.DeleteSubscription(endpointId, name));

    public ValueTask<SubscriptionRow?> LoadSubscriptionAsync(string endpointId, string name, SubscriptionPart part, CancellationToken cancellation) => DoAsync(StoreOperation.Read, s => s.LoadSubscription(endpointId, name, part));

    public ValueTask<bool> SaveSubscriptionAsync(string endpointId, string name, SubscriptionPart part, ulong expectedRevision, byte[] value, CancellationToken cancellation) => DoAsync(StoreOperation.Write, s => s.SaveSubscription(endpointId, name, part, expectedRevision, value));

    public ValueTask<SaveFileResult> SaveFileAsync(FileRow file, CancellationToken cancellation) => DoAsync(StoreOperation.Write, s => s.SaveFile(file));

    public ValueTask<StoredFile?> LoadFileAsync(string endpointId, string id, CancellationToken cancellation) => DoAsync(StoreOperation.Read, s => s.Files.Load(endpointId, id));

    public ValueTask<IReadOnlyList<StoredFile>> ListFilesAsync(string endpointId, string? afterId, int max, CancellationToken cancellation) => DoAsync(StoreOperation.Read, s => s.Files.List(endpointId, afterId, max));

    public ValueTask<bool> AppendPortionAsync(string endpointId, string id, uint number, byte[] value, CancellationToken cancellation) => DoAsync(StoreOperation.Write, s => s.Files.Append(endpointId, id, number, value));

    public ValueTask<IReadOnlyList<byte[]>> ReadPortionsAsync(string endpointId, string id, uint first, int max, CancellationToken cancellation) => DoAsync(StoreOperation.Read, s => s.Files.Read(endpointId, id, first, max));

    public async ValueTask DeleteFileAsync(string endpointId, string id, CancellationToken cancellation) => await WriteAsync(s => s.Files.Delete(endpointId, id));

    public ValueTask<bool> ScrubFilesAsync(CancellationToken cancellation) => ValueTask.FromResult(true);

    public ValueTask<IReadOnlyList<(string EndpointId, string Id)>> ReadFilesDueAsync(long untilMs, int max, CancellationToken cancellation) => DoAsync(StoreOperation.Read, s => s.Files.Due(untilMs, max));

    public ValueTask<bool> AppendAuditAsync(ulong sequence, byte[] value, CancellationToken cancellation) => DoAsync(StoreOperation.Write, s => s.AppendAudit(sequence, value));

    public ValueTask<IReadOnlyList<AuditRow>> ReadAuditAsync(ulong after, int max, CancellationToken cancellation) => DoAsync(StoreOperation.Read, s => s.ReadAudit(after, max));

    public ValueTask<(ulong First, ulong Last)> AuditBoundsAsync(CancellationToken cancellation) => DoAsync(StoreOperation.Read, s => s.AuditBounds());

    public async ValueTask TrimAuditAsync(ulong through, CancellationToken cancellation) => await WriteAsync(s => s.TrimAudit(through));

    public ValueTask<EndpointChanges> ReadChangesAsync(ulong after, CancellationToken cancellation) => DoAsync(StoreOperation.Read, s => s.ReadChanges(after));

    public ValueTask<StoreFigures> ReadFiguresAsync(CancellationToken cancellation) => DoAsync(StoreOperation.Read, s => s.ReadFigures());

    public ValueTask<IReadOnlyList<StreamHead>> ReadHeadsAsync(StreamKey? after, int max, CancellationToken cancellation) => DoAsync(StoreOperation.Read, s => s.ReadHeads(after, max));

    public ValueTask<byte[]> GetOrAddMetaAsync(string name, byte[]? candidate, CancellationToken cancellation) => DoAsync(StoreOperation.Write, s => s.GetOrAddMeta(name, candidate));

    public ValueTask<ShardFence> ClaimShardAsync(int shard, Guid node, CancellationToken cancellation) => DoAsync(StoreOperation.Claim, s => s.Claim(shard), null, shard);

    public ValueTask<DocumentRow?> LoadDocumentAsync(string name, CancellationToken cancellation) => DoAsync(StoreOperation.Read, s => s.LoadDocument(name));

    public ValueTask<bool> SaveDocumentAsync(string name, ulong expectedVersion, byte[] value, CancellationToken cancellation) => DoAsync(StoreOperation.Write, s => s.SaveDocument(name, expectedVersion, value));

    public abstract ValueTask FlushAsync(CancellationToken cancellation);

    public abstract ValueTask DisposeAsync();

    private ValueTask<bool> WriteAsync(Action<SimStore> apply, Action? done = null, params object[] touched) => DoAsync(StoreOperation.Write, s =>
    {
        apply(s);
        return true;
    }, _ => done?.Invoke(), touched);
}

/// <summary>What is asked of a store, as far as faults tell it apart.</summary>
internal enum StoreOperation
{
    Load,
    Read,
    Commit,
    Write,
    Claim,
}
