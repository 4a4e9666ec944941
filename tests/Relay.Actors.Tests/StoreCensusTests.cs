using System.Diagnostics.Metrics;
using Otr.Core;
using Relay.Actors.Telemetry;
using Relay.Actors.Tests.Harness;
using Relay.Storage;

namespace Relay.Actors.Tests;

/// <summary>The gauges of the whole cluster, as a node emits them that keeps the deadlines.</summary>
public sealed class StoreCensusTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30), s_interval = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task What_waits_is_measured_again_and_again_and_ages_grow_in_between()
    {
        var time = new ManualTime();
        await using var relay = await StartAsync(time);
        using var gauges = new Gauges();
        await relay.AskAsync(new Command.ReceiveWire("m1", "hello"u8.ToArray()));
        time.Advance(TimeSpan.FromSeconds(70));
        await gauges.UntilAsync(time, g => g["relay.conversations"] == 1);
        Assert.Equal(1, gauges["relay.endpoints"]);
        Assert.True(gauges["relay.store.size"] > 4096);
        Assert.Equal(1, gauges["relay.stream.backlog:events"]);
        Assert.Equal(1, gauges["relay.stream.stalled:events"]);
        Assert.Equal(0, gauges["relay.stream.stalled:subscription"]);
        Assert.Equal(0, gauges["relay.stream.oldest_unacknowledged.age:subscription"]);
        double age = gauges["relay.stream.oldest_unacknowledged.age:events"];
        Assert.True(age >= 70);
        // Between two looks, as the store is not answering at all.
        relay.Store.ReadGate = new TaskCompletionSource().Task;
        time.Advance(TimeSpan.FromSeconds(5));
        gauges.Observe();
        Assert.Equal(age + 5, gauges["relay.stream.oldest_unacknowledged.age:events"], 3);
        relay.Store.ReadGate = Task.CompletedTask;
    }

    [Fact]
    public async Task A_store_that_fails_is_looked_at_again_and_what_is_acknowledged_no_longer_counts()
    {
        var time = new ManualTime();
        await using var relay = await StartAsync(time);
        using var gauges = new Gauges();
        await relay.AskAsync(new Command.ReceiveWire("m1", "hello"u8.ToArray()));
        await gauges.UntilAsync(time, g => g["relay.stream.backlog:events"] == 1);
        relay.Store.ReadGate = Task.FromException(new StoreException("Made to fail."));
        time.Advance(s_interval);
        await relay.Relay.Outbox.AcknowledgeAsync(TestRelay.Events, 1, default);
        relay.Store.ReadGate = Task.CompletedTask;
        await gauges.UntilAsync(time, g => g["relay.stream.backlog:events"] == 0);
        Assert.Equal(0, gauges["relay.stream.stalled:events"]);
    }

    [Fact]
    public async Task A_node_that_does_not_keep_the_deadlines_emits_none()
    {
        await using var relay = await StartAsync(new ManualTime());
        using var gauges = new Gauges();
        await gauges.UntilAsync(null, g => g.Has("relay.endpoints"));
        await relay.Relay.DrainAsync(default);
        await gauges.UntilAsync(null, g => !g.Has("relay.endpoints"));
        Assert.False(gauges.Has("relay.stream.backlog:wire"));
        Assert.False(gauges.Has("relay.deadline.lag"));
    }

    private static Task<TestRelay> StartAsync(ManualTime time) => TestRelay.StartAsync(new TestRelay
    {
        Time = time, Options = new RelayNodeOptions { CensusInterval = s_interval }, Policy = OtrPolicy.AllowV3,
    });

    /// <summary>The gauges of the last relay that was started after it.</summary>
    private sealed class Gauges : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly Dictionary<string, double> _values = [];

        public Gauges()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == RelayTelemetry.MeterName) listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((i, value, tags, _) => Take(i, value, tags));
            _listener.SetMeasurementEventCallback<double>((i, value, tags, _) => Take(i, value, tags));
            _listener.Start();
        }

        public double this[string name] => _values[name];

        public bool Has(string name) => _values.ContainsKey(name);

        public void Observe()
        {
            _values.Clear();
            _listener.RecordObservableInstruments();
        }

        /// <summary>Observes until it is so; time goes on, if it is given.</summary>
        public async Task UntilAsync(ManualTime? time, Func<Gauges, bool> isSo)
        {
            using var patience = new CancellationTokenSource(s_limit);
            for (Observe(); !IsSo(); Observe())
            {
                patience.Token.ThrowIfCancellationRequested();
                await Task.Delay(10);
                time?.Advance(s_interval);
            }

            bool IsSo()
            {
                try
                {
                    return isSo(this);
                }
                catch (KeyNotFoundException)
                {
                    return false;
                }
            }
        }

        public void Dispose() => _listener.Dispose();

        private void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (!instrument.IsObservable) return;
            foreach (var tag in tags)
            {
                if (tag.Key == "relay.stream") _values[$"{instrument.Name}:{tag.Value}"] = value;
            }
            if (tags.Length == 0) _values[instrument.Name] = value;
        }
    }
}
