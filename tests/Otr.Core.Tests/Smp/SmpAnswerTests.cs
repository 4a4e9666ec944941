using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Smp;

/// <summary>Requests of the peer that nobody answers, or that come twice: the peer's dialog must not hang.</summary>
public sealed class SmpAnswerTests
{
    private readonly Party _peer = new(2);

    private Party Us(long lifetime = OtrLimits.SmpAnswerLifetime)
    {
        var us = new Party(1, new OtrSettings { SmpAnswerLifetime = lifetime });
        Network.Establish(us, _peer);
        return us;
    }

    private void Ask(Party us, string? question = null) =>
        Network.Run(_peer, us, _peer.Step(new OtrInput.SmpStartRequested("s".Utf8(), question?.Utf8() ?? (ReadOnlyMemory<byte>?)null)));

    [Theory, Trait("hostile", "S12")]
    [InlineData(null)]
    [InlineData("Where did we meet?")]
    public void Where_nobody_can_answer_the_request_is_told_and_declined_at_once(string? question)
    {
        var us = Us(0);
        Ask(us, question);
        var asked = us.All.OfType<OtrEffect.SmpAnswerNeeded>().Single();
        Assert.Equal(question, asked.Question?.ToText());
        Assert.Equal(SmpOutcome.Aborted, us.All.OfType<OtrEffect.SmpChanged>().Last().Outcome);
        Assert.Equal(SmpOutcome.Aborted, _peer.All.OfType<OtrEffect.SmpChanged>().Last().Outcome);
        Assert.Null(us.Look(s => s.Best!.Smp!.WaitingToken));
    }

    [Theory, Trait("hostile", "S12")]
    [InlineData(true)]
    [InlineData(false)]
    public void A_request_that_nobody_answers_is_declined_in_the_end_and_a_late_answer_refused(bool timer)
    {
        var us = Us();
        us.Now += 1000;
        Ask(us);
        var token = us.All.OfType<OtrEffect.SmpAnswerNeeded>().Single().Token;
        Assert.Equal(us.Now + OtrLimits.SmpAnswerLifetime, us.Conversation.NextDeadline);
        us.Now += OtrLimits.SmpAnswerLifetime - 1;
        us.Restore(us.Snapshot());
        Assert.Empty(us.Step(new OtrInput.TimePassed()));
        us.Now++;
        var late = timer ? us.Step(new OtrInput.TimePassed()) : us.Step(new OtrInput.SmpAnswerRequested(token, "s".Utf8()));
        Network.Run(us, _peer, late);
        Assert.Equal(SmpOutcome.Aborted, _peer.All.OfType<OtrEffect.SmpChanged>().Last().Outcome);
        Assert.Equal(!timer, late.Contains(new OtrEffect.Refused(RefusalReason.SmpNotExpected)));
    }

    [Fact, Trait("hostile", "S04")]
    public void A_second_request_replaces_the_first_and_the_run_goes_on()
    {
        var us = Us();
        Ask(us);
        us.Now += OtrLimits.SmpAnswerLifetime - 1;
        Ask(us, "again");
        us.Now += OtrLimits.SmpAnswerLifetime - 1;
        var requests = us.All.OfType<OtrEffect.SmpAnswerNeeded>().ToArray();
        Assert.Equal(2, requests.Length);
        Network.Run(us, _peer, us.Step(new OtrInput.SmpAnswerRequested(requests[1].Token, "s".Utf8())));
        Assert.Equal(SmpOutcome.Success, _peer.All.OfType<OtrEffect.SmpChanged>().Last().Outcome);
    }

    [Fact, Trait("hostile", "S11")]
    public void Requests_again_and_again_are_paid_for()
    {
        var us = Us();
        var budget = TestBudget.Full;
        us.Budget = budget;
        var message = Smp1(us);
        for (var i = 0; i < 3; i++) us.Receive(message(i));
        Assert.Equal([ComputeCost.SmpRun, ComputeCost.SmpRun, ComputeCost.SmpRun], budget.Asked);
        for (var i = 3; i <= OtrLimits.SmpBurst; i++) us.Receive(message(i));
        Assert.Equal(RejectReason.RateLimited, us.Rejects.Last());
    }

    /// <summary>A data message with an SMP message 1 and no abort before it, for each counter.</summary>
    private Func<int, byte[]> Smp1(Party us)
    {
        var insider = new Insider(_peer);
        byte[] value = RecordedRun.WithoutQuestion.Message1;
        var plaintext = new Fields().Byte(0).Short(2).Short(value.Length).Raw(value).ToArray();
        return i => insider.Write(insider.Next with { Plaintext = plaintext, Counter = insider.Next.Counter + (ulong)i });
    }
}
