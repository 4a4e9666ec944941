using System.Globalization;
using Relay.Cli;
using Relay.Lab.Demo;

namespace Relay.Lab.ClusterDemo;

/// <summary>Judges what happened: the demo succeeds only if all of it did.</summary>
internal static class ClusterDemoChecks
{
    private const int SigKill = 128 + 9;

    /// <summary>Time for every conversation to go on after a kill; generous, for the demo may share a small machine.</summary>
    private static readonly TimeSpan s_goesOnWithin = TimeSpan.FromSeconds(15);

    public static IReadOnlyList<DemoCheck> Run(ClusterDemoFacts facts)
    {
        var t = facts.Tally;
        int survivors = facts.Nodes - (facts.KillAllButOne?.Nodes.Count ?? 0);
        return
        [
            new($"{facts.Conversations} conversations began, each with one key exchange, and none had to begin again",
                t.ContactSessions == facts.Conversations && t.BotSessions == facts.Conversations),
            new(string.Create(CultureInfo.InvariantCulture,
                $"every message was read exactly once and in order: {t.ContactSaid:N0} by the bot, {t.BotSaid:N0} by the contacts"),
                t.ContactSaid > 0 && t.BotSaid >= t.ContactSaid && t.BotRead == t.ContactSaid && t.ContactRead == t.BotSaid),
            new(string.Create(CultureInfo.InvariantCulture,
                $"no AES counter was used twice under one key, in {t.DataMessages:N0} data messages on the wire"),
                t.DataMessages >= t.ContactSaid + t.BotSaid && !facts.Faults.Any(f => f.Contains("counter", StringComparison.Ordinal))),
            new("a relay was killed by SIGKILL, and every conversation went on without it", IsKill(facts.Kill, 1, facts.Conversations)),
            new("a relay hung; its conversations went on at the others; once it ran again it ended itself with code "
                + string.Create(CultureInfo.InvariantCulture, $"{ExitCode.StartAgain}, and was started again"),
                facts.Hang is { Node.ExitCode: ExitCode.StartAgain, Outage: { TakenOver.Count: > 0 } outage }
                && outage.FirstAnswers.Count == facts.Conversations),
            new("two of three relays were killed at once, and every conversation went on at the third",
                survivors == 1 && IsKill(facts.KillAllButOne, facts.Nodes - 1, facts.Conversations)),
            new("every relay was restarted by SIGTERM under load, and ended with code 0",
                facts.Restarts.Count == facts.Nodes && facts.Restarts.All(r => r.ExitCode == ExitCode.Ok)),
            new("neither the bot nor the bridge nor a contact saw an error", facts.Faults.Count == 0),
        ];
    }

    private static bool IsKill(KillFacts? kill, int nodes, int conversations) => kill is not null
        && kill.Nodes.Count == nodes && kill.Nodes.All(n => n.ExitCode == SigKill)
        && kill.Outage.FirstAnswers.Count == conversations && kill.Outage.Last < s_goesOnWithin;
}
