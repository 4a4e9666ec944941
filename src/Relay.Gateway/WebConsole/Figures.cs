using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Relay.Actors.Telemetry;
using Relay.Gateway.Hosting;
using Relay.Gateway.Telemetry;
using Relay.Storage.Telemetry;

namespace Relay.Gateway.WebConsole;

/// <summary>What one slot of time counted on this node.</summary>
internal sealed record FigureSlot
{
    /// <summary>Wire texts that were taken in or rejected, and those that this node failed to take.</summary>
    public long Received { get; init; }
    public long Rejected { get; init; }
    public long ReceiveFailed { get; init; }
    /// <summary>Texts of bots, those that wait for a session, and those that this node failed to take.</summary>
    public long Sent { get; init; }
    public long Held { get; init; }
    public long SendFailed { get; init; }
    /// <summary>Deliveries to readers who were there, in the buckets of <see cref="HistogramBounds.Fast"/> and one above.</summary>
    public required IReadOnlyList<long> Inbound { get; init; }
    public required IReadOnlyList<long> Outbound { get; init; }
    /// <summary>Commits, in the same buckets.</summary>
    public required IReadOnlyList<long> Commits { get; init; }
    /// <summary>Records that did not open.</summary>
    public long SealFailures { get; init; }
}

/// <summary>
/// The last hour of this node, from its own instruments: the console needs no Prometheus. Counting costs an addition for each measurement;
/// a timer moves the counts into a ring of slots. Thread-safe.
/// </summary>
internal sealed class Figures : IHostedService, IDisposable
{
    public const int Slots = 240;

    private static readonly IReadOnlyList<double> s_bounds = HistogramBounds.Fast.HistogramBucketBoundaries!;

    private readonly TimeProvider _time;
    private readonly MeterListener _listener = new();
    private readonly Lock _lock = new();
    private readonly Queue<FigureSlot> _ring = new();
    private readonly long[] _inbound = new long[s_bounds.Count + 1], _outbound = new long[s_bounds.Count + 1], _commits = new long[s_bounds.Count + 1];
    private long _received, _rejected, _receiveFailed, _sent, _held, _sendFailed, _sealFailures;
    private ITimer? _timer;

    public Figures(TimeProvider time)
    {
        _time = time;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name is GatewayMetrics.MeterName or RelayTelemetry.MeterName or StorageTelemetry.MeterName
                && instrument.Name is "relay.wire.received" or "relay.message.sends" or "relay.delivery.duration"
                    or "relay.store.commit.duration" or "relay.seal.failures") listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>(Count);
        _listener.SetMeasurementEventCallback<double>(Record);
    }

    /// <summary>The slots, the oldest first; those before the start of the node are not there.</summary>
    public IReadOnlyList<FigureSlot> Read()
    {
        lock (_lock) return [.. _ring];
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _listener.Start();
        _timer = _time.CreateTimer(_ => Turn(), null, GatewayLimits.ConsoleFigureSlot, GatewayLimits.ConsoleFigureSlot);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _timer?.Dispose();
        _listener.Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _listener.Dispose();
    }

    /// <summary>The value below which a share of the measurements lie, as their buckets tell it; null: there are none.</summary>
    public static TimeSpan? Quantile(IReadOnlyList<long> buckets, double share)
    {
        long all = buckets.Sum();
        if (all == 0) return null;
        double wanted = share * all;
        for (int i = 0; i < s_bounds.Count; i++)
        {
            if (buckets[i] >= wanted)
            {
                double low = i == 0 ? 0 : s_bounds[i - 1];
                return TimeSpan.FromSeconds(low + (s_bounds[i] - low) * (wanted / Math.Max(buckets[i], 1)));
            }
            wanted -= buckets[i];
        }
        return TimeSpan.FromSeconds(s_bounds[^1]);
    }

    /// <summary>How many measurements are at most this long; the time must be one of the bounds.</summary>
    public static long CountWithin(IReadOnlyList<long> buckets, double seconds) =>
        buckets.Where((_, i) => i < s_bounds.Count && s_bounds[i] <= seconds).Sum();

    public static IReadOnlyList<long> Sum(IEnumerable<IReadOnlyList<long>> slots)
    {
        var sum = new long[s_bounds.Count + 1];
        foreach (var slot in slots)
        {
            for (int i = 0; i < sum.Length; i++) sum[i] += slot[i];
        }
        return sum;
    }

    private void Turn()
    {
        var slot = new FigureSlot
        {
            Received = Take(ref _received), Rejected = Take(ref _rejected), ReceiveFailed = Take(ref _receiveFailed),
            Sent = Take(ref _sent), Held = Take(ref _held), SendFailed = Take(ref _sendFailed), SealFailures = Take(ref _sealFailures),
            Inbound = Take(_inbound), Outbound = Take(_outbound), Commits = Take(_commits),
        };
        lock (_lock)
        {
            if (_ring.Count == Slots) _ring.Dequeue();
            _ring.Enqueue(slot);
        }
    }

    private void Count(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        if (value == 0) return;
        if (instrument.Name == "relay.seal.failures")
        {
            Interlocked.Add(ref _sealFailures, value);
            return;
        }
        bool isWire = instrument.Name == "relay.wire.received";
        switch (Tag(tags, "outcome"))
        {
            case "failed": Interlocked.Add(ref (isWire ? ref _receiveFailed : ref _sendFailed), value); break;
            case "rejected": Interlocked.Add(ref _rejected, value); goto default;
            case "held": Interlocked.Add(ref _held, value); goto default;
            default: Interlocked.Add(ref (isWire ? ref _received : ref _sent), value); break;
        }
    }

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        int bucket = 0;
        while (bucket < s_bounds.Count && value > s_bounds[bucket]) bucket++;
        if (instrument.Name == "relay.store.commit.duration") Interlocked.Increment(ref _commits[bucket]);
        // What was stored before a reader came was not waited for.
        else if (Tag(tags, "attended") == "true")
            Interlocked.Increment(ref (Tag(tags, "direction") == "inbound" ? _inbound : _outbound)[bucket]);
    }

    private static string? Tag(ReadOnlySpan<KeyValuePair<string, object?>> tags, string name)
    {
        foreach (var tag in tags)
        {
            if (tag.Key == name) return tag.Value as string;
        }
        return null;
    }

    private static long Take(ref long count) => Interlocked.Exchange(ref count, 0);

    private static long[] Take(long[] counts)
    {
        var taken = new long[counts.Length];
        for (int i = 0; i < counts.Length; i++) taken[i] = Take(ref counts[i]);
        return taken;
    }
}
