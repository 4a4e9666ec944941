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

/// <summary>
/// Authenticates calls by <c>authorization: Bearer relay_…</c>. Refusals of gRPC calls are gRPC statuses, those of HTTP calls JSON.
/// </summary>
internal sealed class ApiKeyAuthenticationHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, IApiKeyStore keys, TimeProvider time,
    GatewayMetrics metrics)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public new const string Scheme = "ApiKey";
    private const string Bearer = "Bearer ";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Headers.Authorization.Count == 0) return AuthenticateResult.NoResult();
        // Several headers are joined with commas and fail to parse: it is not defined which of them would apply.
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) || !ApiKeyToken.TryParse(header[Bearer.Length..], out var token))
            return AuthenticateResult.Fail(
                ApiErrors.Unauthenticated(Reasons.KeyInvalid, "The authorization header does not contain an API key of Relay."));
        try
        {
            // The same answer for an unknown, wrong, expired or revoked key: the caller must not learn which it is.
            return await keys.AuthenticateAsync(token, time.GetUtcNow(), Context.RequestAborted) is { } key
                ? AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new ApiKeyIdentity(key, token.Hash())), Scheme))
                : AuthenticateResult.Fail(ApiErrors.Unauthenticated(Reasons.KeyInvalid, "The API key is unknown, expired or revoked."));
        }
        catch (StoreException)
        {
            return AuthenticateResult.Fail(ApiErrors.Unavailable(
                "The server's store does not answer; retry with the same request id.", RelayLimits.UnavailableRetryAfter));
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
        metrics.Denied(refusal.StatusCode == StatusCode.Unauthenticated ? "invalid" : "scope");
        if (Request.ContentType?.StartsWith("application/grpc", StringComparison.Ordinal) == true)
            return GrpcRefusal.WriteAsync(Response, refusal);
        if (refusal.StatusCode == StatusCode.Unauthenticated) Response.Headers.WWWAuthenticate = "Bearer";
        return JsonApi.WriteErrorAsync(Response, refusal);
    }
}

/// <summary>The identity of an authenticated caller: its API key, and the key's scope as a claim.</summary>
internal sealed class ApiKeyIdentity(ApiKey key, byte[] secretHash)
    : ClaimsIdentity([new Claim(Policies.ScopeClaim, key.Scope.ToString())], ApiKeyAuthenticationHandler.Scheme)
{
    public ApiKey Key => key;

    public ReadOnlyMemory<byte> SecretHash => secretHash;
}

/// <summary>Registers the authentication scheme.</summary>
internal static class ApiKeyAuthenticationExtensions
{
    /// <summary>
    /// Registers authentication without AddAuthentication, which also adds Data Protection: that writes keys of its own to the
    /// user's home directory, and only schemes with cookies need it.
    /// </summary>
    public static AuthenticationBuilder AddRelayApiKeys(this IServiceCollection services)
    {
        services.AddAuthenticationCore(authentication => authentication.DefaultScheme = ApiKeyAuthenticationHandler.Scheme);
        services.AddWebEncoders();
        return new AuthenticationBuilder(services)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyAuthenticationHandler>(ApiKeyAuthenticationHandler.Scheme, null);
    }
}

/// <summary>Writes a gRPC status outside a gRPC service, as a Trailers-Only response of gRPC over HTTP/2.</summary>
internal static class GrpcRefusal
{
    public static Task WriteAsync(HttpResponse response, RpcException refusal)
    {
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/grpc";
        response.Headers["grpc-status"] = ((int)refusal.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture);
        // gRPC percent-encodes the message; the escaping of URIs also escapes every character that must be.
        response.Headers["grpc-message"] = Uri.EscapeDataString(refusal.Status.Detail);
        foreach (var entry in refusal.Trailers)
            response.Headers[entry.Key] = entry.IsBinary ? Convert.ToBase64String(entry.ValueBytes).TrimEnd('=') : entry.Value;
        return response.CompleteAsync();
    }
}
