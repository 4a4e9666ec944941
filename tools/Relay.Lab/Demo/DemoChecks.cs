using System.Text;

namespace Relay.Lab.Demo;

/// <summary>One condition that the demo must have met.</summary>
internal sealed record DemoCheck(string What, bool IsTrue);

/// <summary>Checks the transcript: the demo succeeds only if every condition is met.</summary>
internal static class DemoChecks
{
    private const int SigKill = 128 + 9;

    public static IReadOnlyList<DemoCheck> Run(IReadOnlyList<DemoEntry> entries, DemoFacts facts)
    {
        var echoes = facts.Said.Select(s => EchoBot.Prefix + s).ToList();
        var botRead = Of(entries, Witness.Bot, Sight.Read);
        var contactRead = Of(entries, Witness.Contact, Sight.Read);
        var wire = entries.Where(e => e.Sight == Sight.Carried).ToList();
        var botSessions = Of(entries, Witness.Bot, Sight.SessionBegan);
        var contactSessions = Of(entries, Witness.Contact, Sight.SessionBegan);
        return
        [
            new("the bot read every message once, in order", botRead.Select(e => e.Text).SequenceEqual(facts.Said)),
            new("alice read every answer once, in order", contactRead.Select(e => e.Text).SequenceEqual(echoes)),
            new("every text came through the private session", botRead.Concat(contactRead).All(e => e.IsPrivate)),
            new("one key exchange, and both ends have the same session id",
                botSessions.Count == 1 && contactSessions.Count == 1 && botSessions[0].Text.Length == 16
                    && botSessions[0].Text == contactSessions[0].Text),
            new("10 kB travelled in fragments, both ways",
                HasLong(facts.Said) && HasFragments(wire, Witness.WireIn) && HasFragments(wire, Witness.WireOut)),
            new("no wire text was longer than the network allows", wire.All(e => e.Wire!.Length <= DemoStage.MaxWireBytes)),
            new("no text could be read on the wire", wire.All(e => !Shows(e.Wire!, facts.Said.Concat(echoes)))),
            new("the server was killed by SIGKILL, and another process took over",
                facts.KillExitCode == SigKill && facts.ProcessAfter != facts.ProcessBefore && facts.ProcessAfter != 0),
            new("messages were in flight when it was killed, and arrived", SaidAround(entries)),
            new("alice ended the session, and the bot was notified", Of(entries, Witness.Bot, Sight.SessionEnded) is [{ Text: "EndedByPeer" }]),
            new("the bot's message after the end was refused, and nothing was sent",
                facts is { RefusedAfterEnd: "SESSION_FINISHED", WireAfterEnd: 0 }),
            new("nothing was rejected on the way",
                !entries.Any(e => e is { Sight: Sight.Refused, Witness: Witness.WireIn or Witness.Contact })),
        ];
    }

    private static List<DemoEntry> Of(IReadOnlyList<DemoEntry> entries, Witness witness, Sight sight) =>
        [.. entries.Where(e => e.Witness == witness && e.Sight == sight)];

    private static bool HasLong(IReadOnlyList<string> said) => said.Any(s => Encoding.UTF8.GetByteCount(s) >= 10_000);

    private static bool HasFragments(List<DemoEntry> wire, Witness direction) =>
        wire.Count(e => e.Witness == direction && Fragment.IsFragment(e.Wire!)) >= 8;

    /// <summary>True if the wire text contains a line of any text, as plain text or in base64.</summary>
    private static bool Shows(byte[] wire, IEnumerable<string> texts)
    {
        var carried = Encoding.UTF8.GetString(wire);
        return texts.SelectMany(t => t.Split('\n')).Where(l => l.Length > 8)
            .Any(l => carried.Contains(l, StringComparison.Ordinal)
                || carried.Contains(Convert.ToBase64String(Encoding.UTF8.GetBytes(l))[..^4], StringComparison.Ordinal));
    }

    /// <summary>True if the contact wrote something between kill and restart, and the bot read all of it after the restart.</summary>
    private static bool SaidAround(IReadOnlyList<DemoEntry> entries)
    {
        var notes = entries.Where(e => e.Witness == Witness.Server).Select(e => e.Number).ToList();
        if (notes.Count != 2) return false;
        var during = entries
            .Where(e => e is { Witness: Witness.Contact, Sight: Sight.Wrote } && e.Number > notes[0] && e.Number < notes[1])
            .Select(e => e.Text).ToList();
        return during.Count > 0
            && during.All(t => entries.Any(e => e is { Witness: Witness.Bot, Sight: Sight.Read } && e.Number > notes[1] && e.Text == t));
    }

    /// <summary>From the note that the server was killed to the next text that the contact read; zero if there is none.</summary>
    public static TimeSpan Outage(IReadOnlyList<DemoEntry> entries)
    {
        var killed = entries.FirstOrDefault(e => e is { Witness: Witness.Server, Sight: Sight.Note });
        var answered = entries.FirstOrDefault(e => e is { Witness: Witness.Contact, Sight: Sight.Read } && e.Number > killed?.Number);
        return killed is null || answered is null ? TimeSpan.Zero : answered.At - killed.At;
    }
}
