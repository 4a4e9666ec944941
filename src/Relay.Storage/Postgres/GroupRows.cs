namespace Relay.Storage.Postgres;

/// <summary>
/// The rows that a group of jobs reads. Each kind is sorted in the order in which every node locks it, which prevents deadlocks.
/// </summary>
internal sealed class GroupRows
{
    private readonly SortedDictionary<int, int> _shards = [];
    private readonly SortedDictionary<string, int> _endpoints = new(StringComparer.Ordinal);
    private readonly SortedDictionary<StreamKey, int> _streams = new(StreamOrder.Instance);
    private readonly Dictionary<(string Endpoint, string Id), int> _conversations = [];

    public GroupRows(IReadOnlyList<LaneJob> jobs)
    {
        foreach (var job in jobs)
        {
            switch (job)
            {
                case CommitJob { Unit: var unit }:
                    if (unit.Fence is { } fence) _shards[fence.Shard] = 0;
                    if (unit.ExpectedVersion == 0) _endpoints[unit.EndpointId] = 0;
                    _conversations.TryAdd((unit.EndpointId, unit.ConversationId), _conversations.Count);
                    foreach (var append in unit.Outbox) _streams[append.Stream] = 0;
                    if (unit.UnacknowledgedWire is not null) _streams[WireStream(unit)] = 0;
                    break;
                case AcknowledgeJob acknowledge:
                    _streams[acknowledge.Stream] = 0;
                    break;
            }
        }
        Shards = Number(_shards);
        Endpoints = Number(_endpoints);
        Streams = Number(_streams);
        Conversations = [.. _conversations.Keys];
        Epochs = new long?[Shards.Length];
        Sizes = new long?[Endpoints.Length];
        Positions = new StreamPosition?[Streams.Length];
        Versions = new long[Conversations.Length];
    }

    public int[] Shards { get; }

    /// <summary>The endpoints that get a new conversation.</summary>
    public string[] Endpoints { get; }

    public StreamKey[] Streams { get; }

    public (string Endpoint, string Id)[] Conversations { get; }

    /// <summary>The stored epochs, parallel to <see cref="Shards"/>; null for a shard that was never claimed.</summary>
    public long?[] Epochs { get; }

    /// <summary>Numbers of conversations, parallel to <see cref="Endpoints"/>; null if the endpoint does not exist.</summary>
    public long?[] Sizes { get; }

    /// <summary>Positions, parallel to <see cref="Streams"/>; null if the endpoint does not exist.</summary>
    public StreamPosition?[] Positions { get; }

    /// <summary>Stored versions, parallel to <see cref="Conversations"/>; 0 for a new conversation.</summary>
    public long[] Versions { get; }

    public long? EpochOf(int shard) => Epochs[_shards[shard]];

    public int PlaceOfEndpoint(string id) => _endpoints[id];

    public int PlaceOfConversation(CommitUnit unit) => _conversations[(unit.EndpointId, unit.ConversationId)];

    public StreamPosition? PositionOf(StreamKey stream) => Positions[_streams[stream]];

    public static StreamKey WireStream(CommitUnit unit) => new(unit.EndpointId, StreamKind.Wire);

    private static TKey[] Number<TKey>(SortedDictionary<TKey, int> places) where TKey : notnull
    {
        TKey[] keys = [.. places.Keys];
        for (int i = 0; i < keys.Length; i++) places[keys[i]] = i;
        return keys;
    }

    private sealed class StreamOrder : IComparer<StreamKey>
    {
        public static readonly StreamOrder Instance = new();

        public int Compare(StreamKey x, StreamKey y)
            => string.CompareOrdinal(x.EndpointId, y.EndpointId) is not 0 and var order ? order : x.Kind.CompareTo(y.Kind);
    }
}

/// <summary>The position of a stream within one transaction, which holds a lock on the stream's row.</summary>
internal sealed class StreamPosition(long acknowledged, long last, long bytes)
{
    /// <summary>Highest plausible sequence; a row with a higher one is damaged. The margin keeps additions from overflowing.</summary>
    private const long LastSane = long.MaxValue - (1L << 32);

    /// <summary>False for values that Relay cannot have written.</summary>
    public bool IsSane { get; } = acknowledged >= 0 && last >= acknowledged && last <= LastSane && bytes >= 0;

    /// <summary>The acknowledged sequence before this transaction.</summary>
    public long WasAcknowledged { get; } = acknowledged;

    public long Acknowledged { get; set; } = acknowledged;

    public long Last { get; set; } = last;

    public long Bytes { get; set; } = bytes;

    /// <summary>Bytes of the rows that this transaction appends.</summary>
    public long AddedBytes { get; set; }

    /// <summary>Number of rows of the unit that is being sealed.</summary>
    public int Pending { get; set; }

    public bool IsAppended => AddedBytes > 0;

    public bool IsAcknowledged => Acknowledged > WasAcknowledged;

    public bool HasTooManyItems => Last - Acknowledged >= StorageLimits.MaxStreamItems;

    public bool HasTooManyBytes => Bytes >= StorageLimits.MaxStreamBytes;
}
