using System.Diagnostics.Metrics;
using Relay.Storage;

namespace Relay.Actors.Telemetry;

/// <summary>The streams, in metrics.</summary>
internal enum StreamGroup { Events, Wire, Subscription }

/// <summary>A stream with items that are not acknowledged.</summary>
/// <param name="Since">When the first of them was committed; null: it does not open.</param>
internal readonly record struct WaitingStream(StreamGroup Group, DateTimeOffset? Since);

/// <summary>What was found at one look at the store.</summary>
internal sealed record Census(StoreFigures Figures, IReadOnlyList<WaitingStream> Waiting);

/// <summary>
/// Gauges of the whole cluster. One node emits them, the one that keeps the deadlines; the others emit none of these series. Ages grow
/// between two looks at the store.
/// </summary>
internal sealed class StoreGauges
{
    private static readonly MetricLabel<StreamGroup> s_stream = new("relay.stream");

    private readonly TimeProvider _time;
    private volatile Census? _current;

    public StoreGauges(Meter meter, TimeProvider time)
    {
        _time = time;
        meter.CreateObservableGauge("relay.endpoints", () => One(f => f.Endpoints), "{endpoint}", "Endpoints in the store.");
        meter.CreateObservableGauge("relay.conversations", () => One(f => f.Conversations), "{conversation}", "Conversations in the store.");
        meter.CreateObservableGauge("relay.store.size", () => One(f => f.SizeBytes), "By", "Bytes that the store takes on disk.");
        meter.CreateObservableGauge("relay.deadline.lag", IEnumerable<Measurement<double>> () => Census is { } census
            ? [new Measurement<double>(census.Figures.EarliestDueMs is { } due ? Age(DateTimeOffset.FromUnixTimeMilliseconds(due)) : 0)] : [],
            "s", "Time for which the earliest deadline has been due.");
        meter.CreateObservableGauge("relay.stream.backlog", () => Each((census, group) => group switch
        {
            StreamGroup.Events => census.Figures.EventsBacklog,
            StreamGroup.Wire => census.Figures.WireBacklog,
            _ => census.Figures.SubscriptionBacklog,
        }), "{item}", "Items that are stored and not acknowledged.");
        meter.CreateObservableGauge("relay.stream.oldest_unacknowledged.age", () => Each((census, group) =>
            census.Waiting.Where(w => w.Group == group).Select(w => w.Since is { } since ? Age(since) : 0).DefaultIfEmpty().Max()),
            "s", "Age of the oldest item that is not acknowledged.");
        meter.CreateObservableGauge("relay.stream.stalled", () => Each((census, group) => (long)census.Waiting.Count(
            w => w.Group == group && (w.Since is not { } since || Age(since) > RelayLimits.StalledAfter.TotalSeconds))),
            "{stream}", "Streams whose first item has waited for more than a minute.");
    }

    /// <summary>The last census; null: this node takes none.</summary>
    public Census? Current { set => _current = value; }

    private Census? Census => _current;

    private double Age(DateTimeOffset since) => Math.Max((_time.GetUtcNow() - since).TotalSeconds, 0);

    private IEnumerable<Measurement<long>> One(Func<StoreFigures, long> figure) =>
        Census is { } census ? [new Measurement<long>(figure(census.Figures))] : [];

    private IEnumerable<Measurement<T>> Each<T>(Func<Census, StreamGroup, T> value) where T : struct => Census is { } census
        ? Enum.GetValues<StreamGroup>().Select(g => new Measurement<T>(value(census, g), s_stream[g])).ToArray() : [];
}
