namespace Relay.Storage;

/// <summary>Conversations: read whole, written by compare-and-swap.</summary>
public interface IConversationStore
{
    /// <exception cref="StoreException"/>
    ValueTask<ConversationRow?> LoadAsync(string endpointId, string conversationId, CancellationToken cancellation);

    /// <summary>
    /// Does the whole unit or nothing: state (if the stored version is the expected one), ids seen, outbox rows. Units of
    /// many conversations share a transaction. Completes when the unit is durable.
    /// </summary>
    /// <exception cref="StoreException">Not known whether it was done.</exception>
    ValueTask<CommitResult> CommitAsync(CommitUnit unit, CancellationToken cancellation);

    /// <summary>Rows of an endpoint in order of id, without the ids seen.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<ConversationRow>> ListAsync(string endpointId, string? afterId, int max, CancellationToken cancellation);

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
public sealed record ConversationRow(string EndpointId, string Id, ulong Version, byte[] Sealed, long UpdatedMs, long? DueMs, IReadOnlyList<SeenRow> Seen);

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
    public IReadOnlyList<StreamRow> Outbox { get; init; } = [];
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
