using System.Numerics;
using System.Security.Cryptography;
using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;
using static Otr.Core.Tests.Hostile.ParsingTests;

namespace Otr.Core.Tests.Hostile;

/// <summary>Hostile inputs B4, what a single data message may carry.</summary>
public sealed class DataMessageTests
{
    private readonly Party _us = new(1), _peer = new(2);

    private Insider Attacker()
    {
        if (_us.Conversation.State != MessageState.Encrypted) Network.Establish(_us, _peer);
        return new Insider(_peer);
    }

    /// <summary>Some turns, so that both key rings have a previous key on each side.</summary>
    private void Talk(int turns = 4)
    {
        if (_us.Conversation.State != MessageState.Encrypted) Network.Establish(_us, _peer);
        for (var i = 0; i < turns; i++)
        {
            Network.Run(_us, _peer, _us.Send("ping"));
            Network.Run(_peer, _us, _peer.Send("pong"));
        }
    }

    [Fact, Trait("hostile", "D01")]
    public void D01_repeated_and_older_messages_are_refused_quietly_and_without_an_error_reply()
    {
        Attacker();
        var first = _peer.Send("first").Wire().Single();
        var second = _peer.Send("second").Wire().Single();
        var third = _peer.Send("third").Wire().Single();
        _us.Receive(first);
        _us.Receive(third);
        foreach (var old in new[] { first, second, third })
        {
            var before = StateView.Of(_us);
            Assert.Equal([new OtrEffect.Rejected(RejectReason.Replay, Quiet: true)], _us.Receive(old));
            Assert.Equal(before, StateView.Of(_us));
        }
        Assert.Equal(["first", "third"], _us.PrivateTexts);
    }

    [Theory, Trait("hostile", "D01")]
    [InlineData(0ul)]
    [InlineData(1ul)]
    [InlineData(2ul)]
    public void D01_a_counter_of_zero_or_not_above_the_last_is_refused(ulong counter)
    {
        Attacker();
        _us.Receive(_peer.Send("1").Wire().Single());
        _us.Receive(_peer.Send("2").Wire().Single());
        AssertRefusedOnly(_us, new Insider(_peer).Text("again", f => f with { Counter = counter }), RejectReason.Replay);
    }

    [Fact, Trait("hostile", "D02")]
    public void D02_a_forgery_with_the_highest_counter_does_not_block_the_honest_message()
    {
        var attacker = Attacker();
        AssertRefused(_us, attacker.Text("forged", f => f with { Counter = ulong.MaxValue, Mac = m => new byte[20] }), RejectReason.BadMac);
        Network.Run(_peer, _us, _peer.Send("honest"));
        Assert.Equal(["honest"], _us.PrivateTexts);
    }

    [Fact, Trait("hostile", "D03")]
    public void D03_a_forgery_that_says_it_may_be_ignored_is_ignored_silently()
    {
        var attacker = Attacker();
        AssertRefusedOnly(_us, attacker.Text("forged", f => f with { Flags = 1, Mac = m => new byte[20] }), RejectReason.BadMac);
        AssertRefusedOnly(_us, attacker.Text("forged", f => f with { Flags = 1, Mac = m => m[1..] }), RejectReason.Malformed);
        Assert.All(_us.All.OfType<OtrEffect.Rejected>(), r => Assert.True(r.Quiet));
    }

    [Theory, Trait("hostile", "D04")]
    [InlineData(0, int.MinValue)]
    [InlineData(int.MinValue, 0)]
    [InlineData(0, 2)]
    [InlineData(0, -2)]
    [InlineData(2, 0)]
    [InlineData(-2, 0)]
    public void D04_key_ids_that_are_neither_current_nor_previous_are_refused(int sender, int recipient)
    {
        Talk();
        var attacker = new Insider(_peer);
        static uint Shift(uint id, int by) => by == int.MinValue ? 0 : (uint)(id + by);
        AssertRefused(_us, attacker.Text("forged", f => f with { SenderKeyId = Shift(f.SenderKeyId, sender), RecipientKeyId = Shift(f.RecipientKeyId, recipient) }), RejectReason.UnknownKeyId);
        Network.Run(_peer, _us, _peer.Send("honest"));
        Assert.Equal("honest", _us.PrivateTexts.Last());
    }

    [Fact, Trait("hostile", "D04")]
    public void D04_a_previous_key_of_the_peer_that_does_not_exist_yet_is_refused()
    {
        var key = new HandMadeAke(TestKeys.Of(2), 0x2222);
        var ours = key.ReadKey(_us.Receive(key.Commit(0)).Wire().Single());
        // The exchange names key id 7: 6 would be the previous one, and there is none.
        _us.Receive(key.Reveal(_us.Account.InstanceTag, ours, new XFaults { KeyId = 7 }));
        byte[] Message(uint keyId) => Insider.Write(new DataFields
        {
            SenderTag = 0x2222, ReceiverTag = _us.Account.InstanceTag, SenderKeyId = keyId, RecipientKeyId = 1,
            NextY = new Fields().Mpi(99).ToArray(), Counter = 1, Plaintext = "x"u8.ToArray(),
        }, key.DataKeys(ours).Send);
        AssertRefused(_us, Message(6), RejectReason.UnknownKeyId);
        _us.Receive(Message(7));
        Assert.Equal(["x"], _us.PrivateTexts);
    }

    public static TheoryData<string> BadNext => ["0", "1", "p-1", "p", "p+1", "huge", "current"];

    [Theory, Trait("hostile", "D05")]
    [MemberData(nameof(BadNext))]
    public void D05_a_bad_next_key_is_refused_before_the_rotation(string which)
    {
        Talk();
        // Our word makes the peer use its newest key, which is the one that a message may replace.
        Network.Run(_us, _peer, _us.Send("ping"));
        var attacker = new Insider(_peer);
        var current = _us.Look(s => Big.Number(s.Best!.Keys!.Theirs));
        BigInteger next = which switch
        {
            "0" => 0, "1" => 1, "p-1" => Big.P - 1, "p" => Big.P, "p+1" => Big.P + 1, "huge" => (BigInteger.One << 20_000) - 1, _ => current,
        };
        AssertRefused(_us, attacker.Text("x", f => f with { NextY = new Fields().Mpi(next).ToArray() }), RejectReason.InvalidGroupElement);
        Network.Run(_peer, _us, _peer.Send("honest"));
        Assert.Equal("honest", _us.PrivateTexts.Last());
    }

    [Fact, Trait("hostile", "D06")]
    public void D06_a_held_back_message_tampered_with_under_its_revealed_MAC_key_is_refused()
    {
        Network.Establish(_us, _peer);
        Network.Run(_peer, _us, _peer.Send("attack at dawn"));
        var held = ReadData.Of(_peer.Send("attack at dusk").Wire().Single());
        // The conversation goes on until the key that guards the held message is revealed.
        List<byte[]> revealed = [];
        for (var i = 0; i < 6 && revealed.Count == 0; i++)
        {
            var ours = _us.Send("ping").Wire().Single();
            revealed.AddRange(ReadData.Of(ours).Revealed.Chunk(20));
            _peer.Receive(ours);
            Network.Run(_peer, _us, _peer.Send("pong"));
        }
        var key = revealed.Single(k => HMACSHA1.HashData(k, held.Authenticated).AsSpan().SequenceEqual(held.Mac));
        var forged = (byte[])held.Authenticated.Clone();
        forged[^3] ^= 0x20;
        byte[] message = [.. forged, .. HMACSHA1.HashData(key, forged), 0, 0, 0, 0];
        AssertRefused(_us, WireText.Encode(message), RejectReason.UnknownKeyId);
    }

    [Theory, Trait("hostile", "D07")]
    [InlineData(19)]
    [InlineData(21)]
    [InlineData(20)]
    [InlineData(6000)]
    public void D07_revealed_keys_of_any_length_are_passed_over(int length)
    {
        // 6000: otr3 reveals a key once per message that it was used for.
        _us.Receive(Attacker().Text("text", f => f with { Revealed = new byte[length] }));
        Assert.Equal(["text"], _us.PrivateTexts);
    }

    [Fact, Trait("hostile", "D07")]
    public void D07_a_hundred_kilobytes_of_revealed_keys_are_too_much() =>
        AssertRefused(WithSession(), Attacker().Text("text", f => f with { Revealed = new byte[100_000] }), RejectReason.TooLarge);

    private Party WithSession()
    {
        Attacker();
        return _us;
    }

    [Fact, Trait("hostile", "D08")]
    public void D08_only_receiving_keys_that_were_used_and_can_be_used_no_more_are_revealed_each_once()
    {
        Network.Establish(_us, _peer);
        HashSet<string> sending = [], receivingUsed = [], revealed = [];
        for (var i = 0; i < 40; i++)
        {
            // Bursts of uneven length, so that pairs are skipped, used once and used often.
            for (var n = 0; n < i % 3; n++)
            {
                var theirs = _peer.Send("in").Wire().Single();
                var macKey = MacKeyOf(ReadData.Of(theirs), sender: _peer);
                _us.Receive(theirs);
                receivingUsed.Add(macKey);
            }
            for (var n = 0; n < (i + 1) % 3; n++)
            {
                var ours = _us.Send("out").Wire().Single();
                var message = ReadData.Of(ours);
                sending.Add(MacKeyOf(message, sender: _us));
                foreach (var key in message.Revealed.Chunk(20).Select(Convert.ToHexString))
                {
                    Assert.True(revealed.Add(key), "A MAC key was revealed twice.");
                    Assert.Contains(key, receivingUsed);
                    Assert.DoesNotContain(key, sending);
                    // Nothing more can be accepted under it.
                    Assert.DoesNotContain(key, _us.Look(s => LiveReceiving(s.Best!.Keys!)));
                }
                _peer.Receive(ours);
            }
        }
        Assert.InRange(revealed.Count, 5, receivingUsed.Count);
    }

    private static List<string> LiveReceiving(V3.KeyRing keys)
    {
        var live = new List<string>();
        foreach (var sender in new[] { keys.TheirKeyId, keys.TheirKeyId - 1 })
            foreach (var recipient in new[] { keys.OurKeyId, keys.OurKeyId - 1 })
                if (keys.Receiving(sender, recipient) is { } pair) live.Add(Convert.ToHexString(SHA1.HashData(pair.Raw[16..])));
        return live;
    }

    /// <summary>The MAC key that the sender used, found among those that it has.</summary>
    private static string MacKeyOf(ReadData message, Party sender) => sender.Look(s =>
    {
        var pair = s.Best!.Keys!.Receiving(message.RecipientKeyId, message.SenderKeyId)!;
        var key = SHA1.HashData(pair.Raw[..16]);
        Assert.Equal(message.Mac, HMACSHA1.HashData(key, message.Authenticated));
        return Convert.ToHexString(key);
    });

    [Theory, Trait("hostile", "D18")]
    [InlineData(3, 2)]
    [InlineData(2, 3)]
    public void D18_the_other_versions_header_is_refused_whatever_the_body(int session, int header)
    {
        var settings = new OtrSettings { Policy = session == 3 ? OtrPolicy.AllowV3 : OtrPolicy.AllowV2 };
        Party us = new(1, settings), peer = new(2, settings);
        Network.Establish(us, peer);
        // A policy that allows both, so that it is not policy that refuses.
        var both = new Party(9, new OtrSettings { Policy = OtrPolicy.Manual }, account: us.Account);
        both.Restore(us.Snapshot());
        using var attacker = new Insider(peer);
        var before = StateView.Of(both);
        both.Receive(attacker.Text("x", f => f with { Version = header, SenderTag = peer.Account.InstanceTag, ReceiverTag = us.Account.InstanceTag }));
        Assert.Contains(both.Rejects.Single(), (RejectReason[])[RejectReason.VersionNotAllowed, RejectReason.NotEncrypted]);
        Assert.Equal(before, StateView.Of(both));
        both.Receive(attacker.Text("honest"));
        Assert.Equal(["honest"], both.PrivateTexts);
    }

    [Fact, Trait("hostile", "D19")]
    public void D19_the_key_stream_begins_at_counter_one_with_a_low_half_of_zero_and_carries_over_many_blocks()
    {
        using var attacker = Attacker();
        var text = string.Concat(Enumerable.Range(0, 6500).Select(i => $"{i:d4} block "))[..OtrLimits.MaxPlaintextBytes];
        var sent = ReadData.Of(_peer.Send(text).Wire().Single());
        Assert.Equal(1ul, sent.Counter);
        // Decrypted by block encryption of counters made here.
        Assert.Equal(text + "\0", System.Text.Encoding.UTF8.GetString(Primitives.Ctr(attacker.SendingKey(attacker.Next), 1, sent.Ciphertext)));
    }

    [Fact, Trait("hostile", "D19")]
    public void D19_the_key_stream_is_right_beyond_65536_blocks()
    {
        var key = SHA256.HashData("key"u8)[..16];
        var zeros = new byte[(65536 + 3) * 16];
        var stream = new byte[zeros.Length];
        Otr.Core.Crypto.AesCtr.Transform(key, 0x0102030405060708, zeros, stream);
        Assert.Equal(Primitives.Ctr(key, 0x0102030405060708, zeros), stream);
    }

    [Fact, Trait("hostile", "D21")]
    public void D21_data_of_an_old_session_is_refused_in_the_new_one_with_the_same_key_ids()
    {
        Network.Establish(_us, _peer);
        var old = _peer.Send("old").Wire().Single();
        Network.Run(_us, _peer, _us.Start());
        var fresh = ReadData.Of(_peer.Send("new").Wire().Single());
        Assert.Equal((ReadData.Of(old).SenderKeyId, ReadData.Of(old).RecipientKeyId), (fresh.SenderKeyId, fresh.RecipientKeyId));
        AssertRefused(_us, old, RejectReason.BadMac);
    }
}
