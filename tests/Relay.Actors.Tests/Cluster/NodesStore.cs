using Relay.Storage;

namespace Relay.Actors.Tests.Cluster;

/// <summary>The part of a shared store by which nodes see each other and claim shards; heartbeats do not age by themselves.</summary>
internal sealed class NodesStore : IClusterStore
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<Guid, NodeRow> _nodes = [];
    private readonly Dictionary<int, long> _epochs = [];

    public bool IsDown { get; set; }

    public string[] Names { get { lock (_lock) return [.. _nodes.Values.Select(n => n.Name)]; } }

    /// <summary>As if its heartbeat had grown old.</summary>
    public void Forget(string name)
    {
        lock (_lock)
        {
            foreach (var id in _nodes.Values.Where(n => n.Name == name).Select(n => n.Id).ToArray()) _nodes.Remove(id);
        }
    }

    public ValueTask<IReadOnlyList<NodeRow>> BeatAsync(NodeRow self, TimeSpan lifetime, CancellationToken cancellation)
    {
        if (IsDown) throw new StoreException("Down on purpose.");
        lock (_lock)
        {
            _nodes[self.Id] = self;
            return ValueTask.FromResult<IReadOnlyList<NodeRow>>([.. _nodes.Values]);
        }
    }

    public ValueTask LeaveAsync(Guid node, CancellationToken cancellation)
    {
        if (IsDown) throw new StoreException("Down on purpose.");
        lock (_lock) _nodes.Remove(node);
        return ValueTask.CompletedTask;
    }

    public ValueTask<ShardFence> ClaimShardAsync(int shard, Guid node, CancellationToken cancellation)
    {
        lock (_lock)
        {
            _epochs[shard] = _epochs.GetValueOrDefault(shard) + 1;
            return ValueTask.FromResult(new ShardFence(shard, _epochs[shard]));
        }
    }

    private static InvalidOperationException NotHere() => new("Not part of this.");

    public event Action<StreamKey, ulong>? Appended { add { } remove { } }
    public event Action<StreamKey>? Acknowledged { add { } remove { } }
    public ValueTask<DocumentRow?> LoadDocumentAsync(string name, CancellationToken cancellation) => throw NotHere();
    public ValueTask<bool> SaveDocumentAsync(string name, ulong expectedVersion, byte[] value, CancellationToken cancellation) => throw NotHere();
    public ValueTask<byte[]> GetOrAddMetaAsync(string name, byte[]? candidate, CancellationToken cancellation) => throw NotHere();
    public ValueTask FlushAsync(CancellationToken cancellation) => ValueTask.CompletedTask;
    public ValueTask<ConversationRow?> LoadAsync(string endpointId, string conversationId, CancellationToken cancellation) => throw NotHere();
    public ValueTask<CommitResult> CommitAsync(CommitUnit unit, CancellationToken cancellation) => throw NotHere();
    public ValueTask<IReadOnlyList<ConversationRow>> ListAsync(string endpointId, string? afterId, int max, CancellationToken cancellation) => throw NotHere();
    public ValueTask<DueConversations> ReadDueAsync(long untilMs, int max, CancellationToken cancellation) => throw NotHere();
    public ValueTask SuspendAsync(string endpointId, string conversationId, CancellationToken cancellation) => throw NotHere();
    public ValueTask PostponeAsync(string endpointId, string conversationId, long dueByMs, long untilMs, CancellationToken cancellation) => throw NotHere();
    public ValueTask<IReadOnlyList<(ulong Sequence, byte[] Sealed)>> ReadAsync(StreamKey stream, ulong after, int max, long maxBytes, CancellationToken cancellation) => throw NotHere();
    public ValueTask<(ulong Acknowledged, ulong Last)> PositionAsync(StreamKey stream, CancellationToken cancellation) => throw NotHere();
    public ValueTask AcknowledgeAsync(StreamKey stream, ulong sequence, CancellationToken cancellation) => throw NotHere();
    public ValueTask<InsertEndpointResult> InsertEndpointAsync(EndpointRow endpoint, CancellationToken cancellation) => throw NotHere();
    public ValueTask<EndpointRow?> LoadEndpointAsync(string id, CancellationToken cancellation) => throw NotHere();
    public ValueTask<EndpointRow?> FindEndpointByRequestAsync(UInt128 request, CancellationToken cancellation) => throw NotHere();
    public ValueTask<IReadOnlyList<EndpointRow>> ListEndpointsAsync(string? afterId, int max, CancellationToken cancellation) => throw NotHere();
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
