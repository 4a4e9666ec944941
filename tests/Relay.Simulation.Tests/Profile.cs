using Relay.Actors;
using Relay.Actors.Conversations;
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
    CutOff = 8,
    SecondOwner = 16,
    StoreFails = 32,
    StoreIsSlow = 64,
    NetworkLoses = 128,
    NetworkRepeats = 256,
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

    private const int SmallLog = 5;

    /// <summary>Whether it begins before the first message, rather than in established sessions.</summary>
    public required bool BeginsWithKeyExchange { get; init; }

    /// <summary>
    /// Whether the contacts' keys take the place of others, and wait for a person to accept them. Only where it begins with a key exchange.
    /// </summary>
    public bool HoldsKeys { get; init; }

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

    /// <summary>Time from asking to a command's expiry.</summary>
    public required int ExpiryMs { get; init; }

    /// <summary>Time after which a command without a reply is sent again.</summary>
    public int AskAgainMs => ExpiryMs / 5;

    /// <summary>The sizes of request logs.</summary>
    public required RequestLogBounds Log { get; init; }

    /// <summary>Messages that an entity takes in one turn.</summary>
    public required int MaxBatch { get; init; }

    /// <summary>Messages that wait for an entity.</summary>
    public required int MaxQueue { get; init; }

    public required SenderHabits Habits { get; init; }

    public static Profile Draw(SimRandom random)
    {
        var faults = (Fault)random.Next((int)Fault.All + 1) & (Fault)random.Next((int)Fault.All + 1);
        if (random.Chance(100)) faults = Fault.All;
        if (faults == Fault.None) faults = (Fault)(1 << random.Next(9));
        bool beginsWithKeyExchange = random.Chance(60);
        // What takes long would have the key exchange begun anew.
        if (beginsWithKeyExchange) faults &= ~(Fault.Pause | Fault.StoreIsSlow | Fault.CutOff | Fault.NetworkLoses);
        var profile = new Profile
        {
            BeginsWithKeyExchange = beginsWithKeyExchange,
            Messages = 2 + random.Next(4),
            SpanMs = random.Chance(500) ? 300 : 6000,
            Faults = faults,
            FaultRate = beginsWithKeyExchange || random.Chance(500) ? 10 : 40,
            MaxResident = 1 + random.Next(2),
            MaxStreamItems = random.Chance(150) ? 3 : StorageLimits.MaxStreamItems,
            SkewMs = random.Chance(300) ? 5000 : 0,
            ExpiryMs = (int)RelayLimits.CommandExpiry.TotalMilliseconds,
            // Without a draw of its own, so that the schedules of known seeds stay as they are.
            Log = RequestLogBounds.Default with { MaxTailIds = 1 + ((int)faults % 5) },
            MaxBatch = random.Chance(500) ? RelayLimits.MaxCommandsPerUnit : 1,
            MaxQueue = random.Chance(700) ? RelayLimits.MaxMailboxDepth : 2,
            Habits = new SenderHabits(random.Next(200), random.Next(300), random.Next(1000), int.MaxValue) { Refusals = 100 },
        };
        return beginsWithKeyExchange || random.Chance(700) ? profile : profile.WithShortMemory(random);
    }

    /// <summary>
    /// Commands live for a second and logs hold a handful of ids, so that a schedule sees ids being forgotten, commands that
    /// expire, and copies that come after both.
    /// </summary>
    public Profile WithShortMemory(SimRandom random) => this with
    {
        Messages = 4 + random.Next(5),
        ExpiryMs = 1000,
        Log = new RequestLogBounds { MaxIds = SmallLog, MaxRequests = 1, MaxTailIds = 1, Kept = TimeSpan.FromMilliseconds(2000) },
        Habits = Habits with { Replays = 0, MostAhead = 1, Refusals = 0 },
    };

    /// <summary>A node's clock is right, or wrong by up to <see cref="SkewMs"/> in either direction.</summary>
    public long DrawSkew(SimRandom random) => SkewMs == 0 || random.Chance(300) ? 0 : random.Next(2 * SkewMs) - SkewMs;

    /// <summary>Nothing goes wrong.</summary>
    public static Profile Quiet => new()
    {
        BeginsWithKeyExchange = true, Messages = 1, SpanMs = 10, Faults = Fault.None, FaultRate = 0, MaxResident = 2,
        MaxStreamItems = StorageLimits.MaxStreamItems, SkewMs = 0, ExpiryMs = (int)RelayLimits.CommandExpiry.TotalMilliseconds,
        Log = RequestLogBounds.Default with { MaxTailIds = 1 }, MaxBatch = RelayLimits.MaxCommandsPerUnit, MaxQueue = RelayLimits.MaxMailboxDepth,
        Habits = new SenderHabits(0, 0, 0, int.MaxValue),
    };
}
