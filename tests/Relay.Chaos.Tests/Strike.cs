using System.Globalization;
using Relay.Chaos.Tests.Faults;
using Relay.Lab.Load;

namespace Relay.Chaos.Tests;

/// <summary>What came of one fault, or of several at once.</summary>
/// <param name="Told">What was done.</param>
/// <param name="FirstAnswers">For each conversation, how long after the strike its contact read the next answer.</param>
/// <param name="LongestWait">The longest that a contact waited for an answer, from its question.</param>
/// <param name="Answers">From the strike until all was mended and settled.</param>
/// <param name="Tally">Of everything since the beginning, when all had settled.</param>
internal sealed record Strike(string Name, string Told, IReadOnlyList<TimeSpan> FirstAnswers, TimeSpan LongestWait, int Answers, LoadTally Tally)
{
    /// <summary>For everything to break, be mended and go on, and then for all to come to rest: as long as a busy machine may need.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);

    public TimeSpan Median => FirstAnswers.Order().ElementAt(FirstAnswers.Count / 2);

    public TimeSpan Last => FirstAnswers.Max();

    /// <summary>Breaks something under load, mends it, sees every conversation go on, lets all come to rest, and judges.</summary>
    public static async Task<Strike> RunAsync(ChaosCluster cluster, IReadOnlyList<Fault> faults, Random random)
    {
        using var patience = new CancellationTokenSource(s_patience);
        var load = cluster.Load;
        Assert.True(load.Ledger.Faults.Count == 0, "An earlier strike left the load unsound.");
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
        var seen = faults.Select(f => f.LookBack()).OfType<string>();
        var (answers, tally) = (load.Ledger.AnswersSince(struck), load.Tally);
        load.Talk();
        return new Strike(string.Join(", and ", faults.Select(f => f.Name)), string.Join("; ", told.Concat(seen)), await firstAnswers, answers.Max(a => a.Wait), answers.Count, tally);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Name}: {Told}. First answers after {Median.TotalSeconds:0.00} s (median), {Last.TotalSeconds:0.00} s (last); longest wait {LongestWait.TotalSeconds:0.00} s; {Answers} answers.");

    private static void Judge(ChaosCluster cluster, IReadOnlyList<LoadConversation> unsettled)
    {
        var (tally, faults) = (cluster.Load.Tally, cluster.Load.Ledger.Faults);
        bool isSound = unsettled.Count == 0 && faults.Count == 0;
        if (!isSound) cluster.Processes.KeepsLogs = true;
        Assert.True(isSound, $"Seed {cluster.Seed}; logs are kept in {cluster.Processes.Directory}.\n{string.Join('\n', faults)}");
        int conversations = cluster.Load.Conversations.Count;
        Assert.Equal(new LoadTally(tally.ContactSaid, tally.ContactSaid, tally.BotSaid, tally.BotSaid, tally.DataMessages, conversations, conversations), tally);
        // Each text is at least one data message, and its counter was watched.
        Assert.True(tally.DataMessages >= tally.ContactSaid + tally.BotSaid);
    }
}
