namespace Relay.Storage.Backups;

/// <summary>
/// Fills a store from a backup while nobody else uses it: one transaction, which takes effect with <see cref="CommitAsync"/> as a whole,
/// or not at all.
/// </summary>
public interface IStoreRestore : IAsyncDisposable
{
    /// <summary>What the store held before.</summary>
    StoreContent Found { get; }

    /// <summary>A document as it was before; null if there is none, or the store is that of one process.</summary>
    /// <exception cref="RelayStartException"/>
    ValueTask<DocumentRow?> ReadDocumentAsync(string name, CancellationToken cancellation);

    /// <summary>
    /// Deletes endpoints, identities, conversations, streams, subscriptions, files and documents. The audit log, the number of shards and
    /// their epochs stay.
    /// </summary>
    /// <exception cref="RelayStartException"/>
    ValueTask ClearAsync(CancellationToken cancellation);

    /// <summary>Writes the sealed key of the keyed ids.</summary>
    /// <exception cref="RelayStartException"/>
    ValueTask WriteIdentityAsync(byte[] value, CancellationToken cancellation);

    /// <summary>Writes a document that all nodes share. A store of one process has none.</summary>
    /// <exception cref="RelayStartException"/>
    ValueTask WriteDocumentAsync(string name, DocumentRow document, CancellationToken cancellation);

    /// <summary>Adds endpoints. The rows are read as they are needed; what reading them throws ends the restore.</summary>
    /// <exception cref="RelayStartException"/>
    ValueTask AddEndpointsAsync(IEnumerable<EndpointRow> rows, CancellationToken cancellation);

    /// <summary>Adds streams without rows, each with everything up to its position acknowledged.</summary>
    /// <exception cref="RelayStartException"/>
    ValueTask AddStreamsAsync(IEnumerable<BackedUpStream> rows, CancellationToken cancellation);

    /// <inheritdoc cref="AddEndpointsAsync"/>
    ValueTask AddIdentitiesAsync(IEnumerable<IdentitiesRow> rows, CancellationToken cancellation);

    /// <summary>Makes all of it durable.</summary>
    /// <exception cref="RelayStartException">Nothing was restored; the message says what to do.</exception>
    ValueTask CommitAsync(CancellationToken cancellation);
}

/// <summary>What a store holds that a restore would replace.</summary>
/// <param name="Identity">The sealed key of its keyed ids; null: nothing was sealed yet.</param>
public sealed record StoreContent(byte[]? Identity, long Endpoints, bool HasConversations)
{
    /// <summary>True if nothing is lost by a restore but API keys.</summary>
    public bool IsEmpty => Endpoints == 0 && !HasConversations;
}
