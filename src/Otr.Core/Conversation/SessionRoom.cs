namespace Otr.Core;

/// <summary>
/// Which session makes room for which (docs/room-for-sessions.md). An exchange that has shown no key yet has room of its own, so that
/// nothing unauthenticated costs a session; a completed one puts out, if it must, the session that is missed least.
/// </summary>
internal static class SessionRoom
{
    /// <summary>Whether an exchange with an instance that has no session may begin. Asked before anything is computed for it.</summary>
    public static bool HasForExchange(in StepContext step) =>
        PendingCount(step.State) < OtrLimits.MaxPendingExchanges || Abandoned(step) is not null;

    /// <summary>
    /// The session of an instance whose exchange begins; for it the one that has stood still the longest goes, if one must.
    /// </summary>
    public static Session Add(in StepContext step, uint peerTag)
    {
        var state = step.State;
        if (PendingCount(state) >= OtrLimits.MaxPendingExchanges)
        {
            var abandoned = Abandoned(step)
                ?? throw new InvalidOperationException("There is no room; HasForExchange is to be asked first.");
            abandoned.Dispose();
            state.Sessions.Remove(abandoned);
        }
        var session = new Session(peerTag);
        state.Sessions.Add(session);
        return session;
    }

    private static int PendingCount(ConversationState state) => state.Sessions.Count(s => !s.IsPrivate);

    private static Session? Abandoned(in StepContext step)
    {
        var now = step.Now;
        return step.State.Sessions
            .Where(s => !s.IsPrivate && (!s.IsExchanging || Timers.IsOver(now, s.ExchangeTouched, OtrLimits.ExchangeGrace)))
            .MinBy(s => (s.IsExchanging, s.ExchangeTouched));
    }

    /// <summary>
    /// Makes room for a session with this key, if it needs any: ends the session that makes room and tells both sides. False if there
    /// is none that the key may put out; then nothing changed.
    /// </summary>
    public static bool TryMake(in StepContext step, Session newcomer, Fingerprint shown)
    {
        var state = step.State;
        if (newcomer.IsPrivate || state.Sessions.Count(s => s.IsPrivate) < OtrLimits.MaxInstances) return true;
        if (Leaving(step, shown) is not { } leaving) return false;
        OutgoingData.TellEnd(step, leaving);
        leaving.Close(MessageState.Finished);
        step.Add(new OtrEffect.SessionChanged(leaving.Info(step.OwnTag), SessionCause.MadeRoom));
        state.Sessions.Remove(leaving);
        step.Changed();
        return true;
    }

    /// <summary>
    /// Untrusted before trusted, silent before living, the newcomer's own key before others, then the one longest silent. A key that is not
    /// trusted puts out no trusted one; a key never seen before, or held, puts out no living session of another.
    /// </summary>
    private static Session? Leaving(in StepContext step, Fingerprint shown)
    {
        var (state, now) = (step.State, step.Now);
        bool isTrusted = state.IsTrusted(shown);
        bool isKnown = isTrusted || state.Known.Exists(k => k.Fingerprint == shown && k.Standing == KeyStanding.Accepted);
        return state.Sessions
            .Where(s => s.IsPrivate)
            .Where(s => s.Peer == shown || ((isTrusted || !state.IsTrusted(s.Peer)) && (isKnown || !IsLiving(s, now))))
            .MinBy(s => (state.IsTrusted(s.Peer), IsLiving(s, now), s.Peer != shown, s.LastReceived));
    }

    /// <summary>Heard from lately in this session: a key exchange alone, which any key can complete, is not enough.</summary>
    private static bool IsLiving(Session session, long now) =>
        session.State == MessageState.Encrypted && session.LastText is { } heard && !Timers.IsOver(now, heard, OtrLimits.LivingInterval);
}
