using Otr.Core.Ake;
using Otr.Core.Ratchet;
using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>
/// Key exchanges of a conversation: one that we begin goes to all instances of the peer, and each that answers gets a
/// session of its own.
/// </summary>
internal static class KeyExchange
{
    /// <summary>Answers a query or a tag with a D-H Commit; the sessions that stand stay until it completes.</summary>
    /// <param name="isOffer">It came with a text that must not wait: what cannot be afforded now is not answered at all.</param>
    public static void Start(in StepContext step, byte version, bool isOffer = false)
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
        if (result.Completed is { } shown && Refusal(step, session!, shown.Peer.Key.Fingerprint) is { } refusal)
        {
            // Before the Signature leaves: the peer must not take for private what we refuse.
            shown.Dispose();
            step.Reject(refusal);
            return;
        }
        if (result.Send is { } message) step.SendMessage(message);
        if (result.Completed is { } completion) Establish(step, session!, completion);
    }

    /// <summary>Why an exchange that showed this key cannot become a session; null if it can, and then there is room.</summary>
    private static RejectReason? Refusal(in StepContext step, Session session, Fingerprint shown)
    {
        if (!Trust.MayTakeOver(step.State, session, shown)) return RejectReason.KeyChanged;
        return SessionRoom.TryMake(step, session, shown) ? null : RejectReason.NoRoom;
    }

    /// <summary>The exchange is complete: everything of an earlier session is replaced and wiped.</summary>
    private static void Establish(in StepContext step, Session session, AkeCompletion completion)
    {
        var state = step.State;
        var keys = new KeyRing(completion.Own, completion.PeerPublic, completion.Peer.KeyId, completion.DataKeys, step.Random);
        if (session.Keys is { } earlier)
        {
            keys.TakeReveals(earlier);
            earlier.Dispose();
        }
        session.Smp.Reset();
        session.Keys = keys;
        session.State = MessageState.Encrypted;
        session.Version = completion.Version;
        session.Ssid = completion.Ssid;
        session.FirstHalfBold = completion.FirstHalfBold;
        session.LastSent = session.LastReceived = step.Now;
        session.LastText = null;
        var fingerprint = completion.Peer.Key.Fingerprint;
        session.Peer = fingerprint;

        var (isNew, isChanged, trust) = Trust.Seen(state, fingerprint);
        state.PinnedVersion = Math.Max(state.PinnedVersion, completion.Version);
        state.RetryAt = null;

        if (isNew || isChanged) step.Add(new OtrEffect.FingerprintSeen(fingerprint, isNew, isChanged, trust));
        step.Add(new OtrEffect.SessionChanged(session.Info(step.OwnTag), SessionCause.KeyExchange));
        Resending.Complete(step, session);
        Requests.SendHeld(step, session);
    }

    private static AuthMachine Machine(in StepContext step, uint peerTag) =>
        new(step.State.Account, peerTag, Budget(step), step.Environment);

    private static AkeBudget Budget(in StepContext step) => new(step.State, step.Environment);
}
