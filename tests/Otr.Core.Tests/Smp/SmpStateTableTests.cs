using Otr.Core.Smp;
using Otr.Core.Tests.Conversations;
using Otr.Core.Wire;
using static Otr.Core.Smp.SmpPhase;
using static Otr.Core.SmpOutcome;

namespace Otr.Core.Tests.Smp;

/// <summary>
/// The state table of the checklist (A13) as data: every input in every state. A message that comes in its state is the
/// honest one of a recorded run; in the others it is the same bytes.
/// </summary>
[Trait("hostile", "S04")]
public sealed class SmpStateTableTests
{
    public enum Input { Start, StartQ, AbortByUser, Answer, AnswerToAnother, Message1, Message1Q, Message2, Message3, Message4, PeerAbort, PeerAbortWithBody }

    private sealed record Row(SmpPhase Next, ushort? Sends, SmpOutcome? Outcome, RefusalReason? Refusal = null);

    private static readonly Row Error = new(ExpectMessage1, TlvType.SmpAbort, ProtocolError);
    private static readonly Row AbortedByUser = new(ExpectMessage1, TlvType.SmpAbort, Aborted);
    private static readonly Row AbortedByPeer = new(ExpectMessage1, null, Aborted);
    private static readonly Row FailedByPeer = new(ExpectMessage1, null, Failure);
    private static readonly Row Started = new(ExpectMessage2, TlvType.Smp1, InProgress);
    private static readonly Row StartedQ = new(ExpectMessage2, TlvType.Smp1Q, InProgress);
    private static readonly Row Asked = new(WaitingForSecret, null, InProgress);

    private static Row NotExpected(SmpPhase phase) => new(phase, null, null, RefusalReason.SmpNotExpected);

    /// <summary>States in the order ExpectMessage1, WaitingForSecret, ExpectMessage2, 3, 4.</summary>
    private static readonly Dictionary<Input, Row[]> Table = new()
    {
        [Input.Start] = [Started, Started, Started, Started, Started],
        [Input.StartQ] = [StartedQ, StartedQ, StartedQ, StartedQ, StartedQ],
        [Input.AbortByUser] = [AbortedByUser, AbortedByUser, AbortedByUser, AbortedByUser, AbortedByUser],
        [Input.Answer] = [NotExpected(ExpectMessage1), new(ExpectMessage3, TlvType.Smp2, InProgress), NotExpected(ExpectMessage2), NotExpected(ExpectMessage3), NotExpected(ExpectMessage4)],
        [Input.AnswerToAnother] = [NotExpected(ExpectMessage1), NotExpected(WaitingForSecret), NotExpected(ExpectMessage2), NotExpected(ExpectMessage3), NotExpected(ExpectMessage4)],
        [Input.Message1] = [Asked, Asked, Error, Error, Error],
        [Input.Message1Q] = [Asked, Asked, Error, Error, Error],
        [Input.Message2] = [Error, Error, new(ExpectMessage4, TlvType.Smp3, InProgress), Error, Error],
        [Input.Message3] = [Error, Error, Error, new(ExpectMessage1, TlvType.Smp4, Success), Error],
        [Input.Message4] = [Error, Error, Error, Error, new(ExpectMessage1, null, Success)],
        [Input.PeerAbort] = [AbortedByPeer, AbortedByPeer, AbortedByPeer, AbortedByPeer, FailedByPeer],
        [Input.PeerAbortWithBody] = [AbortedByPeer, AbortedByPeer, AbortedByPeer, AbortedByPeer, FailedByPeer],
    };

    private static readonly SmpPhase[] States = [ExpectMessage1, WaitingForSecret, ExpectMessage2, ExpectMessage3, ExpectMessage4];

    [Fact]
    public void The_table_has_every_pair()
    {
        Assert.Equal(Enum.GetValues<Input>().Order(), Table.Keys.Order());
        Assert.Equal(Enum.GetValues<SmpPhase>().Order(), States.Order());
        Assert.All(Table.Values, rows => Assert.Equal(States.Length, rows.Length));
    }

    public static TheoryData<string, string> Pairs()
    {
        var pairs = new TheoryData<string, string>();
        foreach (var state in States)
            foreach (var input in Enum.GetValues<Input>()) pairs.Add(state.ToString(), input.ToString());
        return pairs;
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void A_pair_does_what_the_table_says(string stateName, string inputName)
    {
        var (phase, input) = (Enum.Parse<SmpPhase>(stateName), Enum.Parse<Input>(inputName));
        var expected = Table[input][Array.IndexOf(States, phase)];
        using var state = RecordedRun.WithoutQuestion.In(phase);
        var step = Apply(state, input);
        Assert.Equal(expected.Next, state.Phase);
        Assert.Equal(expected.Sends, step.Send?.Type);
        Assert.Equal(expected.Outcome, step.Outcome);
        Assert.Equal(expected.Refusal, step.Refusal);
        Assert.Equal(expected == Asked, step.Request is not null);
        if (expected.Next == ExpectMessage1) Assert.Equal([0], RecordedRun.Snapshot(state));
        if (expected.Refusal is not null) Assert.Equal(RecordedRun.WithoutQuestion.SnapshotIn(phase), RecordedRun.Snapshot(state));
    }

    private static SmpStep Apply(SmpState state, Input input)
    {
        var run = RecordedRun.WithoutQuestion;
        var random = new SeededRandom(31);
        return input switch
        {
            Input.Start => state.Start(RecordedRun.Secret(1), null, random),
            Input.StartQ => state.Start(RecordedRun.Secret(1), "q"u8.ToArray(), random),
            Input.AbortByUser => state.Abort(),
            Input.Answer => state.Answer(run.Token, RecordedRun.Secret(1), random),
            Input.AnswerToAnother => state.Answer(run.Token + 1, RecordedRun.Secret(1), random),
            Input.Message1 => state.Receive(TlvType.Smp1, run.Message1, random),
            Input.Message1Q => state.Receive(TlvType.Smp1Q, RecordedRun.WithQuestion.Message1, random),
            Input.Message2 => state.Receive(TlvType.Smp2, run.Message2, random),
            Input.Message3 => state.Receive(TlvType.Smp3, run.Message3, random),
            Input.Message4 => state.Receive(TlvType.Smp4, run.Message4, random),
            Input.PeerAbort => state.Receive(TlvType.SmpAbort, [], random),
            Input.PeerAbortWithBody => state.Receive(TlvType.SmpAbort, [0, 0, 0, 0], random),
            _ => throw new InvalidOperationException(),
        };
    }
}
