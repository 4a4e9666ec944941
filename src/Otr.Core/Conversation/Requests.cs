using System.Buffers.Binary;
using System.Security.Cryptography;
using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>What the user asks for. Fails closed: no path sends text in the clear where policy forbids it, or after the peer ended the session.</summary>
internal static class Requests
{
    public static void Send(in StepContext step, OtrInput.SendRequested send)
    {
        var state = step.State;
        ulong reference = send.Reference;
        bool isHeld = state.Has(OtrPolicy.RequireEncryption) || state.WantsPrivacy;
        var best = state.Best;
        var stands = best?.State ?? MessageState.Plaintext;
        var text = stands == MessageState.Plaintext && !isHeld ? send.Text : send.PrivateText ?? send.Text;
        if (text.Length > OtrLimits.MaxPlaintextBytes || !OutgoingData.Fits(state, best, text.Length))
            step.Add(new OtrEffect.Refused(RefusalReason.TooLarge, reference));
        else if (text.Span.Contains((byte)0)) step.Add(new OtrEffect.Refused(RefusalReason.InvalidText, reference));
        else if (best is { State: MessageState.Encrypted } session)
        {
            if (!Trust.MayRead(state, session.Peer!.Value))
            {
                step.Add(new OtrEffect.Refused(RefusalReason.NotTrusted, reference));
                return;
            }
            if (state.StandingOf(session.Peer) == KeyStanding.Held)
            {
                Hold(step, text, reference, session.Peer);
                return;
            }
            OutgoingData.Send(step, session, 0, text.Span, null, default);
            Resending.Remember(step, session, text.Span);
            step.Add(new OtrEffect.SendOutcome(reference, SendDisposition.Encrypted));
        }
        else if (stands == MessageState.Finished) step.Add(new OtrEffect.Refused(RefusalReason.SessionFinished, reference));
        else if (isHeld) HoldForSession(step, text, reference);
        else SendClear(step, text, reference);
    }

    /// <summary>In the clear, as policy allows and the user has not asked otherwise.</summary>
    private static void SendClear(in StepContext step, ReadOnlyMemory<byte> text, ulong reference)
    {
        var state = step.State;
        if (ClearText.Cut(text.Span, state.Settings) is not { Count: > 0 } pieces)
        {
            var reason = text.Length > OtrLimits.MaxClearPieces ? RefusalReason.TooLarge : RefusalReason.InvalidText;
            step.Add(new OtrEffect.Refused(reason, reference));
            return;
        }
        if (state.Has(OtrPolicy.SendWhitespaceTag) && state.Versions != OtrVersions.None
            && state.Offer is OfferState.NotSent or OfferState.Sent
            && ClearText.TryTag(pieces, state.Versions, state.Settings.MaxWireBytes))
        {
            state.Offer = OfferState.Sent;
            step.Changed();
        }
        foreach (var piece in pieces) step.SendText(piece);
        step.Add(new OtrEffect.SendOutcome(reference, SendDisposition.Clear));
    }

    private static void HoldForSession(in StepContext step, ReadOnlyMemory<byte> text, ulong reference)
    {
        var state = step.State;
        if (state.Versions == OtrVersions.None) step.Add(new OtrEffect.Refused(RefusalReason.NotAllowed, reference));
        else Hold(step, text, reference, state.LatestKey, offers: true);
    }

    private static void Hold(in StepContext step, ReadOnlyMemory<byte> text, ulong reference, Fingerprint? meant, bool offers = false)
    {
        var state = step.State;
        bool isFull = state.Held.Count >= OtrLimits.MaxHeldMessages
            || (state.AwaitsDecision && state.Held.Sum(h => h.Text.Length) + text.Length > OtrLimits.MaxUndecidedBytes);
        if (isFull)
        {
            step.Add(new OtrEffect.Refused(RefusalReason.TooManyHeld, reference));
            return;
        }
        state.Held.Add(new HeldMessage(text.ToArray(), reference, step.Now, meant));
        step.Changed();
        if (offers) OfferSession(step, asked: false);
        step.Add(new OtrEffect.SendOutcome(reference, SendDisposition.Held));
    }

    /// <summary>
    /// A session stands: what was held goes out in it, unless it was meant for another key. While its key is held nothing does, and while
    /// that of a message is, the message waits for the decision.
    /// </summary>
    /// <param name="isDecided">The user has just decided that the key is the peer's: text for the keys before is for this one, too.</param>
    public static void SendHeld(in StepContext step, Session session, bool isDecided = false)
    {
        var (state, key) = (step.State, session.Peer!.Value);
        if (state.StandingOf(key) == KeyStanding.Held) return;
        for (int i = 0; i < state.Held.Count;)
        {
            var held = state.Held[i];
            bool isOther = held.For is { } meant && meant != key;
            if (isOther && state.StandingOf(held.For) == KeyStanding.Held)
            {
                i++;
                continue;
            }
            state.Held.RemoveAt(i);
            if ((isOther && !isDecided) || !Trust.MayRead(state, key))
            {
                Drop(step, held);
                continue;
            }
            OutgoingData.Send(step, session, 0, held.Text, null, default);
            Resending.Remember(step, session, held.Text);
            CryptographicOperations.ZeroMemory(held.Text);
            step.Add(new OtrEffect.SendOutcome(held.Reference, SendDisposition.Encrypted));
        }
    }

    /// <summary>The user has accepted or verified a key that was held: what waits goes out in its session, if there is one.</summary>
    public static void Release(in StepContext step, Fingerprint key)
    {
        var state = step.State;
        if (state.Sessions.Where(s => s.State == MessageState.Encrypted && s.Peer == key).MaxBy(state.Worth) is { } session
            && Trust.MayRead(state, key)) SendHeld(step, session, isDecided: true);
    }

    /// <summary>
    /// The user has refused a key: its sessions end, and what was held for it is dropped. It is not the way back to text in the clear: what
    /// is sent next waits for a session with another key.
    /// </summary>
    public static void LeaveRefusedKey(in StepContext step, Fingerprint key)
    {
        var state = step.State;
        foreach (var session in state.Sessions)
        {
            if (session.Peer != key || !session.IsPrivate) continue;
            OutgoingData.TellEnd(step, session);
            session.Close(MessageState.Plaintext);
            state.WantsPrivacy = true;
            step.Add(new OtrEffect.SessionChanged(session.Info(step.OwnTag), SessionCause.EndedByUs));
        }
        for (int i = state.Held.Count - 1; i >= 0; i--)
        {
            if (state.Held[i].For != key) continue;
            Drop(step, state.Held[i]);
            state.Held.RemoveAt(i);
        }
        if (state.LatestKey != key) return;
        // What is held next is for the key before, and that one is no change when it comes back.
        state.LatestKey = (state.Known.FindLast(k => k.Trust.IsTrusted) ?? state.Known.FindLast(k => k.Standing == KeyStanding.Accepted))
            ?.Fingerprint;
    }

    /// <summary>Takes back a message that is held.</summary>
    public static void Cancel(in StepContext step, ulong reference)
    {
        var held = step.State.Held;
        int at = held.FindIndex(h => h.Reference == reference);
        if (at < 0)
        {
            step.Add(new OtrEffect.Refused(RefusalReason.NotHeld, reference));
            return;
        }
        Drop(step, held[at]);
        held.RemoveAt(at);
    }

    public static void Drop(in StepContext step, HeldMessage held)
    {
        CryptographicOperations.ZeroMemory(held.Text);
        step.Add(new OtrEffect.SendOutcome(held.Reference, SendDisposition.Dropped));
        step.Changed();
    }

    /// <summary>Sends a query; one that nobody asked for at most once per <see cref="OtrLimits.QueryInterval"/>.</summary>
    public static void OfferSession(in StepContext step, bool asked)
    {
        var state = step.State;
        if (state.Versions == OtrVersions.None)
        {
            if (asked) step.Add(new OtrEffect.Refused(RefusalReason.NotAllowed));
            return;
        }
        if (asked && !state.WantsPrivacy)
        {
            state.WantsPrivacy = true;
            step.Changed();
        }
        if (!asked && state.LastQuery is { } last && !Timers.IsOver(step.Now, last, OtrLimits.QueryInterval)) return;
        state.RetriesLeft = OtrLimits.MaxQueryRetries;
        SendQuery(step);
    }

    public static void SendQuery(in StepContext step)
    {
        var state = step.State;
        state.LastQuery = step.Now;
        Span<byte> jitter = stackalloc byte[4];
        step.Random.Fill(jitter);
        state.RetryAt = step.Now + OtrLimits.QueryRetryDelay + BinaryPrimitives.ReadUInt32BigEndian(jitter) % OtrLimits.QueryRetryDelay;
        step.Changed();
        step.SendText(QueryMessage.Format(state.Versions, state.Settings.QueryText, state.Settings.MaxWireBytes));
    }

    /// <summary>
    /// Ends every session and every exchange: the user's way back to PLAINTEXT, and to text in the clear where policy allows it.
    /// </summary>
    public static void End(in StepContext step)
    {
        var state = step.State;
        foreach (var session in state.Sessions)
        {
            OutgoingData.TellEnd(step, session);
            var changed = session.State != MessageState.Plaintext;
            session.Close(MessageState.Plaintext);
            if (changed) step.Add(new OtrEffect.SessionChanged(session.Info(step.OwnTag), SessionCause.EndedByUs));
        }
        foreach (var broadcast in state.Broadcasts) broadcast.Reset();
        foreach (var held in state.Held) Drop(step, held);
        state.Held.Clear();
        (state.RetryAt, state.RetriesLeft) = (null, 0);
        (state.Offer, state.WantsPrivacy) = (OfferState.NotSent, false);
        step.Changed();
    }

    /// <summary>
    /// Ends what was begun under a key that the account no longer has. Unlike <see cref="End"/> it is not the user's way back to text in
    /// the clear: what is held stays held, and so does what is sent next.
    /// </summary>
    public static void LeaveFormerKey(in StepContext step)
    {
        var state = step.State;
        if (!state.IsOfFormerKey) return;
        foreach (var session in state.Sessions)
        {
            bool wasPrivate = session.State == MessageState.Encrypted;
            OutgoingData.TellEnd(step, session);
            // A session that the peer has ended stays so: the user has not taken note of it.
            session.Close(wasPrivate ? MessageState.Plaintext : session.State);
            if (!wasPrivate) continue;
            state.WantsPrivacy = true;
            step.Add(new OtrEffect.SessionChanged(session.Info(step.OwnTag), SessionCause.EndedByUs));
        }
        foreach (var broadcast in state.Broadcasts) broadcast.Reset();
        state.IsOfFormerKey = false;
        step.Changed();
    }

    /// <summary>Forgets which version was spoken: the next exchange may be of any that policy allows.</summary>
    public static void AllowLowerVersion(in StepContext step)
    {
        if (step.State.PinnedVersion == 0) return;
        step.State.PinnedVersion = 0;
        step.Changed();
    }

    public static void UseExtraKey(in StepContext step, uint use, ReadOnlyMemory<byte> data)
    {
        if (data.Length > OtrLimits.MaxExtraKeyDataBytes || !OutgoingData.Fits(step.State, step.State.Best, data.Length))
            step.Add(new OtrEffect.Refused(RefusalReason.TooLarge));
        else if (step.State.Best is not { State: MessageState.Encrypted } session) step.Add(new OtrEffect.Refused(RefusalReason.NotEncrypted));
        else if (step.State.StandingOf(session.Peer) == KeyStanding.Held) step.Add(new OtrEffect.Refused(RefusalReason.KeyHeld));
        else if (!Trust.MayRead(step.State, session.Peer!.Value)) step.Add(new OtrEffect.Refused(RefusalReason.NotTrusted));
        else
        {
            var value = new byte[4 + data.Length];
            BinaryPrimitives.WriteUInt32BigEndian(value, use);
            data.Span.CopyTo(value.AsSpan(4));
            var key = session.Protocol!.SendExtraKey(step, session, value);
            step.Add(new OtrEffect.ExtraKey(true, use, data.ToArray(), key));
        }
    }
}
