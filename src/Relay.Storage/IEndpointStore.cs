namespace Relay.Storage;

/// <summary>The endpoints.</summary>
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
/// <param name="Request">Keyed hash of the request's id; unique.</param>
/// <param name="RequestContent">Keyed hash of what the request asked for.</param>
public sealed record EndpointRow(string Id, UInt128 Address, UInt128 Request, UInt128 RequestContent, byte[] Sealed);

public enum InsertEndpointResult
{
    Inserted,
    IdTaken,
    AddressTaken,
    /// <summary>The request's id is there: look at what it made.</summary>
    RequestSeen,
    TooMany,
}
