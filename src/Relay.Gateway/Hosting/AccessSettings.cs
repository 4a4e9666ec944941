using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Relay.Gateway.Hosting;

/// <summary>The settings of who may call, how much, and what of it is recorded; a part of <see cref="RelaySettings"/>.</summary>
internal static class AccessSettings
{
    private const string Issuer = "Relay:Tokens:Issuer", Audience = "Relay:Tokens:Audience";
    private const string Authority = "Relay:ClientCertificates:AuthorityPath", Callers = "Relay:ClientCertificates:CallersPath";
    private const int MaxRate = GatewayLimits.MaxCallRate, MaxStreams = GatewayLimits.MaxCallerStreams;

    public static IReadOnlyList<RelaySetting> All { get; } =
    [
        new(Issuer) { Apply = ApplyIssuer },
        new(Audience) { Apply = (o, v) => RelaySettings.Set(() => o.Tokens.Audience = v) },
        new("Relay:Tokens:ScopesClaim") { Apply = (o, v) => RelaySettings.Set(() => o.Tokens.ScopesClaim = v) },
        new("Relay:Tokens:EndpointsClaim") { Apply = (o, v) => RelaySettings.Set(() => o.Tokens.EndpointsClaim = v) },
        new(Authority) { Apply = (o, v) => RelaySettings.Set(() => o.Certificates.AuthorityPath = Path.GetFullPath(v)) },
        new(Callers) { Apply = (o, v) => RelaySettings.Set(() => o.Certificates.CallersPath = Path.GetFullPath(v)) },
        new("Relay:Limits:CallsPerSecond") { Apply = (o, v) => ApplyNumber(v, MaxRate, n => o.Limits.CallsPerSecond = n) },
        new("Relay:Limits:CallsPerSecondAndEndpoint")
        {
            Apply = (o, v) => ApplyNumber(v, MaxRate, n => o.Limits.CallsPerSecondAndEndpoint = n),
        },
        new("Relay:Limits:Streams") { Apply = (o, v) => ApplyNumber(v, MaxStreams, n => o.Limits.Streams = n) },
        new("Relay:Limits:EndpointsPerDay") { Apply = (o, v) => ApplyNumber(v, MaxRate, n => o.Limits.EndpointsPerDay = n) },
        new("Relay:Audit:Enabled") { Apply = ApplyAudit },
        new("Relay:Audit:Keep")
        {
            Apply = (o, v) => RelaySettings.ApplyTime(v, TimeSpan.FromDays(1), TimeSpan.FromDays(3650), t => o.Audit.Keep = t),
        },
    ];

    /// <summary>The values of the settings that have a default.</summary>
    public static IEnumerable<(string Key, string Value)> Defaults(RelayOptions options) =>
    [
        ("Relay:Tokens:ScopesClaim", options.Tokens.ScopesClaim),
        ("Relay:Tokens:EndpointsClaim", options.Tokens.EndpointsClaim),
        ("Relay:Limits:CallsPerSecond", Number(options.Limits.CallsPerSecond)),
        ("Relay:Limits:CallsPerSecondAndEndpoint", Number(options.Limits.CallsPerSecondAndEndpoint)),
        ("Relay:Limits:Streams", Number(options.Limits.Streams)),
        ("Relay:Limits:EndpointsPerDay", Number(options.Limits.EndpointsPerDay)),
        ("Relay:Audit:Enabled", options.Audit.IsEnabled ? "true" : "false"),
        ("Relay:Audit:Keep", options.Audit.Keep.ToString()),
    ];

    /// <summary>Checks settings that are of use only together.</summary>
    public static IEnumerable<string> Check(IConfiguration configuration, RelayOptions options)
    {
        if (options.Tokens.Issuer is not null && options.Tokens.Audience is null)
            yield return $"{Issuer} is set, but {Audience} is not: without it, tokens for other services would be accepted.";
        if (options.Tokens.Issuer is null && options.Tokens.Audience is not null && !HasValue(configuration, Issuer))
            yield return $"{Audience} is set, but {Issuer} is not: access tokens are not accepted without it.";
        var (authority, callers) = (options.Certificates.AuthorityPath, options.Certificates.CallersPath);
        if (authority is null != callers is null)
            yield return $"{Authority} and {Callers} must be set together: one says which certificates are accepted, one for what.";
        if (authority is not null && !HasValue(configuration, RelaySettings.CertificatePath))
            yield return $"{Authority} is set, but {RelaySettings.CertificatePath} is not: client certificates need TLS.";
    }

    private static bool HasValue(IConfiguration configuration, string key) => configuration[key] is { Length: > 0 };

    private static string? ApplyIssuer(RelayOptions options, string value)
    {
        if (!Uri.TryCreate(value, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttps && !TokenOptions.IsLoopback(value)))
            return "must be an https URL.";
        options.Tokens.Issuer = value;
        return null;
    }

    private static string? ApplyNumber(string value, int most, Action<int> set)
    {
        if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number < 1 || number > most)
            return string.Create(CultureInfo.InvariantCulture, $"must be 1 to {most}.");
        set(number);
        return null;
    }

    private static string? ApplyAudit(RelayOptions options, string value)
    {
        if (!bool.TryParse(value, out bool isEnabled)) return "must be true or false.";
        options.Audit.IsEnabled = isEnabled;
        return null;
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
