namespace Relay.Actors.Epochs;

/// <summary>The sealing epochs: how long a copy of the database can be opened with the keys of later.</summary>
public sealed record SealingEpochOptions
{
    /// <summary>
    /// Whether values are sealed in epochs. Null: in a store of one process; a cluster goes on as it does. Once they are in a cluster, all
    /// of its nodes do so.
    /// </summary>
    public bool? IsEnabled { get; init; }

    /// <summary>
    /// File of the epoch key, made (0600) if absent; null: `epoch.key` in the data directory. It must be in no backup, snapshot or replica.
    /// </summary>
    public string? KeyFile { get; init; }

    /// <summary>
    /// How long an epoch lasts. When it is over, what is stored is sealed again, and the keys of the time before are destroyed. At least
    /// <see cref="RelayLimits.LeastEpoch"/>.
    /// </summary>
    public TimeSpan Length { get; init; } = RelayLimits.DefaultEpoch;

    /// <summary>
    /// Begins with a new epoch key although the file of the earlier one is missing: sessions and what was not delivered are lost.
    /// </summary>
    public bool BeginAnew { get; init; }
}

/// <summary>Times that tests reduce.</summary>
internal sealed record EpochTimes(TimeSpan Length)
{
    /// <summary>Time between two looks at whether an epoch is over.</summary>
    public TimeSpan Look { get; init; } = RelayLimits.EpochLook;

    /// <summary>Time in which all nodes learn of a new epoch, before values of the one before are refused.</summary>
    public TimeSpan Settle { get; init; } = RelayLimits.EpochSettle;

    /// <summary>Interval at which a node of a cluster looks what the epochs are.</summary>
    public TimeSpan Watch { get; init; } = RelayLimits.EpochWatch;

    /// <summary>
    /// Time for which the keys are kept after the last row was sealed again: what was read before is opened until then.
    /// </summary>
    public TimeSpan Grace { get; init; } = RelayLimits.EpochGrace;
}
