using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Relay.Engines;
using Relay.Storage.Postgres;

namespace Relay.Storage.Tests.Postgres;

/// <summary>The rows of nodes, their session locks, and what may be concluded from them.</summary>
public sealed class NodeRowsTests(PostgresFixture postgres) : PostgresTest(postgres)
{
    private static readonly NodeIdentity A = new("akka.ssl.tcp://relay@a:1", 11), B = new("akka.ssl.tcp://relay@b:1", 22);

    private readonly List<NodeRows> _rows = [];

    private async Task<NodeRows> RegisterAsync(NodeIdentity self, string? database = null, TimeProvider? time = null)
    {
        await OpenAsync();
        var rows = await NodeRows.RegisterAsync(new PostgresConnections(database ?? Database, time ?? TimeProvider.System,
            NullLogger.Instance), self, "1.2.3", NullLogger.Instance, default);
        _rows.Add(rows);
        return rows;
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var rows in _rows) await rows.DisposeAsync();
        await base.DisposeAsync();
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!await isSo()) await Task.Delay(20, limit.Token);
    }

    private Task EndSessionAsync(NodeRows rows) => AskAsync<bool>($"SELECT pg_terminate_backend({rows.SessionProcess})");

    [Fact]
    public async Task A_node_holds_its_lock_as_long_as_its_session()
    {
        var (a, b) = (await RegisterAsync(A), await RegisterAsync(B));
        Assert.True(a.IsHeld && b.IsHeld);
        Assert.Equal(NodeEvidence.Held, await a.FindEvidenceAsync(B, default));
        await b.AbandonAsync();
        await UntilAsync(async () => await a.FindEvidenceAsync(B, default) == NodeEvidence.Gone);
        Assert.Equal([(A, true), (B, false)], (await a.ReadAsync(default)).Select(r => (r.Node, r.IsHeld)));
        // Of nobody is there anything to say.
        Assert.Equal(NodeEvidence.None, await a.FindEvidenceAsync(new NodeIdentity("akka.ssl.tcp://relay@c:1", 1), default));
    }

    [Fact]
    public async Task The_address_of_a_killed_process_is_free_at_once_and_the_old_incarnation_is_gone()
    {
        var (a, b) = (await RegisterAsync(A), await RegisterAsync(B));
        await b.AbandonAsync();
        var begun = TimeProvider.System.GetTimestamp();
        await RegisterAsync(B with { Incarnation = 23 });
        Assert.True(TimeProvider.System.GetElapsedTime(begun) < StorageLimits.NodeAddressPatience);
        Assert.Equal(NodeEvidence.Gone, await a.FindEvidenceAsync(B, default));
        Assert.Equal(NodeEvidence.Held, await a.FindEvidenceAsync(B with { Incarnation = 23 }, default));
    }

    [Fact]
    public async Task Two_nodes_with_one_address_are_told_apart_and_the_first_goes_on()
    {
        var first = await RegisterAsync(A);
        var refusal = await Assert.ThrowsAsync<RelayStartException>(() => RegisterAsync(A with { Incarnation = 12 }));
        Assert.Contains("Another process is running as the node akka.ssl.tcp://relay@a:1", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Relay:Cluster:Host", refusal.Message, StringComparison.Ordinal);
        Assert.False(first.Lost.IsCompleted);
        Assert.Equal([A], (await first.ReadAsync(default)).Select(r => r.Node));
    }

    [Fact]
    public async Task A_dropped_session_gives_no_verdict_until_the_lock_is_taken_again()
    {
        var (a, b) = (await RegisterAsync(A), await RegisterAsync(B));
        await b.AbandonAsync();
        int before = a.SessionProcess;
        await EndSessionAsync(a);
        Assert.Equal(NodeEvidence.None, await a.FindEvidenceAsync(B, default));
        await UntilAsync(() => Task.FromResult(a.IsHeld));
        Assert.NotEqual(before, a.SessionProcess);
        Assert.Equal(NodeEvidence.Gone, await a.FindEvidenceAsync(B, default));
        Assert.False(a.Lost.IsCompleted);
    }

    [Fact]
    public async Task The_lock_is_taken_back_from_an_own_session_that_the_server_still_keeps()
    {
        await OpenAsync();
        await using var proxy = new CuttingProxy(Database);
        var a = await RegisterAsync(A, proxy.ConnectionString);
        proxy.Next = CuttingProxy.Cut.StoreSideOnly;
        await UntilAsync(() => Task.FromResult(!a.IsHeld));
        await UntilAsync(() => Task.FromResult(a.IsHeld));
        Assert.False(a.Lost.IsCompleted);
    }

    [Fact]
    public async Task A_node_that_was_marked_as_down_learns_it_and_stays_down()
    {
        var (a, b) = (await RegisterAsync(A), await RegisterAsync(B));
        await a.MarkAsync(B, NodeState.Up, default);
        await a.MarkAsync(B, NodeState.Down, default);
        Assert.Equal(NodeLoss.Downed, await b.Lost.WaitAsync(Limit));
        await a.MarkAsync(B, NodeState.Up, default);
        Assert.Equal(NodeState.Down, (await a.ReadAsync(default)).Single(r => r.Node == B).State);
        // Only that incarnation: the next one begins anew.
        await b.DisposeAsync();
        await RegisterAsync(B with { Incarnation = 23 });
        await a.MarkAsync(B, NodeState.Down, default);
        Assert.Equal(NodeState.Starting, (await a.ReadAsync(default)).Single(r => r.Node.Address == B.Address).State);
    }

    [Fact]
    public async Task A_node_that_was_downed_while_its_session_was_lost_does_not_take_its_lock_again()
    {
        var (a, b) = (await RegisterAsync(A), await RegisterAsync(B));
        await AskAsync<int>("UPDATE relay.cluster_node SET state = 3 WHERE address = 'akka.ssl.tcp://relay@b:1' RETURNING 1");
        await EndSessionAsync(b);
        Assert.Equal(NodeLoss.Downed, await b.Lost.WaitAsync(Limit));
        Assert.False(b.IsHeld);
        Assert.Equal(NodeEvidence.Gone, await a.FindEvidenceAsync(B, default));
    }

    [Fact]
    public async Task A_node_that_a_restored_database_does_not_know_stops()
    {
        var a = await RegisterAsync(A);
        await AskAsync<int>("DELETE FROM relay.cluster_node RETURNING 1");
        Assert.Equal(NodeLoss.Forgotten, await a.Lost.WaitAsync(Limit));
        var b = await RegisterAsync(B);
        await AskAsync<int>("UPDATE relay.cluster_node SET incarnation = 5 RETURNING 1");
        Assert.Equal(NodeLoss.Superseded, await b.Lost.WaitAsync(Limit));
    }

    [Fact]
    public async Task One_node_at_a_time_founds_and_only_while_it_keeps_the_lock()
    {
        var (a, b) = (await RegisterAsync(A), await RegisterAsync(B));
        Assert.True(await a.TryLockFoundingAsync(default));
        Assert.False(await b.TryLockFoundingAsync(default));
        Assert.True(await a.EndFoundingAsync(isFounded: false, default));
        Assert.True(await b.TryLockFoundingAsync(default));
        await EndSessionAsync(b);
        await UntilAsync(async () => await a.TryLockFoundingAsync(default));
        await UntilAsync(() => Task.FromResult(b.IsHeld && b.SessionProcess != 0));
        Assert.False(await TryAsync(() => b.EndFoundingAsync(isFounded: true, default)));
        Assert.Equal(NodeState.Starting, (await a.ReadAsync(default)).Single(r => r.Node == B).State);
        Assert.True(await a.EndFoundingAsync(isFounded: true, default));
        Assert.Equal(NodeState.Up, (await b.ReadAsync(default)).Single(r => r.Node == A).State);

        // Right after its session was ended, a node may still meet the end.
        static async Task<bool> TryAsync(Func<ValueTask<bool>> run)
        {
            while (true)
            {
                try
                {
                    return await run();
                }
                catch (StoreException)
                {
                    await Task.Delay(50);
                }
            }
        }
    }

    [Fact]
    public async Task A_restarted_servers_released_locks_are_no_evidence()
    {
        PostgresFixture.SkipWithoutPostgres();
        var directory = Directory.CreateTempSubdirectory("relay-test-").FullName;
        var server = await PostgresServer.StartAsync(new PostgresOptions(directory));
        try
        {
            Database = server.ConnectionString;
            var (a, b) = (await RegisterAsync(A), await RegisterAsync(B));
            await b.AbandonAsync();
            await UntilAsync(async () => await a.FindEvidenceAsync(B, default) == NodeEvidence.Gone);
            await server.RestartAsync(immediate: true);
            // Not that the lock is lost first, which may be over before it is looked at.
            await UntilAsync(async () =>
            {
                try
                {
                    return a.IsHeld && (await a.ReadAsync(default)).Any(r => r.Node == A && r is { IsHeld: true, IsOfThisServerStart: true });
                }
                catch (StoreException)
                {
                    return false;
                }
            });
            // B's lock was one of the last run: that it is free says nothing.
            Assert.Equal(NodeEvidence.None, await a.FindEvidenceAsync(B, default));
            Assert.Equal([(A, true, true), (B, false, false)], (await a.ReadAsync(default))
                .Select(r => (r.Node, r.IsHeld, r.IsOfThisServerStart)));
            var again = await RegisterAsync(B);
            Assert.Equal(NodeEvidence.Held, await a.FindEvidenceAsync(B, default));
            await again.AbandonAsync();
            await UntilAsync(async () => await a.FindEvidenceAsync(B, default) == NodeEvidence.Gone);
        }
        finally
        {
            foreach (var rows in _rows) await rows.DisposeAsync();
            _rows.Clear();
            await server.DisposeAsync();
            Directory.Delete(directory, recursive: true);
        }
    }

    [Theory]
    [InlineData(61, "ahead of")]
    [InlineData(-61, "behind")]
    public async Task A_clock_that_is_a_minute_off_is_refused_with_what_to_do(int seconds, string direction)
    {
        var refusal = await Assert.ThrowsAsync<RelayStartException>(()
            => RegisterAsync(A, time: new Shifted(TimeSpan.FromSeconds(seconds))));
        Assert.Contains($"{direction} that of the database", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("NTP", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(0, await AskAsync<long>("SELECT count(*) FROM relay.cluster_node"));
        Assert.True((await RegisterAsync(A, time: new Shifted(TimeSpan.FromSeconds(seconds / 61 * 3)))).IsHeld);
    }

    private sealed class Shifted(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }

    [Fact]
    public async Task Rows_of_nodes_that_are_long_gone_are_deleted_by_the_next_that_registers()
    {
        var a = await RegisterAsync(A);
        var b = await RegisterAsync(B);
        await b.AbandonAsync();
        await AskAsync<int>("UPDATE relay.cluster_node SET registered = registered - interval '8 days' RETURNING 1");
        await RegisterAsync(new NodeIdentity("akka.ssl.tcp://relay@c:1", 33));
        // That one whose lock is held stays, however old its row is.
        Assert.Equal([A.Address, "akka.ssl.tcp://relay@c:1"], (await a.ReadAsync(default)).Select(r => r.Node.Address));
    }

    [Theory]
    [InlineData("transaction", true)]
    [InlineData("session", false)]
    public async Task A_pooler_that_shares_sessions_is_found_out_and_refused(string mode, bool isRefused)
    {
        await OpenAsync();
        await using var pooler = await Pooler.StartAsync(Database, mode);
        if (isRefused)
        {
            var refusal = await Assert.ThrowsAsync<RelayStartException>(() => RegisterAsync(A, pooler.ConnectionString));
            Assert.Contains("a pooler that shares sessions", refusal.Message, StringComparison.Ordinal);
            Assert.Equal(0, await AskAsync<long>("SELECT count(*) FROM relay.cluster_node"));
        }
        else
        {
            Assert.True((await RegisterAsync(A, pooler.ConnectionString)).IsHeld);
        }
    }
}
