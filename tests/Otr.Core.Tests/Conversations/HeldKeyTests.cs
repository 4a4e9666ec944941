using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Conversations;

/// <summary>
/// Where a changed key is held, nothing goes to it before the user has decided about it; a restart between any two steps changes nothing of
/// that.
/// </summary>
public sealed class HeldKeyTests
{
    private static readonly OtrSettings s_holds = new() { Policy = OtrPolicy.Managed, KeyChange = KeyChangeAction.Hold };

    private static Fingerprint KeyOf(Party party) => party.Account.Key.PublicKey.Fingerprint;

    private static KeyStanding Standing(Party us, Party peer) => us.Conversation.KnownKeys.Single(k => k.Fingerprint == KeyOf(peer)).Standing;

    private static SendDisposition? Outcome(Party us, ulong reference)
        => us.All.OfType<OtrEffect.SendOutcome>().LastOrDefault(o => o.Reference == reference)?.Disposition;

    /// <summary>A session with the first key is followed by one with the second, with the same instance or another one of the peer.</summary>
    private static (Party Us, Party First, Party Second) Changed(bool sameInstance, OtrSettings? settings = null)
    {
        Party us = new(1, settings ?? s_holds), first = new(2);
        Network.Establish(us, first);
        if (!sameInstance) us.End();
        var second = new Party(3, tag: sameInstance ? first.Account.InstanceTag : 0);
        us.Now = first.Now = second.Now += 60_000;
        Network.Run(second, us, second.Start());
        Assert.Equal(MessageState.Encrypted, us.Conversation.State);
        us.Restore(us.Snapshot());
        return (us, first, second);
    }

    private static void Decide(Party us, Party about, bool isAccepted)
        => Network.Run(us, about, us.Step(new OtrInput.KeyDecided(KeyOf(about), isAccepted)));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Text_to_a_changed_key_is_held_and_leaves_when_the_key_is_accepted(bool sameInstance)
    {
        var (us, first, second) = Changed(sameInstance);
        Assert.Equal((KeyStanding.Accepted, KeyStanding.Held), (Standing(us, first), Standing(us, second)));
        Network.Run(us, second, us.Send("not yet", 7));
        us.Restore(us.Snapshot());
        // What the peer writes is delivered all the same.
        Network.Run(second, us, second.Send("a new phone"));
        Assert.Equal((SendDisposition.Held, 0, "a new phone"), (Outcome(us, 7), second.PrivateTexts.Count(), us.PrivateTexts.Last()));

        Decide(us, second, isAccepted: true);
        Assert.Equal((SendDisposition.Encrypted, KeyStanding.Accepted), (Outcome(us, 7), Standing(us, second)));
        Network.Run(us, second, us.Send("at once"));
        Assert.Equal(["not yet", "at once"], second.PrivateTexts);
        // It was decided about this key for good, and about no other.
        Assert.Equal(new OtrEffect.KeyDecided(KeyOf(second), KeyStanding.Accepted), Assert.Single(us.All.OfType<OtrEffect.KeyDecided>()));
        Decide(us, second, isAccepted: true);
        Assert.Single(us.All.OfType<OtrEffect.KeyDecided>());
        Assert.Equal(TrustLevel.Untrusted, us.Conversation.KnownKeys.Single(k => k.Fingerprint == KeyOf(second)).Trust);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_refused_key_loses_its_session_and_gets_none_until_it_is_accepted(bool mayBeClear)
    {
        var settings = mayBeClear ? s_holds with { Policy = OtrPolicy.Opportunistic } : s_holds;
        var (us, first, second) = Changed(sameInstance: false, settings);
        us.Send("for nobody", 7);
        Decide(us, second, isAccepted: false);
        us.Restore(us.Snapshot());
        Assert.Equal((SendDisposition.Dropped, KeyStanding.Refused), (Outcome(us, 7), Standing(us, second)));
        Assert.Equal((MessageState.Plaintext, MessageState.Finished), (us.Conversation.State, second.Conversation.State));

        us.Now = first.Now = second.Now += 60_000;
        second.End();
        Network.Run(second, us, second.Start());
        Assert.Equal(RejectReason.KeyChanged, us.Rejects.Last());
        // Not in the clear either, whatever the policy: it waits for another key.
        Network.Run(us, second, us.Send("for the first", 8));
        Assert.Equal(SendDisposition.Held, Outcome(us, 8));
        us.Now = first.Now = second.Now += 60_000;
        first.End();
        Network.Run(first, us, first.Start());
        Assert.Equal(SendDisposition.Encrypted, Outcome(us, 8));
        Assert.Equal(["for the first"], first.PrivateTexts);
        Assert.Empty(second.Texts);

        Decide(us, second, isAccepted: true);
        us.Now = first.Now = second.Now += 60_000;
        Network.Run(second, us, second.Start());
        Assert.Contains(us.Conversation.Sessions, s => s.PeerFingerprint == KeyOf(second) && s.State == MessageState.Encrypted);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_verified_key_is_accepted_by_that(bool bySmp)
    {
        var (us, _, second) = Changed(sameInstance: false);
        us.Send("to whom it may concern", 7);
        if (bySmp)
        {
            Network.Run(us, second, us.Step(new OtrInput.SmpStartRequested("s".Utf8())));
            var token = second.All.OfType<OtrEffect.SmpAnswerNeeded>().Last().Token;
            Network.Run(second, us, second.Step(new OtrInput.SmpAnswerRequested(token, "s".Utf8())));
        }
        else
        {
            Network.Run(us, second, us.Step(new OtrInput.TrustRequested(KeyOf(second), TrustLevel.Verified)));
        }
        Assert.Equal((KeyStanding.Accepted, SendDisposition.Encrypted), (Standing(us, second), Outcome(us, 7)));
        Assert.Equal(["to whom it may concern"], second.PrivateTexts);
        Decide(us, second, isAccepted: false);
        Assert.Equal((KeyStanding.Refused, TrustLevel.Untrusted),
            (Standing(us, second), us.Conversation.KnownKeys.Single(k => k.Fingerprint == KeyOf(second)).Trust));
    }

    [Theory]
    [InlineData(TrustRequirement.None, SendDisposition.Encrypted)]
    [InlineData(TrustRequirement.OnceTrusted, null)]
    [InlineData(TrustRequirement.Always, null)]
    public void Acceptance_is_not_the_trust_that_a_requirement_asks_for(TrustRequirement requirement, SendDisposition? outcome)
    {
        Party us = new(1, s_holds with { TrustRequirement = requirement }), second = new(3);
        us.Step(new OtrInput.TrustRequested(TestKeys.Of(2).PublicKey.Fingerprint, TrustLevel.Verified));
        Network.Run(second, us, second.Start());
        var refused = us.Send("before", 7).OfType<OtrEffect.Refused>().SingleOrDefault();
        Assert.Equal(outcome is null ? RefusalReason.NotTrusted : null, refused?.Reason);
        Decide(us, second, isAccepted: true);
        Assert.Equal(outcome, Outcome(us, 7));
        Assert.Equal(outcome is null, us.Send("after", 8).Contains(new OtrEffect.Refused(RefusalReason.NotTrusted, 8)));
        us.Step(new OtrInput.TrustRequested(KeyOf(second), TrustLevel.Verified));
        Assert.Equal(SendDisposition.Encrypted, us.Send("verified", 9).OfType<OtrEffect.SendOutcome>().Single().Disposition);
    }

    [Fact]
    public void Text_goes_to_an_accepted_key_while_one_is_there_though_the_other_was_heard_later()
    {
        Party us = new(1, s_holds), first = new(2), second = new(3);
        Network.Establish(us, first);
        us.Now = first.Now = second.Now += 60_000;
        Network.Run(second, us, second.Start());
        Network.Run(us, first, us.Send("to the first", 7));
        Assert.Equal(["to the first"], first.PrivateTexts);
        Assert.Empty(second.PrivateTexts);
    }

    [Fact]
    public void What_waited_for_the_key_before_goes_to_it_when_it_is_back_and_else_to_the_accepted_one()
    {
        foreach (bool isBack in new[] { true, false })
        {
            Party us = new(1, s_holds), first = new(2), second = new(3);
            Network.Establish(us, first);
            us.End();
            us.Send("for the first", 7);
            us.Now = first.Now = second.Now += 60_000;
            Network.Run(second, us, second.Start());
            Assert.Equal(SendDisposition.Held, Outcome(us, 7));
            us.Restore(us.Snapshot());
            if (isBack) Network.Run(first, us, first.Start());
            else Decide(us, second, isAccepted: true);
            Assert.Equal(["for the first"], (isBack ? first : second).PrivateTexts);
        }
    }

    [Fact]
    public void What_is_held_for_a_decision_waits_for_a_day()
    {
        var (us, _, second) = Changed(sameInstance: true);
        us.Send("wait", 7);
        us.Now = second.Now += OtrLimits.UndecidedMessageLifetime - 1;
        us.Step(new OtrInput.TimePassed());
        Assert.Equal(SendDisposition.Held, Outcome(us, 7));
        Assert.Equal(us.Now + 1, us.Conversation.NextDeadline);
        us.Now++;
        us.Step(new OtrInput.TimePassed());
        Assert.Equal(SendDisposition.Dropped, Outcome(us, 7));
    }

    [Fact]
    public void What_is_held_for_a_decision_is_bounded_in_number_and_in_bytes()
    {
        var (us, _, second) = Changed(sameInstance: true);
        us.Send(new string('x', OtrLimits.MaxUndecidedBytes - 1), 1);
        Assert.Equal(new OtrEffect.Refused(RefusalReason.TooManyHeld, 2), Assert.Single(us.Send("xx", 2)));
        us.Send("x", 3);
        Assert.Equal((SendDisposition.Held, SendDisposition.Held), (Outcome(us, 1), Outcome(us, 3)));
        Decide(us, second, isAccepted: true);
        Assert.Equal([OtrLimits.MaxUndecidedBytes - 1, 1], second.PrivateTexts.Select(t => t.Length));

        (us, _, _) = Changed(sameInstance: true);
        for (ulong i = 0; i < OtrLimits.MaxHeldMessages; i++) us.Send("x", i + 1);
        Assert.Equal(new OtrEffect.Refused(RefusalReason.TooManyHeld, 9), Assert.Single(us.Send("x", 9)));
    }

    [Fact]
    public void The_first_key_is_not_held_and_a_known_one_not_again_and_the_extra_key_is_no_way_around()
    {
        var (us, first, second) = Changed(sameInstance: false);
        Assert.Equal(new OtrEffect.Refused(RefusalReason.KeyHeld), Assert.Single(us.Step(new OtrInput.ExtraKeyRequested(1, default))));
        Decide(us, second, isAccepted: true);
        us.Now = first.Now = second.Now += 60_000;
        Network.Run(first, us, first.Start());
        us.Now = first.Now = second.Now += 60_000;
        Network.Run(second, us, second.Start());
        Assert.Equal((KeyStanding.Accepted, KeyStanding.Accepted), (Standing(us, first), Standing(us, second)));
        // Harmless for a key that nobody has seen.
        Assert.Empty(us.Step(new OtrInput.KeyDecided(TestKeys.Of(4).PublicKey.Fingerprint, false)));
    }

    [Fact]
    public void It_stays_held_when_sessions_are_lost_or_the_setting_changes()
    {
        var (us, _, second) = Changed(sameInstance: false);
        using var anew = new OtrConversation(us.Account, new OtrSettings { Policy = OtrPolicy.Managed }, us.Conversation.Peer);
        Party restored = new(1, new OtrSettings { Policy = OtrPolicy.Managed }, conversation: anew);
        second.End();
        Network.Establish(second, restored);
        restored.Send("still not", 7);
        Assert.Equal(SendDisposition.Held, Outcome(restored, 7));
        // Another server's word that it is verified is a decision; that it knows it, is none.
        var key = restored.Conversation.Peer.Known.Single(k => k.Fingerprint == KeyOf(second));
        PeerKeys Told(TrustLevel trust) => new([new KnownKey(key.Fingerprint, trust)], null, 0);
        restored.Step(new OtrInput.KeysTold(Told(TrustLevel.Untrusted)));
        Assert.Equal(SendDisposition.Held, Outcome(restored, 7));
        Network.Run(restored, second, restored.Step(new OtrInput.KeysTold(Told(TrustLevel.Verified))));
        Assert.Equal(["still not"], second.PrivateTexts);
        // What was refused here stays refused.
        Decide(restored, second, isAccepted: false);
        restored.Step(new OtrInput.KeysTold(Told(TrustLevel.Verified)));
        Assert.Equal(KeyStanding.Refused, Standing(restored, second));
    }
}
