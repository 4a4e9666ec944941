using Otr.Core;

namespace Relay.Actors;

/// <summary>The endpoints and their keys.</summary>
public interface IEndpoints
{
    /// <summary>Idempotent by request id. The key is sealed before it is stored.</summary>
    ValueTask<CreateEndpointReply> CreateAsync(CreateEndpoint request, CancellationToken cancellation);

    /// <summary>An endpoint, also one that is deleted and not yet purged; null if there is none.</summary>
    /// <exception cref="Relay.Storage.StoreException"/>
    ValueTask<EndpointView?> GetAsync(string endpointId, CancellationToken cancellation);

    /// <summary>An endpoint that can be used: neither deleted nor expired; null otherwise.</summary>
    /// <exception cref="Relay.Storage.StoreException"/>
    ValueTask<EndpointView?> FindActiveAsync(string endpointId, CancellationToken cancellation);

    /// <summary>Lists endpoints in order of id.</summary>
    /// <exception cref="Relay.Storage.StoreException"/>
    ValueTask<EndpointPage> ListAsync(EndpointQuery query, CancellationToken cancellation);

    /// <summary>Changes the settings of an endpoint. Conversations in memory, also on other nodes, follow within a second.</summary>
    /// <param name="change">
    /// Makes the new settings from the current ones; may be called again if somebody else changed them meanwhile.
    /// </param>
    /// <param name="revision">The revision that the caller has seen; null: any.</param>
    ValueTask<UpdateEndpointReply> UpdateAsync(string endpointId, Func<EndpointView, EndpointSettings> change, ulong? revision,
        CancellationToken cancellation);

    /// <summary>
    /// Deletes an endpoint: it answers nothing any more, and is purged after <see cref="RelayLimits.DeletedEndpointLife"/>, or at once.
    /// Idempotent.
    /// </summary>
    /// <param name="purge">Purge it as soon as all nodes have heard of it (<see cref="RelayLimits.PurgeDelay"/>).</param>
    /// <param name="revision">The revision that the caller has seen; null: any.</param>
    ValueTask<UpdateEndpointReply> DeleteAsync(string endpointId, bool purge, ulong? revision, CancellationToken cancellation);

    /// <summary>Takes a deleted endpoint back into use, with its keys and conversations. Idempotent.</summary>
    ValueTask<UpdateEndpointReply> UndeleteAsync(string endpointId, ulong? revision, CancellationToken cancellation);

    /// <summary>
    /// Gives an endpoint a new identity key. Sessions under the old one end within seconds, or with the conversation's next message, and
    /// peers are told. Idempotent by request id, for the latest one.
    /// </summary>
    /// <param name="revision">The revision that the caller has seen; null: any.</param>
    ValueTask<UpdateEndpointReply> RotateAsync(string endpointId, string requestId, ulong? revision, CancellationToken cancellation);

    /// <summary>
    /// Raised when an endpoint was changed, deleted or purged, by this node or, within a second, another; not when one is created. Handlers
    /// must not block.
    /// </summary>
    event Action<string>? Changed;

    /// <summary>Completes when an endpoint is not active, or not any more: deleted, expired or purged.</summary>
    Task WhenInactiveAsync(string endpointId, CancellationToken cancellation);
}

/// <param name="EndpointId">Null: generated.</param>
/// <param name="Account">The address on the network, or its domain (<see cref="DrawsLocalPart"/>).</param>
/// <param name="Key">Null: generated. Ownership passes to the callee.</param>
public sealed record CreateEndpoint(string RequestId, string? EndpointId, string Network, string Account, EndpointSettings Settings,
    DsaPrivateKey? Key)
{
    /// <summary>Time after which the endpoint expires and is purged; null: it has no end.</summary>
    public TimeSpan? Life { get; init; }

    /// <summary>With <see cref="EndpointId"/> null: the generated id begins so; null: as generated ids do.</summary>
    public string? IdBeginning { get; init; }

    /// <summary>
    /// The account is a domain: a random part of <see cref="RelayLimits.BurnerBits"/> bits and an @ are put before it, of characters that
    /// mean the same in every network (XEP-0106 escapes none of them, and nodeprep changes none).
    /// </summary>
    public bool DrawsLocalPart { get; init; }

    /// <summary>Keys that it had on another server.</summary>
    public FormerIdentityList FormerIdentities { get; init; } = FormerIdentityList.Empty;
}

public abstract record CreateEndpointReply
{
    public sealed record Created(EndpointView Endpoint) : CreateEndpointReply;
    /// <summary>The id or the (network, account) pair is taken, by an endpoint that may be deleted but is not yet purged.</summary>
    public sealed record AlreadyExists(string Field) : CreateEndpointReply;
    /// <summary>The request id was used before, for another request.</summary>
    public sealed record RequestIdReused : CreateEndpointReply;
    public sealed record Unavailable(string Reason) : CreateEndpointReply;
}

public abstract record UpdateEndpointReply
{
    public sealed record Updated(EndpointView Endpoint) : UpdateEndpointReply;
    public sealed record NotFound : UpdateEndpointReply;
    /// <summary>Its revision is not the expected one, or it changed several times meanwhile.</summary>
    public sealed record Conflict : UpdateEndpointReply;
    /// <summary>It is deleted: its settings cannot be changed until it is undeleted.</summary>
    public sealed record Deleted : UpdateEndpointReply;
    /// <summary>It has had as many keys as it can have (<see cref="RelayLimits.MaxFormerIdentities"/>).</summary>
    public sealed record TooManyRotations : UpdateEndpointReply;
    public sealed record Unavailable(string Reason) : UpdateEndpointReply;
}

/// <summary>Which endpoints to list.</summary>
/// <param name="AfterId">Those with a higher id; null: from the first.</param>
/// <param name="Max">Number of endpoints in the page, at most <see cref="RelayLimits.MaxItemsPerRead"/>.</param>
/// <param name="IsWanted">Tells which endpoints the page has.</param>
public sealed record EndpointQuery(string? AfterId, int Max, Func<EndpointView, bool> IsWanted);

/// <param name="NextAfterId">
/// Where the next page begins; null if there is none. A page may have fewer endpoints than asked for, or none.
/// </param>
public sealed record EndpointPage(IReadOnlyList<EndpointView> Endpoints, string? NextAfterId);

/// <param name="Revision">1 when created; one more with each update.</param>
public sealed record EndpointView(string Id, string Network, string Account, EndpointSettings Settings, Fingerprint Fingerprint,
    uint InstanceTag, DateTimeOffset Created, DateTimeOffset Updated, ulong Revision)
{
    /// <summary>The time at which it stops answering and is purged; null: it has no end.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>The time at which it was deleted; null if it is not.</summary>
    public DateTimeOffset? Deleted { get; init; }

    /// <summary>The time at which its keys and conversations are destroyed; null: never.</summary>
    public DateTimeOffset? Purges { get; init; }

    /// <summary>The keys that it had before, the latest last; at most <see cref="RelayLimits.MaxFormerIdentities"/>.</summary>
    public FormerIdentityList FormerIdentities { get; init; } = FormerIdentityList.Empty;

    /// <summary>Keyed hash of the request that rotated it last, which tells a repetition; 0 before the first.</summary>
    internal UInt128 LastRotation { get; init; }

    /// <summary>Whether it can be used.</summary>
    public bool IsActive(DateTimeOffset now) => Deleted is null && !(Expires <= now);

    /// <summary>Prints the id only: accounts stay out of logs.</summary>
    public override string ToString() => $"EndpointView {{ {Id} }}";
}
