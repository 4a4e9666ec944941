using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;
using Otr.Core.V4.Profiles;
using Otr.Core.Wire;

namespace Otr.Core.Tests.V4;

/// <summary>What a hostile peer or network can send during a DAKE, by the numbers of the checklist.</summary>
public class DakeHostileTests
{
    private readonly Party _us, _peer;

    public DakeHostileTests() => (_us, _peer) = Party4.Pair();

    /// <summary>The peer's honest Identity message.</summary>
    private DakeFields Identity() => DakeFields.Of(_peer.Receive("?OTRv4?").Wire().Single());

    /// <summary>The peer's honest Auth-R in answer to our Identity message.</summary>
    private DakeFields AuthR() => DakeFields.Of(_peer.Receive(_us.Receive("?OTRv4?").Wire().Single()).Wire().Single());

    /// <summary>It is refused for that reason, nothing is sent and nothing of ours changes.</summary>
    private static void AssertRefused(Party us, byte[] wire, RejectReason reason, string what = "")
    {
        var before = StateView.Of(us);
        var effects = us.Receive(wire);
        Assert.Equal((what, reason), (what, Assert.Single(effects.OfType<OtrEffect.Rejected>()).Reason));
        Assert.Empty(effects.Wire());
        Assert.Equal(before, StateView.Of(us));
        us.Now += OtrLimits.DakePrice * OtrLimits.AkeRefillInterval;
    }

    private void AssertStillAnswers(DakeFields identity) =>
        Assert.Equal((byte)MessageType.AuthR, WireText.TypeOf(_us.Receive(identity.Wire).Wire().Single()));

    [Fact, Trait("hostile", "C1.3")]
    public void Points_that_are_none_are_refused_in_every_place()
    {
        var identity = Identity();
        foreach (var (name, point) in DakeFields.BadPoints())
        {
            AssertRefused(_us, (identity with { Ecdh = point }).Wire, RejectReason.InvalidGroupElement, name);
            AssertRefused(_us, (identity with { FirstEcdh = point }).Wire, RejectReason.InvalidGroupElement, name);
            _peer.Now = _us.Now;
        }
        AssertStillAnswers(identity);
    }

    [Fact, Trait("hostile", "C1.3")]
    public void Points_that_are_none_are_refused_in_an_auth_r()
    {
        var authR = AuthR();
        // Our Identity message lives for two minutes: one point of each kind.
        foreach (var (name, point) in DakeFields.BadPoints().Where((_, i) => i % 9 == 0))
        {
            AssertRefused(_us, (authR with { Ecdh = point }).Wire, RejectReason.InvalidGroupElement, name);
            AssertRefused(_us, (authR with { FirstEcdh = point }).Wire, RejectReason.InvalidGroupElement, name);
        }
        Assert.Equal(MessageState.Plaintext, _us.Conversation.State);
        Assert.Equal((byte)MessageType.AuthI, WireText.TypeOf(_us.Receive(authR.Wire).Wire().Single()));
    }

    [Fact, Trait("hostile", "C1.9")]
    public void Numbers_outside_the_subgroup_are_refused_in_every_place()
    {
        var identity = Identity();
        foreach (var (name, number) in DakeFields.BadNumbers())
        {
            AssertRefused(_us, (identity with { Dh = number }).Wire, RejectReason.InvalidGroupElement, name);
            AssertRefused(_us, (identity with { FirstDh = number }).Wire, RejectReason.InvalidGroupElement, name);
        }
        AssertRefused(_us, (identity with { Dh = [0, .. identity.Dh] }).Wire, RejectReason.Malformed, "not minimal");
        AssertStillAnswers(identity);
    }

    [Fact, Trait("hostile", "C7.4")]
    public void A_key_for_two_purposes_is_refused()
    {
        var identity = Identity();
        AssertRefused(_us, (identity with { FirstEcdh = identity.Ecdh }).Wire, RejectReason.InvalidGroupElement);
        AssertRefused(_us, (identity with { FirstDh = identity.Dh }).Wire, RejectReason.InvalidGroupElement);
    }

    [Fact, Trait("hostile", "C7.4")]
    public void Anything_cut_or_appended_is_refused()
    {
        var identity = Identity();
        AssertRefused(_us, (identity with { Trailing = [0] }).Wire, RejectReason.Malformed);
        foreach (var length in Enumerable.Range(11, identity.Message.Length - 11).Where(n => n % 37 == 0))
            AssertRefused(_us, WireText.Encode(identity.Message[..length]), RejectReason.Malformed, $"{length} bytes");
    }

    [Fact, Trait("hostile", "C7.4")]
    public void Anything_cut_from_an_auth_r_or_appended_is_refused()
    {
        var authR = AuthR();
        AssertRefused(_us, (authR with { Trailing = [0] }).Wire, RejectReason.Malformed);
        AssertRefused(_us, (authR with { Sigma = authR.Sigma[1..] }).Wire, RejectReason.Malformed);
    }

    public static TheoryData<string, RejectReason> BadProfiles => new()
    {
        { "expired", RejectReason.InvalidProfile },
        { "of another owner", RejectReason.InvalidInstanceTag },
        { "altered", RejectReason.BadSignature },
        { "for a century", RejectReason.InvalidProfile },
        { "our own", RejectReason.Reflected },
    };

    [Theory, Trait("hostile", "C4.8"), MemberData(nameof(BadProfiles))]
    public void Bad_profiles_are_refused(string kind, RejectReason reason)
    {
        var identity = Identity();
        var (now, key) = (_us.Now / 1000, Party4.Identity(2));
        byte[] Signed(Ed448IdentityKey by, uint tag, long at) =>
            ClientProfile.Sign(by.Signing, by.Forging, tag, "4"u8, at).Encoded.ToArray();
        var profile = kind switch
        {
            "expired" => Signed(key, 0x1002, now - OtrLimits.ProfileLifetime),
            "of another owner" => Signed(key, 0x1003, now),
            "altered" => [.. identity.Profile[..^1], (byte)(identity.Profile[^1] ^ 1)],
            "for a century" => Signed(key, 0x1002, now + 100 * 366L * 86_400),
            _ => Signed(Party4.Identity(1), 0x1002, now),
        };
        AssertRefused(_us, (identity with { Profile = profile }).Wire, reason);
        AssertStillAnswers(identity with { Profile = Signed(key, 0x1002, now - OtrLimits.ProfileLifetime + 60) });
    }

    [Fact, Trait("hostile", "C6.4")]
    public void A_ring_with_one_key_twice_is_not_signed()
    {
        var identity = Identity();
        // Our H as the peer's forging key: a signature would say that it is ours.
        var profile = ClientProfile.Sign(Party4.Identity(2).Signing, Party4.Identity(1).Signing.Public, 0x1002, "4"u8, _us.Now / 1000);
        AssertRefused(_us, (identity with { Profile = profile.Encoded.ToArray() }).Wire, RejectReason.InvalidPublicKey, "F");
        var ours = Party4.Identity(1).Signing.Public.Encoding.ToArray();
        AssertRefused(_us, (identity with { Ecdh = ours }).Wire, RejectReason.InvalidPublicKey, "Y");
        AssertStillAnswers(identity);
    }

    [Fact, Trait("hostile", "C6.3")]
    public void A_signature_that_is_altered_anywhere_is_refused_and_the_honest_one_accepted_after_it()
    {
        var authR = AuthR();
        for (var at = 0; at < authR.Sigma.Length; at += 57)
        {
            var sigma = authR.Sigma.ToArray();
            sigma[at] ^= 1;
            AssertRefused(_us, (authR with { Sigma = sigma }).Wire, RejectReason.BadSignature, $"byte {at}");
            _us.Now = _peer.Now;
            _us.Restore(StateView.Bytes(_us, s => s.AkeBudget.Restore(0, 0)));
        }
        var authI = _us.Receive(authR.Wire).Wire().Single().ToArray();
        Assert.Equal(MessageState.Encrypted, _us.Conversation.State);
        var message = WireText.Decode(authI);
        for (var at = 11; at < message.Length; at += 57)
        {
            var altered = message.ToArray();
            altered[at] ^= 1;
            AssertRefused(_peer, WireText.Encode(altered), RejectReason.BadSignature, $"byte {at}");
            _peer.Now = _us.Now;
        }
        _peer.Receive(authI);
        Assert.Equal(MessageState.Encrypted, _peer.Conversation.State);
    }

    [Theory, Trait("hostile", "C5.1")]
    [InlineData("our address")]
    [InlineData("the peer's address")]
    [InlineData("the first ECDH key")]
    [InlineData("the first D-H key")]
    [InlineData("the shared ECDH key")]
    [InlineData("the shared D-H key")]
    [InlineData("the profile")]
    public void What_the_two_sides_see_differently_makes_the_signature_wrong(string what)
    {
        var us = what switch
        {
            "our address" => Party4.New(1, 2, s => s with { OwnAddress = "party1@elsewhere" }),
            "the peer's address" => Party4.New(1, 2, s => s with { PeerAddress = "party2@elsewhere" }),
            _ => _us,
        };
        var authR = DakeFields.Of(_peer.Receive(us.Receive("?OTRv4?").Wire().Single()).Wire().Single());
        // Another honest exchange of the same peer.
        var other = DakeFields.Of(Party4.New(2, 1, random: 99).Receive("?OTRv4?").Wire().Single());
        authR = what switch
        {
            "the first ECDH key" => authR with { FirstEcdh = other.FirstEcdh },
            "the first D-H key" => authR with { FirstDh = other.FirstDh },
            "the shared ECDH key" => authR with { Ecdh = other.Ecdh },
            "the shared D-H key" => authR with { Dh = other.Dh },
            "the profile" => authR with
            {
                Profile = ClientProfile.Sign(
                    Party4.Identity(2).Signing, Party4.Identity(2).Forging, 0x1002, "4"u8, us.Now / 1000 - 60).Encoded.ToArray(),
            },
            _ => authR,
        };
        AssertRefused(us, authR.Wire, RejectReason.BadSignature);
    }

    [Fact, Trait("hostile", "C7.8")]
    public void An_auth_r_that_was_taken_is_not_taken_again()
    {
        var authR = AuthR();
        _us.Receive(authR.Wire);
        Assert.Equal(MessageState.Encrypted, _us.Conversation.State);
        AssertRefused(_us, authR.Wire, RejectReason.UnexpectedAkeMessage);
        // Nor under another tag: the profile names it, and so does what was signed.
        byte[] header = [.. authR.Header[..3], 0, 0, 0x10, 0x09, .. authR.Header[7..]];
        AssertRefused(_us, (authR with { Header = header }).Wire, RejectReason.UnexpectedAkeMessage);
    }

    [Fact, Trait("hostile", "C7.3")]
    public void Our_own_identity_message_that_comes_back_is_refused()
    {
        var own = DakeFields.Of(_us.Receive("?OTRv4?").Wire().Single());
        byte[] header = [.. own.Header[..3], 0, 0, 0x10, 0x02, .. own.Header[7..]];
        AssertRefused(_us, (own with { Header = header }).Wire, RejectReason.Reflected);
    }

    [Theory, Trait("hostile", "C13.7")]
    [InlineData(0x00u, 0x1001u, RejectReason.InvalidInstanceTag)]
    [InlineData(0xffu, 0x1001u, RejectReason.InvalidInstanceTag)]
    [InlineData(0x1002u, 0xffu, RejectReason.InvalidInstanceTag)]
    [InlineData(0x1002u, 0x1005u, RejectReason.OtherInstance)]
    public void Tags_that_are_not_right_are_refused(uint sender, uint receiver, RejectReason reason)
    {
        var identity = Identity();
        var header = new OtrWriter(16);
        new MessageHeader(4, MessageType.Identity, sender, receiver).Write(ref header);
        AssertRefused(_us, (identity with { Header = header.ToArrayAndDispose() }).Wire, reason);
    }

    [Theory, Trait("hostile", "C7.1")]
    [InlineData(0x36)]
    [InlineData(0x37)]
    [InlineData(0x03)]
    public void Only_an_identity_message_goes_to_all(int type)
    {
        var header = new OtrWriter(16);
        new MessageHeader(4, (MessageType)type, 0x1002, 0).Write(ref header);
        AssertRefused(_us, WireText.Encode([.. header.ToArrayAndDispose(), .. new byte[400]]), RejectReason.InvalidInstanceTag);
    }

    [Fact, Trait("hostile", "C7.12")]
    public void Identity_messages_beyond_the_budget_are_not_answered()
    {
        var answered = 0;
        for (var i = 0; i < 20; i++)
        {
            var other = DakeFields.Of(Party4.New(2, 1, random: 200 + i).Receive("?OTRv4?").Wire().Single());
            if (_us.Receive(other.Wire).Wire().Any()) answered++;
        }
        Assert.Equal(OtrLimits.AkeBurst / OtrLimits.DakePrice, answered);
        Assert.Equal(RejectReason.RateLimited, _us.Rejects.Last());
    }

    [Fact, Trait("hostile", "C7.12")]
    public void What_the_server_cannot_afford_now_changes_nothing_and_may_come_again()
    {
        var identity = Identity();
        _us.Budget = TestBudget.Empty;
        AssertRefused(_us, identity.Wire, RejectReason.Overloaded);
        _us.Budget = TestBudget.Full;
        var authR = _us.Receive(identity.Wire).Wire().Single();
        _peer.Budget = TestBudget.Empty;
        AssertRefused(_peer, authR.ToArray(), RejectReason.Overloaded);
        _peer.Budget = null;
        Network.Run(_peer, _us, _peer.Receive(authR));
        Assert.Equal(MessageState.Encrypted, _us.Conversation.State);
    }

    [Fact, Trait("hostile", "C7.12")]
    public void Forged_auth_i_messages_without_end_end_the_exchange()
    {
        _us.Receive(Identity().Wire);
        byte[] forged = [0, 4, (byte)MessageType.AuthI, 0, 0, 0x10, 0x02, 0, 0, 0x10, 0x01, .. new byte[342]];
        var verified = 0;
        while (_us.Receive(WireText.Encode(forged)).OfType<OtrEffect.Rejected>().Single().Reason == RejectReason.BadSignature) verified++;
        Assert.InRange(verified, 2, OtrLimits.AkeBurst + 1);
        Assert.Equal(RejectReason.UnexpectedAkeMessage, _us.Rejects.Last());
    }

    [Fact, Trait("hostile", "C13.6")]
    public void A_stranger_is_not_answered_where_none_is()
    {
        var us = Party4.New(1, 2, s => s with { AnswersStrangers = false });
        AssertRefused(us, Identity().Wire, RejectReason.NotInvited);
        AssertRefused(us, "?OTRv4?".Utf8(), RejectReason.NotInvited);
    }
}
