using System.Text;

namespace Otr.Core;

/// <summary>A key of the peer, and how far it is trusted in this conversation.</summary>
/// <param name="Trust">Untrusted unless <see cref="Standing"/> is <see cref="KeyStanding.Accepted"/>.</param>
public sealed record KnownKey(Fingerprint Fingerprint, TrustLevel Trust)
{
    /// <summary>Whether text may go to it.</summary>
    public KeyStanding Standing { get; init; }
}

/// <summary>Whether a key is taken for the peer's, which is not the same as trusted.</summary>
public enum KeyStanding : byte
{
    /// <summary>The first key of the peer, one that came when changes were only told, or one that the user accepted or verified.</summary>
    Accepted = 0,
    /// <summary>It took another key's place, and it is not decided whether it is the peer's (<see cref="KeyChangeAction.Hold"/>).</summary>
    Held = 1,
    /// <summary>The user has refused it: key exchanges that show it are rejected.</summary>
    Refused = 2,
}

/// <summary>The keys of a peer, as they are known apart from any session.</summary>
/// <param name="Known">In the order in which they came to be known.</param>
/// <param name="Latest">The key that the last completed exchange showed; null before the first.</param>
/// <param name="HighestVersion">The highest version of a completed exchange; 0 before the first.</param>
public sealed record PeerKeys(IReadOnlyList<KnownKey> Known, Fingerprint? Latest, byte HighestVersion);

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
        var isChanged = state.LatestKey is { } latest && latest != fingerprint;
        if (known is null)
        {
            // Whatever else is known, also from elsewhere, is another key; the first one of all has none that it could differ from.
            bool isHeld = state.Settings.KeyChange == KeyChangeAction.Hold && state.Known.Count > 0;
            Add(state, new KnownKey(fingerprint, TrustLevel.Untrusted) { Standing = isHeld ? KeyStanding.Held : KeyStanding.Accepted });
        }
        state.LatestKey = fingerprint;
        return (known is null, isChanged, known?.Trust ?? TrustLevel.Untrusted);
    }

    /// <summary>
    /// Whether an exchange that showed this key may become the session: not where the settings forbid another key than the
    /// one that is spoken with, and never in place of a session whose key is trusted if this one's is not. A session that the
    /// peer has ended counts until the user has ended it, too: the user's next text is meant for its key. A key that the user has refused
    /// never may.
    /// </summary>
    public static bool MayTakeOver(ConversationState state, Session session, Fingerprint shown)
    {
        if (state.StandingOf(shown) == KeyStanding.Refused) return false;
        if (state.Settings.KeyChange == KeyChangeAction.Refuse && state.Sessions.Exists(s => s.IsPrivate && s.Peer != shown)) return false;
        return !session.IsPrivate || session.Peer == shown || !state.IsTrusted(session.Peer) || state.IsTrusted(shown);
    }

    /// <summary>
    /// Whether text may go to this key, as the settings require.
    /// </summary>
    public static bool MayRead(ConversationState state, Fingerprint key) => state.Settings.TrustRequirement switch
    {
        TrustRequirement.None => true,
        TrustRequirement.OnceTrusted => state.IsTrusted(key) || !state.Known.Exists(k => k.Trust.IsTrusted),
        _ => state.IsTrusted(key),
    };

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

    /// <summary>
    /// The user's decision about a key, whatever was decided before. Accepting lets what is held go to it; refusing ends its sessions.
    /// </summary>
    public static void Decide(in StepContext step, Fingerprint fingerprint, bool isAccepted)
    {
        var known = step.State.Known;
        var at = known.FindIndex(k => k.Fingerprint == fingerprint);
        var standing = isAccepted ? KeyStanding.Accepted : KeyStanding.Refused;
        if (at < 0 || known[at].Standing == standing) return;
        known[at] = known[at] with { Standing = standing, Trust = isAccepted ? known[at].Trust : TrustLevel.Untrusted };
        step.Changed();
        step.Add(new OtrEffect.KeyDecided(fingerprint, standing));
        if (isAccepted) Requests.Release(step, fingerprint);
        else Requests.LeaveRefusedKey(step, fingerprint);
    }

    /// <summary>Keys that are known from elsewhere, in addition to what this conversation knows itself.</summary>
    public static void Tell(in StepContext step, PeerKeys peer)
    {
        var state = step.State;
        if (peer.Known.Any(k => Encoding.UTF8.GetByteCount(k.Trust.Label) > OtrLimits.MaxTrustLabelBytes))
        {
            step.Add(new OtrEffect.Refused(RefusalReason.TooLarge));
            return;
        }
        // What only version 4 has means nothing to an account that does not speak it.
        bool speaks4 = state.Account.Identity is not null;
        foreach (var key in peer.Known.Where(k => speaks4 || k.Fingerprint.Length == Fingerprint.DsaSize))
        {
            var at = state.Known.FindIndex(k => k.Fingerprint == key.Fingerprint);
            bool isHeld = at >= 0 && state.Known[at].Standing == KeyStanding.Held;
            if (at < 0 && state.Known.Count < OtrLimits.MaxKnownFingerprints) state.Known.Add(Consistent(key));
            // A key that was refused here stays so: that is known here, too.
            else if (at >= 0 && !state.Known[at].Trust.IsTrusted && state.Known[at].Standing != KeyStanding.Refused && key.Trust.IsTrusted)
                state.Known[at] = Consistent(key);
            else continue;
            step.Changed();
            if (isHeld) Requests.Release(step, key.Fingerprint);
        }
        if (state.LatestKey is null && peer.Latest is { } latest && state.Known.Exists(k => k.Fingerprint == latest))
        {
            state.LatestKey = latest;
            step.Changed();
        }
        var highest = Math.Min(peer.HighestVersion, speaks4 ? V4.V4Protocol.Number : (byte)3);
        if (highest <= state.PinnedVersion) return;
        state.PinnedVersion = highest;
        step.Changed();
    }

    private static void Set(in StepContext step, Fingerprint fingerprint, TrustLevel trust)
    {
        var known = step.State.Known;
        var at = known.FindIndex(k => k.Fingerprint == fingerprint);
        bool wasHeld = at >= 0 && known[at].Standing == KeyStanding.Held;
        if (at < 0)
        {
            Add(step.State, new KnownKey(fingerprint, trust));
        }
        else if (known[at].Trust == trust) return;
        else known[at] = Consistent(known[at] with { Trust = trust });
        step.Changed();
        step.Add(new OtrEffect.TrustChanged(fingerprint, trust));
        if (wasHeld && trust.IsTrusted) Requests.Release(step, fingerprint);
    }

    /// <summary>Trust is a decision about a key as well.</summary>
    private static KnownKey Consistent(KnownKey key) => key.Trust.IsTrusted ? key with { Standing = KeyStanding.Accepted } : key;

    /// <summary>
    /// Adds a key. The latest to be known makes room, an untrusted one before a trusted one: who comes with ever new keys pushes out
    /// the ones before, not the contact's. Never the key seen last, by which a change is told and held text is kept for whom it was
    /// meant.
    /// </summary>
    private static void Add(ConversationState state, KnownKey key)
    {
        var known = state.Known;
        if (known.Count >= OtrLimits.MaxKnownFingerprints)
        {
            var last = known.FindLastIndex(k => !k.Trust.IsTrusted && k.Fingerprint != state.LatestKey);
            known.RemoveAt(last >= 0 ? last : known.FindIndex(k => k.Fingerprint != state.LatestKey));
        }
        known.Add(key);
    }
}
