using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Conversations;

/// <summary>What the core sends, the core takes: texts, questions and keys of every size, whole and in fragments of every length.</summary>
public sealed class SizeTests
{
    public static TheoryData<int, int, int> Networks => new()
    {
        { 0, 0, 3 }, { 0, OtrLimits.MaxPaddingBlock, 3 }, { 400, 0, 3 }, { 200, 4096, 3 }, { 100, 0, 3 }, { 37, 0, 3 }, { 1, 0, 3 },
        { 0, 0, 2 }, { 400, 256, 2 }, { 30, 0, 2 },
    };

    [Theory]
    [MemberData(nameof(Networks))]
    public void The_longest_text_that_is_sent_arrives(int limit, int padding, int version)
    {
        var settings = new OtrSettings
        {
            Policy = version == 3 ? OtrPolicy.AllowV3 : OtrPolicy.AllowV2, MaxWireBytes = limit, PaddingBlock = padding, ResendsLast = true,
        };
        Party us = new(1, settings), peer = new(2, settings);
        Network.Establish(us, peer);
        // As many keys to reveal as there may be: the message is the longer for each of them.
        for (var i = 0; i < 3; i++)
        {
            Network.Run(us, peer, us.Send("ping"));
            Network.Run(peer, us, peer.Send("pong"));
        }
        int taken = 0, refused = OtrLimits.MaxPlaintextBytes + 1;
        while (refused - taken > 1)
        {
            var length = (taken + refused) / 2;
            var sent = us.Send(new string('x', length));
            if (sent.Exists(e => e is OtrEffect.Refused { Reason: RefusalReason.TooLarge }))
            {
                Assert.Empty(sent.Wire());
                refused = length;
                continue;
            }
            taken = length;
            Network.Run(us, peer, sent);
            Assert.Equal(length, peer.PrivateTexts.Last().Length);
            peer.All.Clear();
        }
        if (limit is 0 or 400) Assert.Equal(OtrLimits.MaxPlaintextBytes, taken);
        Assert.InRange(taken, 2000, OtrLimits.MaxPlaintextBytes);

        // The same text once more, with its mark, after an error.
        us.Receive("?OTR Error: unreadable");
        us.Now = peer.Now += 1000;
        Network.Run(peer, us, peer.Start());
        Assert.Equal("[resent] ".Length + taken, peer.PrivateTexts.Last().Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(400)]
    [InlineData(100)]
    public void The_longest_question_and_key_data_arrive_or_are_refused(int limit)
    {
        var settings = new OtrSettings { Policy = OtrPolicy.AllowV3, MaxWireBytes = limit };
        Party us = new(1, settings), peer = new(2, settings);
        Network.Establish(us, peer);
        Network.Run(us, peer, us.Step(new OtrInput.ExtraKeyRequested(1, new byte[OtrLimits.MaxExtraKeyDataBytes])));
        Assert.Equal(OtrLimits.MaxExtraKeyDataBytes, peer.All.OfType<OtrEffect.ExtraKey>().Single().Data.Length);
        var question = new string('?', OtrLimits.MaxSmpQuestionBytes).Utf8();
        Network.Run(us, peer, us.Step(new OtrInput.SmpStartRequested("s".Utf8(), question)));
        var asked = peer.All.OfType<OtrEffect.SmpAnswerNeeded>().Single();
        Network.Run(peer, us, peer.Step(new OtrInput.SmpAnswerRequested(asked.Token, "s".Utf8())));
        Assert.Equal(SmpOutcome.Success, us.All.OfType<OtrEffect.SmpChanged>().Last().Outcome);
    }

    [Fact]
    public void A_held_text_that_would_not_arrive_is_refused_at_once()
    {
        var us = new Party(1, new OtrSettings { MaxWireBytes = 100 });
        var effects = us.Send(new string('x', OtrLimits.MaxPlaintextBytes), 5);
        Assert.Equal(new OtrEffect.Refused(RefusalReason.TooLarge, 5), Assert.Single(effects));
    }
}
