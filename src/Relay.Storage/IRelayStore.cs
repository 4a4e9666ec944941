namespace Relay.Storage;

/// <summary>
/// Where everything durable lives. A store sees sealed bytes and keyed ids only. SQLite implements it for one process,
/// PostgreSQL for many (<see cref="IClusterStore"/>): one contract test suite is for both.
/// </summary>
public interface IRelayStore : IConversationStore, IOutboxStore, IEndpointStore, IAsyncDisposable
{
    /// <summary>Stores <paramref name="candidate"/> under a name unless something is stored there; what is stored then.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<byte[]> GetOrAddMetaAsync(string name, byte[]? candidate, CancellationToken cancellation);

    /// <summary>Finishes what is queued and refuses further writes.</summary>
    ValueTask FlushAsync(CancellationToken cancellation);
}

/// <summary>Conversations: read whole, written by compare-and-swap.</summary>
public interface IConversationStore
{
    /// <exception cref="StoreException"/>
    ValueTask<StoredConversation?> LoadAsync(string endpointId, string conversationId, CancellationToken cancellation);

    /// <summary>
    /// Does the whole unit or nothing: state (if the stored version is the expected one), ids seen, outbox rows. Units of
    /// many conversations share a transaction. Completes when the unit is durable.
    /// </summary>
    /// <exception cref="StoreException">Not known whether it was done.</exception>
    ValueTask<CommitResult> CommitAsync(CommitUnit unit, CancellationToken cancellation);

    /// <summary>Rows of an endpoint in order of id, without the ids seen.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<StoredConversation>> ListAsync(string endpointId, string? afterId, int max, CancellationToken cancellation);

    /// <summary>Conversations with a deadline up to <paramref name="untilMs"/>, earliest first, and the first deadline after those.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<DueConversations> ReadDueAsync(long untilMs, int max, CancellationToken cancellation);

    /// <summary>Takes the deadline off a conversation that does not open, so that it is not woken for ever.</summary>
    /// <exception cref="StoreException"/>
    ValueTask SuspendAsync(string endpointId, string conversationId, CancellationToken cancellation);

    /// <summary>Puts a deadline that came by <paramref name="dueByMs"/> off to <paramref name="untilMs"/>; a later one, and none, stay.</summary>
    /// <exception cref="StoreException"/>
    ValueTask PostponeAsync(string endpointId, string conversationId, long dueByMs, long untilMs, CancellationToken cancellation);
}

/// <param name="Version">Of the last commit, from 1.</param>
/// <param name="Seen">Oldest first.</param>
public sealed record StoredConversation(string EndpointId, string Id, ulong Version, byte[] Sealed, long UpdatedMs, long? DueMs, IReadOnlyList<SeenRow> Seen);

/// <summary>The ids that one commit took in, with their first answers; the version is that commit's.</summary>
public readonly record struct SeenRow(ulong Version, byte[] Sealed);

public sealed record DueConversations(IReadOnlyList<(string EndpointId, string ConversationId)> Due, long? NextMs);

/// <summary>What one step of an actor makes durable, together.</summary>
public sealed record CommitUnit
{
    public required string EndpointId { get; init; }
    public required string ConversationId { get; init; }
    /// <summary>The version the actor read; 0: there is no row yet. The new one is one more.</summary>
    public required ulong ExpectedVersion { get; init; }
    public required byte[] Sealed { get; init; }
    public required long UpdatedMs { get; init; }
    public long? DueMs { get; init; }
    /// <summary>Null: nothing was taken in.</summary>
    public byte[]? SealedSeen { get; init; }
    /// <summary>Seen rows up to this version are forgotten; 0: none.</summary>
    public ulong ForgetSeenThrough { get; init; }
    /// <summary>The owner's standing at the conversation's shard; null in a store of one process, which has nobody to fence off.</summary>
    public ShardFence? Fence { get; init; }
    public IReadOnlyList<OutboxAppend> Outbox { get; init; } = [];
}

/// <summary>A row for a stream. It is sealed once its sequence is known, which only the transaction knows.</summary>
public abstract class OutboxAppend
{
    public abstract StreamKey Stream { get; }

    /// <summary>May be called again with another sequence if the transaction has to be tried again.</summary>
    public abstract byte[] Seal(ulong sequence);
}

public abstract record CommitResult
{
    private CommitResult() { }

    public sealed record Committed : CommitResult { public static Committed Instance { get; } = new(); }
    /// <summary>The stored version is another one: somebody else owns the conversation, or an earlier commit was done after all.</summary>
    public sealed record Conflict : CommitResult { public static Conflict Instance { get; } = new(); }
    /// <summary>Somebody else has claimed the shard since: whoever asked must let go of it.</summary>
    public sealed record Fenced : CommitResult { public static Fenced Instance { get; } = new(); }
    /// <summary>The stream is at its bound.</summary>
    public sealed record StreamFull(StreamKey Stream) : CommitResult;
    /// <summary>The endpoint has as many conversations as it may.</summary>
    public sealed record TooManyConversations : CommitResult { public static TooManyConversations Instance { get; } = new(); }
    /// <summary>There is no such endpoint.</summary>
    public sealed record NoEndpoint : CommitResult { public static NoEndpoint Instance { get; } = new(); }
}

/// <summary>Which of an endpoint's two streams.</summary>
public enum StreamKind : byte
{
    /// <summary>The bot's: plaintext and session events.</summary>
    Events = 1,
    /// <summary>The bridge's: wire text.</summary>
    Wire = 2,
}

public readonly record struct StreamKey(string EndpointId, StreamKind Kind);

/// <summary>The streams: gap-free sequences from 1, rows deleted when acknowledged.</summary>
public interface IOutboxStore
{
    /// <summary>Raised after a commit with the last sequence given out; must not block.</summary>
    event Action<StreamKey, ulong>? Appended;

    /// <summary>Raised after an acknowledgement; must not block.</summary>
    event Action<StreamKey>? Acknowledged;

    /// <summary>
    /// Rows after <paramref name="after"/> in order: up to <paramref name="max"/> rows or <paramref name="maxBytes"/> sealed
    /// bytes, whichever ends first. A row that would exceed the bytes is left for the next read unless it is the first, so
    /// that a reader always gets on. Large rows must not be read from the database only to be left.
    /// </summary>
    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<(ulong Sequence, byte[] Sealed)>> ReadAsync(StreamKey stream, ulong after, int max, long maxBytes, CancellationToken cancellation);

    /// <exception cref="StoreException"/>
    ValueTask<(ulong Acknowledged, ulong Last)> PositionAsync(StreamKey stream, CancellationToken cancellation);

    /// <summary>Cumulative; beyond the last: clamped; below an earlier one: nothing.</summary>
    /// <exception cref="StoreException"/>
    ValueTask AcknowledgeAsync(StreamKey stream, ulong sequence, CancellationToken cancellation);
}

/// <summary>The endpoints.</summary>
public interface IEndpointStore
{
    /// <exception cref="StoreException"/>
    ValueTask<InsertEndpointResult> InsertEndpointAsync(StoredEndpoint endpoint, CancellationToken cancellation);

    /// <exception cref="StoreException"/>
    ValueTask<StoredEndpoint?> LoadEndpointAsync(string id, CancellationToken cancellation);

    /// <exception cref="StoreException"/>
    ValueTask<StoredEndpoint?> FindEndpointByRequestAsync(UInt128 request, CancellationToken cancellation);

    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<StoredEndpoint>> ListEndpointsAsync(string? afterId, int max, CancellationToken cancellation);
}

/// <param name="Address">Keyed hash of (network, account); unique.</param>
/// <param name="Request">Keyed hash of the request's id; unique.</param>
/// <param name="RequestContent">Keyed hash of what the request asked for.</param>
public sealed record StoredEndpoint(string Id, UInt128 Address, UInt128 Request, UInt128 RequestContent, byte[] Sealed);

public enum InsertEndpointResult
{
    Inserted,
    IdTaken,
    AddressTaken,
    /// <summary>The request's id is there: look at what it made.</summary>
    RequestSeen,
    TooMany,
}
