using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Relay.Gateway.Telemetry;

namespace Relay.Gateway.Hosting;

/// <summary>The configuration is not valid. The exception lists every mistake; nothing has been created or changed.</summary>
public sealed class RelayConfigurationException(IReadOnlyList<string> mistakes, Exception? inner = null)
    : Exception(string.Join("\n", mistakes), inner)
{
    /// <summary>One sentence for each mistake, which names the key and says what to do.</summary>
    public IReadOnlyList<string> Mistakes => mistakes;
}

/// <summary>Checks the whole configuration before anything is opened, so that all mistakes are reported at once.</summary>
public sealed class RelayOptionsValidator(IConfiguration configuration) : IValidateOptions<RelayOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, RelayOptions options) =>
        Check(configuration, options) is { Count: > 0 } mistakes ? ValidateOptionsResult.Fail(mistakes) : ValidateOptionsResult.Success;

    /// <summary>Reads the options; they are valid if there are no mistakes.</summary>
    public static (RelayOptions Options, IReadOnlyList<string> Mistakes) Read(IConfiguration configuration)
    {
        var options = new RelayOptions();
        RelaySettings.Read(configuration, options);
        return (options, Check(configuration, options));
    }

    private static List<string> Check(IConfiguration configuration, RelayOptions options) =>
    [
        .. RelayConfiguration.Mistakes(configuration),
        .. options.Mistakes,
        .. CheckKeys(configuration),
        .. CheckCluster(configuration, options),
        .. AccessSettings.Check(configuration, options),
        .. FileOptionSettings.Check(options),
        .. RetiredSettings.Check(configuration),
        .. CheckEndpoints(configuration),
        .. CheckLogging(configuration),
    ];

    /// <summary>Rejects unknown keys: a misspelt one would silently have no effect.</summary>
    private static IEnumerable<string> CheckKeys(IConfiguration configuration)
    {
        foreach (var (key, value) in configuration.GetSection("Relay").AsEnumerable())
        {
            if (value is null || RelaySettings.Of(key) is not null || RetiredSettings.Of(key) is not null) continue;
            if (new[] { RelaySettings.AkkaSettings, RelaySettings.Bridges }
                .Any(section => key.StartsWith(section + ":", StringComparison.OrdinalIgnoreCase))) continue;
            var near = RelaySettings.All.FirstOrDefault(
                s => s.Key.EndsWith(key[key.LastIndexOf(':')..], StringComparison.OrdinalIgnoreCase));
            yield return $"{key} is not a setting of Relay{(near is null ? "." : $"; did you mean {near.Key}?")} "
                + "'relay config show' lists all settings.";
        }
    }

    private static IEnumerable<string> CheckCluster(IConfiguration configuration, RelayOptions options)
    {
        if (options.IsClustered) return options.Cluster.Check();
        // A node without a database would run as a single process, and the mistake would not be noticed.
        var given = RelaySettings.All
            .Where(s => s.Key.StartsWith("Relay:Cluster:", StringComparison.Ordinal) && RelayConfiguration.IsGiven(configuration, s.Key))
            .ToList();
        return given.Count == 0 ? [] : [$"{given[0]} is set, but no database is, which all nodes of a cluster share. "
            + $"Set {RelaySettings.Database.Key} ({RelaySettings.Database.Switch} or {RelaySettings.Database.FileSwitch}), "
            + "or remove it to run a single process."];
    }

    private static IEnumerable<string> CheckEndpoints(IConfiguration configuration)
    {
        foreach (var endpoint in configuration.GetSection("Kestrel:Endpoints").GetChildren())
        {
            if (!((string[])["Grpc", "Http", "Health", "Console"]).Contains(endpoint.Key, StringComparer.OrdinalIgnoreCase))
            {
                yield return $"{endpoint.Path} is not an endpoint of Relay, which listens on Kestrel:Endpoints:Grpc, without TLS for "
                    + "HTTP/JSON on Kestrel:Endpoints:Http, for probes on Kestrel:Endpoints:Health, and for operators on "
                    + "Kestrel:Endpoints:Console. Remove it.";
            }
        }
        var certificate = configuration[RelaySettings.CertificatePath] is { Length: > 0 } path ? path : null;
        if (!TryParse(configuration[RelaySettings.Url], out var grpc))
            yield return $"{RelaySettings.Url} (--listen) must be http:// or https://, an address and a port: https://0.0.0.0:7420.";
        else if (grpc!.Scheme == Uri.UriSchemeHttp && !IsLoopback(grpc.Host))
        {
            yield return $"Relay does not listen on {grpc} without TLS: API keys and plaintext would be readable on the network. "
                + $"Configure a certificate ({RelaySettings.CertificatePath}, --certificate FILE --certificate-key FILE, PEM) "
                + "and https://, or listen on 127.0.0.1 or ::1.";
        }
        else if (grpc.Scheme == Uri.UriSchemeHttps && certificate is null)
        {
            yield return $"{RelaySettings.Url} is https://, but no certificate is configured: "
                + $"set {RelaySettings.CertificatePath} and KeyPath (--certificate FILE --certificate-key FILE, PEM).";
        }
        else if (grpc.Scheme == Uri.UriSchemeHttp && certificate is not null)
            yield return $"{RelaySettings.Url} is http:// although a certificate is configured: write https://, or remove the certificate.";
        if (certificate is not null && ServerCertificate.Fault(certificate, configuration[RelaySettings.CertificateKeyPath]) is { } fault)
            yield return fault;
        foreach (var mistake in CheckHttp(configuration, grpc)) yield return mistake;
        foreach (var mistake in CheckConsole(configuration, certificate)) yield return mistake;
        if (PrometheusEndpoint.IsOn(configuration) && !configuration.GetSection("Kestrel:Endpoints:Health").Exists())
            yield return $"{PrometheusEndpoint.Variable}=prometheus needs the probes' port, which serves /metrics: set "
                + "--health-listen, such as http://127.0.0.1:7421.";
        if (configuration.GetSection("Kestrel:Endpoints:Health").Exists() && !TryParse(configuration[RelaySettings.HealthUrl], out _))
            yield return $"{RelaySettings.HealthUrl} (--health-listen) must be http://, an address and a port: http://0.0.0.0:7421.";
    }

    private static IEnumerable<string> CheckHttp(IConfiguration configuration, BindingAddress? grpc)
    {
        if (!configuration.GetSection("Kestrel:Endpoints:Http").Exists()) yield break;
        if (!TryParse(configuration[RelaySettings.HttpUrl], out var http) || http!.Scheme != Uri.UriSchemeHttp)
            yield return $"{RelaySettings.HttpUrl} (--http-listen) must be http://, a loopback address and a port: http://127.0.0.1:7422.";
        else if (!IsLoopback(http.Host))
        {
            yield return $"Relay does not listen on {http} without TLS, only on loopback: API keys and plaintext would be readable on the "
                + $"network. With a certificate HTTP/JSON is served on the port of {RelaySettings.Url} (--listen); "
                + $"remove {RelaySettings.HttpUrl}.";
        }
        else if (grpc?.Scheme == Uri.UriSchemeHttps)
        {
            yield return $"{RelaySettings.HttpUrl} (--http-listen) is set although a certificate is configured: with TLS, HTTP/JSON is "
                + $"served on the port of {RelaySettings.Url} (--listen). Remove it.";
        }
    }

    private static IEnumerable<string> CheckConsole(IConfiguration configuration, string? certificate)
    {
        if (!configuration.GetSection("Kestrel:Endpoints:Console").Exists()) yield break;
        if (!TryParse(configuration[RelaySettings.ConsoleUrl], out var console))
            yield return $"{RelaySettings.ConsoleUrl} (--console-listen) must be http:// or https://, an address and a port: "
                + "http://127.0.0.1:7423.";
        else if (console!.Scheme == Uri.UriSchemeHttp && !IsLoopback(console.Host))
        {
            yield return $"Relay does not serve its console on {console} without TLS: keys and sessions would be readable on the network. "
                + $"Configure a certificate ({RelaySettings.CertificatePath}, --certificate FILE --certificate-key FILE, PEM) "
                + "and https://, or listen on 127.0.0.1 or ::1.";
        }
        else if (console.Scheme == Uri.UriSchemeHttps && certificate is null)
        {
            yield return $"{RelaySettings.ConsoleUrl} is https://, but no certificate is configured: "
                + $"set {RelaySettings.CertificatePath} and KeyPath (--certificate FILE --certificate-key FILE, PEM).";
        }
    }

    private static IEnumerable<string> CheckLogging(IConfiguration configuration)
    {
        foreach (var level in configuration.GetSection("Logging:LogLevel").GetChildren())
        {
            if (level.Value is { Length: > 0 } value
                && !(Enum.TryParse<LogLevel>(value, ignoreCase: true, out var parsed) && Enum.IsDefined(parsed)))
                yield return $"{level.Path} must be one of {string.Join(", ", Enum.GetNames<LogLevel>())}.";
        }
        if (configuration[RelaySettings.LogFormat] is not ("simple" or "json" or "systemd"))
            yield return $"{RelaySettings.LogFormat} must be simple, json or systemd.";
    }

    private static bool TryParse(string? url, out BindingAddress? address)
    {
        address = null;
        try
        {
            address = BindingAddress.Parse(url ?? "");
            return address.Scheme is "http" or "https" && address.PathBase.Length == 0 && !address.IsUnixPipe && !address.IsNamedPipe;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
