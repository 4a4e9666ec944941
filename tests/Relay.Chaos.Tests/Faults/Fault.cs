using Relay.Lab.Processes;

namespace Relay.Chaos.Tests.Faults;

/// <summary>Something that breaks, and is mended again.</summary>
internal abstract class Fault
{
    /// <summary>All of them, in the order of the short form.</summary>
    public static IReadOnlyList<Fault> All { get; } =
    [
        new KilledRelay(), new KilledCoordinator(), new ReusedAddress(), new KilledTwo(), new KilledOlderOfTwo(), new KilledYoungerOfTwo(),
        new RollingRestart(), new HungRelay(), new PausedRelay(), new CutOffRelay(),
        new KilledDatabase(), new RestartedDatabase(), new DroppedSession(),
    ];

    /// <summary>For people, as the subject of a sentence.</summary>
    public abstract string Name { get; }

    /// <summary>What it strikes: two that strike different parts may strike at once.</summary>
    public abstract Part Strikes { get; }

    /// <summary>Whether no relay may be downed because of it.</summary>
    public virtual bool DownsNobody => false;

    /// <summary>
    /// Whether the relays that are left are no majority, and go on only by the evidence that the database gives them. Together with a
    /// fault of the database they stop, and are started again.
    /// </summary>
    public virtual bool LeavesMinority => false;

    /// <summary>Whether the evidence that it leaves may be wrong, so that a relay with which something else is amiss is downed.</summary>
    public virtual bool MisleadsEvidence => false;

    /// <summary>Relays that had to find out that they were downed and end themselves, once each.</summary>
    public virtual IReadOnlyList<ClusterNode> Downed => [];

    /// <summary>Why it cannot be had here; null if it can.</summary>
    public virtual string? WhyNot(ChaosCluster cluster) => null;

    /// <summary>Breaks it, waits, and mends it.</summary>
    /// <returns>What was done, for people.</returns>
    public abstract Task<string> StrikeAsync(ChaosCluster cluster, Random random, CancellationToken cancellation);

    /// <summary>Looks at what came of it, once all conversations have come to rest.</summary>
    /// <returns>What was seen, for people; null if there is nothing to see.</returns>
    public virtual string? LookBack() => null;

    /// <summary>How long something stays broken.</summary>
    protected static TimeSpan Between(Random random, double leastSeconds, double mostSeconds) =>
        TimeSpan.FromSeconds(leastSeconds + random.NextDouble() * (mostSeconds - leastSeconds));

    protected static T AnyOf<T>(Random random, IReadOnlyList<T> all) => all[random.Next(all.Count)];

    internal enum Part
    {
        Relays,
        Database,
    }
}
