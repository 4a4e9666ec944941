using System.Globalization;
using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Sharding;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Relay.Actors.Cluster;

/// <summary>Lists the nodes of the cluster, from membership and what the regions say of their shards.</summary>
internal sealed class NodeDirectory(AkkaCluster cluster, IActorRef region)
{
    /// <summary>In order of name.</summary>
    public async Task<IReadOnlyList<NodeView>> ListAsync(CancellationToken cancellation)
    {
        var state = cluster.State;
        var shards = await ShardsAsync(cancellation).ConfigureAwait(false);
        return [.. state.Members.Select(m => View(m, !state.Unreachable.Contains(m), shards.GetValueOrDefault(m.Address)))
            .OrderBy(n => n.Name, StringComparer.Ordinal)];
    }

    private NodeView View(Member member, bool isReachable, ShardRegionStats? shards) => new(
        string.Create(CultureInfo.InvariantCulture, $"{member.Address.Host}:{member.Address.Port}"),
        member.UniqueAddress.Equals(cluster.SelfUniqueAddress), StateOf(member.Status), isReachable,
        shards?.Stats.Count, shards?.Stats.Values.Sum());

    private static NodeMembership StateOf(MemberStatus status) => status switch
    {
        MemberStatus.Joining or MemberStatus.WeaklyUp => NodeMembership.Joining,
        MemberStatus.Up => NodeMembership.Up,
        MemberStatus.Leaving or MemberStatus.Exiting => NodeMembership.Leaving,
        _ => NodeMembership.Down,
    };

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
