using Otr.Core;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;

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
            case V1.CreateEndpointRequest.KeyOneofCase.LibotrPrivateKey:
                return FromLibotr(request.LibotrPrivateKey.Span);
            default:
                return null;
        }
    }

    private static DsaPrivateKey FromLibotr(ReadOnlySpan<byte> file)
    {
        const string field = "libotr_private_key";
        if (file.Length > GatewayLimits.MaxKeyFileBytes) throw ApiErrors.InvalidArgument(field, $"must have at most {GatewayLimits.MaxKeyFileBytes} bytes");
        if (!LibotrPrivateKeyFile.TryParse(file, out var keys, out var problem)) throw ApiErrors.InvalidArgument(field, problem ?? "cannot be read");
        if (keys.Count == 1) return keys[0].Key;
        foreach (var key in keys) key.Dispose();
        throw ApiErrors.InvalidArgument(field, $"must hold one account's key; it holds {keys.Count}");
    }
}
