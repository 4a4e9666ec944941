namespace Relay.Gateway.Auth;

/// <summary>An API key as the server keeps it: everything but its secret.</summary>
/// <param name="Hash">SHA-256 of the secret's text, hex.</param>
/// <param name="Endpoints">Ids of the endpoints that the key is limited to; empty: all.</param>
/// <param name="RequestId">Of the request that made it, so that a repetition makes no second one.</param>
public sealed record ApiKey(
    string Id, KeyScope Scope, string Hash, IReadOnlyList<string> Endpoints, string DisplayName,
    DateTimeOffset Created, DateTimeOffset? Expires, DateTimeOffset? Revoked, string? RequestId)
{
    /// <summary>True if the key opens anything at that time.</summary>
    public bool IsValidAt(DateTimeOffset now) => Revoked is null && (Expires is null || now < Expires);

    /// <summary>Prints id and scope only.</summary>
    public override string ToString() => $"ApiKey {{ {Id}, {Scope} }}";
}
