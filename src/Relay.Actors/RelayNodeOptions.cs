using Relay.Actors.Endpoints;

namespace Relay.Actors;

/// <summary>The sizes and times that a test makes small, and what differs between one process and a node of many.</summary>
internal sealed record RelayNodeOptions
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

    /// <summary>Polling interval of stream readers, in case an append notification is lost; null: no polling.</summary>
    public TimeSpan? StreamRecheck { get; init; }
}
