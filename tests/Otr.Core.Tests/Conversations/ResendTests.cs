using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Conversations;

/// <summary>Sending the last text again (checklist A16).</summary>
[Trait("hostile", "D16")]
public sealed class ResendTests
{
    private static readonly OtrSettings Resends = new() { ResendsLast = true };

    private readonly Party _us = new(1, Resends), _peer = new(2);

    /// <summary>A session, a text that the peer could not read, and its error.</summary>
    private void Lose(string text = "lost")
    {
        Network.Establish(_us, _peer);
        _us.Send(text);
        _us.Receive("?OTR Error: unreadable");
    }

    /// <summary>The peer has lost everything but its key.</summary>
    private Party Restarted(int seed = 6, uint tag = 0x1002) => new(seed, tag: tag);

    [Fact]
    public void D16_the_same_key_gets_the_last_text_again_once_and_marked()
    {
        Lose();
        _us.Restore(_us.Snapshot());
        var peer = Restarted();
        Assert.Equal(_peer.Account.Key.PublicKey.Fingerprint, peer.Account.Key.PublicKey.Fingerprint);
        Network.Run(peer, _us, peer.Start());
        Assert.Equal(["[resent] lost"], peer.PrivateTexts);
        Assert.Single(_us.All, e => e is OtrEffect.Noted { Kind: NoteKind.Resent });
        // Not again, though the peer complains again.
        _us.Receive("?OTR Error: unreadable");
        Network.Run(peer, _us, peer.Start());
        Assert.Equal(["[resent] lost"], peer.PrivateTexts);
    }

    [Fact]
    public void D16_another_key_gets_nothing()
    {
        Lose();
        var mallory = Restarted(seed: 3);
        Network.Run(mallory, _us, mallory.Start());
        Assert.Equal(MessageState.Encrypted, _us.Conversation.State);
        Assert.Empty(mallory.PrivateTexts);
        // Nor does the right one afterwards: it is forgotten.
        var peer = Restarted();
        Network.Run(peer, _us, peer.Start());
        Assert.Empty(peer.PrivateTexts);
        Assert.Null(_us.Look(s => s.Best!.Last));
    }

    [Fact]
    public void D16_another_instance_gets_nothing()
    {
        Lose();
        var other = Restarted(tag: 0x7777);
        Network.Run(other, _us, other.Start());
        Assert.Equal(MessageState.Encrypted, other.Conversation.State);
        Assert.Empty(other.PrivateTexts);
    }

    [Fact]
    public void D16_without_an_error_nothing_is_sent_again()
    {
        Network.Establish(_us, _peer);
        _us.Send("read");
        var peer = Restarted();
        Network.Run(peer, _us, peer.Start());
        Assert.Empty(peer.PrivateTexts);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void D16_after_the_window_the_text_is_forgotten(bool timer)
    {
        Lose();
        _us.Now += OtrLimits.ResendWindow;
        if (timer)
        {
            Assert.InRange(_us.Conversation.NextDeadline!.Value, 0, _us.Now);
            _us.Step(new OtrInput.TimePassed());
            Assert.Null(_us.Look(s => s.Best!.Last));
        }
        var peer = Restarted();
        Network.Run(peer, _us, peer.Start());
        Assert.Empty(peer.PrivateTexts);
    }

    [Fact]
    public void D16_by_default_nothing_is_kept()
    {
        Party us = new(1), peer = new(2);
        Network.Establish(us, peer);
        us.Send("gone");
        Assert.Null(us.Look(s => s.Best!.Last));
        us.Receive("?OTR Error: unreadable");
        var restarted = Restarted();
        Network.Run(restarted, us, restarted.Start());
        Assert.Empty(restarted.PrivateTexts);
    }

    [Fact]
    public void D16_the_end_of_a_session_forgets()
    {
        Lose();
        _us.Receive(_peer.End().Wire().Single());
        var peer = Restarted();
        Network.Run(peer, _us, peer.Start());
        Assert.Empty(peer.PrivateTexts);
    }
}
