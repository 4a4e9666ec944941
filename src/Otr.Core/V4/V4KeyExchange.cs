using Otr.Core.Smp;
using Otr.Core.V4.Dake;
using Otr.Core.V4.Smp;
using Otr.Core.Wire;

namespace Otr.Core.V4;

/// <summary>
/// Key exchanges of version 4: an Identity message of ours goes to all instances of the peer, and each that answers gets a session of its
/// own. Until an exchange completes, the session that is there stays as it is.
/// </summary>
internal static class V4KeyExchange
{
    /// <summary>Answers a query or a tag with an Identity message.</summary>
    /// <param name="isOffer">It came with a text that must not wait: what cannot be afforded now is not answered at all.</param>
    public static void Start(in StepContext step, bool isOffer)
    {
        var state = step.State;
        var broadcast = state.BroadcastDake;
        if (!broadcast.IsAnswered && broadcast.Identity is { } open && IsRecent(step, broadcast))
        {
            step.SendMessage(open.Message);
            return;
        }
        // A client that sends a query with each message typed would else start the exchange anew again and again; and if
        // it asks because our last message was lost, the same bytes make that good.
        var isRepeated = false;
        foreach (var session in state.Sessions)
        {
            if (session.Dake.Answer is not { } answer || !IsRecent(step, session.Dake)) continue;
            step.SendMessage(answer.Message);
            isRepeated = true;
        }
        if (isRepeated) return;
        if (Budget(step).Spend() is { } unaffordable)
        {
            if (unaffordable == RejectReason.Overloaded && !isOffer) step.Postpone();
            else step.Reject(RejectReason.RateLimited);
            return;
        }
        // A new Identity message voids what its forerunners had begun.
        foreach (var session in state.Sessions) session.Dake.Reset();
        var message = Machine(step, 0).Start(broadcast);
        step.Changed();
        step.Add(new OtrEffect.Noted(NoteKind.KeyExchangeStarted));
        step.SendMessage(message);
    }

    private static bool IsRecent(in StepContext step, DakeContext dake) =>
        !Timers.IsOver(step.Now, dake.Touched, OtrLimits.CommitRepeatInterval);

    public static void Receive(in StepContext step, in MessageHeader header, ReadOnlySpan<byte> whole, ref OtrReader reader)
    {
        var state = step.State;
        if (header.Type == MessageType.Identity && !state.IsInvited)
        {
            step.Reject(RejectReason.NotInvited);
            return;
        }
        var session = state.Find(header.SenderTag);
        if (session is null && header.Type is (MessageType.Identity or MessageType.AuthR) && !SessionRoom.HasForExchange(step))
        {
            step.Reject(RejectReason.NoRoom);
            return;
        }
        // Until the message has proved useful the session is not added: a stranger's tags must cost nothing.
        var dake = session?.Dake ?? new DakeContext();
        // What we sent to all instances, unless this one has answered it already.
        var committed = dake.Identity is null && !state.BroadcastDake.IsAnsweredBy(header.SenderTag) ? state.BroadcastDake : dake;
        var machine = Machine(step, header.SenderTag);
        var (budget, wasUnderWay) = (state.AkeBudget.Value, dake.IsUnderWay);
        var result = header.Type switch
        {
            MessageType.Identity => machine.OnIdentity(dake, committed.Identity, whole, ref reader),
            MessageType.AuthR => machine.OnAuthR(dake, committed, ref reader),
            _ => machine.OnAuthI(dake, ref reader),
        };
        if (result.Reject is RejectReason.Overloaded)
        {
            step.Postpone();
            return;
        }
        if (result.Reject is { } reason)
        {
            if (state.AkeBudget.Value != budget || dake.IsUnderWay != wasUnderWay) step.Changed();
            step.Reject(reason, quiet: reason == RejectReason.UnexpectedAkeMessage);
            return;
        }
        step.Changed();
        if (session is null && (dake.IsUnderWay || result.Completed is not null))
        {
            session = SessionRoom.Add(step, header.SenderTag);
            session.Dake = dake;
        }
        if (result.Completed is { } shown && NewSession.Refusal(step, session!, shown.Peer) is { } refusal)
        {
            // Before the Auth-I leaves: the peer must not take for private what we refuse.
            shown.Ratchet.Dispose();
            step.Reject(refusal);
            return;
        }
        if (result.Send is { } message) step.SendMessage(message);
        if (result.Completed is not { } completed) return;
        var protocol = new V4Session(completed.Ratchet, new SmpState(SmpArithmetic4.Of(state.Settings)), step.Now);
        NewSession.Establish(step, session!, protocol, completed.Peer, completed.Ssid, completed.FirstHalfBold);
        foreach (var early in completed.Early) ReceiveEarly(step, early);
    }

    private static void ReceiveEarly(in StepContext step, byte[] message)
    {
        var reader = new OtrReader(message);
        var header = MessageHeader.Read(ref reader);
        V4Protocol.ReceiveData(step, header, message, ref reader, isEarly: true);
    }

    private static DakeMachine Machine(in StepContext step, uint peerTag) =>
        new(step.State.Account, step.State.Settings, peerTag, Budget(step), step.Environment);

    private static AkeBudget Budget(in StepContext step) => new(step.State, step.Environment);
}
