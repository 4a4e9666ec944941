using System.Diagnostics;

namespace Relay.Lab.Bench.Server;

/// <summary>
/// Kills one of three nodes by SIGKILL, and measures the time until every conversation answers again, including those that it
/// owned. Reported separately for clients of the other nodes and for its own clients, which must reconnect to another address
/// first.
/// </summary>
internal sealed class Failover(ClusterStage stage, ServerBenchOptions options)
{
    private const int ConversationsOfLine = 32;

    public async Task<ServerRow> RunAsync(string what, CancellationToken cancellation)
    {
        var lines = await stage.ConnectAsync(cancellation);
        var conversations = lines.Select(line => Enumerable.Range(0, ConversationsOfLine).Select(_ => line.Add()).ToList()).ToList();
        await Task.WhenAll(conversations.SelectMany(c => c).Select(c => c.BeginAsync()));
        var (others, own) = (new Samples(), new Samples());
        for (int n = 0; n < options.Restarts; n++)
        {
            int victim = n % stage.Relays;
            var killing = stage.Nodes[victim].KillAsync();
            var start = Stopwatch.GetTimestamp();
            var answers = await Task.WhenAll(lines.Select((line, i) => AnsweredAsync(line, conversations[i], start, cancellation)));
            await killing;
            own.Add(answers[victim]);
            others.Add(answers.Where((_, i) => i != victim).Max());
            await stage.Nodes[victim].StartAsync(cancellation);
            // Waits until the restarted node has its shards again.
            await Task.WhenAll(lines.Select((line, i) => AnsweredAsync(line, conversations[i], start, cancellation)));
        }
        return new ServerRow(what)
            .Add("seconds", others.Median).Add("longest_seconds", others.Quantile(1))
            .Add("own_clients_seconds", own.Median).Add("own_clients_longest_seconds", own.Quantile(1))
            .Add("kills", options.Restarts).Add("conversations", conversations.Sum(c => c.Count)).Add("relays", stage.Relays);
    }

    /// <summary>Sends a message in every conversation. Returns the seconds from <paramref name="start"/> to the last reply.</summary>
    private static async Task<double> AnsweredAsync(
        LoadLine line, IEnumerable<LoadConversation> conversations, long start, CancellationToken cancellation)
    {
        await line.OrFault(Task.WhenAll(conversations.Select(c => c.SayAsync())).WaitAsync(cancellation));
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
