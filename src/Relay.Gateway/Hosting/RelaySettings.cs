using System.Globalization;
using Microsoft.Extensions.Configuration;
using Relay.Actors;
using Relay.Actors.Cluster;

namespace Relay.Gateway.Hosting;

/// <summary>One value that an operator may set.</summary>
/// <param name="Key">The configuration key.</param>
/// <param name="Switch">The switch of <c>relay serve</c>; null if there is none.</param>
/// <param name="Variable">
/// A short environment variable; null if there is none. Every key also has its long one (<c>Relay__DataDirectory</c>).
/// </param>
/// <param name="IsSecret">True if the value may contain a password, and must never be printed whole.</param>
public sealed record RelaySetting(string Key, string? Switch = null, string? Variable = null, bool IsSecret = false)
{
    /// <summary>Sets the option; returns what is wrong with the value, or null.</summary>
    internal Func<RelayOptions, string, string?> Apply { get; init; } = static (_, _) => null;

    /// <summary>The switch that names a file with the value, such as <c>--database-file</c>; null if there is none.</summary>
    public string? FileSwitch => IsSecret && Switch is not null ? Switch + "-file" : null;

    /// <summary>The environment variable that names a file with the value; null if there is none.</summary>
    public string? FileVariable => IsSecret && Variable is not null ? Variable + "_FILE" : null;

    /// <summary>What is wrong with a value, in words such as "must be 1 to 1024."; null if nothing is.</summary>
    public string? Check(string value) => Apply(new RelayOptions(), value);

    /// <summary>What the setting is, in one sentence, for docs/configuration.md.</summary>
    public string Description => SettingDescriptions.Of(Key);

    /// <summary>The key, and the switch if there is one, as messages about the setting begin.</summary>
    public override string ToString() => Switch is null ? Key : $"{Key} ({Switch})";
}

/// <summary>The table of every value that an operator may set; reading, checks, switches, variables and display all use it.</summary>
public static class RelaySettings
{
    /// <summary>The address on which bots and bridges are served.</summary>
    public const string Url = "Kestrel:Endpoints:Grpc:Url";
    internal const string CertificatePath = "Kestrel:Endpoints:Grpc:Certificate:Path";
    internal const string CertificateKeyPath = "Kestrel:Endpoints:Grpc:Certificate:KeyPath";
    internal const string HealthUrl = "Kestrel:Endpoints:Health:Url";
    internal const string HttpUrl = "Kestrel:Endpoints:Http:Url";
    internal const string ConsoleUrl = "Kestrel:Endpoints:Console:Url";
    internal const string LogLevel = "Logging:LogLevel:Default";
    internal const string LogFormat = "Logging:Console:FormatterName";
    /// <summary>The section of additional Akka settings, by their full names.</summary>
    internal const string AkkaSettings = "Relay:Cluster:Settings";
    /// <summary>
    /// The section of the bridges that <c>relay serve</c> hosts. The command reads and checks it: a bridge is a client of the public API, and
    /// the gateway refers to none of its clients.
    /// </summary>
    public const string Bridges = "Relay:Bridges";
    private const string ClusterCertificate = "Relay:Cluster:Certificate:";
    private static readonly TimeSpan s_longestDrain = TimeSpan.FromMinutes(10);

    public static RelaySetting DataDirectory { get; } =
        new("Relay:DataDirectory", "--data", "RELAY_DATA") { Apply = (o, v) => Set(() => o.DataDirectory = Path.GetFullPath(v)) };

    public static RelaySetting SealingKeyFile { get; } =
        new("Relay:SealingKeyFile", "--sealing-key", "RELAY_SEALING_KEY_FILE")
        {
            Apply = (o, v) => Set(() => o.SealingKeyFile = Path.GetFullPath(v)),
        };

    public static RelaySetting Database { get; } =
        new("ConnectionStrings:Relay", "--database", "RELAY_DATABASE", IsSecret: true) { Apply = ApplyDatabase };

    public static IReadOnlyList<RelaySetting> All { get; } =
    [
        DataDirectory,
        SealingKeyFile,
        .. EpochSettings.All,
        new("Relay:AdminKeyFile", "--admin-key") { Apply = (o, v) => Set(() => o.AdminKeyFile = Path.GetFullPath(v)) },
        Database,
        new("Relay:Conversations:Shards", "--shards", "RELAY_SHARDS") { Apply = ApplyShards },
        new("Relay:Cluster:Host", "--cluster-host", "RELAY_CLUSTER_HOST")
        {
            Apply = (o, v) => Set(() => o.Cluster = o.Cluster with { Host = v }),
        },
        new("Relay:Cluster:Port", "--cluster-port", "RELAY_CLUSTER_PORT") { Apply = ApplyPort },
        new("Relay:Cluster:Listen", "--cluster-listen", "RELAY_CLUSTER_LISTEN")
        {
            Apply = (o, v) => Set(() => o.Cluster = o.Cluster with { Listen = v }),
        },
        CertificateFile("Path", (files, path) => files with { Path = path }),
        CertificateFile("KeyPath", (files, path) => files with { KeyPath = path }),
        CertificateFile("AuthorityPath", (files, path) => files with { AuthorityPath = path }),
        new("Relay:Drain:Delay", "--drain-delay") { Apply = (o, v) => ApplyTime(v, TimeSpan.Zero, s_longestDrain, t => o.Drain.Delay = t) },
        new("Relay:Drain:Timeout", "--drain-timeout")
        {
            Apply = (o, v) => ApplyTime(v, TimeSpan.FromSeconds(1), s_longestDrain, t => o.Drain.Timeout = t),
        },
        new("Relay:Streams:KeepAlive")
        {
            Apply = (o, v) => ApplyTime(v, TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(30), t => o.Streams.KeepAlive = t),
        },
        new("Relay:Webhooks:AllowedNetworks") { Apply = ApplyNetworks },
        .. AccessSettings.All,
        .. FileOptionSettings.All,
        new(Url, "--listen"),
        new("Kestrel:Endpoints:Grpc:Protocols"),
        new(CertificatePath, "--certificate"),
        new(CertificateKeyPath, "--certificate-key"),
        new(HttpUrl, "--http-listen"),
        new(HealthUrl, "--health-listen"),
        new(ConsoleUrl, "--console-listen"),
        new(LogLevel, "--log-level"),
        new(LogFormat, "--log-json"),
    ];

    /// <summary>The setting with this key; null if there is none.</summary>
    public static RelaySetting? Of(string key) => All.FirstOrDefault(s => string.Equals(s.Key, key, StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// Reads every setting. A value that is not valid is added to <see cref="RelayOptions.Mistakes"/>, and the default is kept.
    /// </summary>
    internal static void Read(IConfiguration configuration, RelayOptions options)
    {
        foreach (var setting in All)
        {
            if (configuration[setting.Key] is { Length: > 0 } value && setting.Apply(options, value) is { } mistake)
                options.Mistakes.Add($"{setting} {mistake}");
        }
        var akka = configuration.GetSection(AkkaSettings).AsEnumerable(makePathsRelative: true).Where(pair => pair.Value is not null);
        options.Cluster = options.Cluster with { Settings = akka.ToDictionary(pair => pair.Key, pair => pair.Value!) };
    }

    internal static string? Set(Action set)
    {
        try
        {
            set();
            return null;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException or PathTooLongException)
        {
            return "must be a path.";
        }
    }

    private static string? ApplyDatabase(RelayOptions options, string value)
    {
        try
        {
            options.Database = DatabaseAddress.ToConnectionString(value);
            return null;
        }
        catch (FormatException e)
        {
            // Not null: other checks must treat the server as clustered, because a database is configured.
            options.Database = "";
            return "is not valid. " + e.Message;
        }
    }

    private static string? ApplyNetworks(RelayOptions options, string value)
    {
        var networks = new List<System.Net.IPNetwork>();
        foreach (var part in value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!System.Net.IPNetwork.TryParse(part, out var network)) return "must be networks such as 10.1.0.0/16, separated by commas.";
            networks.Add(network);
        }
        options.WebhookNetworks = networks;
        return null;
    }

    private static string? ApplyShards(RelayOptions options, string value)
    {
        bool isNumber = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int shards);
        if (!isNumber || shards is < 1 or > RelayLimits.MaxShards) return $"must be 1 to {RelayLimits.MaxShards}.";
        options.Conversations.Shards = shards;
        return null;
    }

    private static string? ApplyPort(RelayOptions options, string value)
    {
        if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int port) || port is < 1 or > 65535)
            return "must be a port, 1 to 65535.";
        options.Cluster = options.Cluster with { Port = port };
        return null;
    }

    private static RelaySetting CertificateFile(string name, Func<ClusterCertificateFiles, string, ClusterCertificateFiles> put) =>
        new(ClusterCertificate + name)
        {
            Apply = (o, v) => Set(() =>
            {
                var files = o.Cluster.Certificate ?? new ClusterCertificateFiles("", "", "");
                o.Cluster = o.Cluster with { Certificate = put(files, Path.GetFullPath(v)) };
            }),
        };

    /// <summary>Parses a time such as <c>00:00:20</c>, or a number of seconds (which .NET would parse as days).</summary>
    internal static string? ApplyTime(string value, TimeSpan least, TimeSpan most, Action<TimeSpan> set)
    {
        TimeSpan time;
        if (double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) && Math.Abs(seconds) < 1e9)
            time = TimeSpan.FromSeconds(seconds);
        else if (!TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out time))
            return "must be a time such as 00:00:20, or a number of seconds.";
        if (time < least || time > most) return $"must be {Seconds(least)} to {Seconds(most)} seconds.";
        set(time);
        return null;
    }

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString(CultureInfo.InvariantCulture);
}
