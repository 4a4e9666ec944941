using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace Relay.Gateway.Auth;

/// <summary>Authorizes calls by <see cref="MethodRules"/>. What has no rule can be called by nobody.</summary>
internal static class Policies
{
    public static void Add(AuthorizationOptions options) =>
        // Applies to every handler that does not say AllowAnonymous: none has a policy of its own.
        options.FallbackPolicy = new AuthorizationPolicyBuilder()
            .RequireAssertion(context => context.Resource is HttpContext http && IsAllowed(http)).Build();

    private static bool IsAllowed(HttpContext context)
    {
        // Unmapped paths are let through, so that they get NOT_FOUND or UNIMPLEMENTED.
        if (context.GetEndpoint() is not { } endpoint || IsUnimplemented(endpoint)) return true;
        return context.User.Identity is PrincipalIdentity { Principal: var principal }
            && MethodRules.Of(endpoint.Metadata) is { } rule && rule.Scopes.Any(principal.Has);
    }

    /// <summary>True for the routes that Grpc.AspNetCore itself maps to answer UNIMPLEMENTED.</summary>
    private static bool IsUnimplemented(Endpoint endpoint) => endpoint.Metadata.GetMetadata<GrpcMethodMetadata>() is null
        && endpoint.DisplayName?.StartsWith("gRPC - Unimplemented", StringComparison.Ordinal) == true;
}
