namespace Relay.Simulation.Tests.Nodes;

/// <summary>What nodes do wrong on purpose: the checker must find each out.</summary>
[Flags]
internal enum NodeMutation
{
    None = 0,
    /// <summary>A command's expiry is checked when it arrives, before the state is loaded, and not again.</summary>
    ChecksExpiryOnArrival = 1,
    /// <summary>Ids are forgotten by number although copies of their commands may still come.</summary>
    ForgetsYoungIds = 2,
    /// <summary>Replies are released before the commit.</summary>
    AnswersBeforeCommit = 4,
    /// <summary>The queue of an entity grows without bound.</summary>
    IgnoresQueueBound = 8,
    /// <summary>What has queued up during a turn waits until something else arrives.</summary>
    StallsAfterATurn = 16,
    /// <summary>An owner that has died is not replaced.</summary>
    KeepsTheDeadAsOwners = 32,
    /// <summary>A candidate state is kept although its commit was refused or failed.</summary>
    KeepsTheCandidate = 64,
    /// <summary>What is loaded has forgotten that it is to be decided about a key.</summary>
    ForgetsHeldKeys = 128,
}
