using System.Globalization;
using Relay.Actors;
using Relay.Actors.Cluster;

namespace Relay.Gateway.Hosting;

/// <summary>How a server runs: the section "Relay" of its configuration, and the database's connection string.</summary>
public sealed class RelayOptions
{
    /// <summary>The port, if none is given.</summary>
    public const int DefaultPort = 7420;

    /// <summary>The directory of everything that is this server's own; made with mode 0700 if absent.</summary>
    public string DataDirectory { get; set; } =
        Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "relay");

    /// <summary>The file of the sealing key; null: in the data directory.</summary>
    public string? SealingKeyFile { get; set; }

    /// <summary>The file of an admin key that is taken up, or where the first one is put; null: in the data directory.</summary>
    public string? AdminKeyFile { get; set; }

    /// <summary>PostgreSQL, as Npgsql's connection string (<c>ConnectionStrings:Relay</c>); null: one process, with SQLite in the data directory.</summary>
    public string? Database { get; set; }

    public ConversationOptions Conversations { get; } = new();

    public StreamOptions Streams { get; } = new();

    /// <summary>This node's place in its cluster; of no meaning to one process.</summary>
    public ClusterOptions Cluster { get; set; } = new() { Host = Environment.MachineName };

    public DrainOptions Drain { get; } = new();

    /// <summary>True for a node of a cluster.</summary>
    public bool IsClustered => Database is not null;

    /// <summary>The node's name in its cluster: host and port.</summary>
    public string Node => string.Create(CultureInfo.InvariantCulture, $"{Cluster.Host}:{Cluster.Port}");

    /// <summary>As a node of a cluster.</summary>
    /// <exception cref="InvalidOperationException">It is none.</exception>
    public ClusterRelayOptions ToClusterRelay() => new(Database ?? throw new InvalidOperationException("There is no database."), Cluster)
    {
        DataDirectory = DataDirectory,
        SealingKeyFile = SealingKeyFile,
        Shards = Conversations.Shards,
        Version = ServerInfo.Version,
    };

    /// <summary>What is wrong with the values that were read, in the order of <see cref="RelaySettings"/>.</summary>
    internal List<string> Mistakes { get; } = [];

    /// <summary>Without the addresses, which may hold passwords.</summary>
    public override string ToString() => $"RelayOptions {{ {DataDirectory}, {(IsClustered ? Node : "embedded")} }}";
}

/// <summary>The conversations of this process or of the whole cluster.</summary>
public sealed class ConversationOptions
{
    /// <summary>Shards of the whole cluster; must be the same on every node and cannot be changed later. Of no meaning to one process.</summary>
    public int Shards { get; set; } = RelayLimits.DefaultShards;
}

/// <summary>The streams of bots and bridges.</summary>
public sealed class StreamOptions
{
    /// <summary>Silence after which a stream gets a keep-alive.</summary>
    public TimeSpan KeepAlive { get; set; } = GatewayLimits.KeepAliveInterval;
}

/// <summary>How a server leaves at SIGTERM.</summary>
public sealed class DrainOptions
{
    /// <summary>Time between saying that the server is not ready any more and beginning to drain, in which it serves as before: for load balancers to notice.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Time that work in flight gets.</summary>
    public TimeSpan Timeout { get; set; } = GatewayLimits.DrainTimeout;
}
