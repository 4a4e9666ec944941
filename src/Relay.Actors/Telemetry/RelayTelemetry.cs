using System.Diagnostics;
using System.Diagnostics.Metrics;
using Otr.Core;
using Relay.Storage.Telemetry;

namespace Relay.Actors.Telemetry;

/// <summary>
/// Metrics and traces of the actors: counts, times and reasons, never content, keys, addresses or fingerprints.
/// </summary>
public sealed class RelayTelemetry : IDisposable
{
    /// <summary>The name of the activity source.</summary>
    public const string ActivitySourceName = "Relay";
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "Relay";

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _steps, _rejects, _refusals, _conflicts, _quarantines, _keyExchanges, _overloads, _replays, _notices,
        _activations, _passivations, _fenced, _late, _announcementsDropped;
    private readonly Histogram<double> _stepTime;

    internal RelayTelemetry()
    {
        _steps = _meter.CreateCounter<long>("relay.conversation.steps", "{step}", "Inputs to the protocol engine, by kind.");
        _rejects = _meter.CreateCounter<long>("relay.conversation.rejects", "{message}",
            "Wire texts of peers that were rejected, by reason.");
        _refusals = _meter.CreateCounter<long>("relay.conversation.refusals", "{request}", "Requests refused in their state, by reason.");
        _notices = _meter.CreateCounter<long>("relay.conversation.notes", "{note}", "Notes of the protocol engine, by kind.");
        _keyExchanges = _meter.CreateCounter<long>("relay.conversation.key_exchanges", "{exchange}", "Completed key exchanges.");
        _replays = _meter.CreateCounter<long>("relay.conversation.replays", "{request}",
            "Commands answered from the request log.");
        _quarantines = _meter.CreateCounter<long>("relay.quarantines", "{row}", "Stored rows that did not open, by table.");
        _overloads = _meter.CreateCounter<long>("relay.overloads", "{request}", "Requests refused because a bound was reached, by bound.");
        _late = _meter.CreateCounter<long>("relay.commands.late", "{request}",
            "Requests that got no reply in time and were answered UNAVAILABLE.");
        _conflicts = _meter.CreateCounter<long>("relay.store.conflicts", "{unit}",
            "Commit units refused by the version's compare-and-swap.");
        _fenced = _meter.CreateCounter<long>("relay.shard.fenced", "{attempt}",
            "Attempts under a lost claim of a shard that were refused, by kind.");
        _announcementsDropped = _meter.CreateCounter<long>("relay.stream.announcements.dropped", "{stream}",
            "Appends of which the other nodes were not told at once, because too many streams had grown; readers poll.");
        _activations = _meter.CreateCounter<long>("relay.conversation.activations", "{conversation}", "Conversations loaded into memory.");
        _passivations = _meter.CreateCounter<long>("relay.conversation.passivations", "{conversation}",
            "Conversations passivated.");
        Storage = new StorageTelemetry(_meter);
        _stepTime = _meter.CreateHistogram<double>("relay.conversation.step.duration", "s",
            "Computing time of one batch of a conversation.");
    }

    /// <summary>Metrics of the store, on the same meter.</summary>
    internal StorageTelemetry Storage { get; }

    internal ActivitySource Activities { get; } = new(ActivitySourceName);

    /// <summary>Adds the gauges of the process.</summary>
    internal void Observe(Func<int> resident, Func<int> inFlight)
    {
        _meter.CreateObservableGauge("relay.conversation.resident", resident, "{conversation}", "Conversations in memory.");
        _meter.CreateObservableGauge("relay.commands.in_flight", inFlight, "{request}", "Commands in mailboxes or under way.");
    }

    /// <summary>Adds the gauge of a cluster's node.</summary>
    internal void ObserveShards(Func<int> owned)
        => _meter.CreateObservableGauge("relay.shard.owned", owned, "{shard}", "Shards that this node has claimed.");

    internal void Stepped(string kind) => _steps.Add(1, new KeyValuePair<string, object?>("kind", kind));
    internal void StepTook(TimeSpan time) => _stepTime.Record(time.TotalSeconds);
    internal void Rejected(RejectReason reason) => _rejects.Add(1, new KeyValuePair<string, object?>("reason", reason.ToString()));
    internal void Refused(RefusalReason reason) => _refusals.Add(1, new KeyValuePair<string, object?>("reason", reason.ToString()));
    internal void Noted(NoteKind kind) => _notices.Add(1, new KeyValuePair<string, object?>("kind", kind.ToString()));
    internal void KeyExchangeCompleted() => _keyExchanges.Add(1);
    internal void Replayed() => _replays.Add(1);
    internal void Quarantined(string table) => _quarantines.Add(1, new KeyValuePair<string, object?>("table", table));
    internal void Overloaded(string bound) => _overloads.Add(1, new KeyValuePair<string, object?>("bound", bound));
    internal void AnnouncementDropped() => _announcementsDropped.Add(1);
    internal void AnsweredLate() => _late.Add(1);
    internal void Conflicted() => _conflicts.Add(1);
    internal void Fenced(string what) => _fenced.Add(1, new KeyValuePair<string, object?>("what", what));
    internal void Activated() => _activations.Add(1);
    internal void Passivated() => _passivations.Add(1);

    /// <inheritdoc/>
    public void Dispose()
    {
        _meter.Dispose();
        Activities.Dispose();
    }
}
