using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Relay.Gateway.Hosting;

/// <summary>One value that an operator may set.</summary>
/// <param name="Key">In the configuration.</param>
/// <param name="Switch">Of <c>relay serve</c>, if it has one.</param>
/// <param name="Variable">A short name in the environment, if it has one; every key has its long one (<c>Relay__DataDirectory</c>).</param>
/// <param name="IsSecret">It may hold a password, and is never printed whole.</param>
public sealed record RelaySetting(string Key, string? Switch = null, string? Variable = null, bool IsSecret = false)
{
    /// <summary>Puts the value into the options; returns what is wrong with it, or null.</summary>
    internal Func<RelayOptions, string, string?> Apply { get; init; } = static (_, _) => null;

    /// <summary>For the file that holds the value, as <c>--database-file</c>; null if there is no such switch.</summary>
    internal string? FileSwitch => IsSecret && Switch is not null ? Switch + "-file" : null;

    internal string? FileVariable => IsSecret && Variable is not null ? Variable + "_FILE" : null;

    /// <summary>The key, and the switch if there is one: what a message about it begins with.</summary>
    public override string ToString() => Switch is null ? Key : $"{Key} ({Switch})";
}

/// <summary>Every value that an operator may set, in one table: it is read, checked, aliased and shown by this table only.</summary>
public static class RelaySettings
{
    internal const string Url = "Kestrel:Endpoints:Grpc:Url";
    internal const string CertificatePath = "Kestrel:Endpoints:Grpc:Certificate:Path";
    internal const string CertificateKeyPath = "Kestrel:Endpoints:Grpc:Certificate:KeyPath";
    internal const string HealthUrl = "Kestrel:Endpoints:Health:Url";
    internal const string LogLevel = "Logging:LogLevel:Default";
    internal const string LogFormat = "Logging:Console:FormatterName";
    internal const int LongestNodeName = 63;
    private const int MaxShards = 1024;
    private static readonly TimeSpan s_longestDrain = TimeSpan.FromMinutes(10);

    public static RelaySetting DataDirectory { get; } = new("Relay:DataDirectory", "--data", "RELAY_DATA") { Apply = (o, v) => Set(() => o.DataDirectory = Path.GetFullPath(v)) };

    public static RelaySetting SealingKeyFile { get; } =
        new("Relay:SealingKeyFile", "--sealing-key", "RELAY_SEALING_KEY_FILE") { Apply = (o, v) => Set(() => o.SealingKeyFile = Path.GetFullPath(v)) };

    public static RelaySetting Database { get; } = new("ConnectionStrings:Relay", "--database", "RELAY_DATABASE", IsSecret: true) { Apply = ApplyDatabase };

    public static RelaySetting Broker { get; } = new("Relay:Cluster:Broker", "--broker", "RELAY_BROKER", IsSecret: true) { Apply = ApplyBroker };

    public static IReadOnlyList<RelaySetting> All { get; } =
    [
        DataDirectory,
        SealingKeyFile,
        new("Relay:AdminKeyFile", "--admin-key") { Apply = (o, v) => Set(() => o.AdminKeyFile = Path.GetFullPath(v)) },
        Database,
        new("Relay:Conversations:Shards", "--shards", "RELAY_SHARDS") { Apply = ApplyShards },
        new("Relay:Cluster:Host", "--node-name", "RELAY_NODE_NAME") { Apply = ApplyHost },
        Broker,
        new("Relay:Cluster:BrokerCertificateAuthorityFile", "--broker-ca", "RELAY_BROKER_CA") { Apply = (o, v) => Set(() => o.Cluster.BrokerCertificateAuthorityFile = Path.GetFullPath(v)) },
        new("Relay:Drain:Delay", "--drain-delay") { Apply = (o, v) => ApplyTime(v, TimeSpan.Zero, s_longestDrain, t => o.Drain.Delay = t) },
        new("Relay:Drain:Timeout", "--drain-timeout") { Apply = (o, v) => ApplyTime(v, TimeSpan.FromSeconds(1), s_longestDrain, t => o.Drain.Timeout = t) },
        new("Relay:Streams:KeepAlive") { Apply = (o, v) => ApplyTime(v, TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(30), t => o.Streams.KeepAlive = t) },
        new(Url, "--listen"),
        new("Kestrel:Endpoints:Grpc:Protocols"),
        new(CertificatePath, "--certificate"),
        new(CertificateKeyPath, "--certificate-key"),
        new(HealthUrl, "--health-listen"),
        new(LogLevel, "--log-level"),
        new(LogFormat, "--log-json"),
    ];

    /// <summary>The setting of a key, if it is one of Relay's own.</summary>
    public static RelaySetting? Of(string key) => All.FirstOrDefault(s => string.Equals(s.Key, key, StringComparison.OrdinalIgnoreCase));

    /// <summary>Reads every setting; what is wrong with a value is noted and the default kept.</summary>
    internal static void Read(IConfiguration configuration, RelayOptions options)
    {
        foreach (var setting in All)
        {
            if (configuration[setting.Key] is { Length: > 0 } value && setting.Apply(options, value) is { } mistake) options.Mistakes.Add($"{setting} {mistake}");
        }
    }

    private static string? Set(Action set)
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
            // Other rules ask whether there is a database: there is one, and its address is wrong.
            options.Database = "";
            return "is wrong. " + e.Message;
        }
    }

    // Nothing of a wrong address is repeated: it may hold a password.
    private static string? ApplyBroker(RelayOptions options, string value)
    {
        var isAddress = Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri.Scheme is "amqp" or "amqps" && uri.Host.Length > 0;
        options.Cluster.Broker = isAddress ? uri : new Uri("amqp://wrong");
        return isAddress ? null : "must be amqp://user:password@host:port/vhost, or amqps:// with TLS. Characters like @ / : in a password are written %40 %2F %3A.";
    }

    private static string? ApplyShards(RelayOptions options, string value)
    {
        if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int shards) || shards is < 1 or > MaxShards) return $"must be 1 to {MaxShards}.";
        options.Conversations.Shards = shards;
        return null;
    }

    private static string? ApplyHost(RelayOptions options, string value)
    {
        if (value.Length > LongestNodeName || value.Any(char.IsControl)) return $"must have 1 to {LongestNodeName} characters, none of them control characters.";
        options.Cluster.Host = value;
        return null;
    }

    /// <summary>A time as <c>00:00:20</c>, or as a number of seconds (where .NET would read days).</summary>
    private static string? ApplyTime(string value, TimeSpan least, TimeSpan most, Action<TimeSpan> set)
    {
        TimeSpan time;
        if (double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) && Math.Abs(seconds) < 1e9) time = TimeSpan.FromSeconds(seconds);
        else if (!TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out time)) return "must be a time, as 00:00:20, or a number of seconds.";
        if (time < least || time > most) return $"must be {Seconds(least)} to {Seconds(most)} seconds.";
        set(time);
        return null;
    }

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString(CultureInfo.InvariantCulture);
}
