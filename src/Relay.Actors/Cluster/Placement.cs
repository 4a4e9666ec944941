using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Relay.Storage;

namespace Relay.Actors.Cluster;

/// <summary>
/// Who should own which shard, worked out alike by every node that sees the same nodes: rendezvous hashing with a bounded
/// load, so that a node that comes or goes moves few shards and none gets more than its share. It is a wish only: the
/// broker decides who is the owner, and the store's fence who may act as one.
/// </summary>
internal sealed class Placement
{
    private const int DeadlinesLabel = -1;
    private readonly Guid[] _owners;
    private readonly Guid[] _standbys;

    /// <param name="nodes">Those alive; the draining ones get nothing, unless there is no other.</param>
    public Placement(IReadOnlyList<NodeRow> nodes, int shards)
    {
        var able = nodes.Where(n => !n.IsDraining).ToArray();
        if (able.Length == 0) able = [.. nodes];
        _owners = new Guid[shards];
        _standbys = new Guid[shards];
        if (able.Length == 0) return;
        int share = (shards + able.Length - 1) / able.Length;
        var load = able.ToDictionary(n => n.Id, _ => 0);
        for (int shard = 0; shard < shards; shard++)
        {
            var ranked = Rank(able, shard);
            var owner = ranked.First(n => load[n.Id] < share);
            load[owner.Id]++;
            _owners[shard] = owner.Id;
            _standbys[shard] = ranked.FirstOrDefault(n => n.Id != owner.Id)?.Id ?? default;
        }
        DeadlineKeeper = Rank(able, DeadlinesLabel)[0].Id;
    }

    /// <summary>Nobody is known yet.</summary>
    public static Placement None(int shards) => new([], shards);

    /// <summary>The node that looks after the deadlines of all conversations; empty if there is none.</summary>
    public Guid DeadlineKeeper { get; }

    /// <summary>The node that should own a shard; empty if there is none.</summary>
    public Guid Owner(int shard) => _owners[shard];

    /// <summary>The node that should be next in line, so that the owner's death costs no more than a moment; empty if there is none.</summary>
    public Guid Standby(int shard) => _standbys[shard];

    public Role RoleOf(Guid node, int shard) => _owners[shard] == node ? Role.Owner : _standbys[shard] == node ? Role.Standby : Role.None;

    private static NodeRow[] Rank(NodeRow[] nodes, int shard) => [.. nodes.OrderByDescending(n => Weight(n.Name, shard)).ThenBy(n => n.Id)];

    /// <summary>By name, so that a node that is started again gets back the shards it had.</summary>
    private static ulong Weight(string name, int shard)
    {
        var input = new byte[4 + Encoding.UTF8.GetByteCount(name)];
        BinaryPrimitives.WriteInt32BigEndian(input, shard);
        Encoding.UTF8.GetBytes(name, input.AsSpan(4));
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(input, hash);
        return BinaryPrimitives.ReadUInt64BigEndian(hash);
    }

    /// <summary>A node's place at a shard.</summary>
    internal enum Role
    {
        None,
        Standby,
        Owner,
    }
}
