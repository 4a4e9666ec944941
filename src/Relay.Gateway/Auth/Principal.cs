using System.Security.Claims;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Relay.Gateway.Api;

namespace Relay.Gateway.Auth;

/// <summary>The caller of a method, however it was authenticated, and the checks of what it may use.</summary>
/// <param name="Name"><c>apiKeys/{key}</c>, <c>tokens/{subject}</c> or <c>certificates/{name}</c>.</param>
/// <param name="Scopes">At least one; never both bot and bridge.</param>
/// <param name="Expires">The end of the token or the certificate; null for an API key, which can also be revoked.</param>
internal sealed record Principal(
    string Name, IReadOnlyList<KeyScope> Scopes, EndpointPatterns Endpoints, DateTimeOffset? Expires)
{
    private static readonly TimeSpan s_longestWait = TimeSpan.FromDays(1);

    /// <summary>Null unless the caller was authenticated by an API key.</summary>
    public ApiKey? Key { get; private init; }

    /// <summary>Of the secret that the caller has: a key has two for a while when it is rotated.</summary>
    private ReadOnlyMemory<byte> SecretHash { get; init; }

    /// <summary>The limits of its key; none for others.</summary>
    public CallerLimits Limits => Key?.Limits ?? CallerLimits.None;

    public static Principal Of(ApiKey key, ReadOnlyMemory<byte> secretHash) =>
        new(ResourceNames.ApiKey(key.Id), key.Scopes, EndpointPatterns.OfKey(key), null) { Key = key, SecretHash = secretHash };

    public bool Has(KeyScope scope) => Scopes.Contains(scope);

    public bool MayUse(string endpointId) => Endpoints.Allows(endpointId);

    /// <exception cref="RpcException">PERMISSION_DENIED if the caller is limited to other endpoints.</exception>
    public void RequireEndpoint(string endpointId)
    {
        if (!MayUse(endpointId)) throw ApiErrors.PermissionDenied(Reasons.EndpointNotAllowed, "This key is limited to other endpoints.");
    }

    /// <exception cref="RpcException">PERMISSION_DENIED if there are ids with this beginning that the caller may not use.</exception>
    public void RequireEndpoints(string beginning)
    {
        if (!Endpoints.AllowsAllOf(beginning))
            throw ApiErrors.PermissionDenied(Reasons.EndpointNotAllowed, "This key is limited to other endpoints.");
    }

    /// <summary>
    /// Fails with UNAUTHENTICATED when what authenticated the caller expires or is revoked. Runs as a task of every stream.
    /// </summary>
    public async Task WatchAsync(IApiKeyStore keys, TimeProvider time, CancellationToken cancellation)
    {
        if (Key is { } key)
        {
            await keys.WhenInvalidAsync(key.Id, SecretHash, time, cancellation);
            throw ApiErrors.Unauthenticated(Reasons.KeyInvalid, "The API key has expired or was revoked.");
        }
        // Timers have a maximum interval, so a far expiry is checked again once a day.
        while ((Expires ?? DateTimeOffset.MaxValue) - time.GetUtcNow() is var rest && rest > TimeSpan.Zero)
            await Task.Delay(rest < s_longestWait ? rest : s_longestWait, time, cancellation);
        throw ApiErrors.Unauthenticated(Reasons.TokenInvalid, "The token or the certificate has expired.");
    }

    /// <summary>The caller of a method.</summary>
    public static Principal Of(ServerCallContext context) => Find(context.GetHttpContext())
        ?? throw ApiErrors.Unauthenticated(Reasons.KeyMissing, "This call needs an API key.");

    /// <summary>The caller; null if it is not authenticated.</summary>
    public static Principal? Find(HttpContext context) => (context.User.Identity as PrincipalIdentity)?.Principal;

    /// <summary>Whether scopes may be had together: at least one, each once, and not both plaintext and wire text.</summary>
    public static bool IsValid(IReadOnlyCollection<KeyScope> scopes) => scopes.Count > 0 && scopes.Distinct().Count() == scopes.Count
        && !(scopes.Contains(KeyScope.Bot) && scopes.Contains(KeyScope.Bridge));

    /// <summary>Prints name and scopes only.</summary>
    public override string ToString() => $"Principal {{ {Name}, {string.Join('+', Scopes)} }}";
}

/// <summary>The identity of an authenticated caller.</summary>
internal sealed class PrincipalIdentity(Principal principal) : ClaimsIdentity(RelayAuthenticationHandler.Scheme)
{
    public Principal Principal => principal;
}
