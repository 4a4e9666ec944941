using Otr.Core;
using Relay.Actors.Cluster.Checks;
using Relay.Storage;
using Relay.Storage.Postgres;

namespace Relay.Actors;

/// <summary>Looks at what the nodes of a cluster share, from one node's place and with its configuration. Makes and changes nothing.</summary>
public static class ClusterCheck
{
    /// <summary>Never throws for what it finds.</summary>
    public static async Task<IReadOnlyList<ClusterFinding>> RunAsync(ClusterRelayOptions options, TimeProvider time, IRandomSource random, CancellationToken cancellation)
    {
        var found = new List<ClusterFinding>();
        await new DatabaseCheck(Database(options), time, random.Fill, found).RunAsync(cancellation).ConfigureAwait(false);
        await new BrokerCheck(options, random, found).RunAsync(cancellation).ConfigureAwait(false);
        return found;
    }

    // A quarter of what two nodes' clocks may differ by before they take each other's commands for old.
    private static DatabaseCheckOptions Database(ClusterRelayOptions options) => new(
        options.Database, options.SealingKeyFile ?? Path.Combine(options.DataDirectory, "sealing.key"), options.Shards,
        RelayLimits.CommandLifetime / 4, RelayLimits.HeartbeatLifetime);
}
