using System.Text;
using Otr.Core.Tests.Conversations;

namespace Otr.Core.Tests.Smp;

/// <summary>SMP inside whole conversations: what reaches the user, and what must not outlive a session.</summary>
public sealed class SmpConversationTests
{
    private readonly Party _alice = new(1), _bob = new(2);

    [Theory, Trait("hostile", "S09")]
    [InlineData("swordfish", SmpOutcome.Success)]
    [InlineData("sword", SmpOutcome.Failure)]
    public void Both_users_hear_the_outcome(string answer, SmpOutcome outcome)
    {
        Network.Establish(_alice, _bob);
        var asked = Ask("The password?");
        Assert.Equal("The password?", Encoding.UTF8.GetString(asked.Question!.Value.Span));
        Network.Run(_bob, _alice, Answer(asked.Token, answer));
        Assert.Equal((outcome, 100, false), Last(_alice));
        Assert.Equal((outcome, 100, outcome == SmpOutcome.Success), Last(_bob));
    }

    [Fact, Trait("hostile", "S08")]
    public void A_new_key_exchange_wipes_the_run()
    {
        Network.Establish(_alice, _bob);
        var asked = Ask();
        Network.Run(_alice, _bob, _alice.Start());
        AssertNotExpected(asked.Token);
    }

    [Fact, Trait("hostile", "S08")]
    public void The_session_s_end_wipes_the_run()
    {
        Network.Establish(_alice, _bob);
        var asked = Ask();
        Network.Run(_alice, _bob, _alice.End());
        AssertNotExpected(asked.Token);
        Network.Establish(_alice, _bob);
        AssertNotExpected(asked.Token);
    }

    [Fact]
    public void A_run_survives_a_restart_of_both_sides()
    {
        Network.Establish(_alice, _bob);
        var asked = Ask();
        _alice.Restore(_alice.Snapshot());
        _bob.Restore(_bob.Snapshot());
        Network.Run(_bob, _alice, Answer(asked.Token, "swordfish"));
        Assert.Equal((SmpOutcome.Success, 100, false), Last(_alice));
        Assert.Equal((SmpOutcome.Success, 100, false), Last(_bob));
    }

    [Fact, Trait("hostile", "S11")]
    public void A_peer_s_guesses_are_limited_and_a_new_session_buys_none()
    {
        Network.Establish(_alice, _bob);
        for (int i = 0; i < OtrLimits.SmpBurst; i++)
        {
            Network.Run(_bob, _alice, Answer(Ask().Token, "other"));
            Assert.Equal(SmpOutcome.Failure, Last(_alice).Outcome);
        }
        Network.Establish(_alice, _bob);
        var asked = _bob.All.OfType<OtrEffect.SmpAnswerNeeded>().Count();
        Network.Run(_alice, _bob, _alice.Step(new OtrInput.SmpStartRequested("guess"u8.ToArray())));
        Assert.Equal(asked, _bob.All.OfType<OtrEffect.SmpAnswerNeeded>().Count());
        Assert.Contains(RejectReason.RateLimited, _bob.Rejects);
        Assert.Equal(SmpOutcome.Aborted, Last(_alice).Outcome);
        _bob.Now += OtrLimits.SmpRefillInterval;
        Ask();
    }

    [Fact, Trait("hostile", "S12")]
    public void A_bot_without_a_secret_declines()
    {
        Network.Establish(_alice, _bob);
        Ask();
        Network.Run(_bob, _alice, _bob.Step(new OtrInput.SmpAbortRequested()));
        Assert.Equal((SmpOutcome.Aborted, 0, false), Last(_alice));
        Ask();
    }

    [Fact, Trait("hostile", "S05")]
    public void An_abort_in_the_clear_does_nothing()
    {
        Network.Establish(_alice, _bob);
        var asked = Ask();
        byte[] abort = [0, 0, 6, 0, 0];
        _bob.Receive(abort);
        _bob.Receive("\0\0\u0006\0\0");
        Network.Run(_bob, _alice, Answer(asked.Token, "swordfish"));
        Assert.Equal(SmpOutcome.Success, Last(_alice).Outcome);
    }

    private OtrEffect.SmpAnswerNeeded Ask(string? question = null)
    {
        var count = _bob.All.OfType<OtrEffect.SmpAnswerNeeded>().Count();
        ReadOnlyMemory<byte>? text = question is null ? null : Encoding.UTF8.GetBytes(question);
        Network.Run(_alice, _bob, _alice.Step(new OtrInput.SmpStartRequested("swordfish"u8.ToArray(), text)));
        var asked = _bob.All.OfType<OtrEffect.SmpAnswerNeeded>().ToList();
        Assert.Equal(count + 1, asked.Count);
        return asked[^1];
    }

    private List<OtrEffect> Answer(ulong token, string secret) => _bob.Step(new OtrInput.SmpAnswerRequested(token, Encoding.UTF8.GetBytes(secret)));

    private void AssertNotExpected(ulong token) =>
        Assert.Contains(new OtrEffect.Refused(RefusalReason.SmpNotExpected), Answer(token, "swordfish"));

    private static (SmpOutcome Outcome, int Progress, bool OneWay) Last(Party party)
    {
        var last = party.All.OfType<OtrEffect.SmpChanged>().Last();
        return (last.Outcome, last.ProgressPercent, last.OneWay);
    }
}
