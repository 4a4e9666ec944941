using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Relay.Gateway.Telemetry;
using Relay.Gateway.Tests.Harness;

namespace Relay.Gateway.Tests;

/// <summary>The end of a process whose collector does not answer.</summary>
public sealed class TelemetryFlushTests
{
    [Fact]
    public async Task Exporters_that_hang_hold_up_the_end_for_two_seconds_altogether()
    {
        using var answer = new ManualResetEventSlim();
        using var source = new ActivitySource("Relay.Gateway.Tests.Flush");
        using var meter = new Meter("Relay.Gateway.Tests.Flush");
        var services = new ServiceCollection();
        var hanging = new Hanging(answer);
        services.AddOpenTelemetry()
            .WithTracing(t => t.AddSource(source.Name).AddProcessor(new BatchActivityExportProcessor(new Hanging<Activity>(hanging))))
            .WithMetrics(m => m.AddMeter(meter.Name).AddReader(new PeriodicExportingMetricReader(new Hanging<Metric>(hanging))))
            .WithLogging(l => l.AddProcessor(new BatchLogRecordExportProcessor(new Hanging<LogRecord>(hanging))));
        var provider = services.BuildServiceProvider();
        provider.GetRequiredService<TracerProvider>();
        provider.GetRequiredService<MeterProvider>();
        source.StartActivity("a")!.Dispose();
        meter.CreateCounter<int>("c").Add(1);
        provider.GetRequiredService<ILoggerFactory>().CreateLogger("l").LogWarning("w");

        var start = Stopwatch.GetTimestamp();
        await new TelemetryFlush(provider).StoppedAsync(CancellationToken.None);
        // One after the other would be six seconds at least.
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, 2.5 * TelemetryFlush.Limit);
        await Patience.UntilAsync(() => hanging.Asked == 3);
        answer.Set();
        await provider.DisposeAsync();
    }

    [Fact]
    public async Task What_is_left_is_exported()
    {
        using var source = new ActivitySource("Relay.Gateway.Tests.Left");
        var services = new ServiceCollection();
        var exported = new List<Activity>();
        services.AddOpenTelemetry().WithTracing(t => t.AddSource(source.Name)
            .AddProcessor(new BatchActivityExportProcessor(new Keeping(exported), scheduledDelayMilliseconds: int.MaxValue)));
        await using var provider = services.BuildServiceProvider();
        provider.GetRequiredService<TracerProvider>();
        source.StartActivity("a")!.Dispose();
        await new TelemetryFlush(provider).StoppedAsync(CancellationToken.None);
        Assert.Equal("a", Assert.Single(exported).OperationName);
    }

    private sealed class Hanging(ManualResetEventSlim answer)
    {
        private int _asked;

        public int Asked => Volatile.Read(ref _asked);

        public void Ask()
        {
            Interlocked.Increment(ref _asked);
            answer.Wait();
        }
    }

    private sealed class Hanging<T>(Hanging hanging) : BaseExporter<T> where T : class
    {
        public override ExportResult Export(in Batch<T> batch)
        {
            hanging.Ask();
            return ExportResult.Success;
        }
    }

    private sealed class Keeping(List<Activity> exported) : BaseExporter<Activity>
    {
        public override ExportResult Export(in Batch<Activity> batch)
        {
            foreach (var one in batch) exported.Add(one);
            return ExportResult.Success;
        }
    }
}
