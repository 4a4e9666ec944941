using System.Diagnostics;

namespace Relay.Lab.Bench.Server;

/// <summary>
/// Kills one of three nodes by SIGKILL, and measures the time until every conversation answers again, including those that it
/// owned. Reported separately for clients of the other nodes and for its own clients, which must reconnect to another address
/// first; and separately for the oldest node, which places the cluster's shards: another node must take this over first.
/// </summary>
internal sealed class Failover(ClusterStage stage, ServerBenchOptions options)
{
    private const int ConversationsOfLine = 32;

    // Nodes by age, the oldest first.
    private readonly List<int> _byAge = [.. Enumerable.Range(0, stage.Relays)];

    public async Task<ServerRow> RunAsync(string what, CancellationToken cancellation)
    {
        var lines = await stage.ConnectAsync(cancellation);
        var conversations = lines.Select(line => Enumerable.Range(0, ConversationsOfLine).Select(_ => line.Add()).ToList()).ToList();
        await Task.WhenAll(conversations.SelectMany(c => c).Select(c => c.BeginAsync()));
        var (others, own, oldest) = (new Samples(), new Samples(), new Samples());
        // Of the younger nodes the older one, so that they take turns.
        for (int n = 0; n < options.Restarts; n++) await KillAsync(_byAge[1], others, own);
        for (int n = 0; n < options.Restarts; n++) await KillAsync(_byAge[0], oldest, new Samples());
        return new ServerRow(what)
            .Add("seconds", others.Median).Add("longest_seconds", others.Quantile(1))
            .Add("own_clients_seconds", own.Median).Add("own_clients_longest_seconds", own.Quantile(1))
            .Add("oldest_seconds", oldest.Median).Add("oldest_longest_seconds", oldest.Quantile(1))
            .Add("kills", 2 * options.Restarts).Add("conversations", conversations.Sum(c => c.Count)).Add("relays", stage.Relays);

        async Task KillAsync(int victim, Samples ofOthers, Samples ofOwn)
        {
            await WarmUpAsync();
            await stage.AwaitBalanceAsync(cancellation);
            var killing = stage.Nodes[victim].KillAsync();
            var start = Stopwatch.GetTimestamp();
            var answers = await Task.WhenAll(lines.Select((line, i) => AnsweredAsync(line, conversations[i], start, cancellation)));
            await killing;
            ofOwn.Add(answers[victim]);
            ofOthers.Add(answers.Where((_, i) => i != victim).Max());
            await stage.Nodes[victim].StartAsync(cancellation);
            _byAge.Remove(victim);
            _byAge.Add(victim);
        }

        // Messages in all conversations, so that a node which was just started has compiled what it runs, as one in service has.
        async Task WarmUpAsync()
        {
            for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < options.FailoverWarmUp;)
                await Task.WhenAll(lines.Select((line, i) => AnsweredAsync(line, conversations[i], start, cancellation)));
        }
    }

    /// <summary>Sends a message in every conversation. Returns the seconds from <paramref name="start"/> to the last reply.</summary>
    private static async Task<double> AnsweredAsync(
        LoadLine line, IEnumerable<LoadConversation> conversations, long start, CancellationToken cancellation)
    {
        await line.OrFault(Task.WhenAll(conversations.Select(c => c.SayAsync())).WaitAsync(cancellation));
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
