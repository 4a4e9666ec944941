using Relay.Simulation.Tests.Engine;
using Relay.Simulation.Tests.Nodes;
using Relay.Storage;

namespace Relay.Simulation.Tests.Network;

/// <summary>
/// Gives shards to nodes, and is worse at it than any coordinator: a shard has several owners at once, who learn late or
/// never that they were replaced, and senders believe in any of them. Only the store's epochs say who may commit.
/// </summary>
internal sealed class Ownership(Cluster cluster, SimProcess process, Func<IReadOnlyList<SimNode>> nodes)
{
    private const int IntervalMs = 400;
    /// <summary>Longest time for which an owner that was replaced goes on.</summary>
    private const int LongestZombieMs = 4000;

    private readonly List<(SimNode Node, long Epoch)>[] _owners = [.. Enumerable.Range(0, Profile.Shards).Select(_ => new List<(SimNode, long)>())];
    private readonly SimNode?[] _asked = new SimNode?[Profile.Shards];
    private bool _isOver;

    private Schedule Schedule => cluster.Schedule;

    /// <summary>Each shard has one owner, which lives and stays.</summary>
    public bool IsSettled => Enumerable.Range(0, Profile.Shards).All(s => _owners[s] is [var (node, _)] && IsAble(node) && _asked[s] is null);

    public void Start() => Schedule.Post(process, "looks after shards", 0, Look);

    /// <summary>From now on senders believe in the last owner.</summary>
    public void EndFaults() => _isOver = true;

    /// <summary>The node that a sender takes for the owner; null if it knows of none.</summary>
    public SimNode? Route(int shard)
    {
        var owners = _owners[shard];
        if (owners.Count == 0) return null;
        return owners[_isOver || Schedule.Random.Chance(750) ? owners.Count - 1 : Schedule.Random.Next(owners.Count)].Node;
    }

    public IEnumerable<SimNode> Others(SimNode node) => nodes().Where(n => n != node);

    /// <summary>The shard gets a further owner, and the present one is not told.</summary>
    public void GiveToAnother(int shard)
    {
        if (Choose(shard) is { } node) Give(shard, node);
    }

    /// <summary>A node has claimed a shard. Whoever has an older epoch is told, some time, that it was replaced.</summary>
    public void Taken(SimNode node, ShardFence fence)
    {
        if (_asked[fence.Shard] == node) _asked[fence.Shard] = null;
        var owners = _owners[fence.Shard];
        owners.Add((node, fence.Epoch));
        owners.Sort((a, b) => a.Epoch.CompareTo(b.Epoch));
        foreach (var (older, epoch) in owners.SkipLast(1).ToArray())
            Schedule.Post(older.Process, "is told of its replacement", fence.Shard, () => older.GiveUp(fence.Shard, epoch), Schedule.Random.Next(LongestZombieMs));
    }

    public void Failed(SimNode node, int shard)
    {
        if (_asked[shard] == node) _asked[shard] = null;
    }

    public void GivenUp(SimNode node, int shard, long epoch) => _owners[shard].Remove((node, epoch));

    public void Gone(SimNode node)
    {
        foreach (var owners in _owners) owners.RemoveAll(o => o.Node == node);
        for (int s = 0; s < _asked.Length; s++) Failed(node, s);
    }

    private void Look()
    {
        if (!cluster.Mutation.HasFlag(NodeMutation.KeepsTheDeadAsOwners) || Schedule.Steps < 500)
        {
            for (int shard = 0; shard < Profile.Shards; shard++)
            {
                if (_asked[shard] is { Process.IsDead: true }) _asked[shard] = null;
                // A hung owner is replaced only sometimes: what waits there then goes on later.
                bool hasOwner = _owners[shard] is [.., var (owner, _)] && (IsAble(owner) || owner is { IsDraining: false } && Schedule.Random.Chance(700));
                if (!hasOwner && _asked[shard] is null && Choose(shard) is { } node) Give(shard, node);
            }
        }
        Schedule.Post(process, "looks after shards", 0, Look, IntervalMs);
    }

    private SimNode? Choose(int shard)
    {
        var able = nodes().Where(n => IsAble(n) && !n.Owns(shard)).ToArray();
        return able.Length == 0 ? null : able[Schedule.Random.Next(able.Length)];
    }

    private bool IsAble(SimNode node)
        => node is { IsUp: true, IsDraining: false, Process.IsPaused: false } && !cluster.Network.IsCutOff(node.Process);

    private void Give(int shard, SimNode node)
    {
        _asked[shard] = node;
        Schedule.Post(node.Process, "is given a shard", shard, () => node.Take(shard));
    }
}
