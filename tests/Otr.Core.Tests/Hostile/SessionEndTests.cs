using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;
using static Otr.Core.Tests.Hostile.ParsingTests;

namespace Otr.Core.Tests.Hostile;

/// <summary>Hostile inputs B4, what happens around a session: outside it, at its end, and in the clear beside it.</summary>
public sealed class SessionEndTests
{
    private static readonly OtrSettings Loud = new() { Policy = OtrPolicy.AllowV3 | OtrPolicy.ErrorStartAke };

    private readonly Party _us = new(1), _peer = new(2);

    private Insider Attacker()
    {
        Network.Establish(_us, _peer);
        return new Insider(_peer);
    }

    [Theory, Trait("hostile", "D09")]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(0, false)]
    [InlineData(1, false)]
    public void D09_data_outside_a_session_gives_no_text_and_one_error_per_interval(byte flags, bool finished)
    {
        using var attacker = Attacker();
        if (finished) _us.Receive(_peer.End().Wire().Single());
        else _us.End();
        var wire = attacker.Text("late", f => f with { Flags = flags });
        var before = StateView.Of(_us);
        var effects = _us.Receive(wire);
        Assert.Equal(new OtrEffect.Rejected(RejectReason.NotEncrypted, Quiet: flags == 1), effects[0]);
        Assert.Equal(flags == 1 ? [] : ["?OTR Error:"], effects.Skip(1).Wire().Select(w => w.ToText()[..11]));
        _us.Now += OtrLimits.ErrorInterval - 1;
        Assert.Equal([new OtrEffect.Rejected(RejectReason.NotEncrypted, Quiet: flags == 1)], _us.Receive(wire));
        Assert.Equal(before, StateView.Of(_us));
        Assert.Empty(_us.Texts);
    }

    [Fact, Trait("hostile", "D10")]
    public void D10_two_sides_that_answer_errors_with_queries_fall_silent()
    {
        Party a = new(1, Loud), b = new(2, Loud);
        Network.Establish(a, b);
        // Both lose what they know, as after a crash without a snapshot, and each hears something of the old session.
        Party a2 = new(5, Loud, account: a.Account), b2 = new(6, Loud, account: b.Account);
        var fromA = a2.Receive("?OTR Error: unreadable");
        var fromB = b2.Receive("?OTR Error: unreadable");
        Network.Run(a2, b2, fromA.Concat(a2.Receive(b.Send("x").Wire().Single())), fromB.Concat(b2.Receive(a.Send("y").Wire().Single())));
        Assert.Equal((MessageState.Encrypted, MessageState.Encrypted), (a2.Conversation.State, b2.Conversation.State));
    }

    [Fact, Trait("hostile", "D10")]
    public void D10_unreadable_messages_without_end_draw_one_error_per_interval()
    {
        using var attacker = Attacker();
        var forged = attacker.Text("x", f => f with { Mac = m => new byte[20] });
        var replies = 0;
        for (var i = 0; i < 1000; i++, _us.Now += 50) replies += _us.Receive(forged).Wire().Count();
        Assert.Equal(50_000 / OtrLimits.ErrorInterval, replies);
    }

    [Fact, Trait("hostile", "D11")]
    public void D11_a_heartbeat_answers_text_after_silence_and_never_a_heartbeat()
    {
        Network.Establish(_us, _peer);
        foreach (var p in new[] { _us, _peer }) p.Now += OtrLimits.HeartbeatInterval;
        Assert.Empty(_us.Receive(_peer.Send("not yet").Wire().Single()).Wire());
        foreach (var p in new[] { _us, _peer }) p.Now += OtrLimits.HeartbeatInterval + 1;
        var heartbeat = _us.Receive(_peer.Send("now").Wire().Single()).Wire().Single();
        Assert.Equal(1, ReadData.Of(heartbeat).Flags);
        // The peer too has been silent for long, by its clock; it must not answer.
        _peer.Now += 10 * OtrLimits.HeartbeatInterval;
        Assert.Equal([new OtrEffect.Noted(NoteKind.HeartbeatReceived)], _peer.Receive(heartbeat));
        Assert.Empty(_us.Receive(_peer.Send("again").Wire().Single()).Wire());
    }

    [Theory, Trait("hostile", "D11")]
    [InlineData(-86_400_000)]
    [InlineData(86_400_000)]
    public void D11_a_clock_that_jumps_sends_at_most_one_heartbeat(long jump)
    {
        Network.Establish(_us, _peer);
        _us.Now += jump;
        var sent = Enumerable.Range(0, 20).Sum(i => _us.Receive(_peer.Send($"{i}").Wire().Single()).Wire().Count());
        Assert.Equal(jump > 0 ? 1 : 0, sent);
        Assert.Equal(20, _us.PrivateTexts.Count());
    }

    [Fact, Trait("hostile", "D12")]
    public void D12_a_disconnect_with_text_SMP_and_extra_key_delivers_the_text_and_sends_nothing()
    {
        using var attacker = Attacker();
        var effects = _us.Receive(attacker.Tlvs("goodbye", (8, [0, 0, 0, 1]), (6, []), (1, []), (2, [0, 0, 0, 0])));
        Assert.Equal(["goodbye"], _us.PrivateTexts);
        Assert.Equal([nameof(OtrEffect.DeliverText), nameof(OtrEffect.SessionChanged)], effects.Select(e => e.GetType().Name));
        Assert.Equal(MessageState.Finished, _us.Conversation.State);
    }

    [Theory, Trait("hostile", "D13")]
    [InlineData(OtrPolicy.Opportunistic)]
    [InlineData(OtrPolicy.Managed)]
    public void D13_a_message_sent_as_the_session_ends_never_leaves_in_the_clear(OtrPolicy policy)
    {
        Party us = new(1, new OtrSettings { Policy = policy }), peer = new(2, new OtrSettings { Policy = policy });
        Network.Establish(us, peer);
        var end = peer.End().Wire().Single();
        Assert.Equal(0x03, WireText.TypeOf(us.Send("before").Wire().Single()));
        us.Receive(end);
        Assert.Equal([new OtrEffect.Refused(RefusalReason.SessionFinished, 8)], us.Send("after", 8));
        us.Restore(us.Snapshot());
        Assert.Equal([new OtrEffect.Refused(RefusalReason.SessionFinished, 9)], us.Send("after a restart", 9));
        us.Now += 10_000_000;
        us.Step(new OtrInput.TimePassed());
        Assert.Equal([new OtrEffect.Refused(RefusalReason.SessionFinished, 10)], us.Send("much later", 10));
    }

    [Fact, Trait("hostile", "D14")]
    public void D14_text_without_a_session_is_held_or_refused_where_encryption_is_required()
    {
        var never = new Party(1, new OtrSettings { Policy = OtrPolicy.RequireEncryption });
        Assert.Equal([new OtrEffect.Refused(RefusalReason.NotAllowed, 1)], never.Send("x", 1));

        _us.Send("held", 2);
        var peer = new HandMadeAke(TestKeys.Of(2), 0x2222);
        _us.Receive(peer.Commit(0));
        // The exchange fails; the text stays, and is dropped in the end, never sent.
        _us.Receive(peer.Reveal(_us.Account.InstanceTag, 77));
        _us.Now += OtrLimits.HeldMessageLifetime;
        _us.Step(new OtrInput.TimePassed());
        Assert.Equal([SendDisposition.Held, SendDisposition.Dropped], _us.All.OfType<OtrEffect.SendOutcome>().Select(o => o.Disposition));
        Assert.All(_us.All.Wire(), w => Assert.DoesNotContain("held", w.ToText()));
        Assert.Equal([new OtrEffect.Refused(RefusalReason.TooLarge, 3)], _us.Send(new string('x', OtrLimits.MaxPlaintextBytes + 1), 3));
    }

    [Fact, Trait("hostile", "D15")]
    public void D15_the_peers_error_text_is_bounded_and_handed_on_as_it_is()
    {
        var text = "<a href='x'>type ?OTR?</a>" + new string('!', 5000);
        var error = Assert.IsType<OtrEffect.PeerError>(Assert.Single(_us.Receive("?OTR Error: " + text)));
        Assert.Equal(text[..OtrLimits.MaxErrorTextBytes], error.Text.ToText());
        Assert.Equal("no blank", Assert.IsType<OtrEffect.PeerError>(Assert.Single(_us.Receive("?OTR Error:no blank"))).Text.ToText());
    }

    [Fact, Trait("hostile", "D17")]
    public void D17_what_cannot_be_read_is_not_acknowledged()
    {
        using var attacker = Attacker();
        var effects = _us.Receive(attacker.Text("x", f => f with { Mac = m => new byte[20] }));
        // A refusal, and the specification's error reply; nothing that says "delivered".
        Assert.Equal([nameof(OtrEffect.Rejected), nameof(OtrEffect.SendWire)], effects.Select(e => e.GetType().Name));
        AssertRefusedOnly(_us, attacker.Text("x", f => f with { Mac = m => new byte[20] }), RejectReason.BadMac);
    }

    [Fact, Trait("hostile", "D20")]
    public void D20_clear_text_beside_a_session_is_flagged()
    {
        Attacker().Dispose();
        var text = Assert.IsType<OtrEffect.DeliverText>(Assert.Single(_us.Receive("in the clear")));
        Assert.Equal((false, true, null), (text.Encrypted, text.UnexpectedlyClear, text.Session));
        _us.Receive(_peer.End().Wire().Single());
        Assert.True(Assert.IsType<OtrEffect.DeliverText>(Assert.Single(_us.Receive("after the end"))).UnexpectedlyClear);
    }

    [Fact, Trait("hostile", "D20")]
    public void D20_a_libotr_that_falls_back_to_clear_text_during_a_new_exchange_is_flagged()
    {
        // peers-observed, libotr 1: between D-H Key and Signature of a second exchange its text leaves in the clear.
        Attacker().Dispose();
        _us.Receive(_peer.Receive("?OTRv3?").Wire().Single());
        Assert.True(Assert.IsType<OtrEffect.DeliverText>(Assert.Single(_us.Receive("oops"))).UnexpectedlyClear);
        // We ourselves stay private meanwhile.
        Assert.Equal(0x03, WireText.TypeOf(_us.Send("still private").Wire().Single()));
    }
}
