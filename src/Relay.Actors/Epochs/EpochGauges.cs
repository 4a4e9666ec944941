using System.Diagnostics.Metrics;
using Relay.Storage.Sealing;

namespace Relay.Actors.Epochs;

/// <summary>Gauges of the sealing epochs, of the whole cluster: the node that keeps the deadlines emits them.</summary>
internal sealed class EpochGauges
{
    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private EpochKeyFile.Position? _current;
    private long _unreadable;

    public EpochGauges(Meter meter, TimeProvider time)
    {
        _time = time;
        meter.CreateObservableGauge("relay.sealing.epoch.age", () => Measure(p => Age(p)), "s",
            "Time since the current sealing epoch began.");
        meter.CreateObservableGauge("relay.sealing.epochs.kept", () => Measure(p => (long)(p.Current - p.Floor)), "{epoch}",
            "Sealing epochs before the current one whose keys are not destroyed.");
        meter.CreateObservableGauge("relay.sealing.unreadable", () => Measure(_ => Interlocked.Read(ref _unreadable)), "{row}",
            "Rows that did not open when the last sealing epoch ended.");
    }

    /// <summary>Null: this node does not keep them.</summary>
    public EpochKeyFile.Position? Current
    {
        set
        {
            lock (_lock) _current = value;
        }
    }

    public long Unreadable { set => Interlocked.Exchange(ref _unreadable, value); }

    private double Age(EpochKeyFile.Position now)
        => Math.Max((_time.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(now.BegunMs)).TotalSeconds, 0);

    private IEnumerable<Measurement<T>> Measure<T>(Func<EpochKeyFile.Position, T> value) where T : struct
    {
        EpochKeyFile.Position? now;
        lock (_lock) now = _current;
        return now is { } position ? [new Measurement<T>(value(position))] : [];
    }
}
