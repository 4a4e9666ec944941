using Otr.Core;
using Relay.Storage;
using Relay.Storage.Postgres;

namespace Relay.Actors.Cluster;

/// <summary>
/// Looks at what the nodes of a cluster share, from one node's place and with its configuration. Makes and changes nothing.
/// </summary>
public static class ClusterCheck
{
    /// <summary>Never throws for what it finds.</summary>
    public static async Task<IReadOnlyList<ClusterFinding>> RunAsync(
        ClusterRelayOptions options, TimeProvider time, IRandomSource random, CancellationToken cancellation)
    {
        var found = new List<ClusterFinding>();
        var database = new DatabaseCheckOptions(
            options.Database, options.SealingKeyFile ?? Path.Combine(options.DataDirectory, "sealing.key"), options.Shards);
        await new DatabaseCheck(database, time, random.Fill, found).RunAsync(cancellation).ConfigureAwait(false);
        return found;
    }
}
