using Relay.Actors;
using Relay.Simulation.Tests.Engine;
using Relay.Simulation.Tests.Outside;
using Relay.Storage;

namespace Relay.Simulation.Tests;

/// <summary>What can go wrong in a schedule.</summary>
[Flags]
internal enum Fault
{
    None = 0,
    Kill = 1,
    Pause = 2,
    Drain = 4,
    LoseConnection = 8,
    SecondOwner = 16,
    StoreFails = 32,
    StoreIsSlow = 64,
    BrokerLoses = 128,
    BrokerRepeats = 256,
    All = 511,
}

/// <summary>
/// What kind of schedule a seed gives. Not every fault in each: where everything fails all the time, little happens that
/// could go wrong.
/// </summary>
internal sealed record Profile
{
    public const int Peers = 2;
    public const int NodeCount = 3;
    public const int Shards = 2;

    /// <summary>Whether it begins before the first message, rather than in standing sessions.</summary>
    public required bool BeginsWithKeyExchange { get; init; }

    /// <summary>Messages in each direction of each conversation.</summary>
    public required int Messages { get; init; }

    /// <summary>Time within which they are given to those who send them.</summary>
    public required int SpanMs { get; init; }

    public required Fault Faults { get; init; }

    /// <summary>How often, in a thousand steps, a fault begins.</summary>
    public required int FaultRate { get; init; }

    public required int MaxResident { get; init; }

    public required int MaxStreamItems { get; init; }

    /// <summary>By how much the nodes' clocks are wrong, at most.</summary>
    public required int SkewMs { get; init; }

    public required SenderHabits Habits { get; init; }

    public static Profile Draw(SimRandom random)
    {
        var faults = (Fault)random.Next((int)Fault.All + 1) & (Fault)random.Next((int)Fault.All + 1);
        if (random.Chance(100)) faults = Fault.All;
        if (faults == Fault.None) faults = (Fault)(1 << random.Next(9));
        bool beginsWithKeyExchange = random.Chance(60);
        // What takes long would have the key exchange begun anew.
        if (beginsWithKeyExchange) faults &= ~(Fault.Pause | Fault.StoreIsSlow | Fault.BrokerLoses);
        return new Profile
        {
            BeginsWithKeyExchange = beginsWithKeyExchange,
            Messages = 2 + random.Next(4),
            SpanMs = random.Chance(500) ? 300 : 6000,
            Faults = faults,
            FaultRate = beginsWithKeyExchange || random.Chance(500) ? 10 : 40,
            MaxResident = 1 + random.Next(2),
            MaxStreamItems = random.Chance(150) ? 3 : StorageLimits.MaxStreamItems,
            SkewMs = random.Chance(300) ? 5000 : 0,
            Habits = new SenderHabits(random.Next(200), random.Next(300), random.Next(1000)),
        };
    }

    /// <summary>Nothing goes wrong.</summary>
    public static Profile Quiet => new()
    {
        BeginsWithKeyExchange = true, Messages = 1, SpanMs = 10, Faults = Fault.None, FaultRate = 0, MaxResident = 2,
        MaxStreamItems = StorageLimits.MaxStreamItems, SkewMs = 0, Habits = new SenderHabits(0, 0, 0),
    };
}
