using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;
using static Otr.Core.Tests.Hostile.ParsingTests;

namespace Otr.Core.Tests.Hostile;

/// <summary>Hostile inputs B3: instance tags and fragments.</summary>
public sealed class InstanceAndFragmentTests
{
    private readonly Party _us = new(1), _peer = new(2);

    private uint Own => _us.Account.InstanceTag;

    [Theory, Trait("hostile", "I01")]
    [InlineData(0u, false)]
    [InlineData(1u, false)]
    [InlineData(0xffu, false)]
    [InlineData(0x100u, true)]
    [InlineData(0x11111112u, true)]
    [InlineData(0x80000000u, true)]
    [InlineData(0xffffffffu, true)]
    public void I01_sender_tags_below_0x100_are_refused_and_all_others_work(uint tag, bool valid)
    {
        var peer = new HandMadeAke(TestKeys.Of(2), tag);
        if (!valid)
        {
            AssertRefusedOnly(_us, peer.Commit(0), RejectReason.InvalidInstanceTag);
            AssertRefusedOnly(_us, $"?OTR|{tag:x}|0,1,2,?OTR:AAMC,".Utf8(), RejectReason.InvalidInstanceTag);
            return;
        }
        var ours = peer.ReadKey(_us.Receive(peer.Commit(0)).Wire().Single());
        _us.Receive(peer.Reveal(Own, ours));
        Assert.Equal(tag, Assert.Single(_us.Conversation.Sessions).PeerInstanceTag);
        Assert.Equal(tag, ReadData.Of(_us.Send("x").Wire().Single()).ReceiverTag);
    }

    [Theory, Trait("hostile", "I02")]
    [InlineData("key", 0u)]
    [InlineData("reveal", 0u)]
    [InlineData("signature", 0u)]
    [InlineData("data", 0u)]
    [InlineData("commit", 1u)]
    [InlineData("commit", 0xffu)]
    [InlineData("key", 0xffu)]
    [InlineData("reveal", 0x80u)]
    [InlineData("signature", 1u)]
    [InlineData("data", 0xffu)]
    public void I02_a_receiver_tag_of_zero_is_for_commits_only_and_1_to_255_for_nothing(string name, uint receiver)
    {
        var moment = Recording.Of(3)[name];
        var message = WireText.Decode(moment.Wire);
        new Fields().Int(receiver).ToArray().CopyTo(message, 7);
        AssertRefusedOnly(moment.Fresh(), WireText.Encode(message), RejectReason.InvalidInstanceTag);
    }

    [Theory, Trait("hostile", "I03")]
    [InlineData("commit")]
    [InlineData("key")]
    [InlineData("reveal")]
    [InlineData("signature")]
    [InlineData("data")]
    public void I03_a_message_for_another_instance_of_ours_is_ignored_quietly(string name)
    {
        var moment = Recording.Of(3)[name];
        var message = WireText.Decode(moment.Wire);
        new Fields().Int(0x9999).ToArray().CopyTo(message, 7);
        var party = moment.Fresh();
        var before = StateView.Of(party);
        Assert.Equal([new OtrEffect.Rejected(RejectReason.OtherInstance, Quiet: true)], party.Receive(WireText.Encode(message)));
        Assert.Equal(before, StateView.Of(party));
    }

    private string[] Cut(int pieces, string text = "hello", uint? receiver = null, uint? sender = null)
    {
        if (_us.Conversation.State != MessageState.Encrypted) Network.Establish(_peer, _us);
        var wire = _peer.Send(text).Wire().Single().ToText();
        var size = (wire.Length + pieces - 1) / pieces;
        return [.. Enumerable.Range(0, pieces).Select(i =>
            $"?OTR|{sender ?? _peer.Account.InstanceTag:x}|{receiver ?? Own:x},{i + 1},{pieces},{wire[(i * size)..Math.Min(wire.Length, (i + 1) * size)]},")];
    }

    [Fact, Trait("hostile", "F01")]
    public void F01_malformed_fragments_leave_the_buffer_as_it_is()
    {
        var cut = Cut(3);
        _us.Receive(cut[0]);
        foreach (string bad in Wire.FragmentTests.Malformed.Select(row => row.Data))
        {
            // Those that name their tags badly are for nobody; the others claim to come from the same sender.
            AssertRefusedOnly(_us, bad.Replace("|100|200,", $"|{_peer.Account.InstanceTag:x}|{Own:x},", StringComparison.Ordinal).Utf8(), RejectReason.BadFragment);
        }
        _us.Receive(cut[1]);
        _us.Receive(cut[2]);
        Assert.Equal(["hello"], _us.PrivateTexts);
    }

    [Fact, Trait("hostile", "F01")]
    public void F01_an_empty_piece_changes_nothing_and_counts_only_as_the_last_one()
    {
        var cut = Cut(2);
        _us.Receive(cut[0]);
        var before = StateView.Of(_us);
        Assert.Empty(_us.Receive($"?OTR|{_peer.Account.InstanceTag:x}|{Own:x},1,2,,"));
        Assert.Equal(before, StateView.Of(_us));
        // otr3 sends k pieces and an empty one where the length divides evenly.
        _us.Receive(cut[0].Replace(",1,2,", ",1,3,", StringComparison.Ordinal));
        _us.Receive(cut[1].Replace(",2,2,", ",2,3,", StringComparison.Ordinal));
        _us.Receive($"?OTR|{_peer.Account.InstanceTag:x}|{Own:x},3,3,,");
        Assert.Equal(["hello"], _us.PrivateTexts);
    }

    [Theory, Trait("hostile", "F01")]
    [InlineData(",1,2,,")]
    [InlineData(",2,3,abc,")]
    [InlineData(",2,2,,")]
    public void F01_a_fragment_that_cannot_begin_a_message_takes_no_buffer(string rest)
    {
        for (var i = 0; i < OtrLimits.MaxInstances; i++) _us.Receive($"?OTR|{0x4000 + i:x}|0,1,2,?OTR:AAMC,");
        var before = StateView.Of(_us);
        _us.Receive($"?OTR|5000|0{rest}");
        Assert.Equal(before, StateView.Of(_us));
    }

    [Theory, Trait("hostile", "F01")]
    [InlineData("{0}", "{1}")]
    [InlineData("{0:d5}", "{1:d5}")]
    public void F01_numbers_are_taken_with_and_without_leading_zeros(string k, string n)
    {
        foreach (var (fragment, i) in Cut(3).Select((f, i) => (f, i)))
        {
            var numbers = string.Format(System.Globalization.CultureInfo.InvariantCulture, $",{k},{n},", i + 1, 3);
            _us.Receive(fragment.Replace($",{i + 1},3,", numbers, StringComparison.Ordinal));
        }
        Assert.Equal(["hello"], _us.PrivateTexts);
    }

    [Fact, Trait("hostile", "F02")]
    public void F02_first_pieces_of_a_hundred_thousand_senders_cost_bounded_memory_and_time_out()
    {
        var piece = new string('A', 1000);
        for (var tag = 0x1000; tag < 0x1000 + 100_000; tag++)
        {
            _us.Receive($"?OTR|{tag:x}|0,1,65535,{piece},");
            _us.All.Clear();
        }
        Assert.InRange(_us.Look(s => s.Fragments.Count), 1, OtrLimits.MaxInstances);
        Assert.InRange(_us.Snapshot().Length, 1, OtrLimits.MaxInstances * 1100 + 1000);
        _us.Now = _us.Conversation.NextDeadline!.Value;
        _us.Step(new OtrInput.TimePassed());
        Assert.Equal(0, _us.Look(s => s.Fragments.Count));
        Assert.Null(_us.Conversation.NextDeadline);
    }

    [Fact, Trait("hostile", "F03")]
    public void F03_pieces_of_another_message_repeated_or_exchanged_reset_the_buffer()
    {
        void Lost(params string[] pieces)
        {
            foreach (var piece in pieces) _us.Receive(piece);
            Assert.Empty(_us.PrivateTexts);
            Assert.Equal(0, _us.Look(s => s.Fragments.Count));
        }
        string[] one = Cut(3), other = Cut(4);
        Lost(one[0], other[1], one[2]);
        Lost(one[0], one[0], one[2]);
        Lost(one[0], one[2], one[1]);
        Lost(one[1], one[2]);
        Lost(one[0], one[1], one[1], one[2]);
        // A new first piece begins anew.
        foreach (var piece in (string[])[one[0], one[1], other[0], other[1], other[2], other[3]]) _us.Receive(piece);
        Assert.Equal(["hello"], _us.PrivateTexts);
    }

    [Fact, Trait("hostile", "F04")]
    public void F04_a_fragment_within_a_fragment_is_refused()
    {
        // A comma ends a piece, so a fragment within cannot even be written whole; its beginning can.
        var effects = _us.Receive("?OTR|2222|0,1,1,?OTR|2222|0,");
        Assert.Equal([new OtrEffect.Rejected(RejectReason.BadFragment)], effects);
        Assert.Empty(_us.Texts);
    }

    [Fact]
    public void Text_in_fragments_is_text_as_libotr_cuts_it_too()
    {
        _us.Receive("?OTR,1,2,just ,");
        _us.Receive("?OTR,2,2,text,");
        Assert.Equal("just text", Assert.Single(_us.Texts));
        Assert.Empty(_us.PrivateTexts);
    }

    [Fact, Trait("hostile", "F05")]
    public void F05_fragments_for_another_instance_and_of_another_sender_are_not_mixed_with_ours()
    {
        var ours = Cut(3);
        _us.Receive(ours[0]);
        _us.Receive(ours[1].Replace($"|{Own:x},", "|9999,", StringComparison.Ordinal));
        _us.Receive($"?OTR|3333|{Own:x},1,3,?OTR:AAMD,");
        _us.Receive(ours[1]);
        _us.Receive($"?OTR|3333|{Own:x},2,3,AAAA,");
        _us.Receive(ours[2]);
        Assert.Equal(["hello"], _us.PrivateTexts);
    }

    [Theory, Trait("hostile", "F06")]
    [InlineData("plaintext in between")]
    [InlineData("?OTR Error: in between")]
    [InlineData("?OTRv3?")]
    public void F06_a_whole_message_in_between_resets_the_buffer(string between)
    {
        var cut = Cut(2);
        _us.Receive(cut[0]);
        _us.Receive(between);
        Assert.Equal(0, _us.Look(s => s.Fragments.Count));
        Assert.Equal([new OtrEffect.Rejected(RejectReason.BadFragment)], _us.Receive(cut[1]));
        Assert.Empty(_us.PrivateTexts);
    }

    [Fact, Trait("hostile", "F07")]
    public void F07_pieces_over_the_cap_are_dropped_and_told()
    {
        var piece = new string('A', 50_000);
        _us.Receive($"?OTR|2222|0,1,9,{piece},");
        _us.Receive($"?OTR|2222|0,2,9,{piece},");
        Assert.Equal([new OtrEffect.Rejected(RejectReason.TooLarge)], _us.Receive($"?OTR|2222|0,3,9,{piece},"));
        Assert.Equal(0, _us.Look(s => s.Fragments.Count));
        // All senders together have the one cap.
        _us.Receive($"?OTR|2222|0,1,9,{piece},");
        _us.Receive($"?OTR|3333|0,1,9,{piece},");
        Assert.Equal([new OtrEffect.Rejected(RejectReason.TooLarge)], _us.Receive($"?OTR|4444|0,1,9,{piece},"));
        Assert.InRange(_us.Look(s => s.Fragments.Sum(f => f.Length)), 1, OtrLimits.MaxWireBytes);
        AssertRefusedOnly(_us, $"?OTR|5555|0,1,9,{new string('A', OtrLimits.MaxWireBytes)},".Utf8(), RejectReason.TooLarge);
    }

    /// <summary>The state is stored with each piece: a message of 128 KiB in pieces of a byte would be written 131,072 times.</summary>
    [Theory, Trait("hostile", "F02")]
    [InlineData(1, 65_535)]
    [InlineData(100, 1_300)]
    public void F02_a_long_message_in_very_many_tiny_pieces_is_given_up(int size, int count)
    {
        long written = 0;
        int held = 0;
        for (var k = 1; k <= count; k++)
        {
            var effects = _us.Receive($"?OTR|2222|0,{k},{count},{new string('A', size)},");
            _us.All.Clear();
            if (effects.Contains(new OtrEffect.Rejected(RejectReason.TooLarge))) break;
            held = k;
            written += k * size;
        }
        Assert.InRange(held, 1, count - 1);
        Assert.InRange(written, OtrLimits.MaxFragmentWork / 4, OtrLimits.MaxFragmentWork);
        Assert.Equal(0, _us.Look(s => s.Fragments.Count));
    }

    [Theory, Trait("hostile", "F02")]
    [InlineData(OtrLimits.MaxWireBytes, 512)]
    [InlineData(88_000, 300)]
    [InlineData(4_000, 3)]
    public void F02_pieces_as_networks_have_them_are_taken(int length, int size)
    {
        var count = (length + size - 1) / size;
        for (var k = 1; k <= count; k++) _us.Receive($"?OTR|2222|0,{k},{count},{new string('A', Math.Min(size, length - (k - 1) * size))},");
        Assert.Equal(new string('A', length), Assert.Single(_us.Texts));
    }

    [Fact, Trait("hostile", "F02")]
    public void F02_pieces_of_many_senders_are_counted_together()
    {
        var refused = 0;
        for (var k = 1; k < 1_000; k++)
        {
            for (var tag = 1; tag <= OtrLimits.MaxInstances; tag++)
                if (_us.Receive($"?OTR|{tag}000|0,{k},65535,{new string('A', 16)},").Contains(new OtrEffect.Rejected(RejectReason.TooLarge))) refused++;
            _us.All.Clear();
            if (k % 20 == 0) Assert.InRange(_us.Look(s => (long)s.Fragments.Sum(f => f.Held) * s.Fragments.Sum(f => f.Length)), 0, OtrLimits.MaxFragmentWork);
        }
        // n pieces of 16 bytes each, together: n · 16 n is reached after 1,448.
        Assert.NotEqual(0, refused);
    }

    [Fact, Trait("hostile", "F08")]
    public void F08_a_message_of_another_sender_than_its_fragments_is_refused()
    {
        var cut = Cut(2, sender: 0x3333);
        _us.Receive(cut[0]);
        Assert.Equal([new OtrEffect.Rejected(RejectReason.Malformed)], _us.Receive(cut[1]));
        Assert.Empty(_us.PrivateTexts);
    }

    [Fact, Trait("hostile", "F08")]
    public void F08_a_message_for_another_instance_than_its_fragments_is_not_taken()
    {
        Network.Establish(_peer, _us);
        var message = WireText.Decode(_peer.Send("hello").Wire().Single());
        new Fields().Int(0x9999).ToArray().CopyTo(message, 7);
        var effects = _us.Receive($"?OTR|{_peer.Account.InstanceTag:x}|{Own:x},1,1,{WireText.Encode(message).AsMemory().ToText()},");
        Assert.Equal([new OtrEffect.Rejected(RejectReason.OtherInstance, Quiet: true)], effects);
        Assert.Empty(_us.PrivateTexts);
    }

    [Fact, Trait("hostile", "F08")]
    public void F08_a_commit_to_all_instances_may_come_in_fragments_for_one()
    {
        // libotr repeats its Commit, written for all instances, in fragments addressed to the one that it answers.
        var commit = new HandMadeAke(TestKeys.Of(2), 0x2222).Commit(0).AsMemory().ToText();
        _us.Receive($"?OTR|2222|{Own:x},1,2,{commit[..100]},");
        Assert.Equal(0x0a, WireText.TypeOf(_us.Receive($"?OTR|2222|{Own:x},2,2,{commit[100..]},").Wire().Single()));
    }
}
