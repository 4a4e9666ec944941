using System.Net;

namespace Relay.Gateway.Hosting;

/// <summary>Options of callers with access tokens (JWT); unused without an issuer.</summary>
public sealed class TokenOptions
{
    /// <summary>The issuer's URL, whose keys are found by OpenID Connect discovery. Null: access tokens are not accepted.</summary>
    public string? Issuer { get; set; }

    /// <summary>The audience that a token must be for.</summary>
    public string? Audience { get; set; }

    /// <summary>The claim with the scopes: <c>relay:bot</c> and others, in one text or several.</summary>
    public string ScopesClaim { get; set; } = "scope";

    /// <summary>The claim with the endpoints, as those of API keys; <c>*</c>: all.</summary>
    public string EndpointsClaim { get; set; } = "relay_endpoints";

    internal static bool IsLoopback(string issuer) => Uri.TryCreate(issuer, UriKind.Absolute, out var url)
        && IPAddress.TryParse(url.Host, out var address) && IPAddress.IsLoopback(address);
}

/// <summary>Options of callers with client certificates; unused unless both files are named.</summary>
public sealed class ClientCertificateOptions
{
    /// <summary>The certificates of the authorities that issue client certificates, PEM.</summary>
    public string? AuthorityPath { get; set; }

    /// <summary>The file that says which name in a certificate may do what.</summary>
    public string? CallersPath { get; set; }
}

/// <summary>Limits of each caller; an API key may have its own. Each node counts its own calls.</summary>
public sealed class LimitOptions
{
    /// <summary>Calls per second; twice as many at once.</summary>
    public int CallsPerSecond { get; set; } = 10_000;

    /// <summary>Calls per second that concern one endpoint; twice as many at once.</summary>
    public int CallsPerSecondAndEndpoint { get; set; } = 5_000;

    /// <summary>Open streams.</summary>
    public int Streams { get; set; } = 10_000;

    /// <summary>Calls that create an endpoint, in a day.</summary>
    public int EndpointsPerDay { get; set; } = 10_000;
}

/// <summary>Options of the audit log.</summary>
public sealed class AuditOptions
{
    /// <summary>False: nothing is recorded, and what was recorded stays until it is older than <see cref="Keep"/>.</summary>
    public bool IsEnabled { get; set; } = true;

    /// <summary>Time for which entries are kept.</summary>
    public TimeSpan Keep { get; set; } = GatewayLimits.AuditKeep;
}
