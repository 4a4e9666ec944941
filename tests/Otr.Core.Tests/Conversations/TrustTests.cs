using System.Text;
using Otr.Core;
using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Conversations;

/// <summary>First seen, changed and trusted keys (checklist A13 "Trust", A7 "Best").</summary>
public sealed class TrustTests
{
    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static TrustLevel In(Party party, Party peer) =>
        party.Conversation.KnownKeys.Single(k => k.Fingerprint == peer.Account.Key.PublicKey.Fingerprint).Trust;

    private static void Smp(Party starts, Party answers, string one, string other, string? question = null)
    {
        Network.Run(starts, answers, starts.Step(new OtrInput.SmpStartRequested(Utf8(one), question is null ? null : (ReadOnlyMemory<byte>?)Utf8(question))));
        var token = answers.All.OfType<OtrEffect.SmpAnswerNeeded>().Last().Token;
        Network.Run(answers, starts, answers.Step(new OtrInput.SmpAnswerRequested(token, Utf8(other))));
    }

    [Fact]
    public void Success_trusts_both_keys_and_failure_takes_it_back()
    {
        Party a = new(1), b = new(2);
        Network.Establish(a, b);
        Assert.Equal((TrustLevel.Untrusted, TrustLevel.Untrusted), (In(a, b), In(b, a)));
        Smp(a, b, "same", "same");
        Assert.Equal((TrustLevel.Smp, TrustLevel.Smp), (In(a, b), In(b, a)));
        Smp(b, a, "one", "another");
        Assert.Equal((TrustLevel.Untrusted, TrustLevel.Untrusted), (In(a, b), In(b, a)));
        Assert.Equal([TrustLevel.Smp, TrustLevel.Untrusted], a.All.OfType<OtrEffect.TrustChanged>().Select(t => t.Trust));
    }

    [Fact, Trait("hostile", "S09")]
    public void S09_who_answers_a_question_learns_nothing_of_who_asked()
    {
        Party a = new(1), b = new(2);
        Network.Establish(a, b);
        Smp(a, b, "same", "same", "what?");
        Assert.Equal((TrustLevel.Smp, TrustLevel.Untrusted), (In(a, b), In(b, a)));
        b.Step(new OtrInput.TrustRequested(a.Account.Key.PublicKey.Fingerprint, TrustLevel.Verified));
        Smp(a, b, "same", "wrong", "what?");
        Assert.Equal((TrustLevel.Untrusted, TrustLevel.Verified), (In(a, b), In(b, a)));
    }

    [Fact]
    public void What_the_user_verified_stays_when_smp_succeeds_and_survives_a_restart()
    {
        Party a = new(1), b = new(2);
        a.Step(new OtrInput.TrustRequested(b.Account.Key.PublicKey.Fingerprint, TrustLevel.Verified));
        Network.Establish(a, b);
        Assert.Empty(a.All.OfType<OtrEffect.FingerprintSeen>());
        Smp(a, b, "same", "same");
        a.Restore(a.Snapshot());
        Assert.Equal(TrustLevel.Verified, In(a, b));
    }

    [Fact]
    public void A_changed_key_does_not_inherit_trust()
    {
        Party us = new(1), before = new(2), after = new(3);
        Network.Establish(us, before);
        Smp(us, before, "same", "same");
        Network.Establish(us, after);
        var seen = us.All.OfType<OtrEffect.FingerprintSeen>().Last();
        Assert.Equal((true, true, TrustLevel.Untrusted), (seen.IsNew, seen.IsChanged, seen.Trust));
        Assert.Equal((TrustLevel.Smp, TrustLevel.Untrusted), (In(us, before), In(us, after)));
    }

    [Fact]
    public void The_best_session_is_one_with_a_trusted_key_even_if_another_was_heard_later()
    {
        Party us = new(1), trusted = new(2), other = new(3);
        Network.Establish(us, trusted);
        us.Step(new OtrInput.TrustRequested(trusted.Account.Key.PublicKey.Fingerprint, TrustLevel.Verified));
        us.Now = trusted.Now = other.Now += 1000;
        Network.Establish(us, other);
        Assert.Equal(trusted.Account.InstanceTag, us.Conversation.Sessions[0].PeerInstanceTag);
    }

    [Theory]
    [InlineData(true, false, RejectReason.KeyChanged)]
    [InlineData(false, true, RejectReason.KeyChanged)]
    [InlineData(false, false, null)]
    public void A_session_that_the_peer_has_ended_is_taken_over_as_one_that_is_established(
        bool refuses, bool trusted, RejectReason? refusal)
    {
        Party us = new(1, new OtrSettings { KeyChange = refuses ? KeyChangeAction.Refuse : KeyChangeAction.Report }), peer = new(2);
        Network.Establish(us, peer);
        if (trusted) us.Step(new OtrInput.TrustRequested(peer.Account.Key.PublicKey.Fingerprint, TrustLevel.Verified));
        us.Receive(peer.End().Wire().Single());
        us.Restore(us.Snapshot());
        var other = new Party(3, tag: peer.Account.InstanceTag);
        Network.Run(other, us, other.Start());
        Assert.Equal(refusal, us.All.OfType<OtrEffect.Rejected>().LastOrDefault()?.Reason);
        Network.Run(us, other, us.Send("for whom?"));
        Assert.Equal(refusal is null ? ["for whom?"] : [], other.PrivateTexts);
        if (refusal is null) return;
        Assert.Equal(new OtrEffect.Refused(RefusalReason.SessionFinished), us.All.Last());
        // The user's own end is the way to another key.
        us.End();
        us.Now = other.Now += 60_000;
        Network.Run(us, other, us.Start());
        Network.Run(us, other, us.Send("for the new one"));
        Assert.Equal(["for the new one"], other.PrivateTexts);
    }

    [Fact]
    public void Another_instance_with_an_untrusted_key_does_not_read_what_a_trusted_one_s_end_leaves_to_say()
    {
        Party us = new(1), trusted = new(2), other = new(3);
        Network.Establish(us, trusted);
        us.Step(new OtrInput.TrustRequested(trusted.Account.Key.PublicKey.Fingerprint, TrustLevel.Verified));
        Network.Run(other, us, other.Start());
        us.Receive(trusted.End().Wire().Single());
        Assert.Equal(new OtrEffect.Refused(RefusalReason.SessionFinished), Assert.Single(us.Send("not for the other")));
        // It can still be heard, and asked for what only the contact knows.
        Network.Run(other, us, other.Send("it is me"));
        Assert.Equal(["it is me"], us.PrivateTexts);
        Smp(us, other, "same", "same");
        Network.Run(us, other, us.Send("so it is"));
        Assert.Equal(["so it is"], other.PrivateTexts);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Once_a_key_is_trusted_text_goes_to_trusted_keys_only_where_the_settings_say_so(bool only)
    {
        Party us = new(1, new OtrSettings { TrustRequirement = only ? TrustRequirement.OnceTrusted : TrustRequirement.None }), other = new(3);
        Network.Establish(us, other);
        Network.Run(us, other, us.Send("first"));
        us.Step(new OtrInput.TrustRequested(TestKeys.Of(2).PublicKey.Fingerprint, TrustLevel.Verified));
        us.Restore(us.Snapshot());
        var sent = us.Send("second", 7);
        Network.Run(us, other, sent);
        Assert.Equal(only ? ["first"] : ["first", "second"], other.PrivateTexts);
        if (only) Assert.Equal(new OtrEffect.Refused(RefusalReason.NotTrusted, 7), Assert.Single(sent));

        us.End();
        Assert.Contains(us.Send("held", 8), e => e is OtrEffect.SendOutcome { Disposition: SendDisposition.Held });
        us.Now = other.Now += 60_000;
        Network.Run(us, other, us.Start());
        Assert.Equal(only ? SendDisposition.Dropped : SendDisposition.Encrypted, us.All.OfType<OtrEffect.SendOutcome>().Last().Disposition);
        Assert.Equal(!only, other.PrivateTexts.Contains("held"));
    }

    [Fact]
    public void Where_trust_is_required_always_nothing_goes_to_a_key_that_nobody_has_verified()
    {
        Party us = new(1, new OtrSettings { TrustRequirement = TrustRequirement.Always }), peer = new(2);
        Assert.Contains(us.Send("held", 1), e => e is OtrEffect.SendOutcome { Disposition: SendDisposition.Held });
        Network.Establish(us, peer);
        Assert.Equal(SendDisposition.Dropped, us.All.OfType<OtrEffect.SendOutcome>().Last().Disposition);
        Assert.Equal(new OtrEffect.Refused(RefusalReason.NotTrusted, 2), Assert.Single(us.Send("first", 2)));
        // The extra key is no way around.
        Assert.Equal(new OtrEffect.Refused(RefusalReason.NotTrusted), Assert.Single(us.Step(new OtrInput.ExtraKeyRequested(1, default))));
        us.Step(new OtrInput.TrustRequested(peer.Account.Key.PublicKey.Fingerprint, TrustLevel.Verified));
        Network.Run(us, peer, us.Send("second", 3));
        Assert.Equal(["second"], peer.PrivateTexts);
    }

    [Fact]
    public void A_run_of_ours_is_in_the_best_session_whatever_another_one_asks()
    {
        Party us = new(1), peer = new(2), other = new(3);
        Network.Establish(us, peer);
        us.Step(new OtrInput.TrustRequested(peer.Account.Key.PublicKey.Fingerprint, TrustLevel.Verified));
        Network.Establish(us, other);
        // The other one keeps a request open.
        Network.Run(other, us, other.Step(new OtrInput.SmpStartRequested("x"u8.ToArray())));
        var begun = Assert.Single(us.Step(new OtrInput.SmpStartRequested("secret"u8.ToArray())).OfType<OtrEffect.SmpChanged>());
        Assert.Equal(peer.Account.Key.PublicKey.Fingerprint, begun.Session.PeerFingerprint);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void What_is_known_of_a_peer_outlives_its_sessions(int shows)
    {
        Party before = new(1), peer = new(2);
        Network.Establish(before, peer);
        var known = before.Conversation.Peer;
        Assert.Equal((peer.Account.Key.PublicKey.Fingerprint, (byte)3), (known.Latest, known.HighestVersion));
        using var anew = new OtrConversation(before.Account, before.Settings, known);
        Party us = new(1, conversation: anew), now = new(shows);
        Network.Establish(us, now);
        var seen = us.All.OfType<OtrEffect.FingerprintSeen>().ToList();
        if (shows == 2) Assert.Empty(seen);
        else Assert.Equal((true, true), (Assert.Single(seen).IsNew, seen[0].IsChanged));
        Assert.Throws<ArgumentException>(() => new OtrConversation(before.Account, before.Settings,
            new PeerKeys([.. Enumerable.Range(0, OtrLimits.MaxKnownFingerprints + 1).Select(i => new KnownKey(new Fingerprint([.. new byte[16], .. BitConverter.GetBytes(i)]), default))], null, 0)));
    }

    [Fact]
    public void Making_room_never_forgets_the_key_that_was_seen_last()
    {
        Party us = new(1), peer = new(2);
        Network.Establish(us, peer);
        for (var n = 1; n < 2 * OtrLimits.MaxKnownFingerprints; n++)
        {
            us.Step(new OtrInput.TrustRequested(new Fingerprint([.. new byte[16], .. BitConverter.GetBytes(n)]), TrustLevel.Verified));
        }
        Assert.Equal(peer.Account.Key.PublicKey.Fingerprint, us.Conversation.KnownKeys[^1].Fingerprint);
    }

    [Fact]
    public void Known_keys_are_bounded_and_trusted_ones_stay()
    {
        Party us = new(1);
        static Fingerprint Key(int n) => new([.. new byte[16], .. BitConverter.GetBytes(n)]);
        us.Step(new OtrInput.TrustRequested(Key(0), TrustLevel.Verified));
        for (var n = 1; n < 100; n++) us.Step(new OtrInput.TrustRequested(Key(n), TrustLevel.Untrusted));
        Assert.Equal(OtrLimits.MaxKnownFingerprints, us.Conversation.KnownKeys.Count);
        Assert.Contains(us.Conversation.KnownKeys, k => k.Fingerprint == Key(0));
        Assert.IsType<OtrEffect.Refused>(Assert.Single(us.Step(new OtrInput.TrustRequested(Key(0), new TrustLevel(new string('x', 65))))));
    }
}
