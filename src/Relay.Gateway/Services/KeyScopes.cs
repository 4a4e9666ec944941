using System.Diagnostics;
using Relay.Gateway.Api;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Services;

/// <summary>Converts scopes and limits between the API's messages and those of <see cref="Auth"/>.</summary>
internal static class KeyScopes
{
    /// <summary>The scopes of a request to create a key.</summary>
    public static List<KeyScope> Parse(IReadOnlyList<V1.Scope> messages, Violations violations)
    {
        var scopes = messages.Select(Find).OfType<KeyScope>().ToList();
        violations.AddIf(scopes.Count != messages.Count || !Principal.IsValid(scopes), "scopes",
            "must be at least one of BOT, BRIDGE, ADMIN, MONITOR, TRUST and KEYS, each once, and not both BOT and BRIDGE");
        return scopes;
    }

    public static V1.Scope ToMessage(KeyScope scope) => scope switch
    {
        KeyScope.Bot => V1.Scope.Bot,
        KeyScope.Bridge => V1.Scope.Bridge,
        KeyScope.Admin => V1.Scope.Admin,
        KeyScope.Monitor => V1.Scope.Monitor,
        KeyScope.Trust => V1.Scope.Trust,
        KeyScope.Keys => V1.Scope.Keys,
        _ => throw new UnreachableException($"KeyScope {(int)scope}"),
    };

    /// <summary>The limits of a request; null: none of its own.</summary>
    /// <param name="field">The field of the request that has them.</param>
    public static CallerLimits? Parse(V1.CallerLimits? message, Violations violations, string field = "limits")
    {
        if (message is null) return null;
        int? Check(bool isSet, int value, int most, string limit)
        {
            violations.AddIf(isSet && (value < 1 || value > most), $"{field}.{limit}", $"must be 1 to {most}");
            return isSet ? value : null;
        }
        return new CallerLimits(
            Check(message.HasCallsPerSecond, message.CallsPerSecond, GatewayLimits.MaxCallRate, "calls_per_second"),
            Check(message.HasCallsPerSecondAndEndpoint, message.CallsPerSecondAndEndpoint, GatewayLimits.MaxCallRate,
                "calls_per_second_and_endpoint"),
            Check(message.HasStreams, message.Streams, GatewayLimits.MaxCallerStreams, "streams"),
            Check(message.HasEndpointsPerDay, message.EndpointsPerDay, GatewayLimits.MaxCallRate, "endpoints_per_day"));
    }

    public static V1.CallerLimits? ToMessage(CallerLimits? limits)
    {
        if (limits is null) return null;
        var message = new V1.CallerLimits();
        if (limits.CallsPerSecond is { } calls) message.CallsPerSecond = calls;
        if (limits.CallsPerSecondAndEndpoint is { } endpointCalls) message.CallsPerSecondAndEndpoint = endpointCalls;
        if (limits.Streams is { } streams) message.Streams = streams;
        if (limits.EndpointsPerDay is { } endpoints) message.EndpointsPerDay = endpoints;
        return message;
    }

    private static KeyScope? Find(V1.Scope message) => message switch
    {
        V1.Scope.Bot => KeyScope.Bot,
        V1.Scope.Bridge => KeyScope.Bridge,
        V1.Scope.Admin => KeyScope.Admin,
        V1.Scope.Monitor => KeyScope.Monitor,
        V1.Scope.Trust => KeyScope.Trust,
        V1.Scope.Keys => KeyScope.Keys,
        _ => null,
    };
}
