using System.Diagnostics.Metrics;

namespace Relay.Storage.Telemetry;

/// <summary>Metrics of the stores' transactions: counts and durations only. They are listed in docs/metrics.yaml.</summary>
/// <param name="meter">Has the name <see cref="MeterName"/>. Its owner disposes of it.</param>
public sealed class StorageTelemetry(Meter meter)
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "Relay.Storage";

    private readonly Histogram<double> _duration = meter.CreateHistogram("relay.store.commit.duration", "s",
        "Time of a transaction with its flush to disk.", advice: HistogramBounds.Fast);
    private readonly Histogram<int> _units = meter.CreateHistogram("relay.store.commit.units", "{unit}",
        "Write jobs that shared a transaction.", advice: HistogramBounds.Counts);
    private readonly Counter<long> _failures = meter.CreateCounter<long>("relay.store.commit.failures", "{transaction}",
        "Transactions that failed.");

    /// <summary>Makes every series of the counters begin at zero, once the exporters listen.</summary>
    public void Begin()
    {
        foreach (var fault in Enum.GetValues<CommitFault>()) _failures.Add(0, Label(fault));
    }

    internal void CommitFailed(CommitFault fault) => _failures.Add(1, Label(fault));

    internal void Committed(int units, TimeSpan time)
    {
        _units.Record(units);
        _duration.Record(time.TotalSeconds);
    }

    private static KeyValuePair<string, object?> Label(CommitFault fault) => new("error.type", fault switch
    {
        CommitFault.Connection => "connection",
        CommitFault.Timeout => "timeout",
        CommitFault.Serialization => "serialization",
        CommitFault.DiskFull => "disk_full",
        _ => "other",
    });
}

/// <summary>Why a transaction failed, as far as an operator can act on it.</summary>
internal enum CommitFault
{
    /// <summary>Anything that is none of the following.</summary>
    Other,
    /// <summary>The database is away, or the connection broke.</summary>
    Connection,
    /// <summary>A lock or a statement took too long.</summary>
    Timeout,
    /// <summary>It lost against another transaction.</summary>
    Serialization,
    /// <summary>There is no space left.</summary>
    DiskFull,
}
