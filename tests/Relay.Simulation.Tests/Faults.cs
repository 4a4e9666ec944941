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
        cluster.Broker.Faults.End();
        foreach (var node in nodes.All) node.Resume();
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
                node.Pause(heartbeatMs: 1000 + Random.Next(3000));
                Later("is resumed", 8000, node.Resume);
                break;
            case Fault.Drain:
                if (node is { IsStarted: true }) node.DrainAsync();
                break;
            case Fault.LoseConnection:
                node?.LoseConnection(atBrokerFirst: Random.Chance(500), noticedAfterMs: Random.Next(5000));
                break;
            case Fault.SecondOwner:
                cluster.Broker.MakeSecondOwner(Random.Next(Profile.Shards));
                break;
            case Fault.StoreFails:
                cluster.StoreFaults.Failing = Random.Next(4) switch { 0 => 1000, 1 => 500, _ => 150 };
                Later("store works again", 3000, () => cluster.StoreFaults.Failing = 0);
                break;
            case Fault.StoreIsSlow:
                cluster.StoreFaults.SlowMs = 1 << (4 + Random.Next(9));
                Later("store is fast again", 10_000, () => cluster.StoreFaults.SlowMs = 0);
                break;
            case Fault.BrokerLoses:
                (cluster.Broker.Faults.Losing, cluster.Broker.Faults.LosingReplies, cluster.Broker.Faults.LosingAnnouncements) = (Random.Next(300), Random.Next(300), Random.Next(1000));
                Later("broker loses no more", 3000, cluster.Broker.Faults.End);
                break;
            case Fault.BrokerRepeats:
                cluster.Broker.Faults.Repeating = 500;
                Later("broker repeats no more", 3000, cluster.Broker.Faults.End);
                break;
        }
    }

    private void Later(string what, int longestMs, Action end) => cluster.Schedule.Post(outside, what, 0, () =>
    {
        if (!_isOver) end();
    }, Random.Next(longestMs));
}
