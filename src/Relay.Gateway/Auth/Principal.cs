using Grpc.Core;
using Relay.Gateway.Api;

namespace Relay.Gateway.Auth;

/// <summary>Who a call was authenticated as.</summary>
internal sealed record Principal(ApiKey Key)
{
    public KeyScope Scope => Key.Scope;

    public bool MayUse(string endpointId) => Key.Endpoints.Count == 0 || Key.Endpoints.Contains(endpointId, StringComparer.Ordinal);

    /// <exception cref="RpcException">PERMISSION_DENIED if the key is limited to other endpoints.</exception>
    public void RequireEndpoint(string endpointId)
    {
        if (!MayUse(endpointId)) throw ApiErrors.PermissionDenied(Reasons.EndpointNotAllowed, "This key is limited to other endpoints.");
    }

    /// <summary>Fails with UNAUTHENTICATED when the key ends; a member of every stream.</summary>
    public async Task WatchAsync(IApiKeyStore keys, TimeProvider time, CancellationToken cancellation)
    {
        await keys.WhenInvalidAsync(Key.Id, time, cancellation);
        throw ApiErrors.Unauthenticated(Reasons.KeyInvalid, "The API key has expired or was revoked.");
    }

    /// <summary>The caller; every method but the public ones has one, because a policy let it through.</summary>
    public static Principal Of(ServerCallContext context) =>
        context.GetHttpContext().User.Identity is ApiKeyIdentity identity
            ? new Principal(identity.Key)
            : throw ApiErrors.Unauthenticated(Reasons.KeyMissing, "This call needs an API key.");
}
