using System.Diagnostics;
using Akka.Cluster;
using Relay.Actors;
using Relay.Actors.Cluster;
using Relay.Storage;

namespace Relay.Cluster.Tests;

/// <summary>Nodes find their cluster by the database, go on without one that is gone, and are refused where they do not fit.</summary>
public sealed class MembershipTests(ClusterDatabase databases)
{
    private static readonly string[] Conversations = [.. Enumerable.Range(0, 40).Select(i => $"c{i}")];

    [Fact]
    public async Task Two_nodes_form_one_cluster_and_the_survivor_goes_on_alone()
    {
        var database = await databases.CreateAsync();
        await using var a = await TestNode.StartAsync(database);
        await using var b = await TestNode.StartAsync(database);
        await a.UntilAsync(() => a.Up.Count() == 2 && b.Up.Count() == 2, "two members");
        var before = await Task.WhenAll(Conversations.Select(c => b.AskAsync(c)));
        Assert.Equal(new[] { a.Port, b.Port }.Order(), before.Distinct().Order());

        // The first is the oldest: it has the shard coordinator.
        await a.KillAsync();
        var watch = Stopwatch.StartNew();
        var after = await Task.WhenAll(Conversations.Select(c => b.AskAsync(c)));

        Assert.All(after, port => Assert.Equal(b.Port, port));
        // By heartbeats alone it is downed after the pause of 3 s and the resolver's 5 s, and with a majority of one of two
        // perhaps the wrong one.
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(6), $"{watch.Elapsed}\n{b.Log}");
        Assert.Contains(b.Log.Lines, l => l.Contains(" 207 ", StringComparison.Ordinal));
        Assert.False(b.Stopped.IsCompleted);
        await b.UntilAsync(() => b.Cluster.State.Members.Count == 1, "the dead member is removed");
    }

    [Fact]
    public async Task Five_nodes_that_start_at_once_found_one_cluster()
    {
        var database = await databases.CreateAsync();
        var nodes = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => TestNode.CreateAsync(database)));
        try
        {
            await Task.WhenAll(nodes.Select(n => n.JoinAsync()));
            foreach (var node in nodes) await node.UntilAsync(() => node.Up.Count() == 5, "five members");
            Assert.Equal(1, nodes.Count(n => n.Log.Lines.Any(l => l.Contains(" 201 ", StringComparison.Ordinal))));
        }
        finally
        {
            foreach (var node in nodes.Reverse()) await node.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_node_that_leaves_hands_over_without_being_downed()
    {
        var database = await databases.CreateAsync();
        await using var a = await TestNode.StartAsync(database);
        await using var b = await TestNode.StartAsync(database);
        await a.UntilAsync(() => a.Up.Count() == 2, "two members");
        await Task.WhenAll(Conversations.Select(c => a.AskAsync(c)));

        var address = a.Address.ToString();
        await a.Node.DisposeAsync();

        Assert.All(await Task.WhenAll(Conversations.Select(c => b.AskAsync(c))), port => Assert.Equal(b.Port, port));
        Assert.False(a.Stopped.IsCompleted);
        Assert.DoesNotContain(b.Log.Lines, l => l.Contains(" 207 ", StringComparison.Ordinal));
        Assert.Equal(0, await ClusterDatabase.AskAsync<long>(database, "SELECT count(*) FROM relay.cluster_node WHERE address = $1",
            address));
        Assert.Equal(0, a.Node.Fences.Count);
    }

    [Fact]
    public async Task No_node_joins_by_one_that_leaves()
    {
        var database = await databases.CreateAsync();
        await using var a = await TestNode.StartAsync(database);
        await using var b = await TestNode.StartAsync(database);
        var address = a.Address.ToString();
        Task<short> StateAsync()
            => ClusterDatabase.AskAsync<short>(database, "SELECT state FROM relay.cluster_node WHERE address = $1", address);
        Assert.Equal((short)NodeState.Up, await StateAsync());
        // Its lock is still held, as while its shards are handed over.
        await a.Node.LeaveAsync().WaitAsync(TestNode.Limit);
        Assert.True(a.Node.HoldsLock);
        Assert.Equal((short)NodeState.Starting, await StateAsync());
    }

    [Fact]
    public async Task A_downed_node_stops_at_once_and_its_row_says_so()
    {
        var database = await databases.CreateAsync();
        await using var a = await TestNode.StartAsync(database);
        await using var b = await TestNode.StartAsync(database);
        await using var c = await TestNode.StartAsync(database);
        foreach (var node in new[] { a, b, c }) await node.UntilAsync(() => node.Up.Count() == 3, "three members");
        await Task.WhenAll(Conversations.Select(i => a.AskAsync(i)));
        var shards = Enumerable.Range(0, TestNode.Shards).Where(s => b.Node.Fences.Find(s) is not null).ToList();
        var standings = shards.Select(s => b.Node.Fences.Find(s)!).ToList();
        Assert.NotEmpty(shards);

        a.Cluster.Down(b.Address);

        Assert.Contains(await b.Stopped.WaitAsync(TestNode.Limit), new[] { StopReason.Downed, StopReason.Quarantined });
        Assert.All(standings, s => Assert.True(s.IsLost));
        Assert.Null(await b.Node.Fences.ClaimAsync(shards[0], () => { }, default));
        var address = b.Address.ToString();
        var watch = Stopwatch.StartNew();
        while (await ClusterDatabase.AskAsync<short>(database, "SELECT state FROM relay.cluster_node WHERE address = $1",
            address) != (short)NodeState.Down) Assert.True(watch.Elapsed < TestNode.Limit);
        Assert.DoesNotContain(b.Port, await Task.WhenAll(Conversations.Select(i => a.AskAsync(i))));
    }

    [Fact]
    public async Task Another_major_version_is_refused_and_a_minor_one_is_not()
    {
        var database = await databases.CreateAsync();
        await using var a = await TestNode.StartAsync(database);
        await using var minor = await TestNode.CreateAsync(database, version: "1.7.3");
        await minor.JoinAsync();
        await using var major = await TestNode.CreateAsync(database, version: "2.0.0");
        var refusal = await Assert.ThrowsAsync<RelayStartException>(major.JoinAsync);
        Assert.Contains("The cluster runs Relay 1.", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Relay 2.0.0", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(2, a.Cluster.State.Members.Count);
    }

    [Fact]
    public async Task Another_sealing_key_or_number_of_shards_is_refused_and_nothing_is_changed()
    {
        var database = await databases.CreateAsync();
        await using var node = await TestNode.CreateAsync(database);
        var directory = Directory.CreateTempSubdirectory("relay-test-").FullName;
        try
        {
            var (first, second, absent) = (Path.Combine(directory, "a"), Path.Combine(directory, "b"), Path.Combine(directory, "c"));
            var (sealer, ids, key) = await ClusterDocuments.OpenIdentityAsync(node.Store, first, Otr.Core.SystemRandom.Instance, default);
            await ClusterDocuments.AgreeOnShardsAsync(node.Store, sealer, 64, default);
            Relay.Storage.Sealing.SealingKey.Create(second, Otr.Core.SystemRandom.Instance.Fill).Dispose();

            Assert.Contains("not the key",
                (await Assert.ThrowsAsync<RelayStartException>(()
                => ClusterDocuments.OpenIdentityAsync(node.Store, second, Otr.Core.SystemRandom.Instance, default))).Message,
                StringComparison.Ordinal);
            Assert.Contains("missing",
                (await Assert.ThrowsAsync<RelayStartException>(()
                => ClusterDocuments.OpenIdentityAsync(node.Store, absent, Otr.Core.SystemRandom.Instance, default))).Message,
                StringComparison.Ordinal);
            Assert.False(File.Exists(absent));
            Assert.Contains("has 64 shards and this node was told 32",
                (await Assert.ThrowsAsync<RelayStartException>(()
                => ClusterDocuments.AgreeOnShardsAsync(node.Store, sealer, 32, default))).Message, StringComparison.Ordinal);
            await ClusterDocuments.AgreeOnShardsAsync(node.Store, sealer, 64, default);
            var (again, sameIds, sameKey) = await ClusterDocuments.OpenIdentityAsync(node.Store, first, Otr.Core.SystemRandom.Instance,
                default);
            Assert.Equal(ids.Conversation("e", "p"), sameIds.Conversation("e", "p"));
            foreach (var part in new IDisposable[] { sealer, ids, key, again, sameIds, sameKey }) part.Dispose();
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task Nobody_founds_a_cluster_beside_a_node_that_may_be_taking_its_lock_again()
    {
        var database = await databases.CreateAsync();
        await using var a = await TestNode.CreateAsync(database);
        // As right after the session of a node that is up was dropped.
        await ClusterDatabase.AskAsync<int>(database, "INSERT INTO relay.cluster_node (address, incarnation, version, state) VALUES "
            + "('akka.ssl.tcp://relay@127.0.0.1:1', 1, '1.0.0', 2) RETURNING 1");
        var watch = Stopwatch.StartNew();
        await a.JoinAsync();
        Assert.True(watch.Elapsed > RelayLimits.LockRetakeGrace, $"{watch.Elapsed}");
        // The row that stayed without a lock did not keep it from founding in the end.
        Assert.Single(a.Up);
    }

    [Fact]
    public async Task The_directory_shows_the_nodes_with_their_shards()
    {
        var database = await databases.CreateAsync();
        await using var a = await TestNode.StartAsync(database);
        await using var b = await TestNode.StartAsync(database);
        await a.UntilAsync(() => a.Up.Count() == 2 && b.Up.Count() == 2, "two members");
        await Task.WhenAll(Conversations.Select(c => a.AskAsync(c)));

        var nodes = await new NodeDirectory(b.Cluster, b.Region).ListAsync(default);

        Assert.Equal(new[] { $"127.0.0.1:{a.Port}", $"127.0.0.1:{b.Port}" }.Order(StringComparer.Ordinal), nodes.Select(n => n.Name));
        Assert.Equal($"127.0.0.1:{b.Port}", Assert.Single(nodes, n => n.IsSelf).Name);
        Assert.All(nodes, n => Assert.Equal((NodeMembership.Up, true), (n.State, n.IsReachable)));
        Assert.Equal(Conversations.Length, nodes.Sum(n => n.Conversations));
        Assert.Equal(a.Node.Fences.Count + b.Node.Fences.Count, nodes.Sum(n => n.Shards));
    }
}
