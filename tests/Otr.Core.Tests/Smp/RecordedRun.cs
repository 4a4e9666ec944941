using Otr.Core.Smp;
using Otr.Core.Tests.Conversations;
using Otr.Core.V3.Smp;
using Otr.Core.Wire;

namespace Otr.Core.Tests.Smp;

/// <summary>
/// One honest run between two of our own states, recorded: every message, and each side's snapshot in every state, so that
/// a test can set out from any of them.
/// </summary>
internal sealed class RecordedRun
{
    public static RecordedRun WithoutQuestion { get; } = new(null, Secret(1), Secret(1));
    public static RecordedRun WithQuestion { get; } = new("Where did we meet?"u8.ToArray(), Secret(1), Secret(1));
    public static RecordedRun DifferentSecrets { get; } = new(null, Secret(1), Secret(2));

    private readonly Dictionary<SmpPhase, byte[]> _snapshots = new() { [SmpPhase.ExpectMessage1] = [0] };

    public byte[] Message1 { get; }
    public byte[] Message2 { get; }
    public byte[] Message3 { get; }
    public byte[] Message4 { get; }
    public ulong Token { get; }
    public SmpStep Started { get; }
    public SmpStep Asked { get; }
    public SmpStep Answered { get; }
    public SmpStep Continued { get; }
    public SmpStep ResponderEnd { get; }
    public SmpStep InitiatorEnd { get; }

    private RecordedRun(byte[]? question, byte[] x, byte[] y)
    {
        using var initiator = new SmpState(SmpArithmetic3.Instance);
        using var responder = new SmpState(SmpArithmetic3.Instance);
        IRandomSource ours = new SeededRandom(11), theirs = new SeededRandom(12);

        Started = initiator.Start(x, question, ours);
        Message1 = Started.Send!.Value;
        _snapshots[SmpPhase.ExpectMessage2] = Snapshot(initiator);
        Asked = responder.Receive(Started.Send.Type, Message1, theirs);
        Token = Asked.Request!.Token;
        _snapshots[SmpPhase.WaitingForSecret] = Snapshot(responder);
        Answered = responder.Answer(Token, y, theirs);
        Message2 = Answered.Send!.Value;
        _snapshots[SmpPhase.ExpectMessage3] = Snapshot(responder);
        Continued = initiator.Receive(TlvType.Smp2, Message2, ours);
        Message3 = Continued.Send!.Value;
        _snapshots[SmpPhase.ExpectMessage4] = Snapshot(initiator);
        ResponderEnd = responder.Receive(TlvType.Smp3, Message3, theirs);
        Message4 = ResponderEnd.Send!.Value;
        InitiatorEnd = initiator.Receive(TlvType.Smp4, Message4, ours);
    }

    /// <summary>A side of the run, restored in one of its states.</summary>
    public SmpState In(SmpPhase phase) => Restore(_snapshots[phase]);

    public byte[] SnapshotIn(SmpPhase phase) => _snapshots[phase];

    public static byte[] Secret(byte fill) => Enumerable.Repeat(fill, SmpSecret.Size).ToArray();

    public static byte[] Snapshot(SmpState state)
    {
        var writer = new OtrWriter(64);
        state.WriteSnapshot(ref writer);
        return writer.ToArrayAndDispose();
    }

    public static SmpState Restore(byte[] snapshot)
    {
        var reader = new OtrReader(snapshot);
        Assert.True(SmpState.TryReadSnapshot(ref reader, SmpArithmetic3.Instance, out var state));
        Assert.True(reader.IsComplete);
        return state;
    }
}
