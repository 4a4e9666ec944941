namespace Relay.Simulation.Tests;

/// <summary>What must hold in every schedule.</summary>
internal enum Invariant
{
    /// <summary>Each message is delivered once, in order, in both directions.</summary>
    ExactlyOnceInOrder,
    /// <summary>No AES counter is used for two texts under one key.</summary>
    OneTextPerCounter,
    /// <summary>What is in a stream was made by a state that is stored.</summary>
    StateBeforeWire,
    /// <summary>A stream's sequence has no gap, and an item stays what it is.</summary>
    GapFreeStreams,
    /// <summary>A replayed request gets its first answer.</summary>
    FirstAnswer,
    /// <summary>A version is committed once, by the shard's owner.</summary>
    OneOwner,
    /// <summary>No session has to be set up again.</summary>
    OneSession,
    /// <summary>A message comes to one end; the bot is told once if it was refused; what is carried stays so.</summary>
    OneEnd,
    /// <summary>Nothing goes to a key that took another's place before a person has accepted it.</summary>
    HeldKeys,
    /// <summary>What is stored is what was told to those outside.</summary>
    StoredIsTold,
    /// <summary>Nothing is in flight when all is quiet.</summary>
    NothingInFlight,
    /// <summary>Every bound is kept.</summary>
    Bounds,
    /// <summary>Once the faults are over, all comes to its end.</summary>
    Liveness,
    /// <summary>No bug of ours comes out as an exception.</summary>
    NoFault,
}

/// <summary>An invariant does not hold.</summary>
internal sealed class ViolationException(Invariant invariant, string what) : Exception($"{invariant}: {what}")
{
    public Invariant Invariant => invariant;
}
