using System.Security.Cryptography;
using Akka.Actor;
using Microsoft.Extensions.Logging;
using Relay.Actors.Outbox;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Deadlines;

/// <summary>
/// Measures what only the store knows, for operators: how much waits, and for how long. It is a child of <see cref="DeadlineKeeper"/>,
/// which is one in the whole cluster, so that nothing is measured twice; where it ends, its gauges end.
/// </summary>
internal sealed class StoreCensus : UntypedActor
{
    private readonly IStoreFigures _store;
    private readonly Sealer _sealer;
    private readonly StoreGauges _gauges;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopping = new();
    private ITimer? _timer;

    public StoreCensus(
        IStoreFigures store, Sealer sealer, StoreGauges gauges, TimeSpan interval, TimeProvider time, ILogger log)
        => (_store, _sealer, _gauges, _interval, _time, _log) = (store, sealer, gauges, interval, time, log);

    /// <param name="interval">The shortest time between the end of a census and the next one.</param>
    public static Props Props(
        IStoreFigures store, Sealer sealer, StoreGauges gauges, TimeSpan interval, TimeProvider time, ILogger log)
        => Akka.Actor.Props.Create(() => new StoreCensus(store, sealer, gauges, interval, time, log));

    private sealed record Look : INoSerializationVerificationNeeded
    {
        public static Look Instance { get; } = new();
    }

    /// <param name="Census">Null: the store failed.</param>
    private sealed record Looked(Census? Census, string Error, TimeSpan Time) : INoSerializationVerificationNeeded;

    protected override void PreStart() => Begin();

    protected override void PostStop()
    {
        _stopping.Cancel();
        _timer?.Dispose();
        // Another node measures from here on.
        _gauges.Current = null;
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Look:
                Begin();
                break;
            case Looked looked:
                if (looked.Census is { } census) _gauges.Current = census;
                else RelayLog.CensusFailed(_log, looked.Error);
                // A large store is looked at less often: it costs the database a fixed share of its time at most.
                var pause = TimeSpan.FromTicks(Math.Max(_interval.Ticks, looked.Time.Ticks * RelayLimits.CensusPauseFactor));
                _timer?.Dispose();
                _timer = _time.CreateTimer(static self => ((IActorRef)self!).Tell(Look.Instance), Self, pause, Timeout.InfiniteTimeSpan);
                break;
        }
    }

    private void Begin() => LookAsync(_stopping.Token).PipeTo(Self);

    private async Task<Looked> LookAsync(CancellationToken stopping)
    {
        long start = _time.GetTimestamp();
        try
        {
            var figures = await _store.ReadFiguresAsync(stopping).ConfigureAwait(false);
            var heads = await ReadHeadsAsync(stopping).ConfigureAwait(false);
            return new Looked(new Census(figures, heads), "", _time.GetElapsedTime(start));
        }
        // A census that fails is missed by nobody but the operator's page.
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return new Looked(null, e.GetType().Name, _time.GetElapsedTime(start));
        }
    }

    private async Task<IReadOnlyList<WaitingStream>> ReadHeadsAsync(CancellationToken stopping)
    {
        var waiting = new List<WaitingStream>();
        StreamKey? after = null;
        while (waiting.Count < RelayLimits.MaxStreamsPerCensus)
        {
            var portion = await _store.ReadHeadsAsync(after, RelayLimits.StreamsPerCensusRead, stopping).ConfigureAwait(false);
            foreach (var head in portion)
            {
                var group = head.Stream.Kind == StreamKind.Wire ? StreamGroup.Wire
                    : head.Stream.EndpointId.Contains('/', StringComparison.Ordinal) ? StreamGroup.Subscription : StreamGroup.Events;
                waiting.Add(new WaitingStream(group, TimeOf(head)));
            }
            if (portion.Count < RelayLimits.StreamsPerCensusRead) break;
            after = portion[^1].Stream;
        }
        return waiting;
    }

    /// <summary>When an item was committed; null: its row does not open.</summary>
    private DateTimeOffset? TimeOf(StreamHead head)
    {
        if (_sealer.TryOpen(SealedTable.Outbox, SealedOutbox.Row(head.Stream, head.Sequence), head.Sealed) is not { } clear) return null;
        var time = OutboxCodec.TryReadTime(clear);
        CryptographicOperations.ZeroMemory(clear);
        return time;
    }
}
