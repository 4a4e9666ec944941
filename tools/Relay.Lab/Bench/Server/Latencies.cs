using System.Diagnostics;

namespace Relay.Lab.Bench.Server;

/// <summary>Collects the latencies of messages that arrive during a measurement. Thread-safe.</summary>
internal sealed class Latencies
{
    private readonly Lock _lock = new();
    private readonly Samples _milliseconds = new();
    private bool _isMeasuring;

    /// <summary>Starts the measurement.</summary>
    public void Begin()
    {
        lock (_lock) _isMeasuring = true;
    }

    /// <summary>Ends the measurement.</summary>
    public void End()
    {
        lock (_lock) _isMeasuring = false;
    }

    /// <param name="sent">The <see cref="Stopwatch"/> timestamp at which the message was sent.</param>
    public void Arrived(long sent)
    {
        var took = Stopwatch.GetElapsedTime(sent).TotalMilliseconds;
        lock (_lock)
        {
            if (_isMeasuring) _milliseconds.Add(took);
        }
    }

    public int Count { get { lock (_lock) return _milliseconds.Values.Count; } }

    /// <summary>A quantile in milliseconds; null if nothing arrived.</summary>
    public double? Quantile(double share)
    {
        lock (_lock) return _milliseconds.Any ? _milliseconds.Quantile(share) : null;
    }
}
