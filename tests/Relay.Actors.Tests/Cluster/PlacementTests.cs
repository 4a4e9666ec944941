using Relay.Actors.Cluster;
using Relay.Storage;

namespace Relay.Actors.Tests.Cluster;

/// <summary>Who should own which shard.</summary>
public sealed class PlacementTests
{
    private static NodeRow Node(int i, bool draining = false) => new(new Guid(i, 0, 0, new byte[8]), $"relay-{i}", draining);

    private static NodeRow[] Nodes(params int[] numbers) => [.. numbers.Select(i => Node(i))];

    public static TheoryData<int, int> Sizes => new() { { 1, 16 }, { 2, 16 }, { 3, 16 }, { 5, 64 }, { 7, 3 }, { 40, 1024 } };

    [Theory, MemberData(nameof(Sizes))]
    public void Every_shard_has_an_owner_and_another_standby_and_no_node_more_than_its_share(int nodes, int shards)
    {
        var all = Nodes([.. Enumerable.Range(1, nodes)]);
        var placement = new Placement(all, shards);
        var owned = Enumerable.Range(0, shards).GroupBy(placement.Owner).ToDictionary(g => g.Key, g => g.Count());
        Assert.All(owned, o => Assert.Contains(all, n => n.Id == o.Key));
        Assert.True(owned.Values.Max() <= (shards + nodes - 1) / nodes);
        for (int shard = 0; shard < shards; shard++)
        {
            Assert.Equal(nodes == 1, placement.Standby(shard) == default);
            Assert.NotEqual(placement.Owner(shard), placement.Standby(shard));
        }
    }

    [Fact]
    public void Every_node_works_out_the_same_whatever_the_order_in_which_it_sees_the_others()
    {
        var one = new Placement(Nodes(1, 2, 3, 4), 64);
        var other = new Placement(Nodes(4, 2, 1, 3), 64);
        Assert.All(Enumerable.Range(0, 64), s => Assert.Equal((one.Owner(s), one.Standby(s)), (other.Owner(s), other.Standby(s))));
        Assert.Equal(one.DeadlineKeeper, other.DeadlineKeeper);
    }

    [Fact]
    public void A_node_that_goes_moves_little_more_than_its_own_shards()
    {
        const int shards = 256;
        var before = new Placement(Nodes(1, 2, 3, 4, 5), shards);
        var after = new Placement(Nodes(1, 2, 3, 5), shards);
        int moved = Enumerable.Range(0, shards).Count(s => before.Owner(s) != after.Owner(s));
        int its = Enumerable.Range(0, shards).Count(s => before.Owner(s) == Node(4).Id);
        // The rest moves to keep the loads even; a modulus would move four of five.
        Assert.InRange(moved, its, its + shards / 5);
    }

    [Fact]
    public void A_node_started_again_under_its_name_gets_back_its_shards()
    {
        var before = new Placement(Nodes(1, 2, 3), 16);
        var again = Node(2) with { Id = Guid.NewGuid() };
        var after = new Placement([Node(1), again, Node(3)], 16);
        Assert.All(Enumerable.Range(0, 16), s => Assert.Equal(before.Owner(s) == Node(2).Id ? again.Id : before.Owner(s), after.Owner(s)));
    }

    [Fact]
    public void A_draining_node_gets_nothing_unless_there_is_no_other()
    {
        var placement = new Placement([Node(1), Node(2, draining: true), Node(3)], 16);
        Assert.All(Enumerable.Range(0, 16), s => Assert.Equal(Placement.Role.None, placement.RoleOf(Node(2).Id, s)));
        var last = new Placement([Node(2, draining: true)], 16);
        Assert.Equal(Placement.Role.Owner, last.RoleOf(Node(2).Id, 0));
        Assert.Equal(default, Placement.None(16).Owner(3));
        Assert.Equal(default, Placement.None(16).DeadlineKeeper);
    }
}
