using Relay.Cli;
using Relay.Client;
using Relay.Lab.Processes;

namespace Relay.Lab.Bench.Server;

/// <summary>A cluster of three nodes with one PostgreSQL.</summary>
internal sealed class ClusterStage : BenchStage
{
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

    public override CpuReading Cpu() => CpuReading.Now(Nodes.Where(n => n.IsRunning).Select(n => n.ProcessId), _cluster.Database.ProcessId);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _cluster.DisposeAsync();
    }
}
