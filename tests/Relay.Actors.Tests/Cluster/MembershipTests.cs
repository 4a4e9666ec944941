using System.Diagnostics;
using Akka.Cluster;
using Relay.Actors.Tests.Postgres;

namespace Relay.Actors.Tests.Cluster;

/// <summary>Nodes of one cluster, with PostgreSQL as arbiter: they find each other, and go on without one that is gone.</summary>
public sealed class MembershipTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Two_nodes_form_one_cluster_and_the_survivor_goes_on_alone()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var a = await TestNode.StartAsync(database);
        await using var b = await TestNode.StartAsync(database);
        await a.UntilAsync(() => a.Up.Count() == 2 && b.Up.Count() == 2, "two members");
        var conversations = Enumerable.Range(0, 40).Select(i => $"c{i}").ToList();
        var before = await Task.WhenAll(conversations.Select(c => b.AskAsync(c)));
        Assert.Equal(new[] { a.Port, b.Port }.Order(), before.Distinct().Order());

        // The first is the oldest: it has the shard coordinator, and the lower address or not.
        await a.KillAsync();
        var watch = Stopwatch.StartNew();
        var after = await Task.WhenAll(conversations.Select(c => b.AskAsync(c)));

        Assert.All(after, port => Assert.Equal(b.Port, port));
        // With heartbeats alone it would take the acceptable pause of 3 s and the resolver's 5 s, after which the survivor of two might down itself.
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(4), $"{watch.Elapsed}\n{b.Log}");
        Assert.Single(b.Cluster.State.Members, m => m.Status == MemberStatus.Up);
        Assert.False(b.Stopped.IsCompleted);
    }
}
