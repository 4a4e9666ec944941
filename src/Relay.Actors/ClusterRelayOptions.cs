namespace Relay.Actors;

/// <summary>How a process is a node of a cluster.</summary>
/// <param name="Database">PostgreSQL: an Npgsql connection string. It holds a password: never logged.</param>
/// <param name="Broker">RabbitMQ: amqp(s)://user:password@host:port/vhost. It holds a password: never logged.</param>
public sealed record ClusterRelayOptions(string Database, Uri Broker)
{
    /// <summary>Made with mode 0700 if absent; holds `sealing.key` (unless kept elsewhere), `lock` and `pid`.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Where the sealing key is, the same on every node; null: `sealing.key` in the directory. The first node of a new cluster makes it.</summary>
    public string? SealingKeyFile { get; init; }

    /// <summary>What people call the node; its own in the cluster. A node that is started again under its name gets back the shards it had.</summary>
    public required string NodeName { get; init; }

    /// <summary>Shards of the whole cluster; the same on every node, and fixed once the cluster has begun.</summary>
    public int Shards { get; init; } = 16;

    /// <summary>PEM file of the only certificate authority that the broker's certificate may come from; null: the system's.</summary>
    public string? BrokerCertificateAuthorityFile { get; init; }

    /// <summary>Prints the name only: the addresses hold passwords.</summary>
    public override string ToString() => $"ClusterRelayOptions {{ {NodeName} }}";
}
