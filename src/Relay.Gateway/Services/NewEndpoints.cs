using Relay.Actors;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Services;

/// <summary>Checks how an endpoint that is to be created is named: its id, and its address on the network.</summary>
internal static class NewEndpoints
{
    private const int MaxBeginningLength = GatewayLimits.MaxEndpointIdLength - RelayLimits.GeneratedIdLength;

    /// <returns>The id that was chosen; or the beginning of one to be generated; or neither.</returns>
    public static (string? Id, string? Beginning) CheckId(V1.CreateEndpointRequest request, Violations violations)
    {
        var id = request.EndpointId;
        if (id.Length == 0) return (null, null);
        if (!id.EndsWith('*'))
        {
            violations.AddIf(!ResourceNames.IsEndpointId(id), "endpoint_id", "must be 1 to 63 of [a-z0-9-], beginning with a letter");
            return (id, null);
        }
        var beginning = id[..^1];
        violations.AddIf(!ResourceNames.IsEndpointId(beginning) || beginning.Length > MaxBeginningLength, "endpoint_id",
            $"must be 1 to {MaxBeginningLength} of [a-z0-9-], beginning with a letter, before the asterisk");
        return (null, beginning);
    }

    /// <summary>An account, or the domain of a burner, which has an end.</summary>
    public static void CheckAddress(V1.CreateEndpointRequest request, Violations violations)
    {
        if (request.BurnerDomain.Length == 0)
        {
            violations.CheckLine(request.Account, 1, GatewayLimits.MaxAccountBytes, "account");
            return;
        }
        violations.CheckLine(request.BurnerDomain, 1, GatewayLimits.MaxAccountBytes - RelayLimits.BurnerPrefixLength, "burner_domain");
        // An address with two of them, or with a resource, would be another one on the network than here.
        violations.AddIf(request.BurnerDomain.Any(c => c is '@' or '/' || char.IsWhiteSpace(c)), "burner_domain",
            "must be a domain: no @, no / and no blanks");
        violations.AddIf(request.Account.Length > 0, "account", "must be empty with burner_domain, which makes it");
        violations.AddIf(request.Life is null, "life", "is required with burner_domain");
    }
}
