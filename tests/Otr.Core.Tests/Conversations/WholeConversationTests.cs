using Otr.Core;

namespace Otr.Core.Tests.Conversations;

public sealed class WholeConversationTests
{
    [Fact]
    public void Query_to_encrypted_with_equal_ssid_and_opposite_bold()
    {
        Party a = new(1), b = new(2);
        Network.Establish(a, b);
        SessionInfo sa = a.Conversation.Sessions[0], sb = b.Conversation.Sessions[0];
        Assert.Equal(sa.Ssid, sb.Ssid);
        Assert.NotEqual(sa.SsidFirstHalfBold, sb.SsidFirstHalfBold);
        Assert.Equal(b.Account.Key.PublicKey.Fingerprint, sa.PeerFingerprint);
        Assert.Equal(a.Account.Key.PublicKey.Fingerprint, sb.PeerFingerprint);
        Assert.Equal((3, b.Account.InstanceTag, a.Account.InstanceTag), (sa.Version, sa.PeerInstanceTag, sb.PeerInstanceTag));
    }

    [Fact]
    public void Two_hundred_alternating_messages_with_restarts_arrive_once_and_in_order()
    {
        Party a = new(1), b = new(2);
        Network.Establish(a, b);
        for (var i = 0; i < 100; i++)
        {
            Network.Run(a, b, a.Send($"a{i}"));
            if (i % 7 == 0) b.Restore(b.Snapshot());
            Network.Run(b, a, b.Send($"b{i}"));
            if (i % 5 == 0) a.Restore(a.Snapshot());
        }
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"a{i}"), b.PrivateTexts);
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"b{i}"), a.PrivateTexts);
        Assert.Empty(a.Rejects.Concat(b.Rejects));
    }

    [Fact]
    public void A_held_message_leaves_when_the_session_stands()
    {
        Party a = new(1), b = new(2);
        Network.Run(a, b, a.Send("first", 7));
        Assert.Equal(["first"], b.PrivateTexts);
        Assert.Equal([SendDisposition.Held, SendDisposition.Encrypted], a.All.OfType<OtrEffect.SendOutcome>().Select(o => o.Disposition));
    }

    [Fact]
    public void The_end_finishes_the_other_side_which_then_refuses_to_send()
    {
        Party a = new(1), b = new(2);
        Network.Establish(a, b);
        Network.Run(a, b, a.End());
        Assert.Equal(MessageState.Plaintext, a.Conversation.State);
        Assert.Equal(MessageState.Finished, b.Conversation.State);
        var effects = b.Send("too late", 9);
        Assert.Equal(new OtrEffect.Refused(RefusalReason.SessionFinished, 9), Assert.Single(effects));
        Network.Run(b, a, b.Start());
        Assert.Equal(MessageState.Encrypted, b.Conversation.State);
    }

    [Fact]
    public void Both_sides_starting_at_once_settle()
    {
        Party a = new(1), b = new(2);
        Network.Run(a, b, a.Start(), b.Start());
        Assert.Equal(MessageState.Encrypted, a.Conversation.State);
        Assert.Equal(MessageState.Encrypted, b.Conversation.State);
        Network.Run(a, b, a.Send("hello"));
        Assert.Equal(["hello"], b.PrivateTexts);
    }

    [Fact]
    public void A_query_that_follows_at_once_repeats_the_last_message_byte_by_byte()
    {
        Party asks = new(1), answers = new(2);
        var query = Assert.Single(asks.Start().Wire());
        var commit = Assert.Single(answers.Receive(query).Wire());
        Assert.Equal(commit, Assert.Single(answers.Receive(query).Wire()));
        var reveal = Assert.Single(answers.Receive(Assert.Single(asks.Receive(commit).Wire())).Wire());
        Assert.Equal(reveal, Assert.Single(answers.Receive(query).Wire()));
        answers.Now += OtrLimits.CommitRepeatInterval;
        Assert.NotEqual(commit, Assert.Single(answers.Receive(query).Wire()));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(400)]
    public void Fragments_carry_a_long_message(int limit)
    {
        var settings = new OtrSettings { MaxWireBytes = limit };
        Party a = new(1, settings), b = new(2, settings);
        Network.Establish(a, b);
        var text = string.Concat(Enumerable.Range(0, 2000).Select(i => $"{i}ä"));
        var sent = a.Send(text);
        Assert.All(sent.Wire(), w => Assert.InRange(w.Length, 1, limit));
        Network.Run(a, b, sent);
        Assert.Equal([text], b.PrivateTexts);
    }

    [Theory]
    [InlineData("abc", "abc", SmpOutcome.Success)]
    [InlineData("abc", "abd", SmpOutcome.Failure)]
    public void Smp_compares_secrets(string one, string other, SmpOutcome expected)
    {
        Party a = new(1), b = new(2);
        Network.Establish(a, b);
        Network.Run(a, b, a.Step(new OtrInput.SmpStartRequested(System.Text.Encoding.UTF8.GetBytes(one))));
        var request = Assert.Single(b.All.OfType<OtrEffect.SmpAnswerNeeded>());
        Network.Run(b, a, b.Step(new OtrInput.SmpAnswerRequested(request.Token, System.Text.Encoding.UTF8.GetBytes(other))));
        Assert.Equal(expected, a.All.OfType<OtrEffect.SmpChanged>().Last().Outcome);
        Assert.Equal(expected, b.All.OfType<OtrEffect.SmpChanged>().Last().Outcome);
    }

    [Fact]
    public void The_extra_key_is_the_same_on_both_sides()
    {
        Party a = new(1), b = new(2);
        Network.Establish(a, b);
        Network.Run(a, b, a.Step(new OtrInput.ExtraKeyRequested(5, new byte[] { 1, 2 })));
        var sent = Assert.Single(a.All.OfType<OtrEffect.ExtraKey>());
        var got = Assert.Single(b.All.OfType<OtrEffect.ExtraKey>());
        Assert.Equal(sent.Key, got.Key);
        Assert.Equal(5u, got.Use);
        Assert.Equal([1, 2], got.Data.ToArray());
    }
}
