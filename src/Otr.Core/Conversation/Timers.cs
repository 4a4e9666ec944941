using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>What the passing of time does: it ends things, and repeats a query. Nothing here is urgent to the millisecond.</summary>
internal static class Timers
{
    /// <summary>The next time at which <see cref="Run"/> has something to do, Unix ms; null if nothing is pending.</summary>
    public static long? NextDeadline(ConversationState state)
    {
        long next = long.MaxValue;
        foreach (var exchange in state.Broadcasts)
        {
            if (exchange.IsUnderWay) next = Math.Min(next, exchange.Touched + OtrLimits.AkeLifetime);
        }
        foreach (var session in state.Sessions)
        {
            foreach (var exchange in session.Exchanges)
            {
                if (exchange.IsUnderWay) next = Math.Min(next, exchange.Touched + OtrLimits.AkeLifetime);
            }
            if (session.Last is { } last) next = Math.Min(next, last.Since + OtrLimits.ResendWindow);
            if (SmpExchange.AnswerDue(state, session) is { } answer) next = Math.Min(next, answer);
            if (IdleSince(state, session) is { } idle) next = Math.Min(next, Due(idle, state.Settings.SessionIdleLifetime));
        }
        foreach (var fragments in state.Fragments) next = Math.Min(next, fragments.Touched + OtrLimits.FragmentLifetime);
        foreach (var set in state.FragmentSets) next = Math.Min(next, set.Since + OtrLimits.FragmentLifetime);
        foreach (var held in state.Held) next = Math.Min(next, held.Since + LifetimeOf(state, held));
        if (state.RetryAt is { } retry) next = Math.Min(next, retry);
        return next == long.MaxValue ? null : next;
    }

    /// <summary>Time has passed: everything that is due.</summary>
    public static void Run(in StepContext step)
    {
        Expire(step);
        RetryQuery(step);
    }

    /// <summary>
    /// Ends and wipes what has outlived its time. Before every step, so that a timer that comes late, after a restart say,
    /// gives no secret a longer life.
    /// </summary>
    public static void Expire(in StepContext step)
    {
        foreach (var broadcast in step.State.Broadcasts)
        {
            var answered = broadcast.IsAnswered;
            if (Expire(step, broadcast) && !answered) step.Add(new OtrEffect.Noted(NoteKind.KeyExchangeExpired));
        }
        foreach (var session in step.State.Sessions)
        {
            foreach (var exchange in session.Exchanges)
            {
                if (Expire(step, exchange)) step.Add(new OtrEffect.Noted(NoteKind.KeyExchangeExpired));
            }
            Resending.Expire(step, session);
            ExpireSession(step, session);
            SmpExchange.Expire(step, session);
        }
        ExpireFragments(step);
        ExpireHeld(step);
    }

    /// <summary>Whether a life has passed, in either direction: a clock that jumps back must not stop expiry until it catches up.</summary>
    public static bool IsOver(long now, long since, long lifetime)
    {
        var age = unchecked(now - since);
        return age >= lifetime || age <= -lifetime;
    }

    /// <summary>The end of a life; a life longer than time itself has none.</summary>
    public static long Due(long since, long lifetime) => since > long.MaxValue - lifetime ? long.MaxValue : since + lifetime;

    private static bool Expire(in StepContext step, PendingExchange exchange)
    {
        if (!exchange.IsUnderWay || !IsOver(step.Now, exchange.Touched, OtrLimits.AkeLifetime)) return false;
        exchange.Reset();
        step.Changed();
        return true;
    }

    private static void ExpireFragments(in StepContext step)
    {
        var fragments = step.State.Fragments;
        for (var i = fragments.Count - 1; i >= 0; i--)
        {
            if (!IsOver(step.Now, fragments[i].Touched, OtrLimits.FragmentLifetime)) continue;
            fragments[i].Reset();
            fragments.RemoveAt(i);
            step.Changed();
        }
        var sets = step.State.FragmentSets;
        for (var i = sets.Count - 1; i >= 0; i--)
        {
            if (IsOver(step.Now, sets[i].Since, OtrLimits.FragmentLifetime)) FragmentedText.Drop(step, sets[i]);
        }
    }

    private static void ExpireHeld(in StepContext step)
    {
        var held = step.State.Held;
        for (int i = 0; i < held.Count;)
        {
            if (!IsOver(step.Now, held[i].Since, LifetimeOf(step.State, held[i])))
            {
                i++;
                continue;
            }
            Requests.Drop(step, held[i]);
            held.RemoveAt(i);
        }
    }

    private static long LifetimeOf(ConversationState state, HeldMessage held) =>
        state.StandingOf(held.For) == KeyStanding.Held || state.AwaitsDecision
            ? OtrLimits.UndecidedMessageLifetime : OtrLimits.HeldMessageLifetime;

    private static void ExpireSession(in StepContext step, Session session)
    {
        if (IdleSince(step.State, session) is not { } since || !IsOver(step.Now, since, step.State.Settings.SessionIdleLifetime)) return;
        session.Protocol!.PrepareExpiry();
        OutgoingData.TellEnd(step, session);
        // FINISHED, not PLAINTEXT: only the user may decide that text goes out in the clear again.
        session.Close(MessageState.Finished);
        step.Add(new OtrEffect.SessionChanged(session.Info(step.OwnTag), SessionCause.Expired));
        step.Changed();
    }

    /// <summary>When the session was last used, by either side; null if it does not expire.</summary>
    private static long? IdleSince(ConversationState state, Session session) =>
        state.Settings.SessionIdleLifetime > 0 ? session.Protocol?.IdleSince(session) : null;

    /// <summary>
    /// Repeats a query of ours while an exchange that began after it hangs: two libotr-like sides that asked at once both
    /// wait for the other, and only a new query frees them. A peer that never answered is left alone, and so is an exchange
    /// that has moved lately: over a slow network a query in its midst would make the peer begin anew, and what is sent
    /// on its completion could not be read.
    /// </summary>
    private static void RetryQuery(in StepContext step)
    {
        var state = step.State;
        if (state.RetryAt is not { } retry || step.Now < retry) return;
        state.RetryAt = null;
        step.Changed();
        if (LastMove(state) is not { } moved || state.RetriesLeft == 0) return;
        if (!IsOver(step.Now, moved, OtrLimits.QueryRetryDelay))
        {
            state.RetryAt = moved + OtrLimits.QueryRetryDelay;
            return;
        }
        state.RetriesLeft--;
        Requests.SendQuery(step);
    }

    /// <summary>When something last came about in an exchange that is under way; null if none is.</summary>
    private static long? LastMove(ConversationState state)
    {
        long? last = null;
        foreach (var broadcast in state.Broadcasts)
        {
            if (broadcast is { IsUnderWay: true, IsAnswered: false } && !(broadcast.Touched <= last)) last = broadcast.Touched;
        }
        foreach (var session in state.Sessions)
        {
            foreach (var exchange in session.Exchanges)
            {
                if (exchange.IsUnderWay && !(exchange.Touched <= last)) last = exchange.Touched;
            }
        }
        return last;
    }
}
