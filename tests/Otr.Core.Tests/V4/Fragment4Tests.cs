using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;
using Otr.Core.Wire;

namespace Otr.Core.Tests.V4;

/// <summary>Fragments of version 4: named after their message, in any order, mixed, hostile (checklist C13.8).</summary>
public class Fragment4Tests
{
    private const int Limit = 300;

    private readonly Party _us, _peer;

    public Fragment4Tests()
    {
        (_us, _peer) = Party4.Pair(s => s with { MaxWireBytes = Limit });
        Network.Establish(_us, _peer);
        Assert.Equal(4, _us.Conversation.Sessions.Single().Version);
    }

    private string[] Cut(string text)
    {
        string[] pieces = [.. _peer.Send(text).Wire().Select(w => w.ToText())];
        Assert.True(pieces.Length > 2);
        Assert.All(pieces, p => Assert.InRange(p.Length, 46, Limit));
        return pieces;
    }

    private void AssertRejected(string wire, RejectReason reason) =>
        Assert.Equal(reason, Assert.Single(_us.Receive(wire).OfType<OtrEffect.Rejected>()).Reason);

    [Fact]
    public void Pieces_come_in_any_order_doubled_mixed_and_with_other_messages_between()
    {
        string[] first = Cut("first"), second = Cut("second");
        _us.Restore(_us.Snapshot());
        foreach (var piece in second.Reverse().Skip(1)) _us.Receive(piece);
        _us.Receive(first[^1]);
        Assert.Empty(_us.Receive(first[^1]).OfType<OtrEffect.Rejected>());
        _us.Receive("in the clear");
        _us.Receive("?OTR Error: ERROR_1: what?");
        _us.Restore(_us.Snapshot());
        foreach (var piece in first[..^1]) _us.Receive(piece);
        Assert.Equal(["first"], _us.PrivateTexts);
        _us.Receive(second[^1]);
        Assert.Equal(["first", "second"], _us.PrivateTexts);
        Assert.Empty(_us.Rejects);
    }

    [Fact, Trait("hostile", "F04")]
    public void A_fragment_of_a_fragment_is_refused()
    {
        var inner = Cut("inner")[0];
        _us.Receive("?OTR|00000009|00001002|00001001,1,2,?OTR|0000000a|00001002|00001001,");
        // The comma ends the piece: what is left of it is none of ours.
        AssertRejected("?OTR|0000000b|00001002|00001001,1,1,?OTR|,", RejectReason.BadFragment);
        AssertRejected($"?OTR|0000000c|00001002|00001001,1,1,{inner},", RejectReason.BadFragment);
    }

    [Fact, Trait("hostile", "F08")]
    public void A_message_of_another_sender_or_version_within_is_refused()
    {
        var whole = Convert.ToBase64String([0, 4, 3, 0, 0, 0x10, 0x07, 0, 0, 0x10, 0x01, .. new byte[200]]);
        AssertRejected($"?OTR|0000000b|00001002|00001001,1,1,?OTR:{whole}.,", RejectReason.Malformed);
        whole = Convert.ToBase64String([0, 3, 3, 0, 0, 0x10, 0x02, 0, 0, 0x10, 0x01, .. new byte[200]]);
        AssertRejected($"?OTR|0000000b|00001002|00001001,1,1,?OTR:{whole}.,", RejectReason.Malformed);
        // Nor one of version 4 in fragments of version 3.
        whole = Convert.ToBase64String([0, 4, 3, 0, 0, 0x10, 0x02, 0, 0, 0x10, 0x01, .. new byte[200]]);
        AssertRejected($"?OTR|00001002|00001001,1,1,?OTR:{whole}.,", RejectReason.Malformed);
    }

    [Fact, Trait("hostile", "F05")]
    public void Pieces_for_others_or_with_bad_tags_are_refused()
    {
        AssertRejected("?OTR|00000001|00001002|00001005,1,2,abc,", RejectReason.OtherInstance);
        AssertRejected("?OTR|00000001|000000ff|00001001,1,2,abc,", RejectReason.InvalidInstanceTag);
    }

    public static TheoryData<string> Malformed =>
        ["0,2,abc", "3,2,abc", "1,0,abc", "1,2,", "1,65536,abc", "-1,2,abc", "1,2,a,b", "1,2"];

    [Theory, Trait("hostile", "F02"), MemberData(nameof(Malformed))]
    public void Malformed_pieces_are_refused(string rest) =>
        AssertRejected($"?OTR|00000001|00001002|00001001,{rest},", RejectReason.BadFragment);

    [Fact, Trait("hostile", "F03")]
    public void A_forged_piece_with_another_total_does_not_kill_the_message()
    {
        var pieces = Cut("honest");
        _us.Receive(pieces[0]);
        var forged = pieces[1].Replace($",{pieces.Length:d5},", $",{pieces.Length + 1:d5},", StringComparison.Ordinal);
        AssertRejected(forged, RejectReason.BadFragment);
        foreach (var piece in pieces[1..]) _us.Receive(piece);
        Assert.Equal(["honest"], _us.PrivateTexts);
    }

    [Fact, Trait("hostile", "F07")]
    public void Messages_begun_are_bounded_in_number_bytes_and_age()
    {
        for (var i = 0; i < 3 * OtrLimits.MaxFragmentSets; i++) _us.Receive($"?OTR|{i + 1:x8}|00001002|00001001,1,2,abc,");
        Assert.Equal(OtrLimits.MaxFragmentSets, _us.Look(s => s.FragmentSets.Count));
        // The room is one for all of them.
        var piece = new string('a', 40_000);
        for (var i = 1; i < 5; i++) _us.Receive($"?OTR|{i + 100:x8}|00001002|00001001,1,2,{piece},");
        Assert.Equal(RejectReason.TooLarge, _us.Rejects.Single());
        Assert.InRange(_us.Look(s => s.FragmentSets.Sum(f => f.Length)), 100_000, OtrLimits.MaxWireBytes);
        Assert.NotNull(_us.Conversation.NextDeadline);
        _us.Now += OtrLimits.FragmentLifetime;
        _us.Step(new OtrInput.TimePassed());
        Assert.Equal(0, _us.Look(s => s.FragmentSets.Count));
    }

    [Fact]
    public void What_cannot_be_afforded_when_the_last_piece_comes_may_come_again()
    {
        var us = Party4.New(1, 2);
        string[] pieces = [.. Party4.New(2, 1, s => s with { MaxWireBytes = Limit }).Receive("?OTRv4?").Wire().Select(w => w.ToText())];
        foreach (var piece in pieces[..^1]) us.Receive(piece);
        us.Budget = TestBudget.Empty;
        Assert.Equal(RejectReason.Overloaded, us.Receive(pieces[^1]).OfType<OtrEffect.Rejected>().Single().Reason);
        us.Restore(us.Snapshot());
        us.Budget = null;
        Assert.Equal((byte)MessageType.AuthR, WireText.TypeOf(us.Receive(pieces[^1]).Wire().Single()));
    }
}
