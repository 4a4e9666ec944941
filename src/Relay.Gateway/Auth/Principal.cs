using Grpc.Core;
using Relay.Gateway.Api;

namespace Relay.Gateway.Auth;

/// <summary>The API key that authenticated a call, and the checks of its limits.</summary>
/// <param name="SecretHash">Of the secret that the caller has: a key has two for a while when it is rotated.</param>
internal sealed record Principal(ApiKey Key, ReadOnlyMemory<byte> SecretHash)
{
    public KeyScope Scope => Key.Scope;

    public bool MayUse(string endpointId) => Key.Endpoints.Count == 0 || Key.Endpoints.Contains(endpointId, StringComparer.Ordinal);

    /// <exception cref="RpcException">PERMISSION_DENIED if the key is limited to other endpoints.</exception>
    public void RequireEndpoint(string endpointId)
    {
        if (!MayUse(endpointId)) throw ApiErrors.PermissionDenied(Reasons.EndpointNotAllowed, "This key is limited to other endpoints.");
    }

    /// <summary>Fails with UNAUTHENTICATED when the key expires or is revoked. Runs as a task of every stream.</summary>
    public async Task WatchAsync(IApiKeyStore keys, TimeProvider time, CancellationToken cancellation)
    {
        await keys.WhenInvalidAsync(Key.Id, SecretHash, time, cancellation);
        throw ApiErrors.Unauthenticated(Reasons.KeyInvalid, "The API key has expired or was revoked.");
    }

    /// <summary>The caller of a method that has an authorization policy.</summary>
    public static Principal Of(ServerCallContext context) =>
        context.GetHttpContext().User.Identity is ApiKeyIdentity identity
            ? new Principal(identity.Key, identity.SecretHash)
            : throw ApiErrors.Unauthenticated(Reasons.KeyMissing, "This call needs an API key.");
}
