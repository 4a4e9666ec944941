using System.Diagnostics.Metrics;
using Relay.Actors.Telemetry;

namespace Relay.Actors.Cluster.Broker;

/// <summary>What the broker's client measures; the library has no meter of its own.</summary>
internal sealed class BrokerTelemetry
{
    private readonly Counter<long> _reconnects, _parked, _expired, _returned, _refused, _answersIgnored, _announcementsLost;
    private readonly Histogram<double> _ask;
    private readonly RelayTelemetry _relay;

    /// <param name="pending">Commands asked and not answered.</param>
    /// <param name="unconfirmed">Commands that the broker has not confirmed.</param>
    /// <param name="inHand">Deliveries taken and not settled.</param>
    public BrokerTelemetry(RelayTelemetry relay, Func<int> pending, Func<int> unconfirmed, Func<int> inHand)
    {
        _relay = relay;
        var meter = relay.Meter;
        _reconnects = meter.CreateCounter<long>("relay.broker.reconnects", "{connection}", "Connections to the broker that were lost, by purpose.");
        _parked = meter.CreateCounter<long>("relay.broker.parked", "{message}", "Messages put aside, by reason, and whether they were kept.");
        _expired = meter.CreateCounter<long>("relay.broker.expired", "{message}", "Commands not handled because of their age.");
        _returned = meter.CreateCounter<long>("relay.broker.returned", "{message}", "Commands that no queue would take.");
        _refused = meter.CreateCounter<long>("relay.broker.refused", "{message}", "Commands that a queue refused, being full.");
        _answersIgnored = meter.CreateCounter<long>("relay.broker.answers_ignored", "{message}", "Answers that nobody waits for any more, or that are not ours, by reason.");
        _announcementsLost = meter.CreateCounter<long>("relay.broker.announcements_lost", "{stream}", "Announcements not sent; others learn of the stream's growth by looking.");
        _ask = meter.CreateHistogram<double>("relay.broker.ask.duration", "s", "Time from asking to the answer, by outcome.");
        meter.CreateObservableGauge("relay.broker.pending", pending, "{message}", "Commands asked and not answered.");
        meter.CreateObservableGauge("relay.broker.unconfirmed", unconfirmed, "{message}", "Commands that the broker has not confirmed.");
        meter.CreateObservableGauge("relay.broker.in_hand", inHand, "{message}", "Deliveries taken and not settled.");
    }

    public RelayTelemetry Relay => _relay;

    public void Reconnecting(string purpose) => _reconnects.Add(1, Tag("purpose", purpose));
    public void Parked(ParkingReason reason, bool kept) => _parked.Add(1, Tag("reason", reason.ToString()), Tag("kept", kept));
    public void Expired() => _expired.Add(1);
    public void Returned() => _returned.Add(1);
    public void Refused() => _refused.Add(1);
    public void AnswerIgnored(string reason) => _answersIgnored.Add(1, Tag("reason", reason));
    public void AnnouncementsLost(int streams) => _announcementsLost.Add(streams);
    public void Asked(TimeSpan time, string outcome) => _ask.Record(time.TotalSeconds, Tag("outcome", outcome));

    private static KeyValuePair<string, object?> Tag(string name, object value) => new(name, value);
}
