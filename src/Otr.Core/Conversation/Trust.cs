using System.Text;

namespace Otr.Core;

/// <summary>A key of the peer, and how far it is trusted in this conversation.</summary>
public sealed record KnownKey(Fingerprint Fingerprint, TrustLevel Trust);

/// <summary>
/// Which keys of the peer are known, and how far they are trusted. As in libotr, SMP that succeeds trusts the key and SMP
/// that fails takes trust back, but not where we only answered a question: that proves our knowledge, not the peer's.
/// </summary>
internal static class Trust
{
    /// <summary>A key exchange showed this key: it is the latest seen now.</summary>
    public static (bool IsNew, bool IsChanged, TrustLevel Trust) Seen(ConversationState state, Fingerprint fingerprint)
    {
        var known = state.Known.Find(k => k.Fingerprint == fingerprint);
        var isChanged = state.Known.Count > 0 && state.Known[^1].Fingerprint != fingerprint;
        if (known is null) MakeRoom(state);
        else state.Known.Remove(known);
        var latest = known ?? new KnownKey(fingerprint, TrustLevel.Untrusted);
        state.Known.Add(latest);
        return (known is null, isChanged, latest.Trust);
    }

    /// <summary>
    /// Whether an exchange that showed this key may become the session: not where the settings forbid another key than the
    /// one that is spoken with, and never in place of a session whose key is trusted if this one's is not.
    /// </summary>
    public static bool MayTakeOver(ConversationState state, Session session, Fingerprint shown)
    {
        if (state.Settings.RefusesKeyChange && state.Sessions.Exists(s => s.State == MessageState.Encrypted && s.Peer != shown)) return false;
        return session.State != MessageState.Encrypted || session.Peer == shown || !state.IsTrusted(session.Peer) || state.IsTrusted(shown);
    }

    /// <summary>SMP compared the secrets of both sides.</summary>
    public static void Compared(in StepContext step, Fingerprint fingerprint, bool equal)
    {
        var current = step.State.Known.Find(k => k.Fingerprint == fingerprint)?.Trust ?? TrustLevel.Untrusted;
        // A fingerprint that the user compared is not worth less for SMP.
        if (equal && !current.IsTrusted) Set(step, fingerprint, TrustLevel.Smp);
        else if (!equal && current.IsTrusted) Set(step, fingerprint, TrustLevel.Untrusted);
    }

    /// <summary>The user's word.</summary>
    public static void Request(in StepContext step, Fingerprint fingerprint, TrustLevel trust)
    {
        if (Encoding.UTF8.GetByteCount(trust.Label) > OtrLimits.MaxTrustLabelBytes) step.Add(new OtrEffect.Refused(RefusalReason.TooLarge));
        else Set(step, fingerprint, trust);
    }

    private static void Set(in StepContext step, Fingerprint fingerprint, TrustLevel trust)
    {
        var known = step.State.Known;
        var at = known.FindIndex(k => k.Fingerprint == fingerprint);
        if (at < 0)
        {
            // Told of before it was seen: it goes before those that were, so that the last one stays the latest seen.
            MakeRoom(step.State);
            known.Insert(0, new KnownKey(fingerprint, trust));
        }
        else if (known[at].Trust == trust) return;
        else known[at] = known[at] with { Trust = trust };
        step.Changed();
        step.Add(new OtrEffect.TrustChanged(fingerprint, trust));
    }

    /// <summary>
    /// The oldest key goes, an untrusted one before a trusted one; never the one seen last, by which a change is told and
    /// held text is kept for whom it was meant.
    /// </summary>
    private static void MakeRoom(ConversationState state)
    {
        if (state.Known.Count < OtrLimits.MaxKnownFingerprints) return;
        var oldest = state.Known.FindIndex(0, state.Known.Count - 1, k => !k.Trust.IsTrusted);
        state.Known.RemoveAt(Math.Max(oldest, 0));
    }
}
