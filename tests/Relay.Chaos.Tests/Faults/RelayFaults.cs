using System.Diagnostics;
using System.Globalization;
using Relay.Actors;
using Relay.Lab.Processes;

namespace Relay.Chaos.Tests.Faults;

/// <summary>SIGKILL, and a new process after a while.</summary>
internal sealed class KilledRelay : Fault
{
    public override string Name => "kill -9 of a relay";

    public override Part Strikes => Part.Relays;

    public override async Task<string> StrikeAsync(ChaosCluster cluster, Random random, CancellationToken cancellation)
    {
        var node = cluster.Processes.Nodes[random.Next(cluster.Processes.Nodes.Count)];
        Assert.Equal(137, await node.KillAsync());
        var gone = Between(random, 1, 4);
        await Task.Delay(gone, cancellation);
        await node.StartAsync(cancellation);
        return string.Create(CultureInfo.InvariantCulture, $"{node.Name}, gone for {gone.TotalSeconds:0.0} s");
    }
}

/// <summary>SIGTERM to one after the other, as in an upgrade.</summary>
internal sealed class RollingRestart : Fault
{
    public override string Name => "rolling restart by SIGTERM";

    public override Part Strikes => Part.Relays;

    public override async Task<string> StrikeAsync(ChaosCluster cluster, Random random, CancellationToken cancellation)
    {
        var drained = new List<string>();
        foreach (var node in cluster.Processes.Nodes)
        {
            var watch = Stopwatch.StartNew();
            Assert.Equal(0, await node.DrainAsync(cancellation));
            drained.Add(watch.Elapsed.TotalSeconds.ToString("0.0 s", CultureInfo.InvariantCulture));
            await node.StartAsync(cancellation);
        }
        return $"all relays, drained in {string.Join(", ", drained)}";
    }
}

/// <summary>
/// SIGSTOP until everybody takes it for dead and others have its shards, then SIGCONT: it goes on with what it had in hand,
/// and must not get through with it.
/// </summary>
internal sealed class PausedRelay : Fault
{
    /// <summary>Longer than the others wait for a heartbeat, and than the broker does.</summary>
    private static readonly TimeSpan s_longEnough = RelayLimits.HeartbeatLifetime + TimeSpan.FromSeconds(8);

    private ClusterNode? _paused;
    private int _refusedBefore;

    public override string Name => "SIGSTOP past the heartbeat, then SIGCONT";

    public override Part Strikes => Part.Relays;

    public override async Task<string> StrikeAsync(ChaosCluster cluster, Random random, CancellationToken cancellation)
    {
        var node = cluster.Processes.Nodes[random.Next(cluster.Processes.Nodes.Count)];
        (_paused, _refusedBefore) = (node, RefusedBy(node));
        await node.PauseAsync();
        var paused = s_longEnough + Between(random, 0, 3);
        await Task.Delay(paused, cancellation);
        await node.ResumeAsync();
        return string.Create(CultureInfo.InvariantCulture, $"{node.Name}, for {paused.TotalSeconds:0.0} s");
    }

    /// <summary>
    /// What it tried and was kept from: none, if its broker connection was seen to be dead before anything of it came up for
    /// a commit. That nothing got through in any case is what the ledger says.
    /// </summary>
    public override string LookBack() => string.Create(CultureInfo.InvariantCulture, $"{RefusedBy(_paused!) - _refusedBefore} attempts to commit refused");

    /// <summary>Event 123, written by a node whose commit the store refused because another node has claimed the shard.</summary>
    private static int RefusedBy(ClusterNode node) => ChaosCluster.ReadLog(node).Count(l => l.Contains("[123]", StringComparison.Ordinal));
}

/// <summary>One relay's network loses every packet, to the engines as to its clients; then it is whole again.</summary>
internal sealed class CutOffRelay : Fault
{
    private static readonly TimeSpan s_longEnough = RelayLimits.HeartbeatLifetime + TimeSpan.FromSeconds(5);

    public override string Name => "network partition of a relay";

    public override Part Strikes => Part.Relays;

    public override string? WhyNot(ChaosCluster cluster) => cluster.Island is null ? cluster.WhyNoIsland : null;

    public override async Task<string> StrikeAsync(ChaosCluster cluster, Random random, CancellationToken cancellation)
    {
        await cluster.Island!.CutAsync();
        var cut = s_longEnough + Between(random, 0, 3);
        await Task.Delay(cut, cancellation);
        await cluster.Island.HealAsync();
        return string.Create(CultureInfo.InvariantCulture, $"{cluster.IslandNode.Name}, for {cut.TotalSeconds:0.0} s");
    }
}
