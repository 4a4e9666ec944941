using Relay.Actors.Endpoints;

namespace Relay.Actors;

/// <summary>The sizes and times that a test makes small, and what differs between one process and a node of many.</summary>
/// <param name="Shards">In all.</param>
internal sealed record RelayNodeOptions(int Shards)
{
    public string? SealingKeyFile { get; init; }
    public int ConcurrentSteps { get; init; } = Environment.ProcessorCount;
    public ComputeAllowance ComputeAllowance { get; init; } = ComputeAllowance.Default;
    public int MaxResidentConversations { get; init; } = RelayLimits.MaxResidentConversations;
    public int MaxCachedAccounts { get; init; } = RelayLimits.MaxCachedAccounts;

    /// <summary>Time for which an idle conversation stays in memory.</summary>
    public TimeSpan PassivateAfter { get; init; } = RelayLimits.PassivateAfter;

    /// <summary>Time after which deadlines are looked for that another process may have set.</summary>
    public TimeSpan DeadlineRecheck { get; init; } = RelayLimits.LongestDeadlineSleep;

    /// <summary>Time after which a reader looks at a stream again without being told that it has grown; null: it is always told.</summary>
    public TimeSpan? StreamRecheck { get; init; }

    /// <summary>How those go on who wait for an answer, an append or a drain: in the thread pool, or at once, as a simulation on one thread has it.</summary>
    public TaskCreationOptions Continuations { get; init; } = TaskCreationOptions.RunContinuationsAsynchronously;

    /// <summary>Has an actor run.</summary>
    public Action<IThreadPoolWorkItem> Schedule { get; init; } = static item => ThreadPool.UnsafeQueueUserWorkItem(item, preferLocal: false);
}
