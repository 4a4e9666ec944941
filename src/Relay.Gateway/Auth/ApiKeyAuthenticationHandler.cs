using System.Security.Claims;
using System.Text.Encodings.Web;
using Grpc.Core;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Relay.Actors;
using Relay.Gateway.Api;
using Relay.Gateway.Telemetry;
using Relay.Storage;

namespace Relay.Gateway.Auth;

/// <summary>Authenticates a call by <c>authorization: Bearer relay_…</c>, and refuses in gRPC's form.</summary>
internal sealed class ApiKeyAuthenticationHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, IApiKeyStore keys, TimeProvider time, GatewayMetrics metrics)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    /// <summary>The scheme's name.</summary>
    public new const string Scheme = "ApiKey";
    private const string Bearer = "Bearer ";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Headers.Authorization.Count == 0) return AuthenticateResult.NoResult();
        // Several headers are none of the form: which of them should count?
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) || !ApiKeyToken.TryParse(header[Bearer.Length..], out var token))
            return AuthenticateResult.Fail(ApiErrors.Unauthenticated(Reasons.KeyInvalid, "The authorization header holds no API key of Relay."));
        try
        {
            // One answer for an unknown, wrong, expired and revoked key: a stranger learns nothing from it.
            return await keys.AuthenticateAsync(token, time.GetUtcNow(), Context.RequestAborted) is { } key
                ? AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new ApiKeyIdentity(key)), Scheme))
                : AuthenticateResult.Fail(ApiErrors.Unauthenticated(Reasons.KeyInvalid, "The API key is unknown, expired or revoked."));
        }
        catch (StoreException)
        {
            return AuthenticateResult.Fail(ApiErrors.Unavailable("The server's store does not answer; repeat it with the same request id.", RelayLimits.UnavailableRetryAfter));
        }
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var result = await HandleAuthenticateOnceSafeAsync();
        await RefuseAsync(result.Failure switch
        {
            RpcException refusal => refusal,
            null => ApiErrors.Unauthenticated(Reasons.KeyMissing, "Send an API key as 'authorization: Bearer relay_…'."),
            var fault => throw fault,
        });
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        var scopes = Context.GetEndpoint() is { } endpoint ? Policies.Scopes(endpoint.Metadata) : [];
        return RefuseAsync(ApiErrors.PermissionDenied(Reasons.ScopeMissing, scopes.Count == 0
            ? "No key may call this method."
            : $"This method needs a key of scope {string.Join(" or ", scopes.Select(s => s.ToString().ToLowerInvariant()))}."));
    }

    private Task RefuseAsync(RpcException refusal)
    {
        metrics.Denied(refusal.StatusCode);
        if (Request.ContentType?.StartsWith("application/grpc", StringComparison.Ordinal) == true) return GrpcRefusal.WriteAsync(Response, refusal);
        Response.StatusCode = refusal.StatusCode switch
        {
            StatusCode.Unauthenticated => StatusCodes.Status401Unauthorized,
            StatusCode.PermissionDenied => StatusCodes.Status403Forbidden,
            _ => StatusCodes.Status503ServiceUnavailable,
        };
        return Task.CompletedTask;
    }
}

/// <summary>An API key as the identity of a caller.</summary>
internal sealed class ApiKeyIdentity(ApiKey key) : ClaimsIdentity([new Claim(Policies.ScopeClaim, key.Scope.ToString())], ApiKeyAuthenticationHandler.Scheme)
{
    public ApiKey Key => key;
}

/// <summary>Adds the scheme.</summary>
internal static class ApiKeyAuthenticationExtensions
{
    /// <summary>
    /// Not by AddAuthentication: that adds Data Protection, which keeps keys of its own in the user's home, and which only
    /// schemes with cookies need.
    /// </summary>
    public static AuthenticationBuilder AddRelayApiKeys(this IServiceCollection services)
    {
        services.AddAuthenticationCore(authentication => authentication.DefaultScheme = ApiKeyAuthenticationHandler.Scheme);
        services.AddWebEncoders();
        return new AuthenticationBuilder(services).AddScheme<AuthenticationSchemeOptions, ApiKeyAuthenticationHandler>(ApiKeyAuthenticationHandler.Scheme, null);
    }
}
