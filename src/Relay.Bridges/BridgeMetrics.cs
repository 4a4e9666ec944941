using System.Diagnostics.Metrics;

namespace Relay.Bridges;

/// <summary>
/// The instruments of one bridge, listed in docs/metrics.yaml. The values of every label form a small closed set; none is an address.
/// </summary>
internal sealed class BridgeMetrics : IDisposable
{
    /// <summary>The result of a message that the relay took.</summary>
    public const string Taken = "taken";
    /// <summary>The result of a message that the relay took and rejected: docs/unreadable.md says why that happens.</summary>
    public const string Rejected = "rejected";
    /// <summary>The result of a message for an address that is no endpoint's.</summary>
    public const string UnknownEndpoint = "unknown_endpoint";
    /// <summary>The result of a message of a peer that sends more than the relay takes.</summary>
    public const string PeerTooFast = "peer_too_fast";
    /// <summary>The result of a delivery receipt that could not be passed on.</summary>
    public const string ConfirmationLost = "confirmation_lost";
    /// <summary>The result of a message that was under way when the relay's stream ended. It is pushed again.</summary>
    public const string StreamEnded = "stream_ended";

    private readonly Meter _meter = new(BridgeWorker.MeterName);
    private readonly Counter<long> _inbound;
    private readonly Counter<long> _outbound;
    private readonly Counter<long> _ends;
    private readonly KeyValuePair<string, object?> _bridge;

    public BridgeMetrics(string bridge, Func<bool> isConnected, Func<int> outboundHeld)
    {
        _bridge = new KeyValuePair<string, object?>("bridge", bridge);
        _inbound = _meter.CreateCounter<long>("relay.bridge.inbound", "{message}", "Messages from the network, by result.");
        _outbound = _meter.CreateCounter<long>("relay.bridge.outbound", "{message}", "Wire texts for the network, by result.");
        _ends = _meter.CreateCounter<long>("relay.bridge.disconnects", "{connection}", "Connections to the network that ended, by kind.");
        _meter.CreateObservableGauge("relay.bridge.connected", () => new Measurement<int>(isConnected() ? 1 : 0, _bridge), "{connection}",
            "1 while the network is connected.");
        _meter.CreateObservableGauge("relay.bridge.outbound.held", () => new Measurement<int>(outboundHeld(), _bridge), "{message}",
            "Wire texts that the network does not have yet.");
        Begin();
    }

    /// <param name="result">One of this class's constants.</param>
    public void Inbound(string result) => Inbound(result, 1);

    public void Outbound(Carried result) => Outbound(result.Failure switch { null => "unknown", "" => Taken, _ => "refused" }, 1);

    public void Ended(ConnectionEndKind kind) => Ended(kind, 1);

    public void Dispose() => _meter.Dispose();

    /// <summary>Makes every series begin at zero: an increase from nothing to one would be none.</summary>
    private void Begin()
    {
        foreach (var result in (string[])[Taken, Rejected, UnknownEndpoint, PeerTooFast, ConfirmationLost, StreamEnded]) Inbound(result, 0);
        foreach (var result in (string[])["unknown", Taken, "refused"]) Outbound(result, 0);
        foreach (var kind in Enum.GetValues<ConnectionEndKind>()) Ended(kind, 0);
    }

    private void Inbound(string result, int count) => _inbound.Add(count, _bridge, new KeyValuePair<string, object?>("result", result));

    private void Outbound(string result, int count) => _outbound.Add(count, _bridge, new KeyValuePair<string, object?>("result", result));

    private void Ended(ConnectionEndKind kind, int count) => _ends.Add(count, _bridge, new KeyValuePair<string, object?>("kind", kind switch
    {
        ConnectionEndKind.Lost => "lost",
        ConnectionEndKind.Refused => "refused",
        _ => "misconfigured",
    }));
}
