using System.Globalization;
using Relay.Chaos.Tests.Faults;
using Relay.Lab.Load;
using Relay.Lab.Processes;

namespace Relay.Chaos.Tests;

/// <summary>What came of one fault, or of several at once.</summary>
/// <param name="Told">What was done.</param>
/// <param name="FirstAnswers">For each conversation, how long after the strike its contact read the next answer.</param>
/// <param name="LongestWait">The longest that a contact waited for an answer, from its question.</param>
/// <param name="Answers">From the strike until all was mended and settled.</param>
/// <param name="Tally">Of everything since the beginning, when all had settled.</param>
/// <param name="SelfEnds">Relays that ended themselves because they were downed, and were started again.</param>
internal sealed record Strike(
    string Name, string Told, IReadOnlyList<TimeSpan> FirstAnswers, TimeSpan LongestWait, int Answers, LoadTally Tally, int SelfEnds)
{
    /// <summary>Time for everything to break, be mended and go on, and then for all to come to rest, on a busy machine.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);

    public TimeSpan Median => FirstAnswers.Order().ElementAt(FirstAnswers.Count / 2);

    public TimeSpan Last => FirstAnswers.Max();

    /// <summary>Breaks something under load, mends it, sees every conversation go on, lets all come to rest, and judges.</summary>
    public static async Task<Strike> RunAsync(ChaosCluster cluster, IReadOnlyList<Fault> faults, Random random)
    {
        using var patience = new CancellationTokenSource(s_patience);
        var load = cluster.Load;
        Assert.True(load.Ledger.Faults.Count == 0, "An earlier strike left the load unsound.");
        var nodes = cluster.Processes.Nodes;
        // An earlier strike that failed may have left some down; this one is judged by itself.
        foreach (var node in nodes.Where(n => !n.IsRunning)) await node.StartAsync(patience.Token);
        int[] selfEnds = [.. nodes.Select(n => n.SelfEnds)];
        int downed = NodeLogs.CountDowned(nodes);
        try
        {
            // Everybody talks before it breaks.
            await load.AllAnsweredAsync(1, patience.Token);
            long struck = TimeProvider.System.GetTimestamp();
            var firstAnswers = load.AllAnsweredAsync(1, patience.Token);
            var told = await Task.WhenAll(faults.Select(f => f.StrikeAsync(cluster, new Random(random.Next()), patience.Token)));
            try
            {
                await load.AllAnsweredAsync(2, patience.Token);
            }
            catch (OperationCanceledException)
            {
                load.Ledger.Fault("the load", "not every conversation went on");
            }
            var unsettled = await load.SettleAsync(s_patience, CancellationToken.None);
            Judge(cluster, unsettled);
            int[] ended = [.. nodes.Select((n, i) => n.SelfEnds - selfEnds[i])];
            JudgeNodes(nodes, faults, ended, NodeLogs.CountDowned(nodes) - downed);
            var seen = faults.Select(f => f.LookBack()).OfType<string>().Concat(Beyond(nodes, faults, ended));
            var (answers, tally) = (load.Ledger.AnswersSince(struck), load.Tally);
            load.Talk();
            return new Strike(string.Join(", and ", faults.Select(f => f.Name)), string.Join("; ", told.Concat(seen)), await firstAnswers,
                answers.Max(a => a.Wait), answers.Count, tally, ended.Sum());
        }
        catch
        {
            cluster.Processes.KeepsLogs = true;
            throw;
        }
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Name}: {Told}. First answers after {Median.TotalSeconds:0.00} s (median), {Last.TotalSeconds:0.00} s (last); longest wait "
        + $"{LongestWait.TotalSeconds:0.00} s; {Answers} answers.");

    private static void Judge(ChaosCluster cluster, IReadOnlyList<LoadConversation> unsettled)
    {
        var (tally, faults) = (cluster.Load.Tally, cluster.Load.Ledger.Faults);
        Assert.True(unsettled.Count == 0 && faults.Count == 0,
            $"Seed {cluster.Seed}; logs are kept in {cluster.Processes.Directory}.\n{string.Join('\n', faults)}");
        int conversations = cluster.Load.Conversations.Count;
        var sound = new LoadTally(tally.ContactSaid, BotRead: tally.ContactSaid, tally.BotSaid, ContactRead: tally.BotSaid,
            tally.DataMessages, ContactSessions: conversations, BotSessions: conversations);
        Assert.Equal(sound, tally);
        // Each text is at least one data message, and its counter was watched.
        Assert.True(tally.DataMessages >= tally.ContactSaid + tally.BotSaid);
    }

    /// <summary>Whoever had to end itself did, once; nobody else did, and nobody was downed who was not to be.</summary>
    private static void JudgeNodes(IReadOnlyList<ClusterNode> nodes, IReadOnlyList<Fault> faults, int[] ended, int downed)
    {
        Assert.All(nodes, n => Assert.True(n is { IsRunning: true, Failure: null }, n.Failure ?? $"{n.Name} does not run."));
        bool mayMore = MayEndMore(faults);
        for (int i = 0; i < nodes.Count; i++)
        {
            int must = MustEnd(nodes[i], faults);
            Assert.True(ended[i] == must || (mayMore && ended[i] > must),
                $"{nodes[i].Name} ended itself {ended[i]} times, where {must} was right.");
        }
        if (faults.All(f => f.DownsNobody) && !mayMore) Assert.Equal(0, downed);
    }

    private static int MustEnd(ClusterNode node, IReadOnlyList<Fault> faults) => faults.Any(f => f.Downed.Contains(node)) ? 1 : 0;

    /// <summary>
    /// A minority that the database gives no evidence stops; where it gives evidence of its own fault, what is left of a relay's
    /// standing is that its association holds.
    /// </summary>
    private static bool MayEndMore(IReadOnlyList<Fault> faults) => faults.Count > 1
        && (faults.Any(f => f.LeavesMinority) || faults.Any(f => f.MisleadsEvidence));

    private static IEnumerable<string> Beyond(IReadOnlyList<ClusterNode> nodes, IReadOnlyList<Fault> faults, int[] ended) => nodes
        .Select((n, i) => (n.Name, More: ended[i] - MustEnd(n, faults))).Where(n => n.More > 0)
        .Select(n => $"{n.Name} ended itself too, and was started again");
}
