using Otr.Core.V3.Ake;
using Otr.Core.V4.Dake;
using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>Where we stand with offering OTR by whitespace tags (checklist A3.2).</summary>
internal enum OfferState : byte
{
    NotSent = 0,
    Sent = 1,
    Rejected = 2,
    Accepted = 3,
}

/// <summary>A message that waits for a private session.</summary>
/// <param name="Since">Unix ms.</param>
/// <param name="For">The key it was meant for, if one was known; it is sent to no other.</param>
internal sealed record HeldMessage(byte[] Text, ulong Reference, long Since, Fingerprint? For)
{
    public override string ToString() => nameof(HeldMessage);
}

/// <summary>Everything that a conversation remembers, and that its snapshot holds.</summary>
internal sealed class ConversationState(OtrAccount account, OtrSettings settings) : IDisposable
{
    private PendingExchange[] _broadcasts = [new AuthContext()];

    public OtrAccount Account { get; } = account;
    public OtrSettings Settings { get; } = settings;

    public List<Session> Sessions { get; } = [];
    /// <summary>The D-H Commit that went to all instances (libotr's "master context").</summary>
    public AuthContext Broadcast => (AuthContext)_broadcasts[0];
    /// <summary>The Identity message that went to all instances.</summary>
    public DakeContext BroadcastDake
    {
        get
        {
            if (_broadcasts.Length == 1) _broadcasts = [_broadcasts[0], new DakeContext()];
            return (DakeContext)_broadcasts[1];
        }
    }
    /// <summary>The first messages that went to all instances, of all versions.</summary>
    public ReadOnlySpan<PendingExchange> Broadcasts => _broadcasts;
    public List<FragmentBuffer> Fragments { get; } = [];
    /// <summary>Messages of version 4 that have come in part.</summary>
    public List<FragmentSet> FragmentSets { get; } = [];
    public List<HeldMessage> Held { get; } = [];
    /// <summary>Keys seen in completed exchanges, or told of, in the order in which they came to be known.</summary>
    public List<KnownKey> Known { get; } = [];
    /// <summary>The key that the last completed exchange showed.</summary>
    public Fingerprint? LatestKey { get; set; }
    /// <summary>Highest version of a completed key exchange: never below it again (checklist K01).</summary>
    public byte PinnedVersion { get; set; }
    public OfferState Offer { get; set; }
    /// <summary>Unix ms; null before the first.</summary>
    public long? LastQuery { get; set; }
    public long? LastError { get; set; }
    /// <summary>When the peer was last told that a message was for another instance of ours.</summary>
    public long? LastOtherInstance { get; set; }
    /// <summary>When an encoded message without an end came, whose rest may follow; and its length modulo 4, or 4 for a fragment.</summary>
    public long? CutAt { get; set; }
    public byte CutLength { get; set; }
    /// <summary>The user asked for a private session and has not taken that back: no text leaves in the clear.</summary>
    public bool WantsPrivacy { get; set; }
    /// <summary>When a query of ours is to be repeated, Unix ms.</summary>
    public long? RetryAt { get; set; }
    public int RetriesLeft { get; set; }
    public TokenBucket AkeBudget { get; } = new(OtrLimits.AkeBurst, OtrLimits.AkeRefillInterval);
    public TokenBucket SmpBudget { get; } = new(OtrLimits.SmpBurst, OtrLimits.SmpRefillInterval);

    /// <summary>It was restored from a snapshot made under a former key of the account, and its sessions have not been ended.</summary>
    public bool IsOfFormerKey { get; set; }

    /// <summary>Changed since the last step began.</summary>
    public bool IsDirty { get; set; }

    /// <summary>This step's message is to be given again: see <see cref="StepContext.Postpone"/>.</summary>
    public bool IsPostponed { get; set; }

    /// <summary>The versions that policy and pin leave.</summary>
    public OtrVersions Versions => Allowed.NotBelow(PinnedVersion);

    /// <summary>The versions that policy and account allow, whatever was spoken before.</summary>
    public OtrVersions Allowed
    {
        get
        {
            var allowed = OtrVersionSet.Allowed(Settings.Policy);
            return Settings.SpeaksVersion4 && Account.Identity is not null ? allowed | OtrVersions.V4 : allowed;
        }
    }

    /// <summary>The peer is no stranger, or strangers are answered: see <see cref="OtrSettings.AnswersStrangers"/>.</summary>
    public bool IsInvited => Settings.AnswersStrangers || Known.Count > 0 || LastQuery is not null;

    public bool Has(OtrPolicy flag) => (Settings.Policy & flag) != 0;

    /// <summary>The one that text goes to; null if there is none. See <see cref="Worth"/>.</summary>
    public Session? Best
    {
        get
        {
            Session? best = null;
            foreach (var s in Sessions)
            {
                if (best is null || Worth(s).CompareTo(Worth(best)) > 0) best = s;
            }
            return best;
        }
    }

    /// <summary>
    /// The greater the better: encrypted before finished before plaintext, an accepted key before a held one, then the latest heard from.
    /// But a private session with a trusted key goes before all others even when the peer has ended it: text that was meant for that key
    /// must not pass to another unasked.
    /// </summary>
    public (bool, int, bool, long) Worth(Session session) => (session.IsPrivate && IsTrusted(session.Peer), Rank(session.State),
        StandingOf(session.Peer) == KeyStanding.Accepted, session.LastReceived);

    /// <summary>The best one that is ENCRYPTED, trusted or not; null if none is.</summary>
    public Session? BestEncrypted => Sessions.Where(s => s.State == MessageState.Encrypted).MaxBy(Worth);

    /// <summary>Whether the key is known and trusted.</summary>
    public bool IsTrusted(Fingerprint? key) => Known.Exists(k => k.Fingerprint == key && k.Trust.IsTrusted);

    /// <summary>What was decided about a key; that of one that is not known is accepted.</summary>
    public KeyStanding StandingOf(Fingerprint? key)
    {
        // Asked for every text that is sent.
        foreach (var known in Known) if (known.Fingerprint == key) return known.Standing;
        return KeyStanding.Accepted;
    }

    /// <summary>A session stands with a key about which the user has yet to decide.</summary>
    public bool AwaitsDecision => Sessions.Exists(s => s.State == MessageState.Encrypted && StandingOf(s.Peer) == KeyStanding.Held);

    private static int Rank(MessageState state) => state switch
    {
        MessageState.Encrypted => 2,
        MessageState.Finished => 1,
        _ => 0,
    };

    public MessageState MessageState => Best?.State ?? MessageState.Plaintext;

    public Session? Find(uint peerTag)
    {
        foreach (var s in Sessions)
        {
            if (s.PeerTag == peerTag) return s;
        }
        return null;
    }

    public void Dispose()
    {
        foreach (var s in Sessions) s.Dispose();
        foreach (var broadcast in _broadcasts) broadcast.Dispose();
        foreach (var f in Fragments) f.Reset();
        foreach (var f in FragmentSets) f.Reset();
        foreach (var h in Held) System.Security.Cryptography.CryptographicOperations.ZeroMemory(h.Text);
    }
}
