using System.Diagnostics;
using Npgsql;
using Relay.Cli;
using Relay.Client;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Lab.Bench.Server;

/// <summary>A cluster of three nodes with one PostgreSQL.</summary>
internal sealed class ClusterStage : BenchStage
{
    // As in Relay.Actors' cluster.hocon.
    private static readonly TimeSpan s_rebalanceInterval = TimeSpan.FromSeconds(1);

    private readonly ClusterProcesses _cluster;

    private ClusterStage(ClusterProcesses cluster) => _cluster = cluster;

    public IReadOnlyList<ClusterNode> Nodes => _cluster.Nodes;

    protected override IReadOnlyList<Uri> Addresses => _cluster.Addresses;

    protected override RelayKey AdminKey => RelayKey.FromFile(_cluster.AdminKeyFile);

    /// <exception cref="CommandFailure">PostgreSQL is not installed, or a process did not start.</exception>
    public static async Task<ClusterStage> StartAsync(Action<string> tell, CancellationToken cancellation)
    {
        await EnginePackages.EnsureAsync(install: false, cancellation);
        var layout = new ClusterLayout { Progress = tell, Arguments = ["--log-level", "Warning"] };
        return new ClusterStage(await ClusterProcesses.StartAsync(layout, cancellation));
    }

    /// <summary>
    /// Waits until every node runs, is a member and owns about its share of the shards, and no shard has moved for longer than
    /// the interval at which the cluster rebalances them.
    /// </summary>
    public async Task AwaitBalanceAsync(CancellationToken cancellation)
    {
        await using var admin = RelayClient.Connect(Addresses, AdminKey);
        string last = "";
        long since = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(since) < s_rebalanceInterval * 1.5)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), cancellation);
            var nodes = (await admin.CallAsync(o => admin.Admin.ListNodesAsync(new ListNodesRequest(), o), cancellation)).Nodes;
            int enough = nodes.Sum(n => n.Shards) / (2 * Relays);
            bool isBalanced = nodes.Count == Relays
                && nodes.All(n => n.State == NodeState.Up && n.Reachable && n.HasShards && n.Shards >= enough);
            string now = isBalanced ? string.Join(' ', nodes.OrderBy(n => n.Name).Select(n => n.Shards)) : "";
            if (now.Length == 0 || now != last) since = Stopwatch.GetTimestamp();
            last = now;
        }
    }

    public override CpuReading Cpu() => CpuReading.Now(Nodes.Where(n => n.IsRunning).Select(n => n.ProcessId), _cluster.Database.ProcessId);

    public override async Task<long?> CommitsAsync(CancellationToken cancellation)
    {
        await using var connection = new NpgsqlConnection(_cluster.Database.ConnectionString);
        await connection.OpenAsync(cancellation);
        await using var command = new NpgsqlCommand(
            "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()", connection);
        return (long?)await command.ExecuteScalarAsync(cancellation);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _cluster.DisposeAsync();
    }
}
