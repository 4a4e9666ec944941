using System.Globalization;
using Otr.Core.Tests.Kit;
using Otr.Core.Tests.V4;

namespace Otr.Core.Tests.Conversations;

/// <summary>
/// What OTR costs where a message has 160 characters, as docs/bridges.md says it: messages of the network for each step, counted between
/// two parties whose wire text is cut for it.
/// </summary>
public sealed class SmallMessageCostTests
{
    private const int Limit = 160, TextLength = 100, Texts = 12;
    private const string Question = "Where did we meet last summer?";

    [Fact]
    public void The_table_in_the_documentation_is_true()
    {
        var columns = new[] { 2, 3, 4 }.Select(Measure).ToArray();
        var steps = columns[0].Select((row, i) => $"| {row.Step} | {string.Join(" | ", columns.Select(column => column[i].Messages))} |");
        var documentation = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Conversations", "bridges.md"));
        var table = string.Join('\n', steps);
        Assert.True(documentation.Contains(table, StringComparison.Ordinal), $"docs/bridges.md must have:\n{table}");
    }

    private static List<(string Step, string Messages)> Measure(int version)
    {
        var (us, peer) = Pair(version);
        var query = us.Start();
        var exchange = Run(us, peer, query).Skip(1).ToArray();
        Assert.All([us, peer], p => Assert.Equal(MessageState.Encrypted, p.Conversation.State));
        Assert.All([us, peer], p => Assert.Equal(version, p.Conversation.Sessions.Single().Version));

        var answered = new List<int>();
        for (var i = 0; i < Texts; i++)
        {
            var (from, to) = i % 2 == 0 ? (us, peer) : (peer, us);
            answered.AddRange(Run(from, to, from.Send(new string('x', TextLength))));
        }
        Assert.Equal(Texts, answered.Count);
        var again = Enumerable.Range(0, 3).SelectMany(_ => Run(peer, us, peer.Send(new string('x', TextLength)))).ToArray();

        var smp = Verify(us, peer, null);
        var asked = Verify(us, peer, Question);
        var end = Run(us, peer, us.End());
        return
        [
            ("offer (query) without a text", "1"),
            ("key exchange", Sum(exchange)),
            ("a text of 100 characters, in answer to one", Range(answered)),
            ("a text of 100 characters, after one of one's own", Range(again)),
            ("verification with a shared secret", Sum(smp)),
            ("verification with a question of 30 characters", Sum(asked)),
            ("end of the session", Range(end)),
        ];
    }

    /// <summary>SMP to its success; the messages of each step.</summary>
    private static int[] Verify(Party us, Party peer, string? question)
    {
        var first = Run(us, peer, us.Step(new OtrInput.SmpStartRequested("secret".Utf8(), question?.Utf8())));
        var token = peer.All.OfType<OtrEffect.SmpAnswerNeeded>().Last().Token;
        var rest = Run(peer, us, peer.Step(new OtrInput.SmpAnswerRequested(token, "secret".Utf8())));
        Assert.All([us, peer], p => Assert.Equal(SmpOutcome.Success, p.All.OfType<OtrEffect.SmpChanged>().Last().Outcome));
        return [.. first, .. rest];
    }

    /// <summary>Carries wire text until both are silent; the number of messages of each step, each of which the network takes.</summary>
    private static List<int> Run(Party from, Party to, List<OtrEffect> effects)
    {
        var counts = new List<int>();
        while (effects.Wire().ToList() is { Count: > 0 } wire)
        {
            Assert.All(wire, w => Assert.InRange(w.Length, 1, Limit));
            counts.Add(wire.Count);
            effects = [.. wire.SelectMany(w => to.Receive(w))];
            (from, to) = (to, from);
        }
        Assert.Empty(from.Rejects.Concat(to.Rejects));
        return counts;
    }

    private static (Party Us, Party Peer) Pair(int version)
    {
        if (version == 4) return Party4.Pair(s => s with { MaxWireBytes = Limit, QueryText = "" });
        var settings = new OtrSettings
        {
            Policy = (version == 3 ? OtrPolicy.AllowV3 : OtrPolicy.AllowV2) | OtrPolicy.RequireEncryption,
            MaxWireBytes = Limit, QueryText = "",
        };
        return (new Party(1, settings), new Party(2, settings));
    }

    private static string Sum(IEnumerable<int> steps) =>
        string.Create(CultureInfo.InvariantCulture, $"{steps.Sum()} ({string.Join(" + ", steps)})");

    private static string Range(IEnumerable<int> counts) =>
        counts.Min() == counts.Max() ? $"{counts.Min()}" : $"{counts.Min()} to {counts.Max()}";
}
