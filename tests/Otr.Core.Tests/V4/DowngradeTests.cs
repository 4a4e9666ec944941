using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.V4;

/// <summary>
/// Which version is spoken where several are allowed, and that a peer that has spoken version 4 is not taken to a lower one.
/// </summary>
public class DowngradeTests
{
    private static OtrSettings Both(OtrSettings settings) => settings with { Policy = OtrPolicy.AllowV3 | OtrPolicy.RequireEncryption };

    /// <summary>The contact as a client of version 3 only, under the same tag and with the same key.</summary>
    private static Party Old(Party like) =>
        new(2, new OtrSettings { Policy = OtrPolicy.Managed }, account: like.Account with { Identity = null }) { Now = like.Now };

    [Fact]
    public void The_highest_version_of_both_is_spoken()
    {
        var (us, peer) = Party4.Pair(Both);
        Assert.StartsWith("?OTRv34? ", us.Start().Wire().Single().ToText(), StringComparison.Ordinal);
        Network.Establish(us, peer);
        Assert.Equal(4, us.Conversation.Sessions.Single().Version);
        Assert.NotNull(peer.Conversation.Sessions.Single().PeerFingerprint);
    }

    [Fact]
    public void A_client_of_version_3_is_spoken_with_in_version_3()
    {
        var (us, peer) = Party4.Pair(Both);
        var old = Old(peer);
        Network.Establish(us, old);
        Network.Establish(old, us);
        Assert.Equal(3, us.Conversation.Sessions.Single().Version);
        Network.Run(us, old, us.Send("three"));
        Assert.Equal(["three"], old.PrivateTexts);
        us.Restore(us.Snapshot());
        Network.Run(old, us, old.Send("and back"));
        Assert.Equal(["and back"], us.PrivateTexts);
    }

    [Fact]
    public void Without_an_identity_or_the_setting_nothing_of_version_4_is_to_be_seen()
    {
        foreach (var party in (Party[])
            [new(1), new(1, account: Party4.Account(1)), new(1, new OtrSettings { Policy = OtrPolicy.Managed, SpeaksVersion4 = true })])
        {
            Assert.StartsWith("?OTRv3? ", party.Start().Wire().Single().ToText(), StringComparison.Ordinal);
            Assert.Equal(RejectReason.VersionNotAllowed, Assert.Single(party.Receive("?OTRv4?").OfType<OtrEffect.Rejected>()).Reason);
            var identity = Party4.New(2, 1).Receive("?OTRv4?").Wire().Single();
            Assert.Equal(RejectReason.VersionNotAllowed, Assert.Single(party.Receive(identity).OfType<OtrEffect.Rejected>()).Reason);
            var fragment = party.Receive("?OTR|00000001|00001002|00000000,1,2,abc,");
            Assert.Equal(RejectReason.BadFragment, Assert.Single(fragment.OfType<OtrEffect.Rejected>()).Reason);
        }
    }

    [Theory]
    [InlineData("while it lasts")]
    [InlineData("after the peer ended it")]
    [InlineData("after we ended it")]
    [InlineData("after a restart")]
    public void A_peer_that_has_spoken_version_4_is_not_taken_to_version_3(string when)
    {
        var (us, peer) = Party4.Pair(Both);
        Network.Establish(us, peer);
        switch (when)
        {
            case "after the peer ended it": Network.Run(peer, us, peer.End()); break;
            case "after we ended it": Network.Run(us, peer, us.End()); break;
            case "after a restart": us.Restore(us.Snapshot()); break;
            default: break;
        }
        var old = Old(peer);
        us.Now = old.Now += 60_000;
        var before = us.Conversation.State;
        Assert.Equal(RejectReason.VersionNotAllowed, Assert.Single(us.Receive("?OTRv3?").OfType<OtrEffect.Rejected>()).Reason);
        var commit = old.Receive("?OTRv3?").Wire().Single();
        Assert.Equal(RejectReason.VersionNotAllowed, Assert.Single(us.Receive(commit).OfType<OtrEffect.Rejected>()).Reason);
        Assert.Equal(before, us.Conversation.State);
        Assert.StartsWith("?OTRv4? ", us.Start().Wire().First().ToText(), StringComparison.Ordinal);

        // Unless a person says so.
        us.Step(new OtrInput.LowerVersionAllowed());
        Assert.True(us.Conversation.IsDirty);
        us.Restore(us.Snapshot());
        Network.Run(old, us, old.Receive("?OTRv3?"));
        Assert.Contains(us.Conversation.Sessions, s => s is { State: MessageState.Encrypted, Version: 3 });
    }

    [Fact]
    public void While_an_exchange_of_version_4_is_under_way_its_instance_gets_none_of_version_3()
    {
        var (us, peer) = Party4.Pair(Both);
        us.Receive(peer.Receive("?OTRv4?").Wire().Single());
        var commit = Old(peer).Receive("?OTRv3?").Wire().Single();
        Assert.Equal(RejectReason.VersionNotAllowed, Assert.Single(us.Receive(commit).OfType<OtrEffect.Rejected>()).Reason);
        us.Now += OtrLimits.AkeLifetime;
        Assert.Equal(0x0a, WireText.TypeOf(us.Receive(commit).Wire().Single()));
    }

    [Fact]
    public void The_trust_in_a_key_of_version_3_is_not_that_in_an_identity_of_version_4()
    {
        var (us, peer) = Party4.Pair(Both);
        Network.Establish(us, Old(peer));
        us.Step(new OtrInput.TrustRequested(peer.Account.Key.PublicKey.Fingerprint, TrustLevel.Verified));
        us.End();
        us.Now = peer.Now += 60_000;
        Network.Establish(us, peer);
        var seen = us.All.OfType<OtrEffect.FingerprintSeen>().Last();
        Assert.Equal((peer.Account.Identity!.Fingerprint, TrustLevel.Untrusted, true), (seen.Fingerprint, seen.Trust, seen.IsChanged));
        us.Restore(us.Snapshot());
        Assert.Equal([20, 56], us.Conversation.KnownKeys.Select(k => k.Fingerprint.Length));
    }
}
