using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Relay.Gateway.Hosting;

/// <summary>
/// Where the values come from. The later wins: defaults, <c>appsettings.json</c>, <c>appsettings.{Environment}.json</c>, one
/// file per key in <c>/run/secrets</c>, the environment, the command line.
/// </summary>
public static class RelayConfiguration
{
    /// <summary>Names another directory of secret files.</summary>
    public const string SecretsVariable = "RELAY_SECRETS_DIRECTORY";
    private const string DefaultSecretsDirectory = "/run/secrets";
    private const string Prefix = "RELAY_";

    /// <summary>
    /// Replaces the sources by Relay's own. What is wrong with a switch or a file that one names is noted there, and told with
    /// every other mistake by <see cref="RelayOptionsValidator"/>.
    /// </summary>
    /// <param name="directory">Of the files named appsettings.</param>
    /// <param name="environment">As <c>Production</c>.</param>
    /// <param name="switches">By the name of a switch (<c>--listen</c>) or by key (<c>Relay:DataDirectory</c>).</param>
    /// <exception cref="RelayConfigurationException">A file cannot be read.</exception>
    public static void AddRelaySources(this ConfigurationManager configuration, string directory, string environment, IReadOnlyDictionary<string, string>? switches = null)
    {
        IConfigurationBuilder builder = configuration;
        builder.Sources.Clear();
        var defaults = new NamedValues();
        builder.Add(defaults);
        try
        {
            builder.SetBasePath(directory)
                .AddJsonFile("appsettings.json", optional: true, reloadOnChange: false)
                .AddJsonFile($"appsettings.{environment}.json", optional: true, reloadOnChange: false);
            var secrets = Environment.GetEnvironmentVariable(SecretsVariable) is { Length: > 0 } named ? Path.GetFullPath(named) : DefaultSecretsDirectory;
            builder.AddKeyPerFile(secrets, optional: true);
        }
        catch (Exception e) when (e is InvalidDataException or FormatException or IOException or UnauthorizedAccessException)
        {
            throw new RelayConfigurationException([$"{e.Message}{(e.InnerException is FormatException inner ? " " + inner.Message : "")}"], e);
        }
        builder.AddEnvironmentVariables().AddEnvironmentVariables(Prefix);
        var variables = new NamedValues();
        foreach (var setting in RelaySettings.All) AddVariable(variables, setting);
        builder.Add(variables);
        var commandLine = new NamedValues();
        foreach (var (name, value) in switches ?? new Dictionary<string, string>()) AddSwitch(commandLine, name, value);
        CheckPairs(commandLine);
        AddDefaults(defaults, commandLine.IsSet(RelaySettings.CertificatePath) || configuration[RelaySettings.CertificatePath] is { Length: > 0 });
        AddAddresses(commandLine, switches, configuration);
        defaults.Reload();
        builder.Add(commandLine);
    }

    /// <summary>The value that counts, and where it came from; null if it is set nowhere.</summary>
    public static (string Value, string Origin)? Find(IConfigurationRoot configuration, string key)
    {
        foreach (var provider in configuration.Providers.Reverse())
        {
            if (provider.TryGet(key, out var value) && value is { Length: > 0 }) return (value, Origin(provider, key));
        }
        return null;
    }

    internal static IEnumerable<string> Mistakes(IConfiguration configuration) =>
        configuration is IConfigurationRoot root ? root.Providers.OfType<NamedValues>().SelectMany(p => p.Mistakes) : [];

    private static string Origin(IConfigurationProvider provider, string key) => provider switch
    {
        NamedValues named => named.OriginOf(key),
        FileConfigurationProvider file => file.Source.Path ?? "a file",
        Microsoft.Extensions.Configuration.KeyPerFile.KeyPerFileConfigurationProvider => $"secret file {key.Replace(":", "__", StringComparison.Ordinal)}",
        Microsoft.Extensions.Configuration.EnvironmentVariables.EnvironmentVariablesConfigurationProvider => Variable(key),
        _ => provider.ToString() ?? "",
    };

    private static string Variable(string key)
    {
        var name = key.Replace(":", "__", StringComparison.Ordinal);
        return "environment " + (Environment.GetEnvironmentVariable(Prefix + name) is not null ? Prefix + name : name);
    }

    private static void AddVariable(NamedValues values, RelaySetting setting)
    {
        if (setting.Variable is null) return;
        if (Environment.GetEnvironmentVariable(setting.Variable) is { Length: > 0 } value) values.Set(setting.Key, value, "environment " + setting.Variable);
        else if (setting.FileVariable is { } variable && Environment.GetEnvironmentVariable(variable) is { Length: > 0 } file) ReadFile(values, setting, file, $"environment {variable}");
    }

    private static void AddSwitch(NamedValues values, string name, string value)
    {
        if (RelaySettings.All.FirstOrDefault(s => s.FileSwitch == name) is { } inFile)
        {
            values.Given.Add(name);
            ReadFile(values, inFile, value, name);
            return;
        }
        var setting = RelaySettings.All.FirstOrDefault(s => s.Switch == name);
        values.Given.Add(name);
        var key = setting?.Key ?? name;
        if (value.Length == 0) values.Mistakes.Add($"{name} must not be empty.");
        else if (key == RelaySettings.LogFormat && name == setting?.Switch) values.Set(key, "json", name);
        else if (key == RelaySettings.LogLevel) AddLogLevel(values, value, name);
        else values.Set(key, value, name);
    }

    private static void CheckPairs(NamedValues values)
    {
        foreach (var setting in RelaySettings.All.Where(s => s.FileSwitch is not null && values.Given.Contains(s.FileSwitch) && values.Given.Contains(s.Switch!)))
            values.Mistakes.Add($"{setting.Switch} and {setting.FileSwitch} say the same thing: give one of them.");
    }

    private static void ReadFile(NamedValues values, RelaySetting setting, string file, string origin)
    {
        try
        {
            var text = File.ReadAllText(file).Trim();
            if (text.Length > 0) values.Set(setting.Key, text, $"{origin} {file}");
            else values.Mistakes.Add($"{file} ({origin}) is empty: it should hold one line, the address.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            values.Mistakes.Add($"The address ({origin}) cannot be read: {e.Message}");
        }
    }

    /// <summary>The framework's own lines stay at Warning, unless even less is wanted.</summary>
    private static void AddLogLevel(NamedValues values, string level, string origin)
    {
        values.Set(RelaySettings.LogLevel, level, origin);
        if (!Enum.TryParse<LogLevel>(level, ignoreCase: true, out var parsed) || parsed <= LogLevel.Warning) return;
        foreach (var category in (string[])["Microsoft", "System", "Grpc"]) values.Set("Logging:LogLevel:" + category, level, origin);
    }

    private static void AddDefaults(NamedValues defaults, bool tls)
    {
        const string origin = "default";
        var options = new RelayOptions();
        defaults.Set(RelaySettings.DataDirectory.Key, options.DataDirectory, origin);
        defaults.Set("Relay:Conversations:Shards", options.Conversations.Shards.ToString(CultureInfo.InvariantCulture), origin);
        defaults.Set("Relay:Cluster:Host", options.Cluster.Host, origin);
        defaults.Set("Relay:Drain:Delay", options.Drain.Delay.ToString(), origin);
        defaults.Set("Relay:Drain:Timeout", options.Drain.Timeout.ToString(), origin);
        defaults.Set("Relay:Streams:KeepAlive", options.Streams.KeepAlive.ToString(), origin);
        defaults.Set(RelaySettings.Url, $"{Scheme(tls)}://127.0.0.1:{RelayOptions.DefaultPort}", origin);
        // Cleartext HTTP/2 has no negotiation: anything but Http2 would make it HTTP/1.1.
        defaults.Set("Kestrel:Endpoints:Grpc:Protocols", "Http2", origin);
        defaults.Set(RelaySettings.LogFormat, "simple", origin);
        defaults.Set(RelaySettings.LogLevel, nameof(LogLevel.Information), origin);
        // The framework tells requests one by one; what matters of them is in the metrics.
        foreach (var category in (string[])["Microsoft", "System", "Grpc"]) defaults.Set("Logging:LogLevel:" + category, nameof(LogLevel.Warning), origin);
        // A caller's reset is an error to it: CallFaults judges those.
        defaults.Set("Logging:LogLevel:Grpc.AspNetCore.Server.ServerCallHandler", nameof(LogLevel.None), origin);
        // That the server is not ready is the answer to a probe, not an error.
        defaults.Set("Logging:LogLevel:Microsoft.Extensions.Diagnostics.HealthChecks", nameof(LogLevel.None), origin);
        // A start that fails is told by the exception, in one line; the host would add its stack.
        defaults.Set("Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host", nameof(LogLevel.None), origin);
    }

    /// <summary>The switches name an address and a port; the scheme is TLS if there is a certificate, wherever that is set.</summary>
    private static void AddAddresses(NamedValues values, IReadOnlyDictionary<string, string>? switches, IConfiguration others)
    {
        bool tls = values.IsSet(RelaySettings.CertificatePath) || others[RelaySettings.CertificatePath] is { Length: > 0 };
        foreach (var (name, key, scheme) in new[] { ("--listen", RelaySettings.Url, Scheme(tls)), ("--health-listen", RelaySettings.HealthUrl, Uri.UriSchemeHttp) })
        {
            if (switches?.GetValueOrDefault(name) is not { Length: > 0 } text) continue;
            values.Remove(key);
            if (TryParse(text, out var address)) values.Set(key, $"{scheme}://{address}", name);
            else values.Mistakes.Add($"{name} must be ADDRESS:PORT, as 127.0.0.1:7420 or [::1]:7420.");
        }
    }

    private static string Scheme(bool tls) => tls ? Uri.UriSchemeHttps : Uri.UriSchemeHttp;

    private static bool TryParse(string text, [NotNullWhen(true)] out IPEndPoint? address)
    {
        address = null;
        var normal = text.StartsWith("localhost:", StringComparison.OrdinalIgnoreCase) ? "127.0.0.1" + text["localhost".Length..] : text;
        int colon = normal.LastIndexOf(':');
        // Without its port an address would silently mean port 0.
        return colon > 0 && int.TryParse(normal[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out _) && !normal.EndsWith(']') && IPEndPoint.TryParse(normal, out address);
    }

    /// <summary>Values with a name for where each came from.</summary>
    private sealed class NamedValues : ConfigurationProvider, IConfigurationSource
    {
        private readonly Dictionary<string, string> _origins = new(StringComparer.OrdinalIgnoreCase);

        public List<string> Mistakes { get; } = [];

        public HashSet<string> Given { get; } = [];

        public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

        public void Set(string key, string value, string origin)
        {
            Data[key] = value;
            _origins[key] = origin;
        }

        public void Remove(string key) => Data.Remove(key);

        public bool IsSet(string key) => Data.ContainsKey(key);

        public string OriginOf(string key) => _origins.GetValueOrDefault(key, "");

        public void Reload() => OnReload();
    }
}
