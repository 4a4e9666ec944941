using Relay.Simulation.Tests.Engine;

namespace Relay.Simulation.Tests.Store;

/// <summary>What becomes of one request to the store.</summary>
internal enum StoreFate
{
    Done,
    /// <summary>Not done, and said so.</summary>
    Fails,
    /// <summary>Done, but the caller is told that it failed.</summary>
    FailsAfterItIsDone,
    /// <summary>The caller is told that it failed, and only later is it done, or not.</summary>
    IsInDoubt,
}

/// <summary>How the store misbehaves at present.</summary>
internal sealed class StoreFaults
{
    /// <summary>Of a thousand requests, how many fail in some way.</summary>
    public int Failing { get; set; }

    /// <summary>Longest time that a request takes.</summary>
    public int SlowMs { get; set; }

    public StoreFate Draw(SimRandom random) => random.Chance(Failing) ? (StoreFate)(1 + random.Next(3)) : StoreFate.Done;

    public long Delay(SimRandom random) => SlowMs == 0 || random.Chance(500) ? random.Next(3) : random.Next(SlowMs);
}
