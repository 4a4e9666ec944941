using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.V4;

/// <summary>What version 4 leaves of its secrets in memory, and what its snapshots take.</summary>
public sealed class Secrets4Tests : IDisposable
{
    private readonly WatchedSecrets _watched;
    private readonly Party _us, _peer;

    public Secrets4Tests()
    {
        // Identities live on with their accounts: what is watched begins here.
        Party4.Identity(1);
        _watched = new WatchedSecrets();
        (_us, _peer) = Party4.Pair();
    }

    public void Dispose() => _watched.Dispose();

    private int Living() => _watched.Made.Count(b => b.AsSpan().ContainsAnyExcept((byte)0));

    [Theory]
    [InlineData("end")]
    [InlineData("idle")]
    [InlineData("dispose")]
    [InlineData("replaced")]
    public void The_end_of_a_session_leaves_nothing(string end)
    {
        Network.Establish(_us, _peer);
        for (var i = 0; i < 4; i++)
        {
            Network.Run(_us, _peer, _us.Send("there"));
            _peer.Send("lost");
            Network.Run(_peer, _us, _peer.Send("back"));
        }
        Network.Run(_us, _peer, _us.Step(new OtrInput.SmpStartRequested("s".Utf8())));
        // The Identity message stays open for other instances until it expires.
        _us.Now = _peer.Now += OtrLimits.AkeLifetime;
        foreach (var party in (Party[])[_us, _peer]) party.Step(new OtrInput.TimePassed());
        Assert.NotEqual(0, Living());
        switch (end)
        {
            case "end": Network.Run(_us, _peer, _us.End()); break;
            case "idle":
                _us.Now = _peer.Now += new OtrSettings().SessionIdleLifetime;
                foreach (var party in (Party[])[_us, _peer]) party.Step(new OtrInput.TimePassed());
                break;
            case "replaced":
                Network.Establish(_us, _peer);
                Network.Run(_us, _peer, _us.End());
                _us.Now = _peer.Now += OtrLimits.AkeLifetime;
                foreach (var party in (Party[])[_us, _peer]) party.Step(new OtrInput.TimePassed());
                break;
            default:
                _us.Conversation.Dispose();
                _peer.Conversation.Dispose();
                break;
        }
        Assert.Equal(0, Living());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void An_exchange_that_is_broken_off_leaves_nothing(int messages)
    {
        var wire = _us.Receive("?OTRv4?").Wire().Single();
        if (messages == 2) _peer.Receive(wire);
        Assert.NotEqual(0, Living());
        _us.Now = _peer.Now += OtrLimits.AkeLifetime;
        foreach (var party in (Party[])[_us, _peer]) party.Step(new OtrInput.TimePassed());
        Assert.Equal(0, Living());
    }

    [Fact]
    public void A_refused_message_leaves_nothing_of_what_was_computed_for_it()
    {
        Network.Establish(_us, _peer);
        var message = WireText.Decode(_peer.Send("text").Wire().Single());
        message[^8] ^= 1;
        var before = Living();
        _us.Receive(WireText.Encode(message));
        Assert.Equal(before, Living());
    }

    [Fact]
    public void A_snapshot_that_is_cut_or_altered_is_refused_or_read_and_never_throws()
    {
        Network.Establish(_us, _peer);
        Network.Run(_us, _peer, _us.Send("there"));
        _peer.Send("lost");
        Network.Run(_peer, _us, _peer.Send("back"));
        _us.Receive("?OTR|00000001|00001002|00000000,1,2,abc,");
        _us.Now = _peer.Now += 60_000;
        _us.Receive(_peer.Receive("?OTRv4?").Wire().Single());
        var snapshot = _us.Snapshot();
        Assert.Equal(5, snapshot[0]);
        _us.Restore(snapshot);
        Assert.Equal(snapshot, _us.Snapshot());
        for (var length = 0; length < snapshot.Length; length += 7)
            Assert.False(OtrConversation.TryRestore(snapshot.AsSpan(0, length), _us.Account, _us.Settings, out _));
        for (var at = 0; at < snapshot.Length; at += 5)
        {
            var altered = snapshot.ToArray();
            altered[at] ^= 0x81;
            if (OtrConversation.TryRestore(altered, _us.Account, _us.Settings, out var read)) read.Dispose();
        }
        Assert.False(OtrConversation.TryRestore(snapshot, _us.Account with { Identity = Party4.Identity(5) }, _us.Settings, out _));
        Assert.False(OtrConversation.TryRestore(snapshot, _us.Account with { Identity = null }, _us.Settings, out _));
    }

    [Fact]
    public void An_identity_goes_through_export_and_import_and_is_never_printed()
    {
        var identity = Party4.Identity(1);
        var exported = new byte[Ed448IdentityKey.ExportedSize];
        identity.Export(exported);
        Assert.True(Ed448IdentityKey.TryImport(exported, out var imported));
        Assert.Equal(identity.Fingerprint, imported.Fingerprint);
        Assert.Equal(112, identity.Fingerprint.ToHex().Length);
        Assert.True(Fingerprint.TryParse(identity.Fingerprint.ToHuman(), out var parsed));
        Assert.Equal(identity.Fingerprint, parsed);
        Assert.Equal(nameof(Ed448IdentityKey), imported.ToString());
        Assert.False(Ed448IdentityKey.TryImport(exported.AsSpan(1), out _));
        Assert.False(Ed448IdentityKey.TryImport([.. exported[..57], .. new byte[57]], out _));
        imported.Dispose();
        Assert.Throws<ObjectDisposedException>(() => imported.Export(exported));
    }

    [Fact]
    public void A_profile_is_signed_once_and_anew_before_it_expires()
    {
        var identity = Party4.Identity(6);
        var now = _us.Now / 1000;
        var first = identity.ProfileAt(0x1234, null, now);
        Assert.Same(first, identity.ProfileAt(0x1234, null, now + OtrLimits.ProfileLifetime - OtrLimits.ProfileRenewalMargin - 1));
        var renewed = identity.ProfileAt(0x1234, null, now + OtrLimits.ProfileLifetime - OtrLimits.ProfileRenewalMargin);
        Assert.NotSame(first, renewed);
        Assert.NotSame(renewed, identity.ProfileAt(0x1235, null, now));
        var both = identity.ProfileAt(0x1235, TestKeys.Of(1), now);
        Assert.Equal("34"u8.ToArray(), both.Versions.ToArray());
        Assert.Equal(TestKeys.Of(1).PublicKey.Fingerprint, both.TransitionalKey!.Fingerprint);
    }
}
