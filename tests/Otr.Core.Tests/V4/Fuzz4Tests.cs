using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Fuzz;
using Otr.Core.Tests.Kit;
using Otr.Core.Wire;

namespace Otr.Core.Tests.V4;

/// <summary>Bent messages of a real conversation of version 4, in every state that they came in.</summary>
public class Fuzz4Tests
{
    private static readonly TimeSpan Box = TimeSpan.FromSeconds(8);
    private const int StepsPerSeed = 15;

    /// <summary>A party about to receive a message.</summary>
    private sealed record Moment(int Seed, byte[] Snapshot, byte[] Wire, long Now)
    {
        public Party Fresh()
        {
            var party = Party4.New(Seed, 3 - Seed);
            party.Now = Now;
            party.Restore(Snapshot);
            return party;
        }
    }

    private static readonly string[] Texts = ["ping", "pong", "a text that goes out in pieces"];

    private static List<Moment> Moments()
    {
        var moments = new List<Moment>();
        Party us = Party4.New(1, 2), peer = Party4.New(2, 1);
        void Run(Party sender, IEnumerable<OtrEffect> effects)
        {
            var receiver = sender == us ? peer : us;
            foreach (var wire in effects.Wire().ToArray())
            {
                moments.Add(new Moment(receiver == us ? 1 : 2, receiver.Snapshot(), wire.ToArray(), receiver.Now));
                Run(receiver, receiver.Receive(wire));
            }
        }
        Run(us, us.Start());
        Run(us, us.Send(Texts[0]));
        Run(peer, peer.Send(Texts[1]));
        Run(us, us.Step(new OtrInput.SmpStartRequested("s".Utf8(), "q".Utf8())));
        var token = peer.All.OfType<OtrEffect.SmpAnswerNeeded>().Single().Token;
        Run(peer, peer.Step(new OtrInput.SmpAnswerRequested(token, "s".Utf8())));
        Run(us, us.Step(new OtrInput.ExtraKeyRequested(1, "x".Utf8())));
        foreach (var piece in Fragmenter.Cut(peer.Send(Texts[2]).Wire().Single().ToArray(), 200, 4, 0x1002, 0x1001, 7))
            Run(peer, [new OtrEffect.SendWire(piece)]);
        Run(us, us.End());
        return moments;
    }

    [Fact]
    public void Nothing_that_arrives_throws_or_is_taken_for_what_it_is_not()
    {
        var moments = Moments();
        Assert.True(moments.Count > 15);
        byte[][] wires = [.. moments.Select(m => m.Wire)];
        var runs = LongRuns.Search(Box, atLeast: 10, seed =>
        {
            var random = new Random(seed);
            var mutator = new Mutator(random);
            var moment = moments[random.Next(moments.Count)];
            var party = moment.Fresh();
            for (var step = 0; step < StepsPerSeed; step++)
            {
                var wire = random.Next(3) > 0 ? moment.Wire : wires[random.Next(wires.Length)];
                Check(party, mutator.Mutate(wire, wires));
                if (random.Next(10) > 0) continue;
                party.Now += random.Next(100_000);
                party.Step(new OtrInput.TimePassed());
            }
        });
        TestContext.Current.TestOutputHelper?.WriteLine($"{runs * StepsPerSeed} inputs");
    }

    private static void Check(Party party, byte[] wire)
    {
        var before = party.Snapshot();
        var view = StateView.Of(party);
        var pieces = party.Look(s => s.FragmentSets.Count + s.Fragments.Count);
        var effects = party.Receive(wire);
        var after = party.Snapshot();
        if (!party.Conversation.IsDirty) Assert.Equal(before, after);
        foreach (var text in effects.OfType<OtrEffect.DeliverText>().Where(t => t.Encrypted)) Assert.Contains(text.Text.ToText(), Texts);
        // A refusal alone, of a whole message while nothing had come in pieces, leaves everything as it was.
        if (effects is [OtrEffect.Rejected] && pieces == 0) Assert.Equal(view, StateView.Of(party));
    }
}
