using System.Diagnostics;
using Akka.Actor;
using Akka.Cluster;
using Akka.Remote;
using Microsoft.Extensions.Logging.Abstractions;
using Relay.Actors;
using Relay.Actors.Cluster;
using Relay.Storage;

namespace Relay.Cluster.Tests;

/// <summary>Who is gone: only the database's lock together with a broken association says so.</summary>
public sealed class EvidenceTests(ClusterDatabase databases)
{
    private static async Task<(TestNode A, TestNode B)> TwoAsync(string database)
    {
        var a = await TestNode.StartAsync(database);
        var b = await TestNode.StartAsync(database);
        await a.UntilAsync(() => a.Up.Count() == 2 && b.Up.Count() == 2, "two members");
        return (a, b);
    }

    private static async Task NobodyIsDownedAsync(TestNode a, TestNode b)
    {
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < TimeSpan.FromSeconds(3))
        {
            Assert.Equal((2, 2), (a.Up.Count(), b.Up.Count()));
            Assert.False(a.Stopped.IsCompleted || b.Stopped.IsCompleted, $"{a.Log}\n{b.Log}");
            await Task.Delay(50);
        }
        Assert.DoesNotContain(a.Log.Lines.Concat(b.Log.Lines), l => l.Contains(" 207 ", StringComparison.Ordinal));
        await a.AskAsync("c");
        await b.AskAsync("c");
    }

    [Fact]
    public async Task A_restarted_database_downs_nobody_and_every_node_takes_its_lock_again()
    {
        var database = await databases.CreateAsync();
        var (a, b) = await TwoAsync(database);
        await using (a)
        await using (b)
        {
            await databases.RestartAsync();
            await a.UntilAsync(() => a.Log.Lines.Any(l => l.Contains(" 156 ", StringComparison.Ordinal))
                && b.Log.Lines.Any(l => l.Contains(" 156 ", StringComparison.Ordinal)), "locks taken again");
            Assert.True(a.Node.HoldsLock && b.Node.HoldsLock);
            await NobodyIsDownedAsync(a, b);
        }
    }

    [Fact]
    public async Task A_dropped_session_downs_nobody_and_the_lock_is_taken_again()
    {
        var database = await databases.CreateAsync();
        var (a, b) = await TwoAsync(database);
        await using (a)
        await using (b)
        {
            Assert.True(await ClusterDatabase.DropLockAsync(database, b.Address.ToString()));
            await b.UntilAsync(() => b.Log.Lines.Any(l => l.Contains(" 156 ", StringComparison.Ordinal)), "lock taken again");
            Assert.True(b.Node.HoldsLock);
            await NobodyIsDownedAsync(a, b);
        }
    }

    [Fact]
    public async Task A_process_that_takes_over_an_address_is_not_born_dead()
    {
        var database = await databases.CreateAsync();
        var (a, b) = await TwoAsync(database);
        await using (a)
        await using (b)
        {
            var (port, incarnation) = (b.Port, b.Cluster.SelfUniqueAddress.Uid);
            await b.KillAsync();
            await using var again = await TestNode.StartAsync(database, port);
            Assert.NotEqual(incarnation, again.Cluster.SelfUniqueAddress.Uid);
            await a.UntilAsync(() => a.Cluster.State.Members.Any(m => m.UniqueAddress.Equals(again.Cluster.SelfUniqueAddress)
                && m.Status == MemberStatus.Up), "the new process is up");
            Assert.False(GoneNodes.Of(a.System.EventStream).Contains(again.Address.ToString()));
            // Longer than it takes to become unreachable by a mark that was left.
            await Task.Delay(TimeSpan.FromSeconds(2));
            Assert.Empty(a.Cluster.State.Unreachable);
            Assert.False(again.Stopped.IsCompleted, again.Log.ToString());
            Assert.Equal(2, a.Up.Count());
        }
    }

    [Fact]
    public async Task The_failure_detector_knows_its_address_and_obeys_the_evidence()
    {
        var database = await databases.CreateAsync();
        var (a, b) = await TwoAsync(database);
        await using (a)
        await using (b)
        {
            // Before the resolver acts on it (5 s), it is taken back.
            var gone = GoneNodes.Of(a.System.EventStream);
            gone.Add(b.Address.ToString());
            var watch = Stopwatch.StartNew();
            while (a.Cluster.State.Unreachable.All(m => m.Address != b.Address)) Assert.True(watch.Elapsed < TimeSpan.FromSeconds(2.5),
                "Akka no longer sets the failure detector's Address");
            gone.Remove(b.Address.ToString());
            await a.UntilAsync(() => a.Cluster.State.Unreachable.IsEmpty, "reachable again");
            Assert.Equal(2, a.Up.Count());
        }
    }

    [Fact]
    public async Task Without_its_own_lock_a_node_judges_nobody_and_with_it_again_it_does()
    {
        var database = await databases.CreateAsync();
        // Only evidence downs in this test: the resolver would need a minute.
        var settings = new Dictionary<string, string> { ["akka.cluster.split-brain-resolver.stable-after"] = "60s" };
        await using var a = await TestNode.StartAsync(database, settings: settings);
        await using var b = await TestNode.StartAsync(database, settings: settings);
        await a.UntilAsync(() => a.Up.Count() == 2 && b.Up.Count() == 2, "two members");
        // A blocker takes a's lock as soon as the session is dropped, so that a cannot take it again.
        await using var blocker = new Npgsql.NpgsqlConnection(database + ";Pooling=false");
        await blocker.OpenAsync();
        await using (var wait = new Npgsql.NpgsqlCommand("SELECT pg_advisory_lock(1380735236, slot) FROM relay.cluster_node WHERE "
            + "address = $1", blocker) { Parameters = { new() { Value = a.Address.ToString() } } })
        {
            var blocked = wait.ExecuteNonQueryAsync();
            await Task.Delay(200);
            await ClusterDatabase.DropLockAsync(database, a.Address.ToString());
            await blocked.WaitAsync(TestNode.Limit);
        }
        await a.UntilAsync(() => !a.Node.HoldsLock, "the lock is lost");

        await b.KillAsync();

        await a.UntilAsync(() => a.Cluster.State.Unreachable.Any(m => m.Address == b.Address), "the detector misses the heartbeats");
        await Task.Delay(TimeSpan.FromSeconds(1));
        Assert.Contains(a.Cluster.State.Members, m => m.Address == b.Address && m.Status == MemberStatus.Up);
        Assert.DoesNotContain(a.Log.Lines, l => l.Contains(" 207 ", StringComparison.Ordinal));

        await blocker.CloseAsync();
        await a.UntilAsync(() => a.Cluster.State.Members.All(m => m.Address != b.Address), "downed by evidence once the own lock is held");
        Assert.Contains(a.Log.Lines, l => l.Contains(" 207 ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("DELETE FROM relay.cluster_node RETURNING 1", StopReasonName.DatabaseRestored)]
    [InlineData("UPDATE relay.cluster_node SET incarnation = 0 RETURNING 1", StopReasonName.AddressTaken)]
    [InlineData("UPDATE relay.cluster_node SET state = 3 RETURNING 1::integer", StopReasonName.Downed)]
    public async Task A_node_whose_row_is_not_its_own_any_more_stops_at_once_and_says_why(string change, StopReasonName reason)
    {
        var database = await databases.CreateAsync();
        await using var node = await TestNode.StartAsync(database);
        await node.AskAsync("c");
        await ClusterDatabase.AskAsync<int>(database, change);
        Assert.Equal(reason.ToString(), (await node.Stopped.WaitAsync(TestNode.Limit)).ToString());
        Assert.Contains(node.Log.Lines, l => l.StartsWith("Critical 209 This node stops at once", StringComparison.Ordinal));
        Assert.All(Enumerable.Range(0, TestNode.Shards), s => Assert.Null(node.Node.Fences.Find(s)));
    }

    /// <summary>A test's parameters are public, the reasons are not.</summary>
    public enum StopReasonName
    {
        Downed,
        AddressTaken,
        DatabaseRestored,
    }

    [Fact]
    public async Task One_question_at_a_time_is_asked_and_a_sign_meanwhile_begins_the_series_again()
    {
        var (a, b) = await TwoAsync(await databases.CreateAsync());
        await using (a)
        await using (b)
        {
            const int series = RelayLimits.EvidenceChecks + 1;
            var rows = new SlowAt(series);
            var keeper = a.System.ActorOf(EvidenceKeeper.Props(rows, NullLogger.Instance));
            var sign = new DisassociatedEvent(a.Address, b.Address, false);
            keeper.Tell(sign);
            await a.UntilAsync(() => rows.Asked == series, "the last check of the series");
            keeper.Tell(sign);
            keeper.Tell(sign);
            await Task.Delay(4 * RelayLimits.EvidenceInterval);
            Assert.Equal(series, rows.Asked);
            rows.Answer.SetResult(NodeEvidence.Held);
            await a.UntilAsync(() => rows.Asked == 2 * series, "a second series");
        }
    }

    /// <summary>Every node holds its lock; one question is answered when the test says so.</summary>
    private sealed class SlowAt(int question) : INodeRows
    {
        private int _asked;

        public int Asked => Volatile.Read(ref _asked);

        public TaskCompletionSource<NodeEvidence> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public NodeIdentity Self => new("self", 1);

        public bool IsHeld => true;

        public Task<NodeLoss> Lost { get; } = new TaskCompletionSource<NodeLoss>().Task;

        public ValueTask<NodeEvidence> FindEvidenceAsync(NodeIdentity node, CancellationToken cancellation)
            => Interlocked.Increment(ref _asked) == question ? new(Answer.Task) : new(NodeEvidence.Held);

        public ValueTask MarkAsync(NodeIdentity node, NodeState state, CancellationToken cancellation) => default;

        public ValueTask<IReadOnlyList<RegisteredNode>> ReadAsync(CancellationToken cancellation) => new([]);

        public ValueTask<bool> TryLockFoundingAsync(CancellationToken cancellation) => new(false);

        public ValueTask<bool> EndFoundingAsync(bool isFounded, CancellationToken cancellation) => new(false);

        public ValueTask DisposeAsync() => default;
    }
}
