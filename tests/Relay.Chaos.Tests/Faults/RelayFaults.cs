using System.Diagnostics;
using System.Globalization;
using Relay.Lab.Processes;

namespace Relay.Chaos.Tests.Faults;

/// <summary>SIGKILL for some relays at once, and new processes after a while.</summary>
internal abstract class Kill : Fault
{
    private const int Killed = 137;

    public override Part Strikes => Part.Relays;

    /// <summary>How long they are gone.</summary>
    protected virtual (double Least, double Most) Seconds => (1, 4);

    protected static async Task KillAsync(IEnumerable<ClusterNode> nodes)
    {
        foreach (int code in await Task.WhenAll(nodes.Select(n => n.KillAsync()))) Assert.Equal(Killed, code);
    }

    /// <returns>What was done, for people.</returns>
    protected async Task<string> StrikeAsync(IReadOnlyList<ClusterNode> nodes, Random random, CancellationToken cancellation)
    {
        await KillAsync(nodes);
        var gone = Between(random, Seconds.Least, Seconds.Most);
        await Task.Delay(gone, cancellation);
        await Task.WhenAll(nodes.Select(n => n.StartAsync(cancellation)));
        var names = string.Join(" and ", nodes.Select(n => n.Name));
        return string.Create(CultureInfo.InvariantCulture, $"{names}, gone for {gone.TotalSeconds:0.0} s");
    }
}

/// <summary>Any relay.</summary>
internal sealed class KilledRelay : Kill
{
    public override string Name => "kill -9 of a relay";

    public override Task<string> StrikeAsync(ChaosCluster cluster, Random random, CancellationToken cancellation)
        => StrikeAsync([AnyOf(random, cluster.Processes.Nodes)], random, cancellation);
}

/// <summary>The oldest relay, which runs the shard coordinator.</summary>
internal sealed class KilledCoordinator : Kill
{
    public override string Name => "kill -9 of the coordinator's relay";

    public override Task<string> StrikeAsync(ChaosCluster cluster, Random random, CancellationToken cancellation)
        => StrikeAsync([NodeLogs.FindCoordinator(cluster.Processes.Nodes)], random, cancellation);
}

/// <summary>A new process has the address before the others have removed the old one.</summary>
internal sealed class ReusedAddress : Kill
{
    public override string Name => "kill -9 of a relay, and a new process at its address at once";

    protected override (double Least, double Most) Seconds => (0, 0);

    public override Task<string> StrikeAsync(ChaosCluster cluster, Random random, CancellationToken cancellation)
        => StrikeAsync([AnyOf(random, cluster.Processes.Nodes)], random, cancellation);
}

/// <summary>Two of three: what is left is no majority.</summary>
internal sealed class KilledTwo : Kill
{
    public override string Name => "kill -9 of two relays at once";

    public override bool LeavesMinority => true;

    public override Task<string> StrikeAsync(ChaosCluster cluster, Random random, CancellationToken cancellation)
    {
        var left = AnyOf(random, cluster.Processes.Nodes);
        return StrikeAsync([.. cluster.Processes.Nodes.Where(n => n != left)], random, cancellation);
    }
}

/// <summary>A cluster of two loses one: what is left is no majority.</summary>
internal abstract class KillOneOfTwo : Kill
{
    public override bool LeavesMinority => true;

    /// <summary>Chooses between the coordinator's relay and the other.</summary>
    protected abstract ClusterNode Choose(ClusterNode older, ClusterNode younger);

    public override async Task<string> StrikeAsync(ChaosCluster cluster, Random random, CancellationToken cancellation)
    {
        var third = AnyOf(random, cluster.Processes.Nodes);
        Assert.Equal(0, await third.DrainAsync(cancellation));
        var two = cluster.Processes.Nodes.Where(n => n != third).ToList();
        // The coordinator moves with the shards, if it was the third's.
        await NodeLogs.AwaitCoordinatorAsync(two, cancellation);
        var older = NodeLogs.FindCoordinator(two);
        var told = await StrikeAsync([Choose(older, two.Single(n => n != older))], random, cancellation);
        await third.StartAsync(cancellation);
        return $"{told}, without {third.Name}";
    }
}

/// <summary>The one with the shard coordinator.</summary>
internal sealed class KilledOlderOfTwo : KillOneOfTwo
{
    public override string Name => "kill -9 of the coordinator's relay in a cluster of two";

    protected override ClusterNode Choose(ClusterNode older, ClusterNode younger) => older;
}

/// <summary>The other.</summary>
internal sealed class KilledYoungerOfTwo : KillOneOfTwo
{
    public override string Name => "kill -9 of the other relay in a cluster of two";

    protected override ClusterNode Choose(ClusterNode older, ClusterNode younger) => younger;
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
/// SIGSTOP until the others have downed it and have its shards, then SIGCONT: it goes on with what it had in hand, must not get
/// through with it, finds out, ends itself and is started again.
/// </summary>
internal sealed class HungRelay : Fault
{
    private ClusterNode? _hung;
    private int _refusedBefore;

    public override string Name => "SIGSTOP past the downing, then SIGCONT";

    public override Part Strikes => Part.Relays;

    public override IReadOnlyList<ClusterNode> Downed => [_hung!];

    public override async Task<string> StrikeAsync(ChaosCluster cluster, Random random, CancellationToken cancellation)
    {
        var node = AnyOf(random, cluster.Processes.Nodes);
        (_hung, _refusedBefore) = (node, NodeLogs.CountRefused(node));
        int downed = NodeLogs.CountDowned(cluster.Processes.Nodes, node), restarts = node.Restarts.Count;
        var watch = Stopwatch.StartNew();
        await node.PauseAsync();
        await NodeLogs.AwaitDownedAsync(cluster.Processes.Nodes, node, downed, cancellation);
        var until = watch.Elapsed;
        // The zombie comes back early or late.
        await Task.Delay(Between(random, 0, 4), cancellation);
        var paused = watch.Elapsed;
        await node.ResumeAsync();
        long resumed = TimeProvider.System.GetTimestamp();
        var restart = await node.AwaitRestartAsync(restarts, cancellation);
        var foundOut = TimeProvider.System.GetElapsedTime(resumed, restart.Ended);
        return string.Create(CultureInfo.InvariantCulture,
            $"{node.Name}, for {paused.TotalSeconds:0.0} s, downed after {until.TotalSeconds:0.0} s; ended itself "
            + $"{foundOut.TotalSeconds:0.0} s after SIGCONT with code {restart.ExitCode}");
    }

    /// <summary>
    /// What it tried and was kept from: none, if it found out before anything of it came up for a commit. That nothing got
    /// through in any case is what the ledger says.
    /// </summary>
    public override string LookBack()
        => string.Create(CultureInfo.InvariantCulture, $"{NodeLogs.CountRefused(_hung!) - _refusedBefore} attempts to commit refused");
}

/// <summary>SIGSTOP for less than the others wait for a heartbeat.</summary>
internal sealed class PausedRelay : Fault
{
    public override string Name => "SIGSTOP shorter than the downing, then SIGCONT";

    public override Part Strikes => Part.Relays;

    public override bool DownsNobody => true;

    public override async Task<string> StrikeAsync(ChaosCluster cluster, Random random, CancellationToken cancellation)
    {
        var node = AnyOf(random, cluster.Processes.Nodes);
        var paused = Between(random, 0.5, 2.5);
        await node.PauseAsync();
        await Task.Delay(paused, cancellation);
        await node.ResumeAsync();
        return string.Create(CultureInfo.InvariantCulture, $"{node.Name}, for {paused.TotalSeconds:0.0} s");
    }
}

/// <summary>
/// One relay's network loses every packet, to the database and the other relays as to its clients. The two others down it and go on;
/// it stops, by itself or when it is told, and is started again: in vain until the network is whole.
/// </summary>
internal sealed class CutOffRelay : Fault
{
    private ClusterNode? _cut;

    public override string Name => "network partition of a relay";

    public override Part Strikes => Part.Relays;

    public override IReadOnlyList<ClusterNode> Downed => [_cut!];

    public override string? WhyNot(ChaosCluster cluster) => cluster.Island is null ? cluster.WhyNoIsland : null;

    public override async Task<string> StrikeAsync(ChaosCluster cluster, Random random, CancellationToken cancellation)
    {
        var node = _cut = cluster.IslandNode;
        int downed = NodeLogs.CountDowned(cluster.Processes.Nodes, node), ends = node.SelfEnds, restarts = node.Restarts.Count;
        bool waitsForItsEnd = random.Next(2) == 0;
        var watch = Stopwatch.StartNew();
        await cluster.Island!.CutAsync();
        await NodeLogs.AwaitDownedAsync(cluster.Processes.Nodes, node, downed, cancellation);
        var until = watch.Elapsed;
        if (waitsForItsEnd) await node.AwaitSelfEndAsync(ends, cancellation);
        await Task.Delay(Between(random, 0, 2), cancellation);
        var cut = watch.Elapsed;
        var ended = node.SelfEnds > ends ? "while cut off" : "once it was told";
        await cluster.Island.HealAsync();
        var restart = await node.AwaitRestartAsync(restarts, cancellation);
        return string.Create(CultureInfo.InvariantCulture,
            $"{node.Name}, for {cut.TotalSeconds:0.0} s, downed after {until.TotalSeconds:0.0} s; ended itself {ended} "
            + $"with code {restart.ExitCode}");
    }
}
