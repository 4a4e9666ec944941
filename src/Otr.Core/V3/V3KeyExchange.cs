using Otr.Core.V3.Ake;
using Otr.Core.Wire;

namespace Otr.Core.V3;

/// <summary>
/// Key exchanges of versions 2 and 3: one that we begin goes to all instances of the peer, and each that answers gets a session of its own.
/// </summary>
internal static class V3KeyExchange
{
    /// <summary>Answers a query or a tag with a D-H Commit; the sessions that stand stay until it completes.</summary>
    /// <param name="isOffer">It came with a text that must not wait: what cannot be afforded now is not answered at all.</param>
    public static void Start(in StepContext step, byte version, bool isOffer)
    {
        var state = step.State;
        var commit = state.Broadcast;
        if (!commit.IsAnswered && IsUnderWay(commit, AuthState.AwaitingDhKey, version, step.Now))
        {
            step.SendMessage(commit.Sent!);
            return;
        }
        // A client that sends a query with each message typed would else start the exchange anew again and again; and if
        // it asks because our last message was lost, the same bytes make that good.
        var now = step.Now;
        var underWay = state.Sessions.FindAll(s => IsUnderWay(s.Auth, AuthState.AwaitingSig, version, now));
        if (underWay.Count > 0)
        {
            foreach (var session in underWay) step.SendMessage(session.Auth.Sent!);
            return;
        }
        if (Budget(step).Spend() is { } unaffordable)
        {
            if (unaffordable == RejectReason.Overloaded && !isOffer) step.Postpone();
            else step.Reject(RejectReason.RateLimited);
            return;
        }
        // A new Commit voids what its forerunners had begun.
        foreach (var session in state.Sessions) session.Auth.Reset();
        var message = Machine(step, 0).Start(commit, version);
        step.Changed();
        step.Add(new OtrEffect.Noted(NoteKind.KeyExchangeStarted));
        step.SendMessage(message);
    }

    private static bool IsUnderWay(AuthContext auth, AuthState state, byte version, long now) =>
        auth.State == state && auth.Version == version && !Timers.IsOver(now, auth.Touched, OtrLimits.CommitRepeatInterval);

    public static void Receive(in StepContext step, in MessageHeader header, ref OtrReader reader)
    {
        var state = step.State;
        var version = (byte)header.Version;
        if (header.Type == MessageType.DhCommit && !state.IsInvited)
        {
            step.Reject(RejectReason.NotInvited);
            return;
        }
        var session = state.Find(header.SenderTag);
        if (session is null && header.Type is (MessageType.DhCommit or MessageType.DhKey) && !SessionRoom.HasForExchange(step))
        {
            step.Reject(RejectReason.NoRoom);
            return;
        }
        // Whoever holds back the messages of a better version must not get a worse one by that (checklist C13.2).
        if (session?.IsExchangingAbove(version) == true)
        {
            step.Reject(RejectReason.VersionNotAllowed);
            return;
        }
        // Until the message has proved useful the session is not added: a stranger's tags must cost nothing.
        var auth = session?.Auth ?? new AuthContext();
        // What we committed to with all instances, unless this one has answered it already.
        var committed = auth.State == AuthState.None && !state.Broadcast.IsAnsweredBy(header.SenderTag) ? state.Broadcast : auth;
        var machine = Machine(step, header.SenderTag);
        var (budget, before) = (state.AkeBudget.Value, auth.State);
        var result = header.Type switch
        {
            MessageType.DhCommit => machine.OnDhCommit(auth, committed, version, ref reader),
            MessageType.DhKey => machine.OnDhKey(auth, committed, version, ref reader),
            MessageType.RevealSignature => machine.OnRevealSignature(auth, version, ref reader),
            _ => machine.OnSignature(auth, version, ref reader),
        };
        if (result.Reject is RejectReason.Overloaded)
        {
            step.Postpone();
            return;
        }
        if (result.Reject is { } reason)
        {
            if (state.AkeBudget.Value != budget || auth.State != before) step.Changed();
            step.Reject(reason, quiet: reason == RejectReason.UnexpectedAkeMessage);
            return;
        }
        step.Changed();
        // In version 2 there is one instance, and its answer spends our Commit.
        if (version == 2 && state.Broadcast.Version == 2 && auth.State != AuthState.None) state.Broadcast.Reset();
        if (session is null && auth.State != AuthState.None)
        {
            session = SessionRoom.Add(step, header.SenderTag);
            session.Auth = auth;
        }
        if (result.Completed is { } shown && NewSession.Refusal(step, session!, shown.Peer.Key.Fingerprint) is { } refusal)
        {
            // Before the Signature leaves: the peer must not take for private what we refuse.
            shown.Dispose();
            step.Reject(refusal);
            return;
        }
        if (result.Send is { } message) step.SendMessage(message);
        if (result.Completed is { } completed) Establish(step, session!, completed);
    }

    private static void Establish(in StepContext step, Session session, AkeCompletion completed)
    {
        var keys = new KeyRing(completed.Own, completed.PeerPublic, completed.Peer.KeyId, completed.DataKeys, step.Random);
        NewSession.Establish(
            step, session, new V3Session(completed.Version, keys), completed.Peer.Key.Fingerprint, completed.Ssid, completed.FirstHalfBold);
    }

    private static AuthMachine Machine(in StepContext step, uint peerTag) =>
        new(step.State.Account, peerTag, Budget(step), step.Environment);

    private static AkeBudget Budget(in StepContext step) => new(step.State, step.Environment);
}
