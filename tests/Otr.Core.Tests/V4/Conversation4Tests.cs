using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.V4;

/// <summary>Whole conversations of version 4 between two of our own sides.</summary>
public class Conversation4Tests
{
    [Fact]
    public void A_session_is_established_and_texts_go_both_ways()
    {
        var (us, peer) = Party4.Established();
        SessionInfo ours = us.Conversation.Sessions.Single(), theirs = peer.Conversation.Sessions.Single();
        Assert.Equal(ours.Ssid, theirs.Ssid);
        Assert.NotEqual(ours.SsidFirstHalfBold, theirs.SsidFirstHalfBold);
        Assert.Equal(Party4.Identity(2).Fingerprint, ours.PeerFingerprint);
        Assert.Equal(Party4.Identity(1).Fingerprint, theirs.PeerFingerprint);
        for (var i = 0; i < 8; i++)
        {
            Network.Run(us, peer, us.Send($"ping {i}"));
            Network.Run(us, peer, us.Send($"again {i}"));
            Network.Run(peer, us, peer.Send($"pong {i}"));
        }
        Assert.Equal(Enumerable.Range(0, 8).SelectMany(i => new[] { $"ping {i}", $"again {i}" }), peer.PrivateTexts);
        Assert.Equal(Enumerable.Range(0, 8).Select(i => $"pong {i}"), us.PrivateTexts);
        Assert.Empty(us.Rejects.Concat(peer.Rejects));
    }

    [Fact]
    public void What_was_held_goes_out_when_the_session_is_established()
    {
        var (us, peer) = Party4.Pair();
        Network.Run(us, peer, us.Send("held"));
        Assert.Equal(["held"], peer.PrivateTexts);
    }

    [Fact]
    public void Identity_messages_that_cross_lead_to_one_session()
    {
        var (us, peer) = Party4.Pair();
        var fromUs = us.Receive("?OTRv4?");
        var fromPeer = peer.Receive("?OTRv4?");
        Network.Run(us, peer, fromUs, fromPeer);
        Assert.Equal(us.Conversation.Sessions.Single().Ssid, peer.Conversation.Sessions.Single().Ssid);
        Network.Run(us, peer, us.Send("to the peer"));
        Network.Run(peer, us, peer.Send("to us"));
        Assert.Equal(["to us"], us.PrivateTexts);
        Assert.Equal(["to the peer"], peer.PrivateTexts);
    }

    [Fact]
    public void A_text_that_overtakes_the_auth_i_is_read_after_it()
    {
        var (us, peer) = Party4.Pair();
        var identity = us.Receive("?OTRv4?").Wire().Single();
        var authR = peer.Receive(identity).Wire().Single();
        var authI = us.Receive(authR).Wire().Single();
        var text = us.Send("early").Wire().Single();
        Assert.Empty(peer.Receive(text));
        Assert.Empty(peer.PrivateTexts);
        peer.Receive(authI);
        Assert.Equal(["early"], peer.PrivateTexts);
        Assert.Empty(peer.Rejects);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_restart_after_any_step_goes_on(bool peerAsks)
    {
        var (us, peer) = Party4.Pair();
        void Restart()
        {
            us.Restore(us.Snapshot());
            peer.Restore(peer.Snapshot());
        }
        var (first, second) = peerAsks ? (peer, us) : (us, peer);
        var wire = first.Start().Wire().Single();
        for (var receiver = second; ; receiver = receiver == us ? peer : us)
        {
            Restart();
            if (receiver.Receive(wire).Wire().SingleOrDefault() is not { IsEmpty: false } next) break;
            wire = next;
        }
        for (var i = 0; i < 7; i++)
        {
            Restart();
            var late = us.Send($"late {i}").Wire().Single();
            Network.Run(us, peer, us.Send($"ping {i}"));
            Restart();
            Network.Run(peer, us, peer.Send($"pong {i}"));
            Restart();
            peer.Receive(late);
        }
        Assert.Equal(14, peer.PrivateTexts.Count());
        Assert.Equal(Enumerable.Range(0, 7).Select(i => $"pong {i}"), us.PrivateTexts);
        Assert.Empty(us.Rejects.Concat(peer.Rejects));
    }

    [Fact]
    public void Smp_succeeds_with_equal_secrets_and_fails_with_others()
    {
        foreach (var (answer, outcome) in new[] { ("s", SmpOutcome.Success), ("other", SmpOutcome.Failure) })
        {
            var (us, peer) = Party4.Established();
            Network.Run(us, peer, us.Step(new OtrInput.SmpStartRequested("s".Utf8(), "Which?".Utf8())));
            var asked = peer.All.OfType<OtrEffect.SmpAnswerNeeded>().Single();
            Assert.Equal("Which?".Utf8(), asked.Question!.Value.ToArray());
            peer.Restore(peer.Snapshot());
            us.Restore(us.Snapshot());
            Network.Run(peer, us, peer.Step(new OtrInput.SmpAnswerRequested(asked.Token, answer.Utf8())));
            Assert.Equal(outcome, us.All.OfType<OtrEffect.SmpChanged>().Last().Outcome);
            Assert.Equal(outcome, peer.All.OfType<OtrEffect.SmpChanged>().Last().Outcome);
        }
    }

    [Fact]
    public void Both_sides_get_the_same_extra_key()
    {
        var (us, peer) = Party4.Established();
        Network.Run(peer, us, peer.Send("a new ratchet"));
        Network.Run(us, peer, us.Step(new OtrInput.ExtraKeyRequested(7, "data".Utf8())));
        OtrEffect.ExtraKey sent = us.All.OfType<OtrEffect.ExtraKey>().Single(), received = peer.All.OfType<OtrEffect.ExtraKey>().Single();
        Assert.Equal(64, sent.Key.Length);
        Assert.Equal(sent.Key, received.Key);
        Assert.Equal((7u, "data"), (received.Use, System.Text.Encoding.UTF8.GetString(received.Data.Span)));
    }

    [Fact]
    public void The_user_s_end_finishes_the_peer_s_session()
    {
        var (us, peer) = Party4.Established();
        Network.Run(us, peer, us.End());
        Assert.Equal((MessageState.Plaintext, MessageState.Finished), (us.Conversation.State, peer.Conversation.State));
    }

    [Fact]
    public void A_new_exchange_replaces_the_session()
    {
        var (us, peer) = Party4.Established();
        Network.Run(us, peer, us.Send("before"));
        us.Now = peer.Now += 60_000;
        Network.Run(us, peer, us.Start());
        Network.Run(us, peer, us.Send("after"));
        Network.Run(peer, us, peer.Send("answer"));
        Assert.Equal(["before", "after"], peer.PrivateTexts);
        Assert.Equal(["answer"], us.PrivateTexts);
        Assert.Equal(2, us.All.OfType<OtrEffect.SessionChanged>().Count(c => c.Cause == SessionCause.KeyExchange));
    }
}
