using System.Security.Cryptography;

namespace Relay.Gateway.Auth;

/// <summary>An API key as the server stores it: everything but its secret.</summary>
/// <param name="Hash">SHA-256 of the secret's text, hex.</param>
/// <param name="Endpoints">
/// Ids of the endpoints that the key is limited to, or beginnings of ids followed by an asterisk; empty: all.
/// </param>
/// <param name="RequestId">The idempotency key of the request that created the key: a retry does not create a second one.</param>
public sealed record ApiKey(
    string Id, IReadOnlyList<KeyScope> Scopes, string Hash, IReadOnlyList<string> Endpoints, string DisplayName,
    DateTimeOffset Created, DateTimeOffset? Expires, DateTimeOffset? Revoked, string? RequestId)
{
    /// <summary>The hash of the secret before the last rotation; null if there was none.</summary>
    public string? PreviousHash { get; init; }

    /// <summary>When the previous secret ends.</summary>
    public DateTimeOffset? PreviousEnds { get; init; }

    /// <summary>The idempotency key of the last rotation.</summary>
    public string? RotateRequestId { get; init; }

    /// <summary>The limits that differ from the server's; null: none does.</summary>
    public CallerLimits? Limits { get; init; }

    /// <summary>True if the key is neither revoked nor expired at that time.</summary>
    public bool IsValidAt(DateTimeOffset now) => Revoked is null && (Expires is null || now < Expires);

    /// <summary>When a secret stops being valid, unless the key is revoked; null: never.</summary>
    /// <param name="hash">Of the secret.</param>
    public DateTimeOffset? EndOf(ReadOnlySpan<byte> hash) => IsOf(Hash, hash) ? Expires
        : PreviousEnds is { } ends && IsOf(PreviousHash, hash) ? (Expires < ends ? Expires : ends) : DateTimeOffset.MinValue;

    /// <summary>True if a secret of this hash is valid at that time.</summary>
    public bool Accepts(ReadOnlySpan<byte> hash, DateTimeOffset now) => IsValidAt(now) && (EndOf(hash) is not { } end || now < end);

    private static bool IsOf(string? stored, ReadOnlySpan<byte> hash) =>
        stored is not null && CryptographicOperations.FixedTimeEquals(hash, Convert.FromHexString(stored));

    /// <summary>Prints id and scopes only.</summary>
    public override string ToString() => $"ApiKey {{ {Id}, {string.Join('+', Scopes)} }}";
}

/// <summary>Limits of one caller that differ from the server's; null: as the server's.</summary>
public sealed record CallerLimits(int? CallsPerSecond, int? CallsPerSecondAndEndpoint, int? Streams, int? EndpointsPerDay)
{
    internal static CallerLimits None { get; } = new(null, null, null, null);
}
