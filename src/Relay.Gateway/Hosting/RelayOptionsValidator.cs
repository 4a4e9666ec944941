using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Relay.Gateway.Hosting;

/// <summary>What is wrong with the configuration: every mistake at once. Nothing has been made or changed.</summary>
public sealed class RelayConfigurationException(IReadOnlyList<string> mistakes, Exception? inner = null) : Exception(string.Join("\n", mistakes), inner)
{
    /// <summary>A sentence for each, which names the key and says what to do.</summary>
    public IReadOnlyList<string> Mistakes => mistakes;
}

/// <summary>Checks the whole configuration before anything is opened, so that an operator hears of every mistake at once.</summary>
public sealed class RelayOptionsValidator(IConfiguration configuration) : IValidateOptions<RelayOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, RelayOptions options) =>
        Check(configuration, options) is { Count: > 0 } mistakes ? ValidateOptionsResult.Fail(mistakes) : ValidateOptionsResult.Success;

    /// <summary>Reads the options; nothing is wrong with them if there are no mistakes.</summary>
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
        .. CheckCluster(options),
        .. CheckEndpoints(configuration),
        .. CheckLogging(configuration),
    ];

    /// <summary>A key that Relay does not know is a misspelt one, and would silently have no effect.</summary>
    private static IEnumerable<string> CheckKeys(IConfiguration configuration)
    {
        foreach (var (key, value) in configuration.GetSection("Relay").AsEnumerable())
        {
            if (value is null || RelaySettings.Of(key) is not null) continue;
            var near = RelaySettings.All.FirstOrDefault(s => s.Key.EndsWith(key[key.LastIndexOf(':')..], StringComparison.OrdinalIgnoreCase));
            yield return $"{key} is no setting of Relay{(near is null ? "" : $"; {near.Key} is meant perhaps")}. 'relay config show' lists them.";
        }
    }

    private static IEnumerable<string> CheckCluster(RelayOptions options)
    {
        if (options.IsClustered == options.Cluster.Broker is not null) yield break;
        var (given, missing) = options.IsClustered ? (RelaySettings.Database, RelaySettings.Broker) : (RelaySettings.Broker, RelaySettings.Database);
        yield return $"A cluster needs both a database and a broker: there is a {Name(given)} and no {Name(missing)}. "
            + $"Set {missing.Key} ({missing.Switch} or {missing.FileSwitch}), or leave both out for one process.";

        static string Name(RelaySetting setting) => setting == RelaySettings.Database ? "database" : "broker";
    }

    private static IEnumerable<string> CheckEndpoints(IConfiguration configuration)
    {
        foreach (var endpoint in configuration.GetSection("Kestrel:Endpoints").GetChildren())
        {
            if (!endpoint.Key.Equals("Grpc", StringComparison.OrdinalIgnoreCase) && !endpoint.Key.Equals("Health", StringComparison.OrdinalIgnoreCase))
                yield return $"{endpoint.Path} is no endpoint of Relay: it listens on Kestrel:Endpoints:Grpc, and for probes on Kestrel:Endpoints:Health.";
        }
        var certificate = configuration[RelaySettings.CertificatePath] is { Length: > 0 } path ? path : null;
        if (!TryParse(configuration[RelaySettings.Url], out var grpc)) yield return $"{RelaySettings.Url} (--listen) must be http:// or https://, an address and a port, as https://0.0.0.0:7420.";
        else if (grpc!.Scheme == Uri.UriSchemeHttp && !IsLoopback(grpc.Host))
        {
            yield return $"Relay does not listen on {grpc} without TLS: API keys and plaintext would cross the network readably. "
                + $"Give a certificate ({RelaySettings.CertificatePath}, --certificate FILE --certificate-key FILE, PEM) and https://, or listen on 127.0.0.1 or ::1.";
        }
        else if (grpc.Scheme == Uri.UriSchemeHttps && certificate is null)
            yield return $"{RelaySettings.Url} is https:// and has no certificate: set {RelaySettings.CertificatePath} and KeyPath (--certificate FILE --certificate-key FILE, PEM).";
        else if (grpc.Scheme == Uri.UriSchemeHttp && certificate is not null)
            yield return $"{RelaySettings.Url} is http:// although there is a certificate: write https://, or leave the certificate out.";
        if (certificate is not null && ServerCertificate.Fault(certificate, configuration[RelaySettings.CertificateKeyPath]) is { } fault) yield return fault;
        if (configuration.GetSection("Kestrel:Endpoints:Health").Exists() && !TryParse(configuration[RelaySettings.HealthUrl], out _))
            yield return $"{RelaySettings.HealthUrl} (--health-listen) must be http://, an address and a port, as http://0.0.0.0:7421.";
    }

    private static IEnumerable<string> CheckLogging(IConfiguration configuration)
    {
        foreach (var level in configuration.GetSection("Logging:LogLevel").GetChildren())
        {
            if (level.Value is { Length: > 0 } value && !(Enum.TryParse<LogLevel>(value, ignoreCase: true, out var parsed) && Enum.IsDefined(parsed)))
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

    private static bool IsLoopback(string host) => host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
