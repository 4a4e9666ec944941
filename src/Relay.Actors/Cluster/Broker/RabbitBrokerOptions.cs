namespace Relay.Actors.Cluster.Broker;

/// <summary>Which broker, and how the shards lie on it.</summary>
/// <param name="Uri">amqp(s)://user:password@host:port/vhost. It holds a password: never logged.</param>
/// <param name="Shards">Of the whole cluster; fixed by the first node that connects.</param>
/// <param name="NodeName">Shown by the broker beside the connections.</param>
internal sealed record RabbitBrokerOptions(Uri Uri, int Shards, string NodeName)
{
    /// <summary>Before the name of each queue and exchange, so that several clusters can share a virtual host.</summary>
    public string Prefix { get; init; } = "relay";

    /// <summary>PEM file of the only certificate authorities that the broker's certificate may come from; null: the system's.</summary>
    public string? CertificateAuthorityFile { get; init; }

    /// <summary>The name that the broker's certificate must have; null: the host of <see cref="Uri"/>.</summary>
    public string? ServerName { get; init; }

    /// <summary>PEM file of this node's own certificate; null: none is shown.</summary>
    public string? ClientCertificateFile { get; init; }

    /// <summary>PEM file of its key; null: it is in <see cref="ClientCertificateFile"/>.</summary>
    public string? ClientKeyFile { get; init; }

    public TimeSpan Heartbeat { get; init; } = RelayLimits.BrokerHeartbeat;
    public TimeSpan AskTimeout { get; init; } = RelayLimits.AskTimeout;
    public TimeSpan CommandLifetime { get; init; } = RelayLimits.CommandLifetime;
    public TimeSpan StartLimit { get; init; } = RelayLimits.BrokerStartLimit;
    public int Prefetch { get; init; } = RelayLimits.ShardPrefetch;
    public int MaxPendingCommands { get; init; } = RelayLimits.MaxCommandsInFlight;
    public long MaxPendingBytes { get; init; } = 2 * RelayLimits.MaxBytesInFlight;
    public int MaxQueuedCommands { get; init; } = RelayLimits.MaxQueuedCommands;
    public long MaxQueuedBytes { get; init; } = RelayLimits.MaxQueuedBytes;
    public int MaxParkedMessages { get; init; } = RelayLimits.MaxParkedMessages;
    public int MaxDeliveries { get; init; } = RelayLimits.MaxDeliveries;

    /// <summary>Prints the name only: the address holds a password.</summary>
    public override string ToString() => $"RabbitBrokerOptions {{ {NodeName} }}";
}
