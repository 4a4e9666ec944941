using System.Diagnostics;

namespace Relay.Lab.Bench.Server;

/// <summary>Kills a server by SIGKILL and restarts it, and measures the time until it accepts a contact's message.</summary>
internal sealed class Recovery(ServerBenchOptions options)
{
    public async Task<ServerRow> RunAsync(string what, CancellationToken cancellation)
    {
        await using var stage = await EmbeddedStage.StartAsync(cancellation);
        var line = (await stage.ConnectAsync(cancellation))[0];
        var conversation = line.Add();
        await conversation.BeginAsync();
        var (answers, starts) = (new Samples(), new Samples());
        for (int n = 0; n < options.Restarts; n++)
        {
            await conversation.SayAsync();
            await stage.KillServerAsync();
            // Sent while the server is down; the SDK retries until it is up.
            var answered = conversation.SayAsync();
            var start = Stopwatch.GetTimestamp();
            starts.Add((await stage.StartServerAsync(cancellation)).TotalSeconds);
            await line.OrFault(answered.WaitAsync(cancellation));
            answers.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return new ServerRow(what)
            .Add("seconds", answers.Median).Add("longest_seconds", answers.Quantile(1)).Add("start_seconds", starts.Median)
            .Add("restarts", options.Restarts).Add("relays", stage.Relays);
    }
}
