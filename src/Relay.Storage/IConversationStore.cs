namespace Relay.Storage;

/// <summary>The store of conversations. Each is read as a whole and written by compare-and-swap on its version.</summary>
public interface IConversationStore
{
    /// <summary>
    /// Reads a conversation, and what is kept of the peer apart from it, which is still there when the conversation is not: after the
    /// database was restored without sessions.
    /// </summary>
    /// <exception cref="StoreException"/>
    ValueTask<StoredConversation> LoadConversationAsync(string endpointId, string conversationId, CancellationToken cancellation);

    /// <summary>
    /// Commits a unit atomically: state (if the stored version is the expected one), idempotency keys, identities and outbox rows. Units of
    /// many conversations share a transaction (group commit). Completes when the unit is durable.
    /// </summary>
    /// <exception cref="StoreException">It is unknown whether the unit was committed.</exception>
    ValueTask<CommitResult> CommitAsync(CommitUnit unit, CancellationToken cancellation);

    /// <summary>Lists an endpoint's conversations in order of id; <see cref="ConversationRow.Seen"/> is empty.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<ConversationRow>> ListAsync(string endpointId, string? afterId, int max, CancellationToken cancellation);

    /// <summary>
    /// Reads conversations with a deadline up to <paramref name="untilMs"/>, earliest first, and the earliest deadline after that time.
    /// </summary>
    /// <exception cref="StoreException"/>
    ValueTask<DueConversations> ReadDueAsync(long untilMs, int max, CancellationToken cancellation);

    /// <summary>Clears the deadline of a conversation that cannot be unsealed, so that it is not woken again and again.</summary>
    /// <exception cref="StoreException"/>
    ValueTask SuspendAsync(string endpointId, string conversationId, CancellationToken cancellation);

    /// <summary>
    /// Moves a deadline that is at or before <paramref name="dueByMs"/> to <paramref name="untilMs"/>; does nothing if the deadline is
    /// later or there is none.
    /// </summary>
    /// <exception cref="StoreException"/>
    ValueTask PostponeAsync(string endpointId, string conversationId, long dueByMs, long untilMs, CancellationToken cancellation);
}

/// <summary>Adds the common case of a load.</summary>
public static class ConversationStoreExtensions
{
    /// <summary>Reads a conversation without what is kept of the peer; null if there is none.</summary>
    /// <exception cref="StoreException"/>
    public static async ValueTask<ConversationRow?> LoadAsync(
        this IConversationStore store, string endpointId, string conversationId, CancellationToken cancellation)
        => (await store.LoadConversationAsync(endpointId, conversationId, cancellation).ConfigureAwait(false)).Row;
}

/// <param name="Row">Null if there is no such conversation.</param>
/// <param name="Identities">The sealed identities of the peer; null if none were stored.</param>
public readonly record struct StoredConversation(ConversationRow? Row, byte[]? Identities);

/// <param name="Version">Version of the last commit; the first is 1.</param>
/// <param name="Seen">Idempotency keys, oldest first; the newest are in the state.</param>
/// <param name="WireBefore">Of the last commit, as <see cref="SeenRow.WireBefore"/>.</param>
public sealed record ConversationRow(string EndpointId, string Id, ulong Version, byte[] Sealed, long UpdatedMs, long? DueMs,
    IReadOnlyList<SeenRow> Seen, ulong WireBefore = 0);

/// <summary>The idempotency keys of requests up to a commit, with the answers; the version is that commit's.</summary>
/// <param name="WireBefore">
/// The last sequence of the endpoint's wire stream before the rows that the commit appended to it; 0 if it appended none. It is stored
/// outside the seal, as the streams' positions are, because only the transaction knows it.
/// </param>
public readonly record struct SeenRow(ulong Version, byte[] Sealed, ulong WireBefore = 0);

public sealed record DueConversations(IReadOnlyList<(string EndpointId, string ConversationId)> Due, long? NextMs);

/// <summary>The changes of one step of an actor, which must be committed atomically.</summary>
public sealed record CommitUnit
{
    public required string EndpointId { get; init; }
    public required string ConversationId { get; init; }
    /// <summary>The version that the actor read; 0 for a new conversation. The commit stores the next version.</summary>
    public required ulong ExpectedVersion { get; init; }
    public required byte[] Sealed { get; init; }
    public required long UpdatedMs { get; init; }
    public long? DueMs { get; init; }
    /// <summary>A row of idempotency keys, up to those of this step; null: none is due.</summary>
    public byte[]? SealedSeen { get; init; }
    /// <summary>Seen rows up to and including this version are deleted; 0: none.</summary>
    public ulong ForgetSeenThrough { get; init; }
    /// <summary>Takes the place of the peer's stored identities; null: they have not changed.</summary>
    public byte[]? SealedIdentities { get; init; }
    /// <summary>
    /// A sequence of the endpoint's wire stream that must not be acknowledged: otherwise the unit is refused
    /// (<see cref="CommitResult.AlreadyAcknowledged"/>). Null: none.
    /// </summary>
    public ulong? UnacknowledgedWire { get; init; }
    /// <summary>The fencing token of the conversation's shard; null in a store of one process, which needs none.</summary>
    public ShardFence? Fence { get; init; }
    public IReadOnlyList<StreamRow> Outbox { get; init; } = [];
    /// <summary>
    /// Files to insert or replace, as <see cref="IFileStore.SaveFileAsync"/> does. One that conflicts, or has no room, is left out; the unit
    /// is committed all the same.
    /// </summary>
    public IReadOnlyList<FileRow> Files { get; init; } = [];
}

public abstract record CommitResult
{
    private CommitResult() { }

    /// <param name="WireBefore">As <see cref="SeenRow.WireBefore"/>.</param>
    public sealed record Committed(ulong WireBefore) : CommitResult { public static Committed Instance { get; } = new(0); }
    /// <summary><see cref="CommitUnit.UnacknowledgedWire"/> is acknowledged: nothing was committed.</summary>
    public sealed record AlreadyAcknowledged : CommitResult { public static AlreadyAcknowledged Instance { get; } = new(); }
    /// <summary>
    /// The stored version is not the expected one: another owner has committed, or an earlier commit with an unknown outcome succeeded.
    /// </summary>
    public sealed record Conflict : CommitResult { public static Conflict Instance { get; } = new(); }
    /// <summary>The fencing token is stale: another node has claimed the shard, and the caller must stop acting as its owner.</summary>
    public sealed record Fenced : CommitResult { public static Fenced Instance { get; } = new(); }
    /// <summary>The stream holds the maximum of unacknowledged rows or bytes.</summary>
    public sealed record StreamFull(StreamKey Stream) : CommitResult;
    /// <summary>The endpoint already has <see cref="StorageLimits.MaxConversationsPerEndpoint"/> conversations.</summary>
    public sealed record TooManyConversations : CommitResult { public static TooManyConversations Instance { get; } = new(); }
    /// <summary>The endpoint does not exist.</summary>
    public sealed record NoEndpoint : CommitResult { public static NoEndpoint Instance { get; } = new(); }
}
