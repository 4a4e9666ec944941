using Relay.Storage;
using static Relay.Storage.Tests.Harness.StoreUnits;

namespace Relay.Simulation.Tests.Store;

/// <summary>What the contract of a shared store asks beyond that of every store, for the model that the simulation runs on.</summary>
public sealed class SimClusterStoreTests
{
    private static readonly Guid NodeA = new("00000000-0000-0000-0000-00000000000a"), NodeB = new("00000000-0000-0000-0000-00000000000b");


    private (DirectStoreClient A, DirectStoreClient B) Open()
    {
        var store = new SimStore();
        store.InsertEndpoint(Endpoint("e", 1, 1));
        return (new DirectStoreClient(store), new DirectStoreClient(store));
    }

    [Fact]
    public async Task Only_the_last_claim_of_a_shard_commits()
    {
        var (a, b) = Open();
        var first = await a.ClaimShardAsync(3, NodeA, default);
        Assert.IsType<CommitResult.Committed>(await a.CommitAsync(Unit("c", 0, 0, new Row(Wire, 1)) with { Fence = first }, default));
        var second = await b.ClaimShardAsync(3, NodeB, default);
        Assert.Equal((3, first.Epoch + 1), (second.Shard, second.Epoch));
        Assert.IsType<CommitResult.Fenced>(await a.CommitAsync(Unit("c", 1, 0, new Row(Wire, 2)) with { Fence = first }, default));
        Assert.IsType<CommitResult.Committed>(await b.CommitAsync(Unit("c", 1, 0, new Row(Wire, 3)) with { Fence = second }, default));
        Assert.Equal([1, 3], (await a.ReadAsync(Wire, 0, 10, long.MaxValue, default)).Select(r => r.Sealed[1]));
        // A shard that nobody has claimed lets nobody in, and neither does an epoch that is not known yet.
        Assert.IsType<CommitResult.Fenced>(await a.CommitAsync(Unit("f", 0) with { Fence = new ShardFence(5, 1) }, default));
        Assert.IsType<CommitResult.Fenced>(await a.CommitAsync(Unit("f", 0) with { Fence = new ShardFence(3, 3) }, default));
    }

    [Fact]
    public async Task Documents_are_swapped_on_the_expected_version()
    {
        var (a, b) = Open();
        Assert.Null(await a.LoadDocumentAsync("keys", default));
        Assert.False(await a.SaveDocumentAsync("keys", 1, [0], default));
        Assert.True(await a.SaveDocumentAsync("keys", 0, [1], default));
        Assert.False(await b.SaveDocumentAsync("keys", 0, [2], default));
        Assert.True(await b.SaveDocumentAsync("keys", 1, [3], default));
        var stored = (await a.LoadDocumentAsync("keys", default))!;
        Assert.Equal((2UL, (byte)3), (stored.Version, Assert.Single(stored.Sealed)));
    }
}
