using Otr.Core.Ake;
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
    public OtrAccount Account { get; } = account;
    public OtrSettings Settings { get; } = settings;

    public List<Session> Sessions { get; } = [];
    /// <summary>The D-H Commit that went to all instances (libotr's "master context").</summary>
    public AuthContext Broadcast { get; } = new();
    public List<FragmentBuffer> Fragments { get; } = [];
    public List<HeldMessage> Held { get; } = [];
    /// <summary>Keys seen in completed exchanges, latest last.</summary>
    public List<KnownKey> Known { get; } = [];
    /// <summary>Highest version of a completed key exchange: never below it again (checklist K01).</summary>
    public byte PinnedVersion { get; set; }
    public OfferState Offer { get; set; }
    /// <summary>Unix ms; null before the first.</summary>
    public long? LastQuery { get; set; }
    public long? LastError { get; set; }
    /// <summary>When a query of ours is to be repeated, Unix ms.</summary>
    public long? RetryAt { get; set; }
    public int RetriesLeft { get; set; }
    public TokenBucket AkeBudget { get; } = new(OtrLimits.AkeBurst, OtrLimits.AkeRefillInterval);
    public TokenBucket SmpBudget { get; } = new(OtrLimits.SmpBurst, OtrLimits.SmpRefillInterval);

    /// <summary>Changed since the last step began.</summary>
    public bool IsDirty { get; set; }

    /// <summary>This step's message is to be given again: see <see cref="StepContext.Postpone"/>.</summary>
    public bool IsPostponed { get; set; }

    /// <summary>The versions that policy and pin leave.</summary>
    public OtrVersions Versions
    {
        get
        {
            var allowed = OtrVersionSet.Allowed(Settings.Policy);
            return PinnedVersion >= 3 ? allowed & OtrVersions.V3 : allowed;
        }
    }

    /// <summary>The peer is no stranger, or strangers are answered: see <see cref="OtrSettings.AnswersStrangers"/>.</summary>
    public bool IsInvited => Settings.AnswersStrangers || Known.Count > 0 || LastQuery is not null;

    public bool Has(OtrPolicy flag) => (Settings.Policy & flag) != 0;

    /// <summary>Encrypted before finished before plaintext, then trusted keys first, then the latest heard from; null if there is none.</summary>
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

    /// <summary>The greater the better.</summary>
    public (int, bool, long) Worth(Session session) => (Rank(session.State), IsTrusted(session.Peer), session.LastReceived);

    /// <summary>Whether the key is known and trusted.</summary>
    public bool IsTrusted(Fingerprint? key) => Known.Exists(k => k.Fingerprint == key && k.Trust.IsTrusted);

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

    /// <summary>
    /// The session of an instance, made if there is room or if one can go that holds nothing worth keeping: in PLAINTEXT
    /// rather than FINISHED, of which others are left then; null if all are private.
    /// </summary>
    public Session? FindOrAdd(uint peerTag)
    {
        if (Find(peerTag) is { } found) return found;
        if (Sessions.Count >= OtrLimits.MaxInstances)
        {
            var oldest = Sessions.Where(s => s.State != MessageState.Encrypted).MinBy(s => (Rank(s.State), Math.Max(s.LastReceived, s.Auth.Touched)));
            if (oldest is null) return null;
            oldest.Dispose();
            Sessions.Remove(oldest);
        }
        var session = new Session(peerTag);
        Sessions.Add(session);
        return session;
    }

    public void Dispose()
    {
        foreach (var s in Sessions) s.Dispose();
        Broadcast.Dispose();
        foreach (var f in Fragments) f.Reset();
        foreach (var h in Held) System.Security.Cryptography.CryptographicOperations.ZeroMemory(h.Text);
    }
}
