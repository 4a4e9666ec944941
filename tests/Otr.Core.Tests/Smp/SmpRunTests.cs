using System.Text;
using Otr.Core.Smp;
using Otr.Core.Tests.Conversations;
using Otr.Core.V3.Smp;
using Otr.Core.Wire;

namespace Otr.Core.Tests.Smp;

/// <summary>Whole runs between two of our own states, and their snapshots.</summary>
public sealed class SmpRunTests
{
    [Fact]
    public void Equal_secrets_succeed_on_both_sides()
    {
        var run = RecordedRun.WithoutQuestion;
        Assert.Equal(TlvType.Smp1, run.Started.Send!.Type);
        Assert.Null(run.Asked.Request!.Question);
        Assert.Null(run.Asked.Send);
        Assert.Equal((SmpOutcome.InProgress, 25), (run.Asked.Outcome, run.Asked.ProgressPercent));
        Assert.Equal((TlvType.Smp2, 50), (run.Answered.Send!.Type, run.Answered.ProgressPercent));
        Assert.Equal((TlvType.Smp3, 75), (run.Continued.Send!.Type, run.Continued.ProgressPercent));
        Assert.Equal((TlvType.Smp4, SmpOutcome.Success, 100), (run.ResponderEnd.Send!.Type, run.ResponderEnd.Outcome, run.ResponderEnd.ProgressPercent));
        Assert.Equal((SmpOutcome.Success, 100), (run.InitiatorEnd.Outcome, run.InitiatorEnd.ProgressPercent));
        Assert.Null(run.InitiatorEnd.Send);
        Assert.False(run.ResponderEnd.OneWay);
        Assert.False(run.InitiatorEnd.OneWay);
    }

    [Fact, Trait("hostile", "S07")]
    public void Different_secrets_fail_on_both_sides_and_message_4_is_sent()
    {
        var run = RecordedRun.DifferentSecrets;
        Assert.Equal(SmpOutcome.Failure, run.ResponderEnd.Outcome);
        Assert.Equal(TlvType.Smp4, run.ResponderEnd.Send!.Type);
        Assert.Equal(SmpOutcome.Failure, run.InitiatorEnd.Outcome);
    }

    [Fact, Trait("hostile", "S07")]
    public void An_abort_instead_of_message_4_is_a_failure()
    {
        using var initiator = RecordedRun.DifferentSecrets.In(SmpPhase.ExpectMessage4);
        var step = initiator.Receive(TlvType.SmpAbort, [], new SeededRandom(1));
        Assert.Equal((SmpOutcome.Failure, (SmpTlv?)null), (step.Outcome, step.Send));
    }

    [Fact, Trait("hostile", "S09")]
    public void A_question_makes_the_answerer_s_success_one_way()
    {
        var run = RecordedRun.WithQuestion;
        Assert.Equal(TlvType.Smp1Q, run.Started.Send!.Type);
        Assert.Equal("Where did we meet?", Encoding.UTF8.GetString(run.Asked.Request!.Question!));
        Assert.Equal((SmpOutcome.Success, true), (run.ResponderEnd.Outcome, run.ResponderEnd.OneWay));
        Assert.Equal((SmpOutcome.Success, false), (run.InitiatorEnd.Outcome, run.InitiatorEnd.OneWay));
    }

    [Fact]
    public void A_question_does_not_outlive_its_run()
    {
        using var responder = RecordedRun.WithQuestion.In(SmpPhase.ExpectMessage3);
        responder.Receive(TlvType.SmpAbort, [], new SeededRandom(1));
        var second = SmpPair.Run(responder: responder);
        Assert.Equal((SmpOutcome.Success, false), (second.ResponderEnd.Outcome, second.ResponderEnd.OneWay));
    }

    [Theory]
    [InlineData(SmpPhase.ExpectMessage1)]
    [InlineData(SmpPhase.WaitingForSecret)]
    [InlineData(SmpPhase.ExpectMessage2)]
    [InlineData(SmpPhase.ExpectMessage3)]
    [InlineData(SmpPhase.ExpectMessage4)]
    internal void A_snapshot_in_any_state_carries_the_run_on(SmpPhase phase)
    {
        var run = RecordedRun.WithQuestion;
        using var state = run.In(phase);
        Assert.Equal(phase, state.Phase);
        Assert.Equal(run.SnapshotIn(phase), RecordedRun.Snapshot(state));
        Assert.InRange(run.SnapshotIn(phase).Length, 1, 1 + 1 + 8 + SmpResponder.ExpectMessage3Size);
        var random = new SeededRandom(5);
        var step = phase switch
        {
            SmpPhase.ExpectMessage1 => state.Receive(TlvType.Smp1Q, run.Message1, random),
            SmpPhase.WaitingForSecret => state.Answer(run.Token, RecordedRun.Secret(1), random),
            SmpPhase.ExpectMessage2 => state.Receive(TlvType.Smp2, run.Message2, random),
            SmpPhase.ExpectMessage3 => state.Receive(TlvType.Smp3, run.Message3, random),
            _ => state.Receive(TlvType.Smp4, run.Message4, random),
        };
        Assert.Equal(phase >= SmpPhase.ExpectMessage3 ? SmpOutcome.Success : SmpOutcome.InProgress, step.Outcome);
        Assert.Equal(phase == SmpPhase.ExpectMessage3, step.OneWay);
    }

    [Theory]
    [InlineData(SmpPhase.ExpectMessage1)]
    [InlineData(SmpPhase.WaitingForSecret)]
    [InlineData(SmpPhase.ExpectMessage2)]
    [InlineData(SmpPhase.ExpectMessage3)]
    [InlineData(SmpPhase.ExpectMessage4)]
    internal void A_snapshot_cut_short_is_refused(SmpPhase phase)
    {
        var snapshot = RecordedRun.WithoutQuestion.SnapshotIn(phase);
        for (int length = 0; length < snapshot.Length; length++)
        {
            var reader = new OtrReader(snapshot.AsSpan(0, length));
            Assert.False(SmpState.TryReadSnapshot(ref reader, SmpArithmetic3.Instance, out _));
        }
    }

    [Fact]
    public void A_damaged_snapshot_is_refused()
    {
        byte[] unknownPhase = [5];
        byte[] badFlag = [.. RecordedRun.WithoutQuestion.SnapshotIn(SmpPhase.ExpectMessage3)];
        badFlag[1] = 2;
        byte[] zeroElement = [.. RecordedRun.WithoutQuestion.SnapshotIn(SmpPhase.WaitingForSecret)];
        zeroElement.AsSpan(10, 192).Clear();
        foreach (var snapshot in new[] { unknownPhase, badFlag, zeroElement })
        {
            var reader = new OtrReader(snapshot);
            Assert.False(SmpState.TryReadSnapshot(ref reader, SmpArithmetic3.Instance, out _));
        }
    }

    [Fact]
    public void A_run_survives_a_restart_of_both_sides_between_all_messages()
    {
        var run = SmpPair.Run(restart: true);
        Assert.Equal((SmpOutcome.Success, SmpOutcome.Success), (run.InitiatorEnd.Outcome, run.ResponderEnd.Outcome));
    }

    [Fact]
    public void A_new_start_aborts_the_run_that_is_going_on()
    {
        foreach (var phase in Enum.GetValues<SmpPhase>())
        {
            using var state = RecordedRun.WithoutQuestion.In(phase);
            var step = state.Start(RecordedRun.Secret(1), null, new SeededRandom(3));
            Assert.Equal(phase != SmpPhase.ExpectMessage1, step.AbortFirst);
            Assert.Equal(TlvType.Smp1, step.Send!.Type);
            using var peer = new SmpState(SmpArithmetic3.Instance);
            Assert.NotNull(peer.Receive(TlvType.Smp1, step.Send.Value, new SeededRandom(4)).Request);
        }
    }

    [Fact]
    public void A_local_request_that_cannot_be_done_changes_nothing()
    {
        using var state = RecordedRun.WithoutQuestion.In(SmpPhase.ExpectMessage2);
        var before = RecordedRun.Snapshot(state);
        var random = new SeededRandom(3);
        Assert.Equal(RefusalReason.InvalidText, state.Start(RecordedRun.Secret(1), new byte[] { 65, 0 }, random).Refusal);
        Assert.Equal(RefusalReason.TooLarge, state.Start(RecordedRun.Secret(1), new byte[OtrLimits.MaxSmpQuestionBytes + 1], random).Refusal);
        Assert.Equal(RefusalReason.SmpNotExpected, state.Answer(0, RecordedRun.Secret(1), random).Refusal);
        Assert.Equal(before, RecordedRun.Snapshot(state));
    }

    [Fact]
    public void An_empty_question_of_ours_is_none()
    {
        using var state = new SmpState(SmpArithmetic3.Instance);
        Assert.Equal(TlvType.Smp1, state.Start(RecordedRun.Secret(1), ReadOnlyMemory<byte>.Empty, new SeededRandom(3)).Send!.Type);
    }

    [Fact]
    public void Misuse_is_an_exception()
    {
        using var state = new SmpState(SmpArithmetic3.Instance);
        var random = new SeededRandom(3);
        Assert.Throws<ArgumentException>(() => state.Start(new byte[31], null, random));
        Assert.Throws<ArgumentException>(() => state.Answer(0, new byte[33], random));
        Assert.Throws<ArgumentOutOfRangeException>(() => state.Receive(TlvType.ExtraKey, [], random));
    }
}
