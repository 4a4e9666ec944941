using System.Diagnostics;

namespace Relay.Lab.Bench.Server;

/// <summary>
/// Measures key exchanges: concurrent new contacts of several endpoints, each of which establishes one private session. Each
/// endpoint has its own rate limit for unknown peers, which one endpoint alone would measure.
/// </summary>
internal sealed class KeyExchangeStorm(BenchStage stage, ServerBenchOptions options)
{
    private const int Endpoints = 16;

    private readonly Latencies _latencies = new();
    private volatile bool _goesOn = true;

    public async Task<ServerRow> RunAsync(string what, CancellationToken cancellation)
    {
        var lines = await stage.ConnectAsync(cancellation, Endpoints);
        var running = Task.WhenAll(Enumerable.Range(0, options.KeyExchanges).Select(n => GoOnAsync(lines[n % lines.Count])));
        await await Task.WhenAny(running, Task.Delay(options.EmbeddedWarmUp.Least, cancellation));
        var before = stage.Cpu();
        var start = Stopwatch.GetTimestamp();
        _latencies.Begin();
        await await Task.WhenAny(running, Task.Delay(options.Measured, cancellation));
        _latencies.End();
        var measured = new Measurement(_latencies, Stopwatch.GetElapsedTime(start), stage.Cpu() - before);
        _goesOn = false;
        await running;
        return new ServerRow(what).AddLoad(measured).Add("at_once", options.KeyExchanges).Add("endpoints", Endpoints * lines.Count).Add("relays", stage.Relays);
    }

    private async Task GoOnAsync(LoadLine line)
    {
        while (_goesOn)
        {
            var start = Stopwatch.GetTimestamp();
            var conversation = line.Add();
            await conversation.BeginAsync();
            _latencies.Arrived(start);
            line.Remove(conversation);
        }
    }
}
