using System.Collections.Frozen;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace Relay.Gateway.Auth;

/// <summary>Who may call what, by the names that stand on the services. What has no policy may be called by nobody.</summary>
internal static class Policies
{
    public const string Bot = "bot";
    public const string Bridge = "bridge";
    public const string Admin = "admin";
    public const string BotOrAdmin = "bot or admin";
    public const string AnyKey = "any key";

    /// <summary>The claim that holds a key's scope.</summary>
    public const string ScopeClaim = "relay.scope";

    private static readonly FrozenDictionary<string, KeyScope[]> s_scopes = new Dictionary<string, KeyScope[]>
    {
        [Bot] = [KeyScope.Bot],
        [Bridge] = [KeyScope.Bridge],
        [Admin] = [KeyScope.Admin],
        [BotOrAdmin] = [KeyScope.Bot, KeyScope.Admin],
        [AnyKey] = [KeyScope.Bot, KeyScope.Bridge, KeyScope.Admin],
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static void Add(AuthorizationOptions options)
    {
        foreach (var (name, scopes) in s_scopes)
            options.AddPolicy(name, policy => policy.RequireAuthenticatedUser().RequireClaim(ScopeClaim, scopes.Select(s => s.ToString())));
        // Nobody, that is; but that a method does not exist is an answer and no access.
        options.FallbackPolicy = new AuthorizationPolicyBuilder().RequireAssertion(context => context.Resource is HttpContext http && !LeadsToAHandler(http)).Build();
    }

    /// <summary>The scopes that open an endpoint: those that every policy on it allows. None: it may be called by nobody.</summary>
    public static IReadOnlyList<KeyScope> Scopes(EndpointMetadataCollection metadata)
    {
        var policies = metadata.GetOrderedMetadata<IAuthorizeData>().Select(a => a.Policy is { } name ? s_scopes[name] : []).ToList();
        return policies.Count == 0 ? [] : [.. Enum.GetValues<KeyScope>().Where(scope => policies.All(p => p.Contains(scope)))];
    }

    /// <summary>False for what Grpc.AspNetCore maps itself to say UNIMPLEMENTED, and for requests that nothing is mapped for.</summary>
    private static bool LeadsToAHandler(HttpContext context) =>
        context.GetEndpoint() is { } endpoint && !(endpoint.Metadata.GetMetadata<GrpcMethodMetadata>() is null && endpoint.DisplayName?.StartsWith("gRPC - Unimplemented", StringComparison.Ordinal) == true);
}
