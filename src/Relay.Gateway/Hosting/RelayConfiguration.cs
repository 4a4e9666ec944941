using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Relay.Gateway.Hosting;

/// <summary>
/// Adds the configuration sources. Later ones take precedence: defaults, <c>appsettings.json</c>,
/// <c>appsettings.{Environment}.json</c>, one file per key in <c>/run/secrets</c>, environment variables, the command line.
/// </summary>
public static class RelayConfiguration
{
    /// <summary>The environment variable that names the directory of secret files.</summary>
    public const string SecretsVariable = "RELAY_SECRETS_DIRECTORY";
    private const string DefaultSecretsDirectory = "/run/secrets";
    private const string Prefix = "RELAY_";
    private const string DefaultOrigin = "default";
    /// <summary>As the value of <c>--http-listen</c>: no address.</summary>
    private const string NoAddress = "none";

    /// <summary>
    /// Replaces the sources by Relay's own. Mistakes in switches, or in files that they name, are collected;
    /// <see cref="RelayOptionsValidator"/> reports them together with all others.
    /// </summary>
    /// <param name="directory">The directory of the appsettings files.</param>
    /// <param name="environment">The host's environment name, such as <c>Production</c>.</param>
    /// <param name="switches">Values by the name of a switch (<c>--listen</c>) or by key (<c>Relay:DataDirectory</c>).</param>
    /// <exception cref="RelayConfigurationException">A file cannot be read.</exception>
    public static void AddRelaySources(
        this ConfigurationManager configuration, string directory, string environment,
        IReadOnlyDictionary<string, string>? switches = null)
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
            var secrets = Environment.GetEnvironmentVariable(SecretsVariable) is { Length: > 0 } named
                ? Path.GetFullPath(named)
                : DefaultSecretsDirectory;
            builder.AddKeyPerFile(secrets, optional: true);
        }
        catch (Exception e) when (e is InvalidDataException or FormatException or IOException or UnauthorizedAccessException)
        {
            throw new RelayConfigurationException(
                [$"{e.Message}{(e.InnerException is FormatException inner ? " " + inner.Message : "")}"], e);
        }
        builder.AddEnvironmentVariables().AddEnvironmentVariables(Prefix);
        var variables = new NamedValues();
        foreach (var setting in RelaySettings.All) AddVariable(variables, setting);
        builder.Add(variables);
        var commandLine = new NamedValues();
        foreach (var (name, value) in switches ?? new Dictionary<string, string>()) AddSwitch(commandLine, name, value);
        CheckPairs(commandLine);
        AddDefaults(
            defaults,
            commandLine.IsSet(RelaySettings.CertificatePath) || configuration[RelaySettings.CertificatePath] is { Length: > 0 });
        AddAddresses(commandLine, switches, configuration);
        AddHttpDefault(defaults, commandLine, configuration);
        defaults.Reload();
        builder.Add(commandLine);
    }

    /// <summary>The effective value of a key and its origin; null if no source sets it.</summary>
    public static (string Value, string Origin)? Find(IConfigurationRoot configuration, string key)
    {
        foreach (var provider in configuration.Providers.Reverse())
        {
            if (provider.TryGet(key, out var value) && value is { Length: > 0 }) return (value, Origin(provider, key));
        }
        return null;
    }

    /// <summary>True if an operator has set the key, rather than a default.</summary>
    internal static bool IsGiven(IConfiguration configuration, string key) =>
        configuration is IConfigurationRoot root && Find(root, key) is var (_, origin) && origin != DefaultOrigin;

    internal static IEnumerable<string> Mistakes(IConfiguration configuration) =>
        configuration is IConfigurationRoot root ? root.Providers.OfType<NamedValues>().SelectMany(p => p.Mistakes) : [];

    private static string Origin(IConfigurationProvider provider, string key) => provider switch
    {
        NamedValues named => named.OriginOf(key),
        FileConfigurationProvider file => file.Source.Path ?? "a file",
        Microsoft.Extensions.Configuration.KeyPerFile.KeyPerFileConfigurationProvider
            => $"secret file {key.Replace(":", "__", StringComparison.Ordinal)}",
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
        if (Environment.GetEnvironmentVariable(setting.Variable) is { Length: > 0 } value)
            values.Set(setting.Key, value, "environment " + setting.Variable);
        else if (setting.FileVariable is { } variable && Environment.GetEnvironmentVariable(variable) is { Length: > 0 } file)
            ReadFile(values, setting, file, $"environment {variable}");
    }

    private static void AddSwitch(NamedValues values, string name, string value)
    {
        if (RelaySettings.All.FirstOrDefault(s => s.FileSwitch == name) is { } inFile)
        {
            values.Given.Add(name);
            ReadFile(values, inFile, value, name);
            return;
        }
        if (RetiredSettings.Of(name) is { } retired)
        {
            values.Mistakes.Add(retired.ToString());
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
        foreach (var setting in RelaySettings.All.Where(
            s => s.FileSwitch is not null && values.Given.Contains(s.FileSwitch) && values.Given.Contains(s.Switch!)))
            values.Mistakes.Add($"{setting.Switch} and {setting.FileSwitch} set the same value: give only one of them.");
    }

    private static void ReadFile(NamedValues values, RelaySetting setting, string file, string origin)
    {
        try
        {
            var text = File.ReadAllText(file).Trim();
            if (text.Length > 0) values.Set(setting.Key, text, $"{origin} {file}");
            else values.Mistakes.Add($"{file} ({origin}) is empty: it must contain one line, the address.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            values.Mistakes.Add($"The address ({origin}) cannot be read: {e.Message}");
        }
    }

    /// <summary>Sets the log level. The framework's categories stay at Warning, unless the level is higher.</summary>
    private static void AddLogLevel(NamedValues values, string level, string origin)
    {
        values.Set(RelaySettings.LogLevel, level, origin);
        if (!Enum.TryParse<LogLevel>(level, ignoreCase: true, out var parsed) || parsed <= LogLevel.Warning) return;
        foreach (var category in (string[])["Microsoft", "System", "Grpc"]) values.Set("Logging:LogLevel:" + category, level, origin);
    }

    private static void AddDefaults(NamedValues defaults, bool tls)
    {
        const string origin = DefaultOrigin;
        var options = new RelayOptions();
        defaults.Set(RelaySettings.DataDirectory.Key, options.DataDirectory, origin);
        defaults.Set("Relay:Conversations:Shards", options.Conversations.Shards.ToString(CultureInfo.InvariantCulture), origin);
        defaults.Set("Relay:Cluster:Host", options.Cluster.Host, origin);
        defaults.Set("Relay:Cluster:Port", options.Cluster.Port.ToString(CultureInfo.InvariantCulture), origin);
        defaults.Set("Relay:Drain:Delay", options.Drain.Delay.ToString(), origin);
        defaults.Set("Relay:Drain:Timeout", options.Drain.Timeout.ToString(), origin);
        defaults.Set("Relay:Streams:KeepAlive", options.Streams.KeepAlive.ToString(), origin);
        foreach (var (key, value) in AccessSettings.Defaults(options).Concat(FileOptionSettings.Defaults(options))
            .Concat(EpochSettings.Defaults(options)))
            defaults.Set(key, value, origin);
        defaults.Set(RelaySettings.Url, $"{Scheme(tls)}://127.0.0.1:{RelayOptions.DefaultPort}", origin);
        // Without TLS the protocol is not negotiated: any value but Http2 would select HTTP/1.1.
        defaults.Set("Kestrel:Endpoints:Grpc:Protocols", "Http2", origin);
        defaults.Set(RelaySettings.LogFormat, "simple", origin);
        defaults.Set(RelaySettings.LogLevel, nameof(LogLevel.Information), origin);
        // The framework logs every request at Information; the metrics cover them.
        foreach (var category in (string[])["Microsoft", "System", "Grpc"])
            defaults.Set("Logging:LogLevel:" + category, nameof(LogLevel.Warning), origin);
        // This category logs resets by callers as errors; CallFaults separates them from faults of the server.
        defaults.Set("Logging:LogLevel:Grpc.AspNetCore.Server.ServerCallHandler", nameof(LogLevel.None), origin);
        defaults.Set("Logging:LogLevel:Grpc.AspNetCore.Grpc.JsonTranscoding.ServerCallHandler", nameof(LogLevel.None), origin);
        // This category logs every probe that is answered with "not ready" as an error.
        defaults.Set("Logging:LogLevel:Microsoft.Extensions.Diagnostics.HealthChecks", nameof(LogLevel.None), origin);
        // A failed start is reported once, by the exception's message; the host would log its stack trace too.
        defaults.Set("Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host", nameof(LogLevel.None), origin);
    }

    /// <summary>
    /// Converts the switches' addresses and ports to URLs. The scheme is https if a certificate is configured, in whichever source.
    /// </summary>
    private static void AddAddresses(NamedValues values, IReadOnlyDictionary<string, string>? switches, IConfiguration others)
    {
        bool tls = values.IsSet(RelaySettings.CertificatePath) || others[RelaySettings.CertificatePath] is { Length: > 0 };
        foreach (var (name, key, scheme) in new[]
        {
            ("--listen", RelaySettings.Url, Scheme(tls)), ("--health-listen", RelaySettings.HealthUrl, Uri.UriSchemeHttp),
            ("--http-listen", RelaySettings.HttpUrl, Uri.UriSchemeHttp), ("--console-listen", RelaySettings.ConsoleUrl, Scheme(tls)),
        })
        {
            if (switches?.GetValueOrDefault(name) is not { Length: > 0 } text) continue;
            values.Remove(key);
            if (key == RelaySettings.HttpUrl && text == NoAddress) continue;
            if (TryParse(text, out var address)) values.Set(key, $"{scheme}://{address}", name);
            else values.Mistakes.Add($"{name} must be ADDRESS:PORT, such as 127.0.0.1:7420 or [::1]:7420.");
        }
    }

    /// <summary>
    /// Sets the default address of HTTP/JSON, if the clients' is the default as well: a second server on the machine, which listens
    /// elsewhere, must not need it.
    /// </summary>
    private static void AddHttpDefault(NamedValues defaults, NamedValues commandLine, IConfiguration others)
    {
        bool isElsewhere = commandLine.IsSet(RelaySettings.Url) || IsGiven(others, RelaySettings.Url);
        bool tls = commandLine.IsSet(RelaySettings.CertificatePath) || others[RelaySettings.CertificatePath] is { Length: > 0 };
        if (isElsewhere || tls || commandLine.Given.Contains("--http-listen")) return;
        defaults.Set(RelaySettings.HttpUrl, $"http://127.0.0.1:{RelayOptions.DefaultHttpPort}", DefaultOrigin);
    }

    private static string Scheme(bool tls) => tls ? Uri.UriSchemeHttps : Uri.UriSchemeHttp;

    private static bool TryParse(string text, [NotNullWhen(true)] out IPEndPoint? address)
    {
        address = null;
        var normal = text.StartsWith("localhost:", StringComparison.OrdinalIgnoreCase) ? "127.0.0.1" + text["localhost".Length..] : text;
        int colon = normal.LastIndexOf(':');
        // IPEndPoint.TryParse would accept an address without a port as port 0.
        return colon > 0 && int.TryParse(normal[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out _)
            && !normal.EndsWith(']') && IPEndPoint.TryParse(normal, out address);
    }

    /// <summary>A configuration provider that records the origin of each value.</summary>
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
