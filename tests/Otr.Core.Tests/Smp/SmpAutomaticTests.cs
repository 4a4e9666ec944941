using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Smp;

/// <summary>The peer's requests are answered, or declined, in the user's place.</summary>
public sealed class SmpAutomaticTests
{
    private sealed class Answers(params string?[] secrets) : ISmpAnswers
    {
        public int Taken { get; private set; }

        public ReadOnlyMemory<byte>? Take() => secrets[Math.Min(Taken++, secrets.Length - 1)] is { } secret ? secret.Utf8() : default(ReadOnlyMemory<byte>?);
    }

    private static (Party Us, Party Peer, Answers Answers) Talking(long lifetime, params string?[] secrets)
    {
        var answers = new Answers(secrets);
        Party us = new(1, new OtrSettings { SmpAnswerLifetime = lifetime }) { Answers = answers }, peer = new(2);
        Network.Establish(us, peer);
        return (us, peer, answers);
    }

    private static SmpOutcome[] Ends(Party party)
        => [.. party.All.OfType<OtrEffect.SmpChanged>().Select(s => s.Outcome).Where(o => o != SmpOutcome.InProgress)];

    [Theory]
    [InlineData(null, "s", OtrLimits.SmpAnswerLifetime, SmpOutcome.Success, true)]
    [InlineData(null, "other", OtrLimits.SmpAnswerLifetime, SmpOutcome.Failure, false)]
    [InlineData("which?", "s", OtrLimits.SmpAnswerLifetime, SmpOutcome.Success, false)]
    // Nobody else could answer: the stored secret does all the same.
    [InlineData(null, "s", 0L, SmpOutcome.Success, true)]
    public void A_request_is_answered_in_the_step_that_it_came_with(
        string? question, string secret, long lifetime, SmpOutcome outcome, bool isTrusted)
    {
        var (us, peer, answers) = Talking(lifetime, secret);
        Network.Run(peer, us, peer.Step(new OtrInput.SmpStartRequested("s".Utf8(), question?.Utf8() ?? (ReadOnlyMemory<byte>?)null)));
        Assert.Equal([outcome], Ends(us));
        Assert.Equal([outcome], Ends(peer));
        Assert.Equal(1, answers.Taken);
        // Who is asked a question proves what it knows, and learns nothing of who asks.
        Assert.Equal(isTrusted, us.Conversation.KnownKeys.Single().Trust.IsTrusted);
        Assert.Equal(question, Assert.Single(us.All.OfType<OtrEffect.SmpAnswerNeeded>()).Question?.ToText());
    }

    [Fact]
    public void A_request_is_declined_when_there_is_no_answer_left()
    {
        var (us, peer, answers) = Talking(OtrLimits.SmpAnswerLifetime, "wrong", null);
        for (int i = 0; i < 2; i++) Network.Run(peer, us, peer.Step(new OtrInput.SmpStartRequested("s".Utf8())));
        Assert.Equal([SmpOutcome.Failure, SmpOutcome.Aborted], Ends(peer));
        Assert.Equal(2, answers.Taken);
        Assert.Null(us.Look(s => s.Best!.Smp!.WaitingToken));
    }
}
