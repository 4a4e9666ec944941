using Relay.Actors.Endpoints;
using Relay.Actors.Epochs;
using Relay.Actors.Files;

namespace Relay.Actors;

/// <summary>Sizes and times that tests reduce, and that differ between one process and a node of a cluster.</summary>
internal sealed record RelayNodeOptions
{
    public string? SealingKeyFile { get; init; }

    /// <summary>Null: everything is sealed under the sealing key.</summary>
    public SealingEpochOptions? Epochs { get; init; }

    /// <summary>Null: as <see cref="Epochs"/> says.</summary>
    public EpochTimes? EpochTimes { get; init; }

    public int ConcurrentSteps { get; init; } = Environment.ProcessorCount;
    public ComputeAllowance ComputeAllowance { get; init; } = ComputeAllowance.Default;
    public int MaxResidentConversations { get; init; } = RelayLimits.MaxResidentConversations;
    public int MaxCachedAccounts { get; init; } = RelayLimits.MaxCachedAccounts;

    /// <summary>Time for which an idle conversation stays in memory.</summary>
    public TimeSpan PassivateAfter { get; init; } = RelayLimits.PassivateAfter;

    /// <summary>Polling interval for deadlines that another process has stored.</summary>
    public TimeSpan DeadlineRecheck { get; init; } = RelayLimits.LongestDeadlineSleep;

    /// <summary>Polling interval for endpoints that another node has updated; null: there is no other node.</summary>
    public TimeSpan? EndpointRecheck { get; init; }

    /// <summary>Shortest pause between two looks at the store for the gauges of the whole cluster; null: there are none.</summary>
    public TimeSpan? CensusInterval { get; init; }

    /// <summary>Interval at which the node looks for endpoints to purge.</summary>
    public TimeSpan PurgeInterval { get; init; } = RelayLimits.PurgeInterval;

    public FileSettings Files { get; init; } = FileSettings.Default;

    /// <summary>Interval at which the node looks for files whose life is over.</summary>
    public TimeSpan FileExpiryInterval { get; init; } = FileLimits.ExpiryInterval;

    /// <summary>Polling interval of stream readers, in case an append notification is lost; null: no polling.</summary>
    public TimeSpan? StreamRecheck { get; init; }
}
