using System.Globalization;
using Relay.Actors;
using Relay.Actors.Cluster;
using Relay.Actors.Epochs;
using Relay.Actors.Files;

namespace Relay.Gateway.Hosting;

/// <summary>The options of a server: the section "Relay" of its configuration, and the database's connection string.</summary>
public sealed class RelayOptions
{
    /// <summary>The port on which the server listens by default.</summary>
    public const int DefaultPort = 7420;

    /// <summary>The port for HTTP/JSON without TLS, on loopback, by default.</summary>
    public const int DefaultHttpPort = 7422;

    /// <summary>The directory of all files of this server; created with mode 0700 if missing.</summary>
    public string DataDirectory { get; set; } =
        Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
            "relay");

    /// <summary>The file of the sealing key. Null: its default file in the data directory.</summary>
    public string? SealingKeyFile { get; set; }

    /// <summary>How long a copy of the database can be opened with the keys of later.</summary>
    public SealingEpochOptions Epochs { get; set; } = new();

    /// <summary>
    /// The file of an admin key to accept, or to which the first admin key is written. Null: <c>admin.key</c> in the data directory.
    /// </summary>
    public string? AdminKeyFile { get; set; }

    /// <summary>
    /// Npgsql's connection string of PostgreSQL (<c>ConnectionStrings:Relay</c>). Null: a single process with SQLite in the data directory.
    /// </summary>
    public string? Database { get; set; }

    public ConversationOptions Conversations { get; } = new();

    public StreamOptions Streams { get; } = new();

    /// <summary>This node's address and certificates in its cluster; unused without a database.</summary>
    public ClusterOptions Cluster { get; set; } = new() { Host = Environment.MachineName };

    public DrainOptions Drain { get; } = new();

    /// <summary>
    /// Networks that webhooks may be sent to although they are not public, also without TLS (<c>Relay:Webhooks:AllowedNetworks</c>).
    /// </summary>
    public IReadOnlyList<System.Net.IPNetwork> WebhookNetworks { get; set; } = [];

    public TokenOptions Tokens { get; } = new();

    public ClientCertificateOptions Certificates { get; } = new();

    public LimitOptions Limits { get; } = new();

    public AuditOptions Audit { get; } = new();

    /// <summary>Limits of files, and where peers fetch them (<c>Relay:Files</c>).</summary>
    public FileSettings Files { get; set; } = FileSettings.Default;

    /// <summary>True for a node of a cluster.</summary>
    public bool IsClustered => Database is not null;

    /// <summary>The node's name in its cluster: host and port.</summary>
    public string Node => string.Create(CultureInfo.InvariantCulture, $"{Cluster.Host}:{Cluster.Port}");

    /// <summary>The options of a node of a cluster.</summary>
    /// <exception cref="InvalidOperationException">No database is configured.</exception>
    public ClusterRelayOptions ToClusterRelay() => new(Database ?? throw NoDatabase(), Cluster)
    {
        DataDirectory = DataDirectory,
        SealingKeyFile = SealingKeyFile,
        Epochs = Epochs,
        Shards = Conversations.Shards,
        Version = ServerInfo.Version,
        Files = Files,
    };

    private static InvalidOperationException NoDatabase() => new("No database is configured.");

    /// <summary>The mistakes in the values that were read, in the order of <see cref="RelaySettings"/>.</summary>
    internal List<string> Mistakes { get; } = [];

    /// <summary>Omits the database's address, which may contain a password.</summary>
    public override string ToString() => $"RelayOptions {{ {DataDirectory}, {(IsClustered ? Node : "embedded")} }}";
}

/// <summary>Options of how conversations are distributed.</summary>
public sealed class ConversationOptions
{
    /// <summary>
    /// The number of shards of the cluster; must be the same on every node and cannot be changed later. Unused without a database.
    /// </summary>
    public int Shards { get; set; } = RelayLimits.DefaultShards;
}

/// <summary>Options of the streams of bots and bridges.</summary>
public sealed class StreamOptions
{
    /// <summary>Time without a message after which a keep-alive is sent on a stream.</summary>
    public TimeSpan KeepAlive { get; set; } = GatewayLimits.KeepAliveInterval;
}

/// <summary>Options of the graceful shutdown at SIGTERM.</summary>
public sealed class DrainOptions
{
    /// <summary>
    /// Time between reporting not ready and the beginning of the drain. The server accepts work meanwhile, so that load balancers
    /// can notice.
    /// </summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Timeout for the work in flight.</summary>
    public TimeSpan Timeout { get; set; } = GatewayLimits.DrainTimeout;
}
