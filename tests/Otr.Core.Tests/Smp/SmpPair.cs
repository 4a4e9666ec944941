using Otr.Core.Smp;
using Otr.Core.Tests.Conversations;
using Otr.Core.V3.Smp;
using Otr.Core.Wire;

namespace Otr.Core.Tests.Smp;

/// <summary>Runs two states against each other to the end.</summary>
internal static class SmpPair
{
    public static (SmpStep InitiatorEnd, SmpStep ResponderEnd) Run(SmpState? responder = null, bool restart = false)
    {
        var initiator = new SmpState(SmpArithmetic3.Instance);
        responder ??= new SmpState(SmpArithmetic3.Instance);
        IRandomSource ours = new SeededRandom(21), theirs = new SeededRandom(22);
        var message1 = initiator.Start(RecordedRun.Secret(7), null, ours).Send!;
        if (restart) initiator = Restarted(initiator);
        var request = responder.Receive(message1.Type, message1.Value, theirs).Request!;
        if (restart) responder = Restarted(responder);
        var message2 = responder.Answer(request.Token, RecordedRun.Secret(7), theirs).Send!;
        if (restart) responder = Restarted(responder);
        var message3 = initiator.Receive(TlvType.Smp2, message2.Value, ours).Send!;
        if (restart) initiator = Restarted(initiator);
        var responderEnd = responder.Receive(TlvType.Smp3, message3.Value, theirs);
        var initiatorEnd = initiator.Receive(TlvType.Smp4, responderEnd.Send!.Value, ours);
        return (initiatorEnd, responderEnd);
    }

    private static SmpState Restarted(SmpState state)
    {
        var snapshot = RecordedRun.Snapshot(state);
        state.Dispose();
        return RecordedRun.Restore(snapshot);
    }
}
