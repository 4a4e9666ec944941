using System.Text;
using Otr.Core.Tests.Kit;
using Otr.Core.Wire;

namespace Otr.Core.Tests.Conversations;

/// <summary>Text in the clear and queries: never after the user asked for privacy, in pieces and lines that the network takes.</summary>
public sealed class ClearTextTests
{
    private static Party Us(int limit = 0, bool lines = false, OtrPolicy policy = OtrPolicy.Manual, string? query = null) =>
        new(1, new OtrSettings { Policy = policy, MaxWireBytes = limit, SingleLine = lines, QueryText = query ?? "Please." });

    private static string[] Sent(Party us, string text) => [.. us.Send(text).Wire().Select(w => w.ToText())];

    [Fact]
    public void Once_a_private_session_was_asked_for_text_waits_for_it()
    {
        Party us = Us(), peer = new(2);
        Assert.Equal(["in the clear"], Sent(us, "in the clear"));
        var query = us.Start().Wire().Single();
        us.Restore(us.Snapshot());
        Assert.Contains(new OtrEffect.SendOutcome(3, SendDisposition.Held), us.Send("private", 3));
        Network.Run(peer, us, peer.Receive(query));
        Assert.Equal(["private"], peer.PrivateTexts);
        Assert.Empty(peer.Texts.Except(["private"]));
        // Until the user says otherwise, and no longer.
        us.End();
        Assert.Equal(["in the clear again"], Sent(us, "in the clear again"));
    }

    [Fact]
    public void A_text_has_its_private_form_in_a_session_and_only_there()
    {
        Party us = Us(), peer = new(2);
        OtrInput.SendRequested Both(string text, int length = 0) =>
            new(text.Utf8()) { PrivateText = $"private {text}{new string('x', length)}".Utf8() };
        Assert.Equal(["one"], us.Step(Both("one")).Wire().Select(w => w.ToText()));
        // A form that is not used may be too long.
        Assert.Equal(["two"], us.Step(Both("two", OtrLimits.MaxPlaintextBytes)).Wire().Select(w => w.ToText()));
        var query = us.Start().Wire().Single();
        us.Step(Both("three"));
        Assert.Contains(new OtrEffect.Refused(RefusalReason.TooLarge), us.Step(Both("four", OtrLimits.MaxPlaintextBytes)));
        us.Restore(us.Snapshot());
        Network.Run(peer, us, peer.Receive(query));
        Network.Run(us, peer, us.Step(Both("five")));
        Network.Run(us, peer, us.Send("six"));
        Assert.Equal(["private three", "private five", "six"], peer.PrivateTexts);
        us.End();
        Assert.Equal(["seven"], us.Step(Both("seven")).Wire().Select(w => w.ToText()));
        // In a session that the peer asked for as well.
        Network.Establish(peer, us);
        Network.Run(us, peer, us.Step(Both("eight")));
        Assert.Equal("private eight", peer.PrivateTexts.Last());
    }

    [Fact]
    public void Text_that_waits_for_a_session_that_does_not_come_is_dropped_and_told()
    {
        var us = Us();
        us.Start();
        us.Send("private", 3);
        us.Now += OtrLimits.HeldMessageLifetime;
        Assert.Contains(new OtrEffect.SendOutcome(3, SendDisposition.Dropped), us.Step(new OtrInput.TimePassed()));
        Assert.DoesNotContain("private", us.All.Wire().Select(w => w.ToText()));
        Assert.Contains(new OtrEffect.SendOutcome(4, SendDisposition.Held), us.Send("private still", 4));
    }

    [Fact]
    public void Pieces_are_cut_between_characters_and_make_the_text_again()
    {
        var random = new Random(3);
        string[] letters = ["a", "é", "€", "𝄞", " ", "ж"];
        for (var run = 0; run < 300; run++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 400)).Select(_ => letters[random.Next(letters.Length)]));
            var limit = random.Next(20, 200);
            var pieces = Us(limit).Send(text).Wire().ToArray();
            Assert.All(pieces, p => Assert.InRange(p.Length, 1, limit));
            Assert.Equal(text, string.Concat(pieces.Select(p => new UTF8Encoding(false, true).GetString(p.Span))));
        }
    }

    [Fact]
    public void Bytes_that_are_no_text_are_cut_too()
    {
        var us = Us(10);
        var sent = us.Step(new OtrInput.SendRequested(Enumerable.Repeat((byte)0x80, 25).ToArray())).Wire().ToArray();
        Assert.Equal([10, 10, 5], sent.Select(w => w.Length));
    }

    [Theory]
    [InlineData("first\r\nQUIT :gone\r\n", "first|QUIT :gone")]
    [InlineData("one\n\n\rtwo", "one|two")]
    [InlineData("\nafter", "after")]
    [InlineData("plain", "plain")]
    public void A_network_of_lines_gets_a_message_for_each_line(string text, string expected)
    {
        Assert.Equal(expected.Split('|'), Sent(Us(lines: true), text));
        Assert.Equal([text], Sent(Us(), text));
    }

    [Fact]
    public void Text_of_line_ends_only_and_text_in_too_many_pieces_are_refused()
    {
        Assert.Equal(new OtrEffect.Refused(RefusalReason.InvalidText, 1), Assert.Single(Us(lines: true).Send("\r\n\n", 1)));
        Assert.Equal(OtrLimits.MaxClearPieces, Sent(Us(10), new string('x', 10 * OtrLimits.MaxClearPieces)).Length);
        var refused = Us(10).Send(new string('x', 10 * OtrLimits.MaxClearPieces + 1), 2);
        Assert.Equal(new OtrEffect.Refused(RefusalReason.TooLarge, 2), Assert.Single(refused));
        Assert.Equal(2, Sent(Us(lines: true), "a\n" + new string('\n', 100_000 / 2) + "b").Length);
    }

    [Fact]
    public void A_tag_goes_behind_the_first_piece_where_there_is_room()
    {
        const int tag = 32;
        var us = Us(100, policy: OtrPolicy.Opportunistic);
        var pieces = Sent(us, new string('x', 150));
        Assert.Equal([100, 50], pieces.Select(p => p.Length));
        var tagged = Us(100, lines: true, policy: OtrPolicy.Opportunistic).Send("short\nsecond").Wire().ToArray();
        Assert.Equal([5 + tag, 6], tagged.Select(p => p.Length));
        Assert.Equal(0, WhitespaceTag.Find(tagged[0].Span) - 5);
    }

    [Fact]
    public void A_tag_alone_is_an_offer_and_no_text()
    {
        Party us = Us(policy: OtrPolicy.Opportunistic), peer = new(2, us.Settings);
        var effects = us.Receive(WhitespaceTag.Append([], OtrVersions.V3));
        Assert.Empty(effects.OfType<OtrEffect.DeliverText>());
        Network.Run(us, peer, effects);
        Assert.Equal(MessageState.Encrypted, us.Conversation.State);
        // An empty text without a tag is what the peer sent.
        Assert.Single(us.Receive("").OfType<OtrEffect.DeliverText>());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_reply_with_a_tag_accepts_our_offer(bool isTagged)
    {
        var us = new Party(1, new OtrSettings { Policy = OtrPolicy.Manual | OtrPolicy.SendWhitespaceTag });
        Assert.True(WhitespaceTag.Find(us.Send("x").Wire().Single().Span) > 0);
        us.Receive(isTagged ? WhitespaceTag.Append("reply"u8, OtrVersions.V3) : "reply".Utf8());
        Assert.Equal(isTagged ? OfferState.Accepted : OfferState.Rejected, us.Look(s => s.Offer));
    }

    [Theory]
    [InlineData("Bitte privat.", 0, "?OTRv23? Bitte privat.")]
    [InlineData("two\r\nlines\tand\u0007more ", 0, "?OTRv23? two  lines and more")]
    [InlineData("", 0, "?OTRv23?")]
    [InlineData("Bitte privat.", 21, "?OTRv23?")]
    [InlineData("Bitte privat.", 22, "?OTRv23? Bitte privat.")]
    public void A_query_is_one_line_in_the_endpoint_s_words_that_the_network_takes(string text, int limit, string expected)
    {
        var sent = Us(limit, query: text).Start().Wire().Single();
        Assert.Equal(expected, sent.ToText());
        Assert.Equal(WireKind.Query, WireClassifier.Classify(sent.Span, out _));
    }

    [Fact]
    public void The_query_as_it_is_by_default_has_no_line_end_and_a_text_that_is_too_long_is_left_out()
    {
        Assert.DoesNotContain('\n', new Party(1).Start().Wire().Single().ToText());
        Assert.Equal("?OTRv23?", Us(query: new string('x', OtrLimits.MaxQueryTextBytes + 1)).Start().Wire().Single().ToText());
    }
}
