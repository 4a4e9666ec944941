using System.Globalization;
using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Sharding;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Relay.Actors.Cluster;

/// <summary>A node of the cluster, as the one that is asked sees it.</summary>
/// <param name="Name">Its host and port in the cluster.</param>
/// <param name="IsSelf">It is the one that is asked.</param>
/// <param name="Status">Of its member.</param>
/// <param name="IsReachable">False: the nodes that watch it do not hear from it.</param>
/// <param name="Shards">Shards that it acts for; null if its region did not answer.</param>
/// <param name="Conversations">Conversations in its memory; null if its region did not answer.</param>
internal sealed record NodeEntry(string Name, bool IsSelf, MemberStatus Status, bool IsReachable, int? Shards, int? Conversations);

/// <summary>Lists the nodes of the cluster, from membership and what the regions say of their shards.</summary>
internal sealed class NodeDirectory(AkkaCluster cluster, IActorRef region)
{
    /// <summary>In order of name.</summary>
    public async Task<IReadOnlyList<NodeEntry>> ListAsync(CancellationToken cancellation)
    {
        var state = cluster.State;
        var shards = await ShardsAsync(cancellation).ConfigureAwait(false);
        return [.. state.Members.Select(m => Entry(m, !state.Unreachable.Contains(m), shards.GetValueOrDefault(m.Address)))
            .OrderBy(n => n.Name, StringComparer.Ordinal)];
    }

    private NodeEntry Entry(Member member, bool isReachable, ShardRegionStats? shards) => new(
        string.Create(CultureInfo.InvariantCulture, $"{member.Address.Host}:{member.Address.Port}"),
        member.UniqueAddress.Equals(cluster.SelfUniqueAddress), member.Status, isReachable,
        shards?.Stats.Count, shards?.Stats.Values.Sum());

    /// <summary>Empty if the regions did not answer in time.</summary>
    private async Task<Dictionary<Address, ShardRegionStats>> ShardsAsync(CancellationToken cancellation)
    {
        try
        {
            var stats = await region.Ask<ClusterShardingStats>(new GetClusterShardingStats(RelayLimits.NodeDirectoryTimeout),
                RelayLimits.NodeDirectoryTimeout * 2, cancellation).ConfigureAwait(false);
            return stats.Regions.ToDictionary(r => r.Key, r => r.Value);
        }
        catch (AskTimeoutException)
        {
            return [];
        }
    }
}
