using System.Diagnostics.Metrics;

namespace Relay.Bridges;

/// <summary>
/// The instruments of one bridge on the meter "Relay". The values of every label form a small closed set; none is an address.
/// </summary>
internal sealed class BridgeMetrics : IDisposable
{
    private readonly Meter _meter = new("Relay");
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
    }

    /// <param name="result">A reject reason of Relay, TAKEN, or a reason of the bridge's own.</param>
    public void Inbound(string result) => _inbound.Add(1, _bridge, new KeyValuePair<string, object?>("result", result));

    public void Outbound(Carried result) => _outbound.Add(1, _bridge, new KeyValuePair<string, object?>("result",
        result.Failure switch { null => "UNKNOWN", "" => "TAKEN", _ => "REFUSED" }));

    public void Ended(ConnectionEndKind kind) => _ends.Add(1, _bridge, new KeyValuePair<string, object?>("kind", kind.ToString()));

    public void Dispose() => _meter.Dispose();
}
