using System.Diagnostics.Metrics;
using Relay.Actors.Cluster.Broker;
using Relay.Actors.Telemetry;

namespace Relay.Actors.Tests.Broker.Harness;

/// <summary>One node's broker client, with what it has counted.</summary>
internal sealed class BrokerNode : IAsyncDisposable
{
    private readonly RelayTelemetry _telemetry;
    private readonly MeterListener _listener = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _counts = [];

    public BrokerNode(RabbitBroker broker, RelayTelemetry telemetry)
    {
        (Broker, _telemetry) = (broker, telemetry);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter == telemetry.Meter) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, _, _) =>
        {
            lock (_lock) _counts[instrument.Name] = _counts.GetValueOrDefault(instrument.Name) + value;
        });
        _listener.SetMeasurementEventCallback<int>((instrument, value, _, _) =>
        {
            lock (_lock) _counts[instrument.Name] = value;
        });
        _listener.Start();
    }

    public RabbitBroker Broker { get; }

    /// <summary>The sum of a counter, or a gauge's value now.</summary>
    public long Count(string instrument)
    {
        _listener.RecordObservableInstruments();
        lock (_lock) return _counts.GetValueOrDefault(instrument);
    }

    public async ValueTask DisposeAsync()
    {
        await Broker.DisposeAsync();
        _listener.Dispose();
        _telemetry.Dispose();
    }
}
