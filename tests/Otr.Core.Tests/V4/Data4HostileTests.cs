using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;
using Otr.Core.V4;
using Otr.Core.V4.Ratchet;
using Otr.Core.Wire;

namespace Otr.Core.Tests.V4;

/// <summary>What a hostile peer or network can make of data messages, by the numbers of the checklist.</summary>
public class Data4HostileTests
{
    /// <summary>Places of the fields of a data message.</summary>
    private const int Flags = 11, Previous = 12, Ratchet = 16, Number = 20, Ecdh = 24, Dh = 81;

    private readonly Party _us, _peer;

    public Data4HostileTests() => (_us, _peer) = Party4.Established();

    /// <summary>A text each way, after which the peer's next message begins a ratchet.</summary>
    private void Turn()
    {
        Network.Run(_peer, _us, _peer.Send("there"));
        Network.Run(_us, _peer, _us.Send("and back"));
    }

    private byte[] Sent(string text = "honest") => WireText.Decode(_peer.Send(text).Wire().Single());

    /// <summary>A data message of the peer with this plaintext, its own MAC right.</summary>
    private byte[] Sealed(byte[] plaintext, byte flags = 0)
    {
        var effects = new List<OtrEffect>();
        var state = ConversationSnapshot.TryRead(_peer.Snapshot(), _peer.Account, _peer.Settings)!;
        var step = new StepContext(state, new OtrEnvironment(_peer.Now, new SeededRandom(5)), effects);
        var message = new OtrWriter(512);
        var header = new MessageHeader(4, MessageType.Data, _peer.Account.InstanceTag, _us.Account.InstanceTag);
        state.Best!.Protocol!.Seal(step, header, flags, plaintext, ref message);
        return WireText.Encode(message.ToArrayAndDispose());
    }

    private static byte[] Changed(byte[] message, int at, byte bits = 1)
    {
        var changed = message.ToArray();
        changed[at] ^= bits;
        return WireText.Encode(changed);
    }

    /// <summary>It is refused for one of the reasons, delivers nothing and changes nothing.</summary>
    private RejectReason AssertRefused(byte[] wire, params RejectReason[] reasons)
    {
        var before = StateView.Of(_us);
        var effects = _us.Receive(wire);
        var reason = Assert.Single(effects.OfType<OtrEffect.Rejected>()).Reason;
        Assert.Contains(reason, reasons);
        Assert.Empty(effects.OfType<OtrEffect.DeliverText>());
        Assert.Equal(before, StateView.Of(_us));
        return reason;
    }

    private void AssertDelivers(byte[] message, string text = "honest")
    {
        _us.Receive(WireText.Encode(message));
        Assert.Equal(text, _us.PrivateTexts.Last());
    }

    [Theory, Trait("hostile", "C8.7")]
    [InlineData(0)]
    [InlineData(1)]
    public void One_bit_anywhere_before_the_revealed_keys_is_refused_and_the_honest_message_read_after_it(int rotations)
    {
        for (var i = 0; i < rotations; i++) Turn();
        var message = Sent();
        for (var at = Flags; at < message.Length - 4 - 64 * rotations; at += at < Ecdh ? 1 : 13)
            AssertRefused(Changed(message, at), Enum.GetValues<RejectReason>().Except([RejectReason.Overloaded]).ToArray());
        AssertDelivers(message);
    }

    [Fact, Trait("hostile", "C8.11")]
    public void Revealed_keys_are_measured_and_not_looked_at()
    {
        Turn();
        var message = Sent();
        // One key of 64 bytes at the end, behind its length.
        Assert.Equal(64, message[^65]);
        AssertRefused(WireText.Encode([.. message[..^65], 63, .. message[^64..^1]]), RejectReason.Malformed);
        AssertRefused(WireText.Encode([.. message, 0]), RejectReason.Malformed);
        AssertDelivers(Convert.FromBase64String(Changed(message, message.Length - 1).AsMemory()[5..^1].ToText()));
    }

    [Fact, Trait("hostile", "C8.7")]
    public void A_replay_is_refused_quietly()
    {
        var message = Sent();
        AssertDelivers(message);
        AssertRefused(WireText.Encode(message), RejectReason.Replay);
        Assert.True(_us.All.OfType<OtrEffect.Rejected>().Single().Quiet);
        Assert.DoesNotContain(_us.All.Wire(), w => w.ToText().Contains("Error", StringComparison.Ordinal));
    }

    [Fact, Trait("hostile", "C8.7")]
    public void Ratchets_of_the_future_and_messages_far_ahead_are_refused_at_once()
    {
        var message = Sent();
        AssertRefused(Changed(message, Ratchet, 0x80), RejectReason.UnknownKeyId, RejectReason.Malformed);
        AssertRefused(Changed(message, Number, 0x7f), RejectReason.UnknownKeyId);
        AssertDelivers(message);
    }

    [Fact, Trait("hostile", "C8.10")]
    public void Exactly_as_many_messages_may_be_skipped_as_keys_are_kept()
    {
        byte[][] messages = [.. Enumerable.Range(0, OtrLimits.MaxSkippedKeys + 2).Select(i => Sent($"{i}"))];
        AssertRefused(WireText.Encode(messages[^1]), RejectReason.UnknownKeyId);
        AssertDelivers(messages[^2], $"{OtrLimits.MaxSkippedKeys}");
        AssertDelivers(messages[0], "0");
        AssertDelivers(messages[500], "500");
        _us.Restore(_us.Snapshot());
        AssertDelivers(messages[501], "501");
    }

    [Fact, Trait("hostile", "C8.6")]
    public void A_d_h_key_belongs_to_every_third_ratchet_and_to_no_other()
    {
        var with = Sent();
        Assert.Equal(0, with[Ratchet + 3] % 3);
        var length = with[Dh + 2] << 8 | with[Dh + 3];
        AssertRefused(WireText.Encode([.. with[..Dh], 0, 0, 0, 0, .. with[(Dh + 4 + length)..]]), RejectReason.Malformed);
        Turn();
        var without = Sent();
        Assert.NotEqual(0, without[Ratchet + 3] % 3);
        AssertRefused(WireText.Encode([.. without[..Dh], 0, 0, 0, 1, 4, .. without[(Dh + 4)..]]), RejectReason.Malformed);
        AssertDelivers(without);
    }

    [Fact, Trait("hostile", "C1.3")]
    public void Keys_of_a_new_ratchet_that_are_none_are_refused()
    {
        Turn();
        var message = Sent();
        foreach (var (_, point) in DakeFields.BadPoints())
        {
            _us.Now += OtrLimits.ErrorInterval;
            AssertRefused(WireText.Encode([.. message[..Ecdh], .. point, .. message[Dh..]]), RejectReason.InvalidGroupElement);
        }
        AssertDelivers(message);
    }

    [Theory, Trait("hostile", "C9.6")]
    [InlineData(0, true)]
    [InlineData(MessageHeader.IgnoreUnreadable, false)]
    public void An_unreadable_message_is_answered_by_its_code_unless_the_sender_does_not_care(byte flags, bool isAnswered)
    {
        var message = WireText.Decode(Sealed("x\0"u8.ToArray(), flags));
        var errors = _us.Receive(Changed(message, message.Length - 70)).Wire().Select(w => w.ToText()).ToArray();
        Assert.Equal(isAnswered ? 1 : 0, errors.Length);
        Assert.All(errors, e => Assert.StartsWith("?OTR Error: ERROR_1: ", e, StringComparison.Ordinal));
        var stranger = Party4.New(1, 2);
        errors = [.. stranger.Receive(WireText.Encode(message)).Wire().Select(w => w.ToText())];
        Assert.Equal(isAnswered ? 1 : 0, errors.Length);
        Assert.All(errors, e => Assert.StartsWith("?OTR Error: ERROR_2: ", e, StringComparison.Ordinal));
    }

    [Fact, Trait("hostile", "D18")]
    public void A_data_message_of_another_version_is_refused()
    {
        var message = Sent();
        byte[] asThree = [0, 3, .. message[2..]];
        AssertRefused(WireText.Encode(asThree), RejectReason.VersionNotAllowed);
        AssertDelivers(message);
    }

    [Fact, Trait("hostile", "D12")]
    public void The_end_with_text_and_other_tlvs_delivers_the_text_and_nothing_else()
    {
        var effects = _us.Receive(Sealed([.. "bye\0"u8, 0, 7, 0, 4, 0, 0, 0, 1, 0, 1, 0, 0, 0, 2, 0, 0]));
        Assert.Equal("bye", _us.PrivateTexts.Single());
        Assert.Equal(MessageState.Finished, _us.Conversation.State);
        Assert.Empty(effects.OfType<OtrEffect.ExtraKey>());
        Assert.Empty(effects.Wire());
    }

    [Fact, Trait("hostile", "C9.5")]
    public void No_more_than_ten_extra_keys_are_made()
    {
        byte[] tlv = [0, 7, 0, 4, 0, 0, 0, 1];
        var effects = _us.Receive(Sealed([0, .. Enumerable.Repeat(tlv, 20).SelectMany(t => t)]));
        string[] keys = [.. effects.OfType<OtrEffect.ExtraKey>().Select(k => Convert.ToHexString(k.Key))];
        Assert.Equal((OtrLimits.MaxExtraKeys, OtrLimits.MaxExtraKeys), (keys.Length, keys.Distinct().Count()));
    }

    [Fact, Trait("hostile", "C9.4")]
    public void Type_eight_is_no_extra_key_and_a_cut_tlv_is_dropped()
    {
        var effects = _us.Receive(Sealed([.. "text\0"u8, 0, 8, 0, 4, 0, 0, 0, 1, 0, 7, 0, 9, 1]));
        Assert.Equal("text", _us.PrivateTexts.Single());
        Assert.Empty(effects.OfType<OtrEffect.ExtraKey>());
        Assert.Empty(effects.OfType<OtrEffect.SmpChanged>());
    }

    [Fact, Trait("hostile", "C8.12")]
    public void A_session_that_is_not_keyed_anew_expires_and_reveals_what_it_used()
    {
        _us.Receive(WireText.Encode(Sent("read")));
        Sent("never arrives");
        _us.Receive(WireText.Encode(Sent("read too")));
        _us.Now += new OtrSettings().SessionIdleLifetime;
        var end = WireText.Decode(_us.Step(new OtrInput.TimePassed()).Wire().Single());
        Assert.Equal(MessageState.Finished, _us.Conversation.State);
        // The keys of two messages that came and of the one that did not.
        Assert.Equal([0, 0, 0, 3 * MessageKeys.KeySize], end[^(3 * MessageKeys.KeySize + 4)..^(3 * MessageKeys.KeySize)]);
        _peer.Receive(WireText.Encode(end));
        Assert.Equal(MessageState.Finished, _peer.Conversation.State);
    }

    [Fact, Trait("hostile", "C7.11")]
    public void Few_early_messages_are_held_and_none_of_a_stranger()
    {
        var (us, peer) = Party4.Pair();
        var authR = us.Receive(peer.Receive("?OTRv4?").Wire().Single()).Wire().Single();
        var authI = peer.Receive(authR).Wire().Single();
        for (var i = 0; i < OtrLimits.MaxEarlyMessages + 1; i++)
        {
            var effects = us.Receive(peer.Send($"early {i}").Wire().Single());
            Assert.Equal(i == OtrLimits.MaxEarlyMessages, effects.OfType<OtrEffect.Rejected>().Any());
        }
        us.Restore(us.Snapshot());
        us.Receive(authI);
        Assert.Equal(Enumerable.Range(0, OtrLimits.MaxEarlyMessages).Select(i => $"early {i}"), us.PrivateTexts);
    }
}
