using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Fuzz;

/// <summary>Bent messages of real conversations, in every state that a conversation can be in.</summary>
public sealed class FuzzTests
{
    private static readonly TimeSpan Box = TimeSpan.FromSeconds(9);
    private const int StepsPerSeed = 40;
    // What a step may allocate beside a multiple of what came in: keys, exponentiation tables, an answer.
    private const long AllocationBase = 512 * 1024, AllocationPerByte = 32;
    private const int LongestSnapshot = OtrLimits.MaxWireBytes + 64 * 1024;

    [Fact]
    public void Nothing_that_arrives_throws_grows_or_is_taken_for_what_it_is_not()
    {
        Assert.True(CorpusFile.All.Count >= 20, "The corpus is missing.");
        var moments = Recording.Of(3).Moments.Concat(Recording.Of(2).Moments).ToArray();
        var runs = LongRuns.Search(Box, atLeast: 20, seed =>
        {
            var random = new Random(seed);
            var mutator = new Mutator(random);
            var moment = moments[random.Next(moments.Length)];
            var party = moment.Fresh();
            for (var step = 0; step < StepsPerSeed; step++)
            {
                var wire = random.Next(3) == 0 ? moment.Wire : CorpusFile.All[random.Next(CorpusFile.All.Count)];
                wire = mutator.Mutate(wire, CorpusFile.All);
                if (random.Next(20) == 0)
                {
                    party.Now += random.Next(100_000);
                    party.Step(new OtrInput.TimePassed());
                }
                Check(party, moment, wire);
            }
        });
        TestContext.Current.TestOutputHelper?.WriteLine($"{runs * StepsPerSeed} inputs");
    }

    private static void Check(Party party, Recording.Moment moment, byte[] wire)
    {
        var before = party.Snapshot();
        var view = StateView.Of(party);
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var effects = party.Receive(wire);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, AllocationBase + AllocationPerByte * wire.Length);
        var after = party.Snapshot();
        Assert.InRange(after.Length, 1, LongestSnapshot);
        if (!party.Conversation.IsDirty) Assert.Equal(before, after);

        foreach (var effect in effects)
        {
            // Only the message that belongs to this moment can be accepted, and that as it is.
            if (effect is OtrEffect.DeliverText { Encrypted: true } text) Assert.Contains(text.Text.ToText(), (string[])["hello", "hello yourself", "with a revealed key"]);
            if (effect is OtrEffect.SmpChanged or OtrEffect.SmpAnswerNeeded) Assert.StartsWith("smp", moment.Name);
            if (effect is OtrEffect.SessionChanged { Cause: SessionCause.EndedByPeer }) Assert.Equal("disconnect", moment.Name);
            if (effect is OtrEffect.SessionChanged { Cause: SessionCause.KeyExchange }) Assert.Contains(moment.Name, (string[])["reveal", "signature"]);
        }
        // A refusal alone, of a whole message while nothing had come in pieces, leaves everything as it was.
        if (effects is [OtrEffect.Rejected] && !HeldPieces(before, party)) Assert.Equal(view, StateView.Of(party));
    }

    private static bool HeldPieces(byte[] snapshot, Party party)
    {
        using var state = ConversationSnapshot.TryRead(snapshot, party.Account, party.Settings)!;
        return state.Fragments.Count > 0;
    }

    /// <summary>Inputs that once broke something; each stays.</summary>
    [Theory]
    [InlineData("?OTR:===.")]
    [InlineData("?OTR|2222|0,1,1,,")]
    [InlineData("?OTR|2222|0,2,2,x,")]
    public void What_once_broke_something_no_longer_does(string text)
    {
        var party = new Party(1);
        party.Receive(text);
        Assert.Equal(MessageState.Plaintext, party.Conversation.State);
        Assert.Equal(0, party.Look(s => s.Fragments.Count));
    }

    [Fact]
    public void The_corpus_is_a_real_conversation()
    {
        // Set RELAY_CORPUS to a folder to have it written anew.
        if (Environment.GetEnvironmentVariable("RELAY_CORPUS") is { Length: > 0 } folder) CorpusFile.Write(folder);
        var kinds = CorpusFile.All.Where(w => WireText.IsMessage(w)).Select(w => (WireText.Decode(w)[1], WireText.TypeOf(w))).Distinct().Order();
        Assert.Equal([(2, 0x02), (2, 0x03), (2, 0x0a), (2, 0x11), (2, 0x12), (3, 0x02), (3, 0x03), (3, 0x0a), (3, 0x11), (3, 0x12)], kinds.Select(k => ((int)k.Item1, (int)k.Item2)));
    }
}
