using System.Diagnostics.Metrics;
using Grpc.Core;

namespace Relay.Gateway.Telemetry;

/// <summary>The gateway's instruments on the meter "Relay". The values of every label form a small closed set.</summary>
internal sealed class GatewayMetrics : IDisposable
{
    private readonly Meter _meter = new("Relay");
    private readonly UpDownCounter<long> _streams;
    private readonly Counter<long> _inbound;
    private readonly Counter<long> _delivered;
    private readonly Counter<long> _denied;
    private readonly Counter<long> _callerFaults;

    public GatewayMetrics()
    {
        _streams = _meter.CreateUpDownCounter<long>("relay.gateway.streams", "{stream}", "Open streams of bots and bridges.");
        _inbound = _meter.CreateCounter<long>("relay.gateway.wire.inbound", "{message}", "Wire texts received from bridges, by result.");
        _delivered = _meter.CreateCounter<long>("relay.gateway.delivered", "{message}", "Items delivered to streams.");
        _denied = _meter.CreateCounter<long>("relay.gateway.denied", "{call}",
            "Calls denied because of a missing or invalid key, or a missing scope.");
        _callerFaults = _meter.CreateCounter<long>("relay.gateway.caller.faults", "{call}",
            "Calls that the caller reset, or on which it sent a malformed message.");
    }

    /// <summary>Counts a stream as open until the result is disposed of.</summary>
    public IDisposable StreamOpened(string kind)
    {
        var tag = new KeyValuePair<string, object?>("kind", kind);
        _streams.Add(1, tag);
        return new Open(() => _streams.Add(-1, tag));
    }

    public void Inbound(string rejectReason) =>
        _inbound.Add(1, new KeyValuePair<string, object?>("result", rejectReason.Length == 0 ? "TAKEN" : rejectReason));

    public void Delivered(string kind, int items) => _delivered.Add(items, new KeyValuePair<string, object?>("kind", kind));

    public void Denied(StatusCode code) => _denied.Add(1, new KeyValuePair<string, object?>("status", code.ToString()));

    /// <param name="kind">RESET or MALFORMED.</param>
    public void CallerFault(string kind) => _callerFaults.Add(1, new KeyValuePair<string, object?>("kind", kind));

    public void Dispose() => _meter.Dispose();

    private sealed class Open(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
