using System.Text;

namespace Relay.Chaos.Tests;

/// <summary>The long form's report, in Markdown.</summary>
/// <param name="command">The variable that asked for it.</param>
internal sealed class ChaosReport(ChaosCluster cluster, string command)
{
    private readonly DateTimeOffset _begun = TimeProvider.System.GetUtcNow();
    private readonly List<Strike> _strikes = [];

    /// <summary>Nothing was found wrong so far.</summary>
    public bool IsSound { get; set; } = true;

    public void Add(Strike strike) => _strikes.Add(strike);

    /// <returns>Where it was written to.</returns>
    public async Task<string> WriteAsync()
    {
        var file = Environment.GetEnvironmentVariable("RELAY_CHAOS_REPORT") is { Length: > 0 } named
            ? named : Path.Combine(RepositoryRoot(), "artifacts", "chaos-report.md");
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        await File.WriteAllTextAsync(file, Text());
        return file;
    }

    private string Text()
    {
        var tally = IsSound && _strikes.Count > 0 ? _strikes[^1].Tally : cluster.Load.Tally;
        var text = new StringBuilder();
        var minutes = (TimeProvider.System.GetUtcNow() - _begun).TotalMinutes;
        Line("# Chaos report");
        Line();
        Line($"Written by `{command} ./test Chaos` ({_begun:yyyy-MM-dd}, {Environment.ProcessorCount} cores shared by everything below, "
            + $"seed {cluster.Seed}).");
        Line();
        Line($"{cluster.Processes.Nodes.Count} relays under a supervisor, one PostgreSQL, {cluster.Load.Conversations.Count} conversations "
            + $"({cluster.LibotrCount} of the contacts are libotr, the others Otr.Core), a bot and a bridge, for {minutes:0.0} minutes."
            + $"{(cluster.Island is null ? $" No network partition: {cluster.WhyNoIsland}" : "")}");
        Line();
        Line($"**Verdict: {(IsSound ? "sound" : "NOT SOUND")}.** "
            + (IsSound ? "After each strike every message had been delivered exactly once and in order, both ways; nobody saw an error; no "
                    + "session was established again; no AES counter was used twice under one key; every relay that was downed had ended "
                    + "itself with code 75 and been started again, and no other had."
                : "Something was lost, repeated, out of order or refused, or a relay did not do as it should; the test's output says "
                    + "what."));
        Line();
        Line("| | |");
        Line("| --- | ---: |");
        Line($"| strikes | {_strikes.Count:N0} |");
        Line($"| messages of contacts, read by the bot | {tally.ContactSaid:N0} sent, {tally.BotRead:N0} read |");
        Line($"| messages of the bot, read by contacts | {tally.BotSaid:N0} sent, {tally.ContactRead:N0} read |");
        Line($"| data messages on the wire, counters compared | {tally.DataMessages:N0} |");
        Line($"| key exchanges | {tally.ContactSessions:N0} for {cluster.Load.Conversations.Count:N0} conversations |");
        Line("| relays that found out that they were downed, ended themselves and were started again "
            + $"| {_strikes.Sum(s => s.SelfEnds):N0} |");
        Line($"| faults in the ledger | {cluster.Load.Ledger.Faults.Count:N0} |");
        Line();
        Line("A first answer is the next one that a contact reads after the strike, whether its own relay was struck or not; contacts");
        Line("think for 1.5 s on average between an answer and the next question. The longest wait is from a question to its answer,");
        Line("while what was broken stayed broken for as long as it says. Two faults at once are one of the relays and one of the database.");
        Line();
        Line("| # | strike | what | first answer, median | first answer, last | longest wait | answers |");
        Line("| ---: | --- | --- | ---: | ---: | ---: | ---: |");
        for (int i = 0; i < _strikes.Count; i++)
        {
            var s = _strikes[i];
            Line($"| {i + 1} | {s.Name} | {s.Told} | {s.Median.TotalSeconds:0.00} s | {s.Last.TotalSeconds:0.00} s "
                + $"| {s.LongestWait.TotalSeconds:0.00} s | {s.Answers:N0} |");
        }
        return text.ToString();

        void Line(string line = "") => text.Append(line).Append('\n');
    }

    private static string RepositoryRoot()
    {
        var d = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(d.FullName, "Relay.sln")))
            d = d.Parent ?? throw new InvalidOperationException("Relay.sln is not above the test's folder.");
        return d.FullName;
    }
}
