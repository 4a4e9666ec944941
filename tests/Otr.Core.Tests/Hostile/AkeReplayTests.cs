using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Hostile;

/// <summary>What an attacker has recorded of an exchange must not lead to a second one.</summary>
[Trait("hostile", "K07")]
public sealed class AkeReplayTests
{
    private readonly Party _us = new(1), _peer = new(2);

    /// <summary>An exchange that we committed to: Commit, Key, Reveal Signature, Signature.</summary>
    private ReadOnlyMemory<byte>[] Recorded(bool weCommit = true)
    {
        var (bob, alice) = weCommit ? (_us, _peer) : (_peer, _us);
        var commit = bob.Receive("?OTRv3?").Wire().Single();
        var key = alice.Receive(commit).Wire().Single();
        var reveal = bob.Receive(key).Wire().Single();
        var signature = alice.Receive(reveal).Wire().Single();
        bob.Receive(signature);
        Assert.Equal((MessageState.Encrypted, MessageState.Encrypted), (_us.Conversation.State, _peer.Conversation.State));
        return [commit, key, reveal, signature];
    }

    [Fact]
    public void K07_the_recorded_answers_to_our_commit_do_not_rebuild_the_session()
    {
        var recorded = Recorded();
        var first = ReadData.Of(_us.Send("first").Wire().Single());
        var before = StateView.Of(_us);
        Assert.Empty(_us.Receive(recorded[1]).Wire());
        Assert.Empty(_us.Receive(recorded[3]).Wire());
        Assert.Equal(before, StateView.Of(_us));
        var second = ReadData.Of(_us.Send("second").Wire().Single());
        Assert.Equal((1ul, 2ul), (first.Counter, second.Counter));
    }

    [Fact]
    public void K07_the_recorded_answers_under_another_instance_tag_do_not_build_a_session_with_the_same_keys()
    {
        var recorded = Recorded();
        var first = ReadData.Of(_us.Send("first").Wire().Single());
        var before = StateView.Of(_us);
        Assert.Empty(_us.Receive(Retagged(recorded[1])).Wire());
        Assert.Empty(_us.Receive(Retagged(recorded[3])).Wire());
        Assert.Equal(before, StateView.Of(_us));
        Assert.Single(_us.Conversation.Sessions);
        var second = ReadData.Of(_us.Send("second").Wire().Single());
        // The same key ids and counter under the same key would be one key stream for two texts.
        Assert.NotEqual((first.SenderTag, first.ReceiverTag, first.Counter), (second.SenderTag, second.ReceiverTag, second.Counter));
        Assert.Equal(_peer.Account.InstanceTag, second.ReceiverTag);
    }

    [Fact]
    public void K07_the_same_after_the_session_has_ended_and_after_a_restart()
    {
        var recorded = Recorded();
        _us.Receive(_peer.End().Wire().Single());
        _us.Restore(_us.Snapshot());
        Assert.Empty(_us.Receive(recorded[1]).Wire());
        Assert.Empty(_us.Receive(Retagged(recorded[1])).Wire());
        _us.Receive(recorded[3]);
        Assert.Equal(MessageState.Finished, _us.Conversation.State);
    }

    [Fact]
    public void K07_a_recorded_commit_and_reveal_do_not_rebuild_the_session()
    {
        var recorded = Recorded(weCommit: false);
        var ssid = _us.Conversation.Sessions[0].Ssid;
        // A commit is answered, as it cannot be told from a new one, with a fresh key: the rest does not fit it.
        var key = _us.Receive(recorded[0]).Wire().Single();
        Assert.NotEqual(recorded[1].ToArray(), key.ToArray());
        var effects = _us.Receive(recorded[2]);
        Assert.Equal(RejectReason.BadMac, Assert.IsType<OtrEffect.Rejected>(Assert.Single(effects)).Reason);
        Assert.Equal((MessageState.Encrypted, ssid), (_us.Conversation.State, _us.Conversation.Sessions[0].Ssid));
        Network.Run(_us, _peer, _us.Send("still here"));
        Assert.Equal(["still here"], _peer.PrivateTexts);
    }

    [Fact]
    public void K07_a_recorded_commit_of_an_ended_session_leads_to_nothing()
    {
        var recorded = Recorded(weCommit: false);
        Network.Run(_us, _peer, _us.End());
        foreach (var message in recorded) _us.Receive(message);
        Assert.Equal(MessageState.Plaintext, _us.Conversation.State);
    }

    private static byte[] Retagged(ReadOnlyMemory<byte> wire)
    {
        var message = WireText.Decode(wire);
        new Fields().Int(0x7777).ToArray().CopyTo(message, 3);
        return WireText.Encode(message);
    }
}
