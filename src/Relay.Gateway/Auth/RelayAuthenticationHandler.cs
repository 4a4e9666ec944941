using System.Security.Claims;
using System.Text.Encodings.Web;
using Grpc.Core;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Relay.Actors;
using Relay.Gateway.Api;
using Relay.Gateway.Audit;
using Relay.Gateway.Telemetry;
using Relay.Storage;

namespace Relay.Gateway.Auth;

/// <summary>
/// Authenticates calls by <c>authorization: Bearer …</c> with an API key or an access token, or, without the header, by the client's
/// certificate. Refusals of gRPC calls are gRPC statuses, those of HTTP calls JSON.
/// </summary>
internal sealed class RelayAuthenticationHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, IApiKeyStore keys, KeyUse use,
    AccessTokens tokens, ClientCertificates certificates, TimeProvider time, GatewayMetrics metrics, SignInRefusals refusals)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public new const string Scheme = "Relay";
    private const string Bearer = "Bearer ";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        try
        {
            return await FindAsync() is { } principal
                ? AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new PrincipalIdentity(principal)), Scheme))
                : AuthenticateResult.NoResult();
        }
        catch (RpcException refusal)
        {
            return AuthenticateResult.Fail(refusal);
        }
        catch (StoreException)
        {
            return AuthenticateResult.Fail(ApiErrors.Unavailable(
                "The server's store does not answer; retry with the same request id.", RelayLimits.UnavailableRetryAfter));
        }
    }

    /// <summary>The caller; null if it sent nothing to authenticate it.</summary>
    /// <exception cref="RpcException">What it sent is not valid.</exception>
    private async Task<Principal?> FindAsync()
    {
        if (Request.Headers.Authorization.Count == 0)
            return Context.Connection.ClientCertificate is { } certificate ? certificates.Find(certificate, time.GetUtcNow()) : null;
        // Several headers are joined with commas and fail to parse: it is not defined which of them would apply.
        var header = Request.Headers.Authorization.ToString();
        if (header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            if (ApiKeyToken.TryParse(header[Bearer.Length..], out var token)) return await FindAsync(token);
            if (tokens.IsEnabled) return await tokens.FindAsync(Context);
        }
        throw ApiErrors.Unauthenticated(Reasons.KeyInvalid, "The authorization header does not contain an API key of Relay.");
    }

    private async Task<Principal> FindAsync(ApiKeyToken token)
    {
        var now = time.GetUtcNow();
        // The same answer for an unknown, wrong, expired or revoked key: the caller must not learn which it is.
        var key = await keys.AuthenticateAsync(token, now, Context.RequestAborted)
            ?? throw ApiErrors.Unauthenticated(Reasons.KeyInvalid, "The API key is unknown, expired or revoked.");
        use.Record(key.Id, now);
        return Principal.Of(key, token.Hash());
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var result = await HandleAuthenticateOnceSafeAsync();
        await RefuseAsync(result.Failure switch
        {
            RpcException refusal => refusal,
            null => ApiErrors.Unauthenticated(Reasons.KeyMissing, "Send an API key as 'authorization: Bearer relay_…'."),
            var fault => throw fault,
        }, result.Failure is null ? "missing" : "invalid");
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        var scopes = Context.GetEndpoint() is { } endpoint ? MethodRules.Of(endpoint.Metadata)?.Scopes ?? [] : [];
        return RefuseAsync(ApiErrors.PermissionDenied(Reasons.ScopeMissing, scopes.Length == 0
            ? "No key may call this method."
            : $"This method needs a key of scope {string.Join(" or ", scopes.Select(s => s.ToString().ToLowerInvariant()))}."), "scope");
    }

    /// <param name="reason">For metrics.</param>
    private Task RefuseAsync(RpcException refusal, string reason)
    {
        metrics.Denied(reason);
        if (refusal.StatusCode is StatusCode.Unauthenticated or StatusCode.PermissionDenied) refusals.Count(refusal.StatusCode);
        if (Request.ContentType?.StartsWith("application/grpc", StringComparison.Ordinal) == true)
            return GrpcRefusal.WriteAsync(Response, refusal);
        if (refusal.StatusCode == StatusCode.Unauthenticated) Response.Headers.WWWAuthenticate = "Bearer";
        return JsonApi.WriteErrorAsync(Response, refusal);
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
