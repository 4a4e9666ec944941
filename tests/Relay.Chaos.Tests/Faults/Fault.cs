namespace Relay.Chaos.Tests.Faults;

/// <summary>Something that breaks, and is mended again.</summary>
internal abstract class Fault
{
    /// <summary>All of them, in the order of the short form.</summary>
    public static IReadOnlyList<Fault> All { get; } =
        [new KilledRelay(), new RollingRestart(), new KilledBroker(), new RestartedBroker(), new KilledDatabase(), new RestartedDatabase(), new PausedRelay(), new CutOffRelay()];

    /// <summary>For people, as the subject of a sentence.</summary>
    public abstract string Name { get; }

    /// <summary>What it strikes: two that strike different parts may strike at once.</summary>
    public abstract Part Strikes { get; }

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

    internal enum Part
    {
        Relays,
        Broker,
        Database,
    }
}
