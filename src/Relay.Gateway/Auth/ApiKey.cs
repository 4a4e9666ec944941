namespace Relay.Gateway.Auth;

/// <summary>An API key as the server stores it: everything but its secret.</summary>
/// <param name="Hash">SHA-256 of the secret's text, hex.</param>
/// <param name="Endpoints">Ids of the endpoints that the key is limited to; empty: all.</param>
/// <param name="RequestId">The idempotency key of the request that created the key: a retry does not create a second one.</param>
public sealed record ApiKey(
    string Id, KeyScope Scope, string Hash, IReadOnlyList<string> Endpoints, string DisplayName,
    DateTimeOffset Created, DateTimeOffset? Expires, DateTimeOffset? Revoked, string? RequestId)
{
    /// <summary>True if the key is neither revoked nor expired at that time.</summary>
    public bool IsValidAt(DateTimeOffset now) => Revoked is null && (Expires is null || now < Expires);

    /// <summary>Prints id and scope only.</summary>
    public override string ToString() => $"ApiKey {{ {Id}, {Scope} }}";
}
