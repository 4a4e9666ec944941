using System.Diagnostics.Metrics;

namespace Relay.Storage.Telemetry;

/// <summary>Metrics of the stores' transactions: counts and durations only.</summary>
/// <param name="meter">The meter of the process, which disposes of it.</param>
public sealed class StorageTelemetry(Meter meter)
{
    private readonly Counter<long> _failures =
        meter.CreateCounter<long>("relay.store.failures", "{transaction}", "Transactions that failed.");
    private readonly Histogram<int> _unitsPerTransaction =
        meter.CreateHistogram<int>("relay.store.units_per_transaction", "{unit}", "Write jobs that shared one transaction.");
    private readonly Histogram<double> _duration =
        meter.CreateHistogram<double>("relay.store.transaction.duration", "s", "Duration of a transaction including its flush to disk.");

    internal void CommitFailed() => _failures.Add(1);

    internal void Committed(int units, TimeSpan time)
    {
        _unitsPerTransaction.Record(units);
        _duration.Record(time.TotalSeconds);
    }
}
