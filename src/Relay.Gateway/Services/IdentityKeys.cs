using Otr.Core;
using Relay.Gateway.Errors;

namespace Relay.Gateway.Services;

/// <summary>The identity key that comes with a new endpoint.</summary>
internal static class IdentityKeys
{
    /// <summary>The given key, or null if one is to be made.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT: a check of the parameters fails.</exception>
    public static DsaPrivateKey? Import(V1.CreateEndpointRequest request)
    {
        switch (request.KeyCase)
        {
            case V1.CreateEndpointRequest.KeyOneofCase.Dsa:
                var k = request.Dsa;
                return DsaPrivateKey.TryImport(k.P.Span, k.Q.Span, k.G.Span, k.Y.Span, k.X.Span, out var key)
                    ? key
                    : throw ApiErrors.InvalidArgument("dsa", "is not a sound DSA key with a 160-bit q");
            default:
                return null;
        }
    }
}
