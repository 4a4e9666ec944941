using Akka.Actor;
using Microsoft.Extensions.Logging.Abstractions;
using Relay.Actors.Cluster;
using Relay.Storage;

namespace Relay.Cluster.Tests;

/// <summary>The right to act for a shard is an epoch of the database.</summary>
public sealed class ShardLeaseTests(ClusterDatabase databases)
{
    private static CommitUnit Unit(string id, ulong expected, ShardFence fence)
        => new() { EndpointId = "e", ConversationId = id, ExpectedVersion = expected, Sealed = [1], UpdatedMs = 1, Fence = fence };

    [Fact]
    public async Task Each_claim_has_a_higher_epoch_and_the_store_refuses_the_older_one()
    {
        await using var node = await TestNode.CreateAsync(await databases.CreateAsync());
        Assert.Equal(InsertEndpointResult.Inserted, await node.Store.InsertEndpointAsync(new EndpointRow("e", 1, 1, 1, [1]), default));
        var (a, b) = (new ShardFences(node.Store, Guid.NewGuid(), NullLogger.Instance),
            new ShardFences(node.Store, Guid.NewGuid(), NullLogger.Instance));
        int lost = 0;
        var first = await a.ClaimAsync(3, () => lost++, default);
        Assert.Same(first, a.Find(3));
        Assert.IsType<CommitResult.Committed>(await node.Store.CommitAsync(Unit("c", 0, first!.Fence!.Value), default));

        var second = await b.ClaimAsync(3, () => { }, default);
        Assert.True(second!.Fence!.Value.Epoch > first.Fence.Value.Epoch);
        Assert.IsType<CommitResult.Fenced>(await node.Store.CommitAsync(Unit("c", 1, first.Fence.Value), default));
        // What the entity then does; again for the next entity of the shard.
        first.Lose();
        first.Lose();
        Assert.Equal((1, 0), (lost, a.Count));
        Assert.Null(a.Find(3));
        Assert.IsType<CommitResult.Committed>(await node.Store.CommitAsync(Unit("c", 1, second.Fence.Value), default));
    }

    [Fact]
    public async Task The_release_of_an_earlier_right_leaves_the_later_one()
    {
        await using var node = await TestNode.CreateAsync(await databases.CreateAsync());
        var fences = new ShardFences(node.Store, Guid.NewGuid(), NullLogger.Instance);
        var first = await fences.ClaimAsync(3, () => { }, default);
        var second = await fences.ClaimAsync(3, () => { }, default);
        fences.Release(3, first!);
        Assert.True(first!.IsLost);
        Assert.Same(second, fences.Find(3));
        Assert.False(second!.IsLost);
        fences.Release(3, second);
        Assert.Null(fences.Find(3));
    }

    [Fact]
    public async Task A_shard_whose_epoch_is_over_is_claimed_again_and_goes_on()
    {
        var database = await databases.CreateAsync();
        await using var node = await TestNode.StartAsync(database);
        await node.AskAsync("c");
        int shard = Enumerable.Range(0, TestNode.Shards).Single(s => node.Node.Fences.Find(s) is not null);
        var standing = node.Node.Fences.Find(shard)!;
        // A zombie claims it: this node is still the owner by Akka's word, and would be refused for ever.
        var zombie = await node.Store.ClaimShardAsync(shard, Guid.NewGuid(), default);

        standing.Lose();

        // The next command starts the shard again.
        Assert.Equal(node.Port, await node.AskAsync("c"));
        Assert.True(node.Node.Fences.Find(shard)!.Fence!.Value.Epoch > zombie.Epoch);
    }

    [Theory]
    [InlineData("relay-shard-conversation-0", 0)]
    [InlineData("relay-shard-conversation-63", 63)]
    [InlineData("relay-shard-conversation-", null)]
    [InlineData("relay-shard-conversation-x7", null)]
    [InlineData("relay-shard-conversation--7", 7)]
    [InlineData("relay-shard-conversation-99999", null)]
    [InlineData("", null)]
    public void A_leases_name_tells_its_shard(string name, int? shard)
    {
        if (shard is not null) Assert.Equal(shard, ShardLease.ShardOf(name));
        else Assert.Throws<ArgumentException>(() => ShardLease.ShardOf(name));
    }

    [Fact]
    public async Task A_singleton_runs_once_and_moves_with_the_oldest_node()
    {
        var database = await databases.CreateAsync();
        var heard = new System.Collections.Concurrent.ConcurrentQueue<int>();
        await using var a = await TestNode.CreateAsync(database);
        await using var b = await TestNode.CreateAsync(database);
        foreach (var node in new[] { a, b }) ClusterNode.StartSingleton(node.System, "deadlines",
            Props.Create(() => new Single(heard, node.Port)), PoisonPill.Instance);
        await a.JoinAsync();
        await b.JoinAsync();
        await a.UntilAsync(() => !heard.IsEmpty, "started");
        Assert.Equal([a.Port], heard);
        await a.KillAsync();
        await b.UntilAsync(() => heard.Count == 2, "moved");
        Assert.Equal([a.Port, b.Port], heard);
    }

    private sealed class Single : UntypedActor
    {
        public Single(System.Collections.Concurrent.ConcurrentQueue<int> heard, int port) => heard.Enqueue(port);

        protected override void OnReceive(object message) => Unhandled(message);
    }
}
