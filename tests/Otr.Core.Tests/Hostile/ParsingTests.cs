using System.Text;
using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;
using Otr.Core.Wire;

namespace Otr.Core.Tests.Hostile;

/// <summary>Hostile inputs B1: envelope and parsing.</summary>
public sealed class ParsingTests
{
    private static readonly string[] AkeAndData = ["commit", "key", "reveal", "signature", "data"];

    public static TheoryData<int, string> Messages
    {
        get
        {
            var data = new TheoryData<int, string>();
            foreach (var version in new[] { 3, 2 })
                foreach (var name in AkeAndData) data.Add(version, name);
            return data;
        }
    }

    // Each bent Reveal costs an exponentiation; its 486 opaque bytes are all alike.
    private static int Stride(string name) => name == "reveal" ? 7 : 1;

    private static (Party Us, Insider Peer) Private()
    {
        Party us = new(1), peer = new(2);
        Network.Establish(us, peer);
        return (us, new Insider(peer));
    }

    [Theory, Trait("hostile", "P01")]
    [InlineData("?OTR:===.")]
    [InlineData("?OTR:=.")]
    [InlineData("?OTR:====================.")]
    public void P01_padding_without_data_is_malformed(string text) => AssertRefused(Private().Us, text.Utf8(), RejectReason.Malformed);

    [Theory, Trait("hostile", "P02")]
    [MemberData(nameof(Messages))]
    public void P02_a_huge_length_anywhere_allocates_nothing_and_completes_nothing(int version, string name)
    {
        var moment = Recording.Of(version)[name];
        var message = WireText.Decode(moment.Wire);
        var honest = Outcome(moment, message);
        for (var at = 0; at + 4 <= message.Length; at += Stride(name))
        {
            foreach (var claim in new uint[] { 0xffffffff, 0x80000000, 0x7fffffff, (uint)message.Length })
            {
                var bent = (byte[])message.Clone();
                new Fields().Int(claim).ToArray().CopyTo(bent, at);
                if (bent.AsSpan().SequenceEqual(message)) continue;
                var party = moment.Fresh();
                var wire = WireText.Encode(bent);
                var allocated = GC.GetAllocatedBytesForCurrentThread();
                var effects = party.Receive(wire);
                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 1 << 20);
                // Only fields that nothing covers yet may be bent without notice: a Commit's, a Key's, and no one's text.
                if (name is "reveal" or "signature" or "data") Assert.NotEqual(honest, Describe(effects));
                Assert.Empty(party.PrivateTexts);
            }
        }
    }

    [Fact, Trait("hostile", "P03")]
    public void P03_megabytes_are_cut_off_at_the_cap()
    {
        var (us, _) = Private();
        var huge = new byte[8 << 20];
        Array.Fill(huge, (byte)'A');
        "?OTR:"u8.CopyTo(huge);
        huge[^1] = (byte)'.';
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        AssertRefusedOnly(us, huge, RejectReason.TooLarge);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 64 * 1024);
        AssertRefused(us, huge[..(OtrLimits.MaxWireBytes - 1)], RejectReason.Malformed);
    }

    [Theory, Trait("hostile", "P04")]
    [InlineData("?OTR", RejectReason.UnknownMessage)]
    [InlineData("?OTR?", RejectReason.VersionNotAllowed)]
    [InlineData("?OTRv", RejectReason.UnknownMessage)]
    [InlineData("?OTRv?", RejectReason.VersionNotAllowed)]
    [InlineData("?OTR:", RejectReason.Malformed)]
    [InlineData("?OTR:.", RejectReason.Malformed)]
    [InlineData("?OTR|", RejectReason.BadFragment)]
    [InlineData("?OTR,", RejectReason.BadFragment)]
    public void P04_markers_alone_are_refused(string text, RejectReason reason)
    {
        AssertRefused(Private().Us, text.Utf8(), reason);
        AssertRefused(new Party(1), text.Utf8(), reason);
    }

    [Theory, Trait("hostile", "P05")]
    [MemberData(nameof(Messages))]
    public void P05_truncation_at_every_byte_and_trailing_bytes_are_refused(int version, string name)
    {
        var moment = Recording.Of(version)[name];
        var message = WireText.Decode(moment.Wire);
        var party = moment.Fresh();
        for (var length = 0; length < message.Length; length++) AssertRefused(party, WireText.Encode(message[..length]));
        AssertRefused(party, WireText.Encode([.. message, 0]), RejectReason.Malformed);
        AssertRefused(party, WireText.Encode([.. message, .. new byte[100]]), RejectReason.Malformed);
        // The message itself is still good.
        Assert.Equal(Outcome(moment, message), Outcome(party, moment.Wire));
    }

    [Theory, Trait("hostile", "P06")]
    [MemberData(nameof(Messages))]
    public void P06_one_flipped_bit_anywhere_is_refused_or_leads_nowhere(int version, string name)
    {
        var moment = Recording.Of(version)[name];
        var message = WireText.Decode(moment.Wire);
        for (var at = 0; at < message.Length; at += Stride(name))
        {
            var bent = (byte[])message.Clone();
            bent[at] ^= (byte)(1 << (at % 8));
            var party = moment.Fresh();
            if (name is "reveal" or "signature" or "data") AssertRefused(party, WireText.Encode(bent));
            else party.Receive(WireText.Encode(bent));
            Assert.NotEqual(MessageState.Encrypted, name == "data" ? MessageState.Plaintext : party.Conversation.State);
            Assert.Empty(party.PrivateTexts);
        }
    }

    [Theory, Trait("hostile", "P07")]
    [InlineData(3)]
    [InlineData(2)]
    public void P07_a_leading_zero_in_an_MPI_is_refused(int version)
    {
        var key = Recording.Of(version)["key"];
        AssertRefused(key.Fresh(), WireText.Encode(WithLeadingZero(WireText.Decode(key.Wire), version == 3 ? 11 : 3)), RejectReason.Malformed);
        var data = Recording.Of(version)["data"];
        AssertRefused(data.Fresh(), WireText.Encode(WithLeadingZero(WireText.Decode(data.Wire), (version == 3 ? 11 : 3) + 9)), RejectReason.Malformed);
    }

    [Theory, Trait("hostile", "P07")]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void P07_a_leading_zero_in_a_public_key_is_refused(int number)
    {
        var key = TestKeys.Of(2).PublicKey;
        var numbers = new[] { key.P, key.Q, key.G, key.Y };
        numbers[number] = [0, .. numbers[number]];
        var fields = new Fields().Short(0);
        foreach (var n in numbers) fields.Data(n);
        AkeAttack.AssertRevealRefused(RejectReason.Malformed, new XFaults { PublicKey = fields.ToArray() });
    }

    [Theory, Trait("hostile", "P08")]
    [InlineData("?OTR:AAMD-_-_.")]
    [InlineData("?OTR:AAMD\0AAAA.")]
    [InlineData("?OTR:AAMDA.")]
    [InlineData("?OTR:AAMDAA=.")]
    [InlineData("?OTR:AAMD\nAAAA.")]
    [InlineData("?OTR:AA MD.")]
    [InlineData("?OTR:AAMD&#10;.")]
    public void P08_odd_base64_is_refused(string text) => AssertRefused(Private().Us, text.Utf8());

    [Fact, Trait("hostile", "P08")]
    public void P08_line_ends_in_an_honest_message_do_no_harm()
    {
        var moment = Recording.Of(3)["data"];
        var text = moment.Wire.AsMemory().ToText();
        var party = moment.Fresh();
        party.Receive(text.Insert(40, "\r\n").Insert(80, " \t"));
        Assert.Equal(["hello"], party.PrivateTexts);
    }

    [Theory, Trait("hostile", "P09")]
    [InlineData(0, 0x03, RejectReason.VersionNotAllowed)]
    [InlineData(1, 0x03, RejectReason.VersionNotAllowed)]
    [InlineData(1, 0x0a, RejectReason.VersionNotAllowed)]
    [InlineData(2, 0x02, RejectReason.VersionNotAllowed)]
    [InlineData(4, 0x08, RejectReason.VersionNotAllowed)]
    [InlineData(5, 0x02, RejectReason.VersionNotAllowed)]
    [InlineData(0xffff, 0x02, RejectReason.VersionNotAllowed)]
    [InlineData(3, 0x00, RejectReason.UnknownType)]
    [InlineData(3, 0x04, RejectReason.UnknownType)]
    [InlineData(3, 0xff, RejectReason.UnknownType)]
    public void P09_other_versions_and_types_are_refused(int version, int type, RejectReason reason)
    {
        var (us, _) = Private();
        var body = WireText.Decode(Recording.Of(3)["data"].Wire)[11..];
        AssertRefusedOnly(us, WireText.Encode(Fields.Header(version, type, us.Conversation.Sessions[0].PeerInstanceTag, us.Account.InstanceTag).Raw(body).ToArray()), reason);
    }

    [Fact, Trait("hostile", "P09")]
    public void P09_a_version_1_key_exchange_is_not_answered()
    {
        var us = new Party(1, new OtrSettings { Policy = OtrPolicy.Manual });
        var wire = WireText.Encode([.. Fields.Header(1, 0x0a, 0, 0).Raw(new byte[200]).ToArray()]);
        Assert.StartsWith("?OTR:AAEK", wire.AsMemory().ToText());
        AssertRefusedOnly(us, wire, RejectReason.VersionNotAllowed);
    }

    [Fact, Trait("hostile", "P10")]
    public void P10_a_TLV_longer_than_what_is_left_is_dropped_and_the_ones_before_it_stand()
    {
        var (us, peer) = Private();
        byte[] plaintext = [.. "text"u8, 0, .. new Fields().Short(8).Short(4).Int(9).Short(1).Short(0xffff).ToArray()];
        var effects = us.Receive(peer.Write(peer.Next with { Plaintext = plaintext }));
        Assert.Equal(["text"], us.PrivateTexts);
        Assert.Equal(9u, effects.OfType<OtrEffect.ExtraKey>().Single().Use);
        Assert.Equal(MessageState.Encrypted, us.Conversation.State);
    }

    [Fact, Trait("hostile", "P10")]
    public void P10_ten_thousand_empty_TLVs_are_not_all_looked_at()
    {
        var (us, peer) = Private();
        var fields = new Fields().Byte(0);
        for (var i = 0; i < 10_000; i++) fields.Short(6).Short(0);
        var effects = us.Receive(peer.Write(peer.Next with { Plaintext = fields.ToArray() }));
        Assert.InRange(effects.Count, 1, 2 * OtrLimits.MaxTlvs);
        Assert.Equal(MessageState.Encrypted, us.Conversation.State);
    }

    [Fact, Trait("hostile", "P11")]
    public void P11_invalid_UTF8_is_handed_on_and_does_not_break_the_TLVs()
    {
        var (us, peer) = Private();
        byte[] text = [0xff, 0xfe, 0xed, 0xa0, 0x80, 0xc3];
        us.Receive(peer.Write(peer.Next with { Plaintext = [.. text, 0, .. new Fields().Short(1).Short(0).ToArray()] }));
        Assert.Equal(text, us.All.OfType<OtrEffect.DeliverText>().Single().Text.ToArray());
        Assert.Equal(MessageState.Finished, us.Conversation.State);
    }

    [Fact, Trait("hostile", "P11")]
    public void P11_text_ends_at_the_first_zero_and_a_zero_to_send_is_refused()
    {
        var (us, peer) = Private();
        us.Receive(peer.Write(peer.Next with { Plaintext = [.. "a\0b"u8] }));
        Assert.Equal(["a"], us.PrivateTexts);
        Assert.Equal([new OtrEffect.Refused(RefusalReason.InvalidText, 4)], us.Send("a\0b", 4));
    }

    [Fact, Trait("hostile", "P12")]
    public void P12_format_directives_are_data_and_no_effect_prints_them()
    {
        const string directive = "%n%s{0}$(x)";
        var (us, peer) = Private();
        us.Receive(peer.Text(directive));
        us.Receive("?OTR Error: " + directive);
        us.Receive(directive);
        us.Send(directive);
        us.Step(new OtrInput.SmpStartRequested(directive.Utf8(), directive.Utf8()));
        Assert.Equal([directive, directive], us.Texts);
        Assert.Equal(directive, Encoding.UTF8.GetString(us.All.OfType<OtrEffect.PeerError>().Single().Text.Span));
        Assert.All(us.All, effect => Assert.DoesNotContain("%n", effect.ToString()));
        Assert.DoesNotContain("%n", new OtrInput.WireReceived(directive.Utf8()).ToString() + new OtrInput.SendRequested(directive.Utf8()));
    }

    [Fact, Trait("hostile", "P13")]
    public void P13_a_session_that_ends_during_an_SMP_dialog_leaves_nothing_to_answer()
    {
        Party us = new(1), peer = new(2);
        Network.Establish(us, peer);
        Network.Run(peer, us, peer.Step(new OtrInput.SmpStartRequested("s".Utf8())));
        var token = us.All.OfType<OtrEffect.SmpAnswerNeeded>().Single().Token;
        Network.Run(peer, us, peer.End());
        Assert.Equal([new OtrEffect.Refused(RefusalReason.SmpNotExpected)], us.Step(new OtrInput.SmpAnswerRequested(token, "s".Utf8())));
        Assert.Equal([new OtrEffect.Refused(RefusalReason.NotEncrypted)], us.Step(new OtrInput.SmpAbortRequested()));
    }

    [Theory, Trait("hostile", "P15")]
    [InlineData("?OTR Error: you must type ?OTR?")]
    [InlineData("?OTRv23?")]
    [InlineData("?OTR:AAMCAAAA.")]
    [InlineData("?OTR|100|200,1,1,x,")]
    [InlineData("hi \t  \t\t\t\t \t \t \t    \t\t  \t\t")]
    public void P15_markers_inside_decrypted_text_are_text(string text)
    {
        var (us, peer) = Private();
        var effects = us.Receive(peer.Text(text));
        Assert.Equal([text], us.PrivateTexts);
        Assert.Single(effects);
    }

    [Theory, Trait("hostile", "P15")]
    [InlineData("he wrote ?OTRv23? yesterday")]
    [InlineData("> ?OTR Error: quoted")]
    [InlineData("look: ?OTR:AAMCAAAA.")]
    public void P15_markers_inside_clear_text_are_text(string text)
    {
        var us = new Party(1, new OtrSettings { Policy = OtrPolicy.Opportunistic });
        Assert.Equal([text], us.Receive(text).OfType<OtrEffect.DeliverText>().Select(t => Encoding.UTF8.GetString(t.Text.Span)));
        Assert.Single(us.All);
    }

    /// <summary>Refused, whatever may be said about it, and nothing changed.</summary>
    internal static void AssertRefused(Party party, ReadOnlyMemory<byte> wire, RejectReason? reason = null)
    {
        var before = StateView.Of(party);
        var effects = party.Receive(wire);
        var rejected = Assert.IsType<OtrEffect.Rejected>(effects[0]);
        if (reason is not null) Assert.Equal(reason, rejected.Reason);
        Assert.All(effects.Skip(1), e => Assert.StartsWith("?OTR Error: ", Assert.IsType<OtrEffect.SendWire>(e).Text.ToText()));
        Assert.Equal(before, StateView.Of(party));
    }

    /// <summary>Refused without an answer.</summary>
    internal static void AssertRefusedOnly(Party party, ReadOnlyMemory<byte> wire, RejectReason reason)
    {
        var before = StateView.Of(party);
        Assert.Equal(reason, Assert.IsType<OtrEffect.Rejected>(Assert.Single(party.Receive(wire))).Reason);
        Assert.Equal(before, StateView.Of(party));
    }

    private static string Outcome(Recording.Moment moment, byte[] message) => Outcome(moment.Fresh(), WireText.Encode(message));

    private static string Outcome(Party party, ReadOnlyMemory<byte> wire) => Describe(party.Receive(wire));

    private static string Describe(List<OtrEffect> effects) => string.Join(',', effects.Select(e => e is OtrEffect.SendWire ? nameof(OtrEffect.SendWire) : e.ToString()));

    /// <param name="at">Where the MPI begins.</param>
    private static byte[] WithLeadingZero(byte[] message, int at)
    {
        var length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(message.AsSpan(at));
        return [.. message[..at], .. new Fields().Int((uint)length + 1).ToArray(), 0, .. message[(at + 4)..]];
    }
}
