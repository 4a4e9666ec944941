using Otr.Core.Crypto;
using Otr.Core.Smp;
using Otr.Core.Tests.Conversations;
using Otr.Core.V3.Smp;
using Otr.Core.Wire;

namespace Otr.Core.Tests.Smp;

/// <summary>The hostile cases around a run rather than inside a message (checklist B5).</summary>
public sealed class SmpDialogTests
{
    private static readonly SeededRandom Random = new(61);

    [Fact, Trait("hostile", "S04")]
    public void A_second_message_1_before_the_answer_replaces_the_first_request()
    {
        using var state = RecordedRun.WithoutQuestion.In(SmpPhase.WaitingForSecret);
        var token = state.WaitingToken!.Value;
        var step = state.Receive(TlvType.Smp1Q, RecordedRun.WithQuestion.Message1, new SeededRandom(62));
        Assert.Null(step.Send);
        Assert.Equal("Where did we meet?"u8.ToArray(), step.Request!.Question);
        Assert.NotEqual(token, step.Request.Token);
        Assert.Equal(RefusalReason.SmpNotExpected, state.Answer(token, RecordedRun.Secret(1), Random).Refusal);
        Assert.Equal(TlvType.Smp2, state.Answer(step.Request.Token, RecordedRun.Secret(1), Random).Send!.Type);
    }

    [Fact, Trait("hostile", "S04")]
    public void A_second_message_1_that_does_not_hold_ends_the_first_request()
    {
        using var state = RecordedRun.WithoutQuestion.In(SmpPhase.WaitingForSecret);
        var step = state.Receive(TlvType.Smp1, RecordedRun.WithoutQuestion.Message1[..^1], Random);
        Assert.Equal((SmpOutcome.Cheated, TlvType.SmpAbort), (step.Outcome, step.Send!.Type));
        Assert.Null(state.WaitingToken);
    }

    [Fact, Trait("hostile", "S04")]
    public void An_answer_to_an_earlier_request_is_refused()
    {
        using var state = RecordedRun.WithoutQuestion.In(SmpPhase.WaitingForSecret);
        var first = state.WaitingToken!.Value;
        state.Receive(TlvType.SmpAbort, [], Random);
        Assert.NotEqual(first, state.Receive(TlvType.Smp1, RecordedRun.WithoutQuestion.Message1, Random).Request!.Token);
        Assert.Equal(RefusalReason.SmpNotExpected, state.Answer(first, RecordedRun.Secret(1), Random).Refusal);
        Assert.Equal(SmpPhase.WaitingForSecret, state.Phase);
    }

    [Fact, Trait("hostile", "S05")]
    public void An_abort_counts_whatever_it_carries_and_is_never_answered()
    {
        foreach (var phase in Enum.GetValues<SmpPhase>())
        {
            foreach (var body in new[] { 0, 1, 4, 65535 })
            {
                using var state = RecordedRun.WithoutQuestion.In(phase);
                var step = state.Receive(TlvType.SmpAbort, new byte[body], Random);
                Assert.Null(step.Send);
                Assert.Equal(SmpPhase.ExpectMessage1, state.Phase);
            }
        }
    }

    [Fact, Trait("hostile", "S06")]
    public void A_question_without_its_end_aborts()
    {
        var noNul = Enumerable.Repeat((byte)'x', 3000).ToArray();
        Assert.Equal((SmpOutcome.Cheated, TlvType.SmpAbort), Question(noNul));
        Assert.Equal((SmpOutcome.Cheated, TlvType.SmpAbort), Question([]));
        Assert.Equal((SmpOutcome.Cheated, TlvType.SmpAbort), Question([0]));
    }

    [Fact, Trait("hostile", "S06")]
    public void An_empty_question_is_a_question()
    {
        using var state = new SmpState(SmpArithmetic3.Instance);
        var step = state.Receive(TlvType.Smp1Q, [0, .. RecordedRun.WithoutQuestion.Message1], Random);
        Assert.Equal([], step.Request!.Question!);
    }

    [Fact, Trait("hostile", "S06")]
    public void A_question_ends_at_the_first_nul() =>
        Assert.Equal((SmpOutcome.Cheated, TlvType.SmpAbort), Question([(byte)'a', 0, 0, .. RecordedRun.WithoutQuestion.Message1]));

    [Fact, Trait("hostile", "S06")]
    public void A_question_is_bounded()
    {
        var message1 = RecordedRun.WithoutQuestion.Message1;
        using var state = new SmpState(SmpArithmetic3.Instance);
        var longest = Enumerable.Repeat((byte)'x', OtrLimits.MaxSmpQuestionBytes).ToArray();
        Assert.Equal(longest, state.Receive(TlvType.Smp1Q, [.. longest, 0, .. message1], Random).Request!.Question!);
        Assert.Equal((SmpOutcome.Aborted, TlvType.SmpAbort), Question([.. longest, (byte)'x', 0, .. message1]));
        var huge = Enumerable.Repeat((byte)'x', 65535 - 1 - message1.Length).ToArray();
        Assert.Equal((SmpOutcome.Aborted, TlvType.SmpAbort), Question([.. huge, 0, .. message1]));
    }

    [Fact, Trait("hostile", "S06")]
    public void A_question_in_invalid_utf_8_is_handed_on_as_it_came()
    {
        using var state = new SmpState(SmpArithmetic3.Instance);
        byte[] invalid = [0xFF, 0xC0, 0x80, 0xED, 0xA0, 0x80];
        Assert.Equal(invalid, state.Receive(TlvType.Smp1Q, [.. invalid, 0, .. RecordedRun.WithoutQuestion.Message1], Random).Request!.Question!);
    }

    [Fact, Trait("hostile", "S08")]
    public void A_reset_wipes_the_run_in_every_state()
    {
        foreach (var phase in Enum.GetValues<SmpPhase>())
        {
            var (state, kept) = Watched(RecordedRun.WithQuestion, phase);
            Assert.Equal(phase != SmpPhase.ExpectMessage1, kept is not null);
            if (kept is not null) Assert.True(kept.AsSpan().ContainsAnyExcept((byte)0));
            state.Reset();
            SecretPool.Watched = null;
            if (kept is not null) Assert.False(kept.AsSpan().ContainsAnyExcept((byte)0));
            Assert.Equal((SmpPhase.ExpectMessage1, null), (state.Phase, state.WaitingToken));
            Assert.Equal(SmpOutcome.ProtocolError, state.Receive(TlvType.Smp3, RecordedRun.WithQuestion.Message3, Random).Outcome);
        }
    }

    [Fact, Trait("hostile", "S08")]
    public void Every_step_wipes_what_the_step_before_kept()
    {
        var (state, kept) = Watched(RecordedRun.WithoutQuestion, SmpPhase.ExpectMessage2);
        Assert.True(kept.AsSpan().ContainsAnyExcept((byte)0));
        state.Receive(TlvType.Smp2, RecordedRun.WithoutQuestion.Message2, Random);
        SecretPool.Watched = null;
        Assert.Equal(SmpPhase.ExpectMessage4, state.Phase);
        Assert.False(kept.AsSpan().ContainsAnyExcept((byte)0));
    }

    /// <summary>A side of a run, and the memory of what it keeps; until the test says that no more is watched.</summary>
    private static (SmpState State, byte[]? Kept) Watched(RecordedRun run, SmpPhase phase)
    {
        List<byte[]> made = SecretPool.Watched = [];
        var state = run.In(phase);
        return (state, made.SingleOrDefault());
    }

    [Fact, Trait("hostile", "S11")]
    public void Guesses_are_limited_per_peer()
    {
        var allowance = new TokenBucket(OtrLimits.SmpBurst, OtrLimits.SmpRefillInterval);
        for (int i = 0; i < OtrLimits.SmpBurst; i++) Assert.True(allowance.TryTake(1_000));
        Assert.False(allowance.TryTake(1_000));
        Assert.False(allowance.TryTake(1_000 + OtrLimits.SmpRefillInterval - 1));
        Assert.True(allowance.TryTake(1_000 + OtrLimits.SmpRefillInterval));
        Assert.False(allowance.TryTake(1_000 + OtrLimits.SmpRefillInterval));
    }

    [Fact, Trait("hostile", "S11")]
    public void A_clock_that_jumps_buys_no_guesses()
    {
        var allowance = new TokenBucket(OtrLimits.SmpBurst, OtrLimits.SmpRefillInterval);
        for (int i = 0; i < OtrLimits.SmpBurst; i++) Assert.True(allowance.TryTake(10 * OtrLimits.SmpRefillInterval));
        Assert.False(allowance.TryTake(0));
        Assert.False(allowance.TryTake(OtrLimits.SmpRefillInterval - 1));
        Assert.True(allowance.TryTake(OtrLimits.SmpRefillInterval));
        for (int i = 0; i < OtrLimits.SmpBurst; i++) Assert.True(allowance.TryTake(long.MaxValue));
        Assert.False(allowance.TryTake(long.MaxValue));
    }

    [Fact, Trait("hostile", "S11")]
    public void A_restart_buys_no_guesses()
    {
        var allowance = new TokenBucket(OtrLimits.SmpBurst, OtrLimits.SmpRefillInterval);
        for (int i = 0; i < OtrLimits.SmpBurst; i++) allowance.TryTake(5_000);
        var restored = new TokenBucket(OtrLimits.SmpBurst, OtrLimits.SmpRefillInterval);
        restored.Restore(allowance.Used, allowance.Since);
        Assert.False(restored.TryTake(5_000));
        Assert.True(restored.TryTake(5_000 + OtrLimits.SmpRefillInterval));
    }

    [Fact, Trait("hostile", "S12")]
    public void A_request_can_be_declined_and_the_peer_hears_it()
    {
        using var bot = RecordedRun.WithoutQuestion.In(SmpPhase.WaitingForSecret);
        using var peer = RecordedRun.WithoutQuestion.In(SmpPhase.ExpectMessage2);
        var declined = bot.Abort();
        Assert.Equal((SmpOutcome.Aborted, TlvType.SmpAbort), (declined.Outcome, declined.Send!.Type));
        var heard = peer.Receive(declined.Send.Type, declined.Send.Value, Random);
        Assert.Equal((SmpOutcome.Aborted, (SmpTlv?)null), (heard.Outcome, heard.Send));
        Assert.False(bot.InProgress || peer.InProgress);
    }

    private static (SmpOutcome?, ushort?) Question(byte[] value)
    {
        using var state = new SmpState(SmpArithmetic3.Instance);
        var step = state.Receive(TlvType.Smp1Q, value, Random);
        Assert.Equal(SmpPhase.ExpectMessage1, state.Phase);
        return (step.Outcome, step.Send?.Type);
    }
}
