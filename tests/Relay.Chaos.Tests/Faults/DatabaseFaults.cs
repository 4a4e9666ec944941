using System.Globalization;
using Npgsql;

namespace Relay.Chaos.Tests.Faults;

/// <summary>SIGKILL for the database's processes, and a recovery from its log. All locks are free for a while, and say nothing.</summary>
internal sealed class KilledDatabase : Fault
{
    public override string Name => "kill -9 of the database";

    public override Part Strikes => Part.Database;

    public override bool DownsNobody => true;

    public override async Task<string> StrikeAsync(ChaosCluster cluster, Random random, CancellationToken cancellation)
    {
        await cluster.Processes.Database.KillAsync(cancellation);
        var gone = Between(random, 0, 3);
        await Task.Delay(gone, cancellation);
        await cluster.Processes.Database.StartAgainAsync(cancellation);
        return string.Create(CultureInfo.InvariantCulture, $"gone for {gone.TotalSeconds:0.0} s and its recovery");
    }
}

/// <summary>An orderly restart of the database; its sessions are cut.</summary>
internal sealed class RestartedDatabase : Fault
{
    public override string Name => "restart of the database";

    public override Part Strikes => Part.Database;

    public override bool DownsNobody => true;

    public override async Task<string> StrikeAsync(ChaosCluster cluster, Random random, CancellationToken cancellation)
    {
        await cluster.Processes.Database.RestartAsync(cancellation: cancellation);
        return "in order";
    }
}

/// <summary>The session in which a relay holds its lock is ended by the server, some times one after the other; the relay lives.</summary>
internal sealed class DroppedSession : Fault
{
    private const int MostDrops = 3;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60), s_poll = TimeSpan.FromMilliseconds(100);

    public override string Name => "pg_terminate_backend for a relay's lock session";

    public override Part Strikes => Part.Database;

    public override bool DownsNobody => true;

    // The lock of the relay is free for a moment while its association may be broken by the other fault.
    public override bool MisleadsEvidence => true;

    public override async Task<string> StrikeAsync(ChaosCluster cluster, Random random, CancellationToken cancellation)
    {
        var node = AnyOf(random, cluster.Processes.Nodes);
        int dropped = 0;
        await using var database = NpgsqlDataSource.Create(cluster.Processes.Database.ConnectionString + ";Pooling=false");
        for (int drops = random.Next(1, MostDrops + 1); drops > 0; drops--)
        {
            dropped += await CountAsync(database, "SELECT count(pg_terminate_backend(l.pid))", node.ClusterAddress, cancellation);
            await Task.Delay(Between(random, 0, 1.5), cancellation);
        }
        // One that lives takes its lock again.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(s_patience);
        while (node.IsRunning && await CountAsync(database, "SELECT count(*)", node.ClusterAddress, patience.Token) == 0)
            await Task.Delay(s_poll, patience.Token);
        return string.Create(CultureInfo.InvariantCulture, $"{node.Name}, {dropped} times");
    }

    private static async Task<int> CountAsync(NpgsqlDataSource database, string select, string address, CancellationToken cancellation)
    {
        // The two numbers of the lock: what it is for, and the slot of the node's row.
        await using var command = database.CreateCommand(select + """
             FROM pg_locks l JOIN relay.cluster_node n ON l.objid = n.slot::bigint::oid
            WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = x'524C5904'::bigint::oid AND n.address LIKE $1
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = "%@" + address });
        return (int)(long)(await command.ExecuteScalarAsync(cancellation))!;
    }
}
