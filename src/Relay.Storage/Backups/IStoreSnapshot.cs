namespace Relay.Storage.Backups;

/// <summary>
/// One consistent view of what a backup holds of a store, which a server may go on writing to. It only reads. Rows come in the order of
/// their keys, in portions.
/// </summary>
public interface IStoreSnapshot : IAsyncDisposable
{
    /// <summary>The sealed key of the store's keyed ids; null: nothing was sealed yet.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<byte[]?> ReadIdentityAsync(CancellationToken cancellation);

    /// <summary>A document that all nodes share; null if there is none, or the store is that of one process.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<DocumentRow?> ReadDocumentAsync(string name, CancellationToken cancellation);

    /// <summary>Endpoints, those that are being purged included.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<EndpointRow>> ReadEndpointsAsync(string? afterId, int max, CancellationToken cancellation);

    /// <summary>The last sequences of streams.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<BackedUpStream>> ReadStreamsAsync(StreamKey? after, int max, CancellationToken cancellation);

    /// <summary>What is known of peers' keys.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<IdentitiesRow>> ReadIdentitiesAsync(IdentitiesRow? after, int max, CancellationToken cancellation);
}

/// <param name="Last">The last sequence that was given out.</param>
public readonly record struct BackedUpStream(StreamKey Stream, ulong Last);

/// <param name="Sealed">The sealed identities of the conversation's peer.</param>
public readonly record struct IdentitiesRow(string EndpointId, string ConversationId, byte[] Sealed);
