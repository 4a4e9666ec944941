using Relay.Actors;

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

    public ClusterOptions Cluster { get; } = new();

    public DrainOptions Drain { get; } = new();

    /// <summary>True for a node of a cluster.</summary>
    public bool IsClustered => Database is not null;

    /// <summary>What is wrong with the values that were read, in the order of <see cref="RelaySettings"/>.</summary>
    internal List<string> Mistakes { get; } = [];

    /// <summary>Without the addresses, which may hold passwords.</summary>
    public override string ToString() => $"RelayOptions {{ {DataDirectory}, {(IsClustered ? Cluster.Host : "embedded")} }}";
}

/// <summary>The conversations of this process or of the whole cluster.</summary>
public sealed class ConversationOptions
{
    /// <summary>Shards of the embedded actors, or of the whole cluster: the same on every node, and fixed by the first start.</summary>
    public int Shards { get; set; } = 16;
}

/// <summary>The streams of bots and bridges.</summary>
public sealed class StreamOptions
{
    /// <summary>Silence after which a stream gets a keep-alive.</summary>
    public TimeSpan KeepAlive { get; set; } = GatewayLimits.KeepAliveInterval;
}

/// <summary>What makes a node of a cluster.</summary>
public sealed class ClusterOptions
{
    /// <summary>The node's name in the cluster.</summary>
    public string Host { get; set; } = Environment.MachineName[..Math.Min(Environment.MachineName.Length, RelaySettings.LongestNodeName)];

    /// <summary>RabbitMQ: <c>amqp://</c> or <c>amqps://</c>.</summary>
    public Uri? Broker { get; set; }

    /// <summary>PEM file of the only certificate authority that the broker's certificate may come from; null: the system's.</summary>
    public string? BrokerCertificateAuthorityFile { get; set; }
}

/// <summary>How a server leaves at SIGTERM.</summary>
public sealed class DrainOptions
{
    /// <summary>Time between saying that the server is not ready any more and beginning to drain, in which it serves as before: for load balancers to notice.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Time that work in flight gets.</summary>
    public TimeSpan Timeout { get; set; } = GatewayLimits.DrainTimeout;
}
