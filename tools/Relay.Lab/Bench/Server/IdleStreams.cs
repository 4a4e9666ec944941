using System.Diagnostics;
using Grpc.Core;
using Relay.Client;
using Relay.V1;

namespace Relay.Lab.Bench.Server;

/// <summary>Measures what open streams of events cost that carry nothing: memory, and the processor time of their keep-alives.</summary>
internal sealed class IdleStreams(EmbeddedStage stage, ServerBenchOptions options)
{
    // Kestrel allows a connection 100.
    private const int PerConnection = 90;
    private const int AtOnce = 32;

    public async Task<ServerRow> RunAsync(string what, CancellationToken cancellation)
    {
        var bots = new List<RelayClient>();
        var streams = new List<AsyncServerStreamingCall<WatchSubscriptionResponse>>();
        try
        {
            var key = RelayKey.Parse(await stage.CreateBotKeyAsync(cancellation));
            var reading = new SubscriptionReading(1);
            // Each connection has a subscription of its own, whose readers its streams are.
            var names = new List<string>();
            for (int n = 0; n < options.IdleStreams; n += PerConnection)
                names.Add($"{await stage.CreateEndpointAsync(reading, cancellation)}/subscriptions/s0");
            long before = ProcessTree.ResidentBytes(stage.Server.Id);
            var start = Stopwatch.GetTimestamp();
            while (streams.Count < options.IdleStreams)
            {
                var bot = RelayClient.Connect(stage.Server.Address, key);
                var name = names[bots.Count];
                bots.Add(bot);
                int count = Math.Min(PerConnection, options.IdleStreams - streams.Count);
                foreach (var few in Enumerable.Range(0, count).Chunk(AtOnce))
                    streams.AddRange(await Task.WhenAll(few.Select(_ => OpenAsync(bot, name, cancellation))));
            }
            var opened = Stopwatch.GetElapsedTime(start);
            long after = ProcessTree.ResidentBytes(stage.Server.Id);
            var cpu = stage.Cpu();
            await Task.Delay(options.Measured, cancellation);
            double relay = (stage.Cpu() - cpu).Relay;
            return new ServerRow(what).Add("streams", streams.Count).Add("connections", bots.Count)
                .Add("bytes_each", (after - before) / (double)streams.Count, 0).Add("rss_bytes", after)
                .Add("opened_per_second", streams.Count / opened.TotalSeconds, 1)
                .Add("idle_cpu_percent", relay / options.Measured.TotalMicroseconds * 100, 2);
        }
        finally
        {
            foreach (var stream in streams) stream.Dispose();
            foreach (var bot in bots) await bot.DisposeAsync();
        }
    }

    /// <summary>Opens a stream, and waits until the server has said that nothing else is there.</summary>
    private static async Task<AsyncServerStreamingCall<WatchSubscriptionResponse>> OpenAsync(
        RelayClient bot, string subscription, CancellationToken cancellation)
    {
        var stream = bot.Subscriptions.WatchSubscription(new WatchSubscriptionRequest { Name = subscription }, cancellationToken: cancellation);
        await stream.ResponseStream.MoveNext(cancellation);
        return stream;
    }
}
