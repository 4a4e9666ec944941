using System.Globalization;
using Relay.Cli;
using Relay.Lab.Demo;

namespace Relay.Lab.ClusterDemo;

/// <summary>Judges what happened: the demo succeeds only if all of it did.</summary>
internal static class ClusterDemoChecks
{
    private const int SigKill = 128 + 9;
    /// <summary>Within which every conversation must have gone on after the kill; generous, for the demo may share a small machine.</summary>
    private static readonly TimeSpan s_goesOnWithin = TimeSpan.FromSeconds(15);

    public static IReadOnlyList<DemoCheck> Run(ClusterDemoFacts facts)
    {
        var t = facts.Tally;
        return
        [
            new($"{facts.Conversations} conversations began, each with one key exchange, and none had to begin anew", t.ContactSessions == facts.Conversations && t.BotSessions == facts.Conversations),
            new(string.Create(CultureInfo.InvariantCulture, $"every message was read exactly once and in order: {t.ContactSaid:N0} by the bot, {t.BotSaid:N0} by the contacts"),
                t.ContactSaid > 0 && t.BotSaid >= t.ContactSaid && t.BotRead == t.ContactSaid && t.ContactRead == t.BotSaid),
            new(string.Create(CultureInfo.InvariantCulture, $"no AES counter was used twice under one key, in {t.DataMessages:N0} data messages on the wire"), t.DataMessages >= t.ContactSaid + t.BotSaid && !facts.Faults.Any(f => f.Contains("counter", StringComparison.Ordinal))),
            new("a relay was killed by SIGKILL, and every conversation went on without it", facts.Kill is { ExitCode: SigKill } kill && kill.FirstAnswers.Count == facts.Conversations && kill.FirstAnswers.Max() < s_goesOnWithin),
            new("every relay was restarted by SIGTERM under load, and ended with code 0", facts.Restarts.Count == facts.Nodes && facts.Restarts.All(r => r.ExitCode == ExitCode.Ok)),
            new("neither the bot nor the bridge nor a contact saw an error", facts.Faults.Count == 0),
        ];
    }
}
