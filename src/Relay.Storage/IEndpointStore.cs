namespace Relay.Storage;

/// <summary>The store of endpoints, which are looked up by id or by the idempotency key of the request that created them.</summary>
public interface IEndpointStore
{
    /// <exception cref="StoreException"/>
    ValueTask<InsertEndpointResult> InsertEndpointAsync(EndpointRow endpoint, CancellationToken cancellation);

    /// <exception cref="StoreException"/>
    ValueTask<EndpointRow?> LoadEndpointAsync(string id, CancellationToken cancellation);

    /// <exception cref="StoreException"/>
    ValueTask<EndpointRow?> FindEndpointByRequestAsync(UInt128 request, CancellationToken cancellation);

    /// <summary>Replaces the sealed part of an endpoint whose revision is the expected one; the next revision is stored.</summary>
    /// <param name="purgeMs">The time at which the endpoint is due to be purged, in Unix ms; null: never.</param>
    /// <returns>False if there is no such endpoint, or its revision is another.</returns>
    /// <exception cref="StoreException">It is unknown whether it was replaced.</exception>
    ValueTask<bool> UpdateEndpointAsync(string id, ulong expectedRevision, byte[] value, long? purgeMs, CancellationToken cancellation);

    /// <summary>Reads endpoints that are due to be purged, the earliest first.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<EndpointRow>> ReadPurgeDueAsync(long untilMs, int max, CancellationToken cancellation);

    /// <summary>
    /// Purges an endpoint whose revision is the expected one: first its sealed part, with the keys in it, so that no later transaction can
    /// use it; then its conversations, identities, streams and files; and its row last. What was deleted is overwritten in the database's files,
    /// as far as the database can do that. Idempotent: a purge that was interrupted is due again, and goes on.
    /// </summary>
    /// <returns>False if there is no such endpoint, or its revision is another.</returns>
    /// <exception cref="StoreException">The purge is not complete; it is still due.</exception>
    ValueTask<bool> PurgeEndpointAsync(string id, ulong expectedRevision, CancellationToken cancellation);

    /// <summary>Reads which endpoints were updated after a change number, and the number of the last change; 0 before the first.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<EndpointChanges> ReadChangesAsync(ulong after, CancellationToken cancellation);

    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<EndpointRow>> ListEndpointsAsync(string? afterId, int max, CancellationToken cancellation);
}

/// <param name="Address">Keyed hash of (network, account); unique.</param>
/// <param name="Request">Keyed hash of the request id (the idempotency key); unique.</param>
/// <param name="RequestContent">Keyed hash of the request's content, which tells a retry from another request with the same id.</param>
/// <param name="Sealed">Empty while the endpoint is being purged.</param>
/// <param name="Revision">1 when created; one more with each update. Authenticated by the seal.</param>
/// <param name="PurgeMs">
/// The time at which it is due to be purged, in Unix ms; null: never. Not authenticated: the sealed part says it too.
/// </param>
public sealed record EndpointRow(string Id, UInt128 Address, UInt128 Request, UInt128 RequestContent, byte[] Sealed, ulong Revision = 1,
    long? PurgeMs = null);

/// <param name="Updated">Endpoints with their revisions.</param>
public sealed record EndpointChanges(IReadOnlyList<(string Id, ulong Revision)> Updated, ulong Last);

public enum InsertEndpointResult
{
    Inserted,
    IdTaken,
    AddressTaken,
    /// <summary>The request id is already stored; the caller compares the endpoint that it created.</summary>
    RequestSeen,
    TooMany,
}
