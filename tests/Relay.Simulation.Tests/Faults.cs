using Relay.Simulation.Tests.Engine;
using Relay.Simulation.Tests.Nodes;

namespace Relay.Simulation.Tests;

/// <summary>Makes things go wrong while it may.</summary>
internal sealed class Faults(Cluster cluster, SimProcess outside, NodeSet nodes, Profile profile)
{
    private static readonly Fault[] Kinds = [.. Enum.GetValues<Fault>().Where(f => f is not (Fault.None or Fault.All))];

    private readonly Fault[] _kinds = [.. Kinds.Where(f => profile.Faults.HasFlag(f))];
    private bool _isOver;

    private SimRandom Random => cluster.Schedule.Random;

    public void MayBegin()
    {
        if (_kinds.Length > 0 && Random.Chance(profile.FaultRate)) Begin(_kinds[Random.Next(_kinds.Length)]);
    }

    /// <summary>Nothing goes wrong any more.</summary>
    public void End()
    {
        _isOver = true;
        cluster.Schedule.Note("faults", "are over");
        (cluster.StoreFaults.Failing, cluster.StoreFaults.SlowMs) = (0, 0);
        cluster.Network.End();
        cluster.Ownership.EndFaults();
        foreach (var node in nodes.All) node.Process.IsPaused = false;
    }

    private void Begin(Fault fault)
    {
        var node = nodes.All.Count > 0 ? nodes.All[Random.Next(nodes.All.Count)] : null;
        cluster.Schedule.Note(node?.Process.Name ?? "nobody", fault.ToString());
        switch (fault)
        {
            case Fault.Kill:
                node?.Kill();
                break;
            case Fault.Pause when node is { Process.IsPaused: false }:
                node.Process.IsPaused = true;
                Later("is resumed", 8000, () => node.Process.IsPaused = false);
                break;
            case Fault.Drain:
                if (node is { Process.IsPaused: false }) node.Drain();
                break;
            case Fault.CutOff when node is not null:
                cluster.Network.CutOff(node.Process);
                Later("is connected again", 5000, () => cluster.Network.Reconnect(node.Process));
                break;
            case Fault.SecondOwner:
                cluster.Ownership.GiveToAnother(Random.Next(Profile.Shards));
                break;
            case Fault.StoreFails:
                cluster.StoreFaults.Failing = Random.Next(4) switch { 0 => 1000, 1 => 500, _ => 150 };
                Later("store works again", 3000, () => cluster.StoreFaults.Failing = 0);
                break;
            case Fault.StoreIsSlow:
                cluster.StoreFaults.SlowMs = 1 << (4 + Random.Next(9));
                Later("store is fast again", 10_000, () => cluster.StoreFaults.SlowMs = 0);
                break;
            case Fault.NetworkLoses:
                cluster.Network.Losing = Random.Next(500);
                Later("network loses no more", 3000, () => cluster.Network.Losing = 0);
                break;
            case Fault.NetworkRepeats:
                cluster.Network.Repeating = 500;
                Later("network repeats no more", 6000, () => cluster.Network.Repeating = 0);
                break;
        }
    }

    private void Later(string what, int longestMs, Action end) => cluster.Schedule.Post(outside, what, 0, () =>
    {
        if (!_isOver) end();
    }, Random.Next(longestMs));
}
