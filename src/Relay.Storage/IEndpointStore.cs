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

    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<EndpointRow>> ListEndpointsAsync(string? afterId, int max, CancellationToken cancellation);
}

/// <param name="Address">Keyed hash of (network, account); unique.</param>
/// <param name="Request">Keyed hash of the request id (the idempotency key); unique.</param>
/// <param name="RequestContent">Keyed hash of the request's content, which tells a retry from another request with the same id.</param>
public sealed record EndpointRow(string Id, UInt128 Address, UInt128 Request, UInt128 RequestContent, byte[] Sealed);

public enum InsertEndpointResult
{
    Inserted,
    IdTaken,
    AddressTaken,
    /// <summary>The request id is already stored; the caller compares the endpoint that it created.</summary>
    RequestSeen,
    TooMany,
}
