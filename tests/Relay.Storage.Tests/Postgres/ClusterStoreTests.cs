using Relay.Storage.Postgres;
using static Relay.Storage.Tests.Harness.StoreUnits;

namespace Relay.Storage.Tests.Postgres;

/// <summary>What a store of many nodes must do beyond the contract of every store.</summary>
public sealed class ClusterStoreTests(PostgresFixture postgres) : PostgresTest(postgres)
{
    private static readonly Guid NodeA = new("00000000-0000-0000-0000-00000000000a"), NodeB = new("00000000-0000-0000-0000-00000000000b");
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    private static CommitUnit Fenced(ShardFence fence, string id, ulong expected, params StreamRow[] outbox) => Unit(id, expected, 0, outbox) with { Fence = fence };

    [Fact]
    public async Task Only_the_last_claim_of_a_shard_commits()
    {
        var (a, b) = (await WithEndpointAsync(), await OpenAsync());
        var first = await a.ClaimShardAsync(3, NodeA, default);
        Assert.IsType<CommitResult.Committed>(await a.CommitAsync(Fenced(first, "c", 0, new Row(Wire, 1)), default));
        var second = await b.ClaimShardAsync(3, NodeB, default);
        Assert.Equal((3, first.Epoch + 1), (second.Shard, second.Epoch));
        Assert.IsType<CommitResult.Fenced>(await a.CommitAsync(Fenced(first, "c", 1, new Row(Wire, 2)), default));
        Assert.IsType<CommitResult.Fenced>(await a.CommitAsync(Fenced(first, "d", 0, new Row(Wire, 2)), default));
        Assert.IsType<CommitResult.Committed>(await b.CommitAsync(Fenced(second, "c", 1, new Row(Wire, 3)), default));
        Assert.Equal([1, 3], (await RowsOfAsync(a, Wire)).Select(r => r[1]));
        Assert.Null(await a.LoadAsync("e", "d", default));
        // Another shard's epochs are its own, and one that nobody has claimed lets nobody in.
        Assert.Equal(1, (await a.ClaimShardAsync(4, NodeA, default)).Epoch);
        Assert.IsType<CommitResult.Fenced>(await a.CommitAsync(Fenced(new ShardFence(5, 1), "f", 0), default));
        // As after a database was put back: the epoch is one that it does not know yet.
        Assert.IsType<CommitResult.Fenced>(await a.CommitAsync(Fenced(new ShardFence(4, 2), "f", 0), default));
    }

    [Fact]
    public async Task A_fenced_unit_does_not_touch_its_neighbours()
    {
        var store = await WithEndpointAsync();
        var old = await store.ClaimShardAsync(1, NodeA, default);
        var fence = await store.ClaimShardAsync(1, NodeA, default);
        var results = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => store.CommitAsync(Fenced(i % 3 == 0 ? old : fence, $"c{i}", 0, new Row(Wire, (byte)i)), default).AsTask()));
        Assert.All(results, (r, i) => Assert.Equal(i % 3 == 0 ? typeof(CommitResult.Fenced) : typeof(CommitResult.Committed), r.GetType()));
        Assert.Equal(Enumerable.Range(0, 60).Where(i => i % 3 != 0).Select(i => (byte)i).Order(), (await RowsOfAsync(store, Wire)).Select(r => r[1]).Order());
    }

    /// <summary>Stops a store's transactions where everything is decided and nothing written, until it is disposed of.</summary>
    private sealed class Stop : IDisposable
    {
        private readonly TaskCompletionSource _inside = new(TaskCreationOptions.RunContinuationsAsynchronously), _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Stop(PostgresStore store) => store.Reached = async (stage, _) =>
        {
            if (stage != LaneStage.Decided) return;
            _inside.TrySetResult();
            await _goOn.Task;
        };

        public Task Inside => _inside.Task.WaitAsync(Limit);

        public void Dispose() => _goOn.TrySetResult();
    }

    /// <summary>Until a session waits for another, which is what keeps <paramref name="waiting"/> from completing.</summary>
    private async Task UntilItWaitsAsync(Task waiting)
    {
        const string sessions = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        while (await AskAsync<long>(sessions) == 0)
        {
            Assert.False(waiting.IsCompleted);
            await Task.Delay(10);
        }
    }

    [Fact]
    public async Task A_claim_waits_for_a_transaction_under_an_older_epoch()
    {
        var (a, b) = (await WithEndpointAsync(), await OpenAsync());
        var fence = await a.ClaimShardAsync(1, NodeA, default);
        Task<CommitResult> commit;
        Task<ShardFence> claim;
        using (var stop = new Stop(a))
        {
            commit = a.CommitAsync(Fenced(fence, "c", 0, new Row(Wire, 1)), default).AsTask();
            await stop.Inside;
            claim = b.ClaimShardAsync(1, NodeB, default).AsTask();
            await UntilItWaitsAsync(claim);
        }
        Assert.IsType<CommitResult.Committed>(await commit.WaitAsync(Limit));
        Assert.Equal(fence.Epoch + 1, (await claim.WaitAsync(Limit)).Epoch);
        // What the older owner committed last is there for the new one.
        Assert.Equal(1UL, (await b.LoadAsync("e", "c", default))!.Version);
    }

    [Fact]
    public async Task A_node_that_stands_still_in_its_transaction_neither_blocks_a_claim_nor_commits_later()
    {
        var (a, b) = (await WithEndpointAsync(), await OpenAsync());
        var fence = await a.ClaimShardAsync(1, NodeA, default);
        Task<CommitResult> commit;
        using (var stop = new Stop(a))
        {
            commit = a.CommitAsync(Fenced(fence, "c", 0, new Row(Wire, 1)), default).AsTask();
            await stop.Inside;
            Assert.Equal(fence.Epoch + 1, (await b.ClaimShardAsync(1, NodeB, default).AsTask().WaitAsync(Limit)).Epoch);
        }
        Assert.IsType<CommitResult.Fenced>(await commit.WaitAsync(Limit));
        Assert.Null(await b.LoadAsync("e", "c", default));
        Assert.Empty(await RowsOfAsync(b, Wire));
    }

    [Fact]
    public async Task A_streams_next_sequence_is_given_to_one_transaction_at_a_time()
    {
        var (a, b) = (await WithEndpointAsync(), await OpenAsync());
        foreach (var id in new[] { "c", "d" }) await a.CommitAsync(Unit(id, 0), default);
        Task<CommitResult> first, second;
        using (var stop = new Stop(a))
        {
            first = a.CommitAsync(Unit("c", 1, 1, new Row(Wire, 1)), default).AsTask();
            await stop.Inside;
            second = b.CommitAsync(Unit("d", 1, 1, new Row(Wire, 2)), default).AsTask();
            await UntilItWaitsAsync(second);
        }
        Assert.IsType<CommitResult.Committed>(await first.WaitAsync(Limit));
        Assert.IsType<CommitResult.Committed>(await second.WaitAsync(Limit));
        Assert.Equal([1, 2], (await RowsOfAsync(a, Wire)).Select(r => r[1]));
    }

    [Fact]
    public async Task Of_two_who_have_seen_the_same_version_one_writes_the_next()
    {
        var (a, b) = (await WithEndpointAsync(), await OpenAsync());
        await a.CommitAsync(Unit("c", 0), default);
        Task<CommitResult> slow;
        using (var stop = new Stop(a))
        {
            // No stream and no fence: only the version stands between the two.
            slow = a.CommitAsync(Unit("c", 1, 7), default).AsTask();
            await stop.Inside;
            Assert.IsType<CommitResult.Committed>(await b.CommitAsync(Unit("c", 1, 8), default).AsTask().WaitAsync(Limit));
        }
        Assert.IsType<CommitResult.Conflict>(await slow.WaitAsync(Limit));
        var stored = (await a.LoadAsync("e", "c", default))!;
        Assert.Equal((2UL, (byte)8), (stored.Version, stored.Sealed[0]));
    }

    [Fact]
    public async Task A_claim_ends_a_session_that_the_servers_limits_do_not()
    {
        var store = await WithEndpointAsync();
        await using var stuck = await ConnectAsync();
        await stuck.ExecuteAsync("BEGIN", default);
        await stuck.ExecuteAsync("SELECT pg_advisory_xact_lock_shared($1, 1)", default, (int)AdvisoryLock.Shard);
        Assert.Equal(1, (await store.ClaimShardAsync(1, NodeA, default).AsTask().WaitAsync(Limit)).Epoch);
        await Assert.ThrowsAnyAsync<Npgsql.NpgsqlException>(() => stuck.ExecuteAsync("COMMIT", default));
    }

    [Fact]
    public async Task Documents_are_swapped_on_the_expected_version()
    {
        var (a, b) = (await OpenAsync(), await OpenAsync());
        Assert.Null(await a.LoadDocumentAsync("keys", default));
        Assert.False(await a.SaveDocumentAsync("keys", 1, [0], default));
        Assert.True(await a.SaveDocumentAsync("keys", 0, [1], default));
        Assert.False(await b.SaveDocumentAsync("keys", 0, [2], default));
        Assert.True(await b.SaveDocumentAsync("keys", 1, [3], default));
        Assert.False(await a.SaveDocumentAsync("keys", 1, [4], default));
        Assert.False(await a.SaveDocumentAsync("keys", ulong.MaxValue, [4], default));
        var stored = (await a.LoadDocumentAsync("keys", default))!;
        Assert.Equal((2UL, (byte)3), (stored.Version, Assert.Single(stored.Sealed)));
        Assert.Null(await a.LoadDocumentAsync("other", default));
        var saved = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => (i % 2 == 0 ? a : b).SaveDocumentAsync("keys", 2, [(byte)i], default).AsTask()));
        Assert.Single(saved, s => s);
    }

    [Fact]
    public async Task Two_nodes_fill_the_same_streams_without_gaps()
    {
        var (a, b) = (await WithEndpointAsync(), await OpenAsync());
        await a.InsertEndpointAsync(Endpoint("f", 2, 2), default);
        StreamKey otherWire = new("f", StreamKind.Wire);
        var commits = new List<Task<CommitResult>>();
        for (int i = 0; i < 400; i++)
        {
            var store = i % 2 == 0 ? a : b;
            // Rows of both endpoints in both orders, which must not make two transactions wait for each other.
            StreamRow[] rows = i % 3 == 0 ? [new Row(otherWire, 1), new Row(Wire, 1), new Row(Events, 1)] : [new Row(Events, 1), new Row(Wire, 1), new Row(otherWire, 1)];
            commits.Add(store.CommitAsync(Unit($"c{i}", i % 7 == 3 ? 9UL : 0UL, 0, rows) with { EndpointId = i % 4 < 2 ? "e" : "f" }, default).AsTask());
            if (i % 50 == 49) await Task.WhenAny(commits[^1], commits[^2]);
        }
        var results = await Task.WhenAll(commits).WaitAsync(Limit);
        int committed = results.Count(r => r is CommitResult.Committed);
        Assert.Equal(400 - Enumerable.Range(0, 400).Count(i => i % 7 == 3), committed);
        foreach (var stream in new[] { Wire, Events, otherWire })
        {
            var rows = await RowsOfAsync(a, stream);
            Assert.Equal(committed, rows.Count);
            Assert.All(rows, (r, i) => Assert.Equal((byte)(i + 1), r[0]));
        }
        Assert.Equal(committed, await AskAsync<decimal>("SELECT sum(conversations) FROM relay.endpoint_size"));
    }

    [Fact]
    public async Task Two_owners_of_a_conversation_never_both_commit_a_version()
    {
        var (a, b) = (await WithEndpointAsync(), await OpenAsync());
        for (ulong version = 0; version < 40; version++)
        {
            // No fence: the compare-and-swap alone must hold.
            var results = await Task.WhenAll(a.CommitAsync(Unit("c", version, 1, new Row(Wire, 1)), default).AsTask(), b.CommitAsync(Unit("c", version, 2, new Row(Wire, 2)), default).AsTask()).WaitAsync(Limit);
            int won = Assert.Single(results.Select((r, i) => (r, i)), r => r.r is CommitResult.Committed).i;
            Assert.Contains(results, r => r is CommitResult.Conflict);
            var stored = (await a.LoadAsync("e", "c", default))!;
            Assert.Equal((version + 1, (byte)(won + 1)), (stored.Version, stored.Sealed[0]));
            Assert.Equal(won + 1, (await RowsOfAsync(b, Wire))[^1][1]);
        }
        Assert.Equal(40, (await RowsOfAsync(a, Wire)).Count);
    }
}
