using Otr.Core;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Services;

/// <summary>Imports the identity key that a request to create an endpoint may contain.</summary>
internal static class IdentityKeys
{
    /// <summary>The request's key; null if it has none and a new one must be generated.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT: the key is malformed or its parameters are not valid.</exception>
    public static DsaPrivateKey? Import(V1.CreateEndpointRequest request)
    {
        switch (request.KeyCase)
        {
            case V1.CreateEndpointRequest.KeyOneofCase.Dsa:
                var k = request.Dsa;
                return DsaPrivateKey.TryImport(k.P.Span, k.Q.Span, k.G.Span, k.Y.Span, k.X.Span, out var key)
                    ? key
                    : throw ApiErrors.InvalidArgument("dsa", "is not a valid DSA key with a 160-bit q");
            case V1.CreateEndpointRequest.KeyOneofCase.LibotrPrivateKey:
                return FromFile(request.LibotrPrivateKey.Span, request.Account);
            default:
                return null;
        }
    }

    private static DsaPrivateKey FromFile(ReadOnlySpan<byte> file, string account)
    {
        const string field = "libotr_private_key";
        if (file.Length > GatewayLimits.MaxKeyFileBytes)
            throw ApiErrors.InvalidArgument(field, $"must have at most {GatewayLimits.MaxKeyFileBytes} bytes");
        var content = OtrKeyFile.Read(file);
        var chosen = content.KeyFor(account);
        foreach (var key in content.Keys.Where(k => k != chosen)) key.Dispose();
        if (chosen is not null) return chosen.Key;
        throw ApiErrors.InvalidArgument(field, content.Keys.Count > 1
            ? $"must contain one account's key, or that of `account`; it contains {content.Keys.Count} others"
            : content.Problems.Count > 0 ? content.Problems[0].Reason : "must contain the key of `account`");
    }
}
