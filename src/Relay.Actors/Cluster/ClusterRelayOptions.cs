using Relay.Actors.Epochs;
using Relay.Actors.Files;

namespace Relay.Actors.Cluster;

/// <summary>Options of a node of a cluster.</summary>
/// <param name="Database">PostgreSQL: an Npgsql connection string. It may hold a password: never logged.</param>
/// <param name="Node">The node's place among the nodes.</param>
public sealed record ClusterRelayOptions(string Database, ClusterOptions Node)
{
    /// <summary>Made with mode 0700 if absent; holds `sealing.key` (unless kept elsewhere), `lock` and `pid`.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>
    /// File of the sealing key, which must be the same on every node; null: `sealing.key` in the directory. The first node of a
    /// new cluster makes it.
    /// </summary>
    public string? SealingKeyFile { get; init; }

    /// <summary>How long a copy of the database can be opened with the keys of later.</summary>
    public SealingEpochOptions Epochs { get; init; } = new();

    /// <summary>For tests; null: as <see cref="Epochs"/> says.</summary>
    internal EpochTimes? EpochTimes { get; init; }

    /// <summary>Shards of the whole cluster; must be the same on every node and cannot be changed once the cluster was founded.</summary>
    public int Shards { get; init; } = RelayLimits.DefaultShards;

    public FileSettings Files { get; init; } = FileSettings.Default;

    /// <summary>The program's version; nodes of different major versions do not join each other.</summary>
    public required string Version { get; init; }

    /// <summary>Prints the node's address only: the database's may hold a password.</summary>
    public override string ToString() => $"ClusterRelayOptions {{ {Node.Host}:{Node.Port} }}";
}
