namespace Relay.Simulation.Tests.Store;

/// <summary>What a broken store does: the checker must find each out.</summary>
[Flags]
internal enum StoreMutation
{
    None = 0,
    /// <summary>A commit is done whatever version is stored.</summary>
    IgnoresVersion = 1,
    /// <summary>A commit is done for an owner that has lost the shard.</summary>
    IgnoresFence = 2,
    /// <summary>The ids seen are not kept.</summary>
    ForgetsSeenIds = 4,
    /// <summary>A unit that is refused has used sequences up.</summary>
    LeavesGaps = 8,
    /// <summary>The streams are written, the state is not.</summary>
    ForgetsState = 16,
    /// <summary>One item more than was acknowledged is deleted.</summary>
    AcknowledgesTooMuch = 32,
    /// <summary>Now and then a commit is answered, but not done.</summary>
    LosesCommits = 64,
    /// <summary>When a shard is claimed, its conversations are gone.</summary>
    LosesConversations = 128,
    /// <summary>Items of streams are damaged.</summary>
    DamagesItems = 256,
    /// <summary>A unit is done although the wire text that must not be acknowledged is.</summary>
    IgnoresAcknowledgements = 512,
}
