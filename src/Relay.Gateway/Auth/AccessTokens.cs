using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using Relay.Actors;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Auth;

/// <summary>
/// Callers with access tokens (JWT) of an issuer that the operator names. Signature, issuer, audience and times are checked by
/// JwtBearer, which gets the issuer's keys by OpenID Connect discovery; this class makes the principal from the claims.
/// </summary>
internal sealed class AccessTokens(IOptions<RelayOptions> options, IOptionsMonitor<JwtBearerOptions> jwt)
{
    /// <summary>The scheme of JwtBearer, which <see cref="RelayAuthenticationHandler"/> asks.</summary>
    public const string Scheme = "AccessToken";

    /// <summary>What the names of scopes begin with in a token.</summary>
    private const string ScopePrefix = "relay:";

    private const string All = "*";
    private const int MaxSubjectLength = 128;

    /// <summary>Public-key signatures only: with an HMAC, whoever knows the issuer's public key could sign.</summary>
    private static readonly string[] s_algorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    private readonly TokenOptions _settings = options.Value.Tokens;

    public bool IsEnabled => _settings.Issuer is not null;

    /// <summary>Configures JwtBearer by the server's options.</summary>
    public static void Configure(JwtBearerOptions bearer, IOptions<RelayOptions> options)
    {
        var settings = options.Value.Tokens;
        if (settings.Issuer is not { } issuer) return;
        bearer.MetadataAddress = issuer.TrimEnd('/') + "/.well-known/openid-configuration";
        bearer.RequireHttpsMetadata = !TokenOptions.IsLoopback(issuer);
        bearer.MapInboundClaims = false;
        bearer.IncludeErrorDetails = false;
        bearer.SaveToken = false;
        bearer.RefreshInterval = GatewayLimits.IssuerKeyLook;
        bearer.AutomaticRefreshInterval = GatewayLimits.IssuerKeyRefresh;
        bearer.BackchannelTimeout = GatewayLimits.IssuerTimeout;
        bearer.TokenValidationParameters = new TokenValidationParameters
        {
            ValidIssuer = issuer,
            ValidAudience = settings.Audience,
            ValidAlgorithms = s_algorithms,
            ValidateIssuerSigningKey = true,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            ClockSkew = GatewayLimits.TokenClockTolerance,
            TryAllIssuerSigningKeys = false,
        };
    }

    /// <summary>The caller whose token is in the authorization header.</summary>
    /// <exception cref="Grpc.Core.RpcException">The token is not valid, or permits nothing here; or the issuer does not answer.</exception>
    public async Task<Principal> FindAsync(HttpContext context)
    {
        try
        {
            await jwt.Get(Scheme).ConfigurationManager!.GetConfigurationAsync(context.RequestAborted);
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or HttpRequestException)
        {
            throw ApiErrors.Unavailable("The issuer of access tokens does not answer.", RelayLimits.UnavailableRetryAfter);
        }
        // The same answer whatever is wrong with a token.
        return await context.AuthenticateAsync(Scheme) is { Succeeded: true } result && Make(result) is { } principal ? principal
            : throw ApiErrors.Unauthenticated(Reasons.TokenInvalid,
                "The access token is not valid here: its signature, issuer, audience, times, subject, scopes or endpoints.");
    }

    private Principal? Make(AuthenticateResult result)
    {
        var claims = result.Principal!;
        var scopes = Values(claims, _settings.ScopesClaim).Where(s => s.StartsWith(ScopePrefix, StringComparison.Ordinal))
            .Select(s => KeyScopeNames.Find(s[ScopePrefix.Length..])).ToList();
        if (scopes.Contains(null) || !Principal.IsValid([.. scopes.OfType<KeyScope>()])) return null;
        var endpoints = Values(claims, _settings.EndpointsClaim);
        bool isAll = endpoints is [All];
        if (!isAll && (endpoints.Count > GatewayLimits.MaxEndpointsPerKey || !endpoints.TrueForAll(EndpointPatterns.IsValid))) return null;
        if (claims.FindFirst("sub")?.Value is not { } subject || !IsName(subject)) return null;
        return new Principal($"tokens/{subject}", [.. scopes.OfType<KeyScope>()],
            isAll ? EndpointPatterns.All : new EndpointPatterns(endpoints), result.Properties!.ExpiresUtc ?? DateTimeOffset.MinValue);
    }

    /// <summary>The values of a claim: several claims of one name, or words in one.</summary>
    private static List<string> Values(ClaimsPrincipal claims, string name) =>
        [.. claims.FindAll(name).SelectMany(c => c.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))];

    /// <summary>True for a subject that can stand in the audit log and in a resource name.</summary>
    private static bool IsName(string subject) =>
        subject.Length is > 0 and <= MaxSubjectLength && subject.All(c => char.IsAsciiLetterOrDigit(c) || "-._~@:|".Contains(c));
}
