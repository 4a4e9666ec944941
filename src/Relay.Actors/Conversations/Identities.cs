using System.Security.Cryptography;
using Otr.Core;
using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>
/// The peer's keys with trust, note and the times at which they were seen. The protocol engine decides which are known and trusted; this
/// class follows it. A copy is
/// stored apart from the conversation, so that a restore, which drops the sessions, does not make a changed key look new.
/// </summary>
internal sealed class Identities
{
    private const byte Format = 2;
    /// <summary>Bytes of the smallest entry.</summary>
    private const int LeastEntrySize = 4 + Fingerprint.DsaSize + 4 + 1 + 4 + 3 * 8;
    /// <summary>Age from which a key exchange renews the copy, whose time of the last exchange is not exact.</summary>
    private static readonly TimeSpan s_copyAge = TimeSpan.FromDays(1);

    private readonly List<Identity> _known = [];
    private Fingerprint? _latest;
    private byte _highestVersion;
    private long _copiedMs;
    private (Fingerprint Fingerprint, string Note)? _comingNote;

    private sealed class Identity(IdentityView view)
    {
        public IdentityView View { get; set; } = view;

        public Fingerprint Fingerprint => View.Fingerprint;
    }

    /// <summary>The conversation was deleted, and the keys are kept for when the peer comes back.</summary>
    public bool IsDeleted
    {
        get;
        set
        {
            IsCopyStale |= field != value;
            field = value;
        }
    }

    /// <summary>True if the copy that is stored apart is out of date.</summary>
    public bool IsCopyStale { get; private set; }

    /// <summary>When the copy was made.</summary>
    public DateTimeOffset Copied => DateTimeOffset.FromUnixTimeMilliseconds(_copiedMs);

    public IReadOnlyList<IdentityView> Views => [.. _known.Select(i => i.View)];

    /// <summary>What a conversation without its sessions is begun with.</summary>
    public PeerKeys Keys => new([.. Views.Select(KeyOf)], _latest, _highestVersion);

    /// <summary>A key as the protocol engine knows it.</summary>
    public static KnownKey KeyOf(IdentityView view) => new(view.Fingerprint, view.Trust) { Standing = view.Standing };

    public IdentityView? Find(Fingerprint fingerprint) => _known.Find(i => i.Fingerprint == fingerprint)?.View;

    /// <summary>Whether a key of the peer other than this one is trusted.</summary>
    public bool AnyOtherTrusted(Fingerprint? fingerprint) => _known.Exists(i => i.Fingerprint != fingerprint && IsTrusted(i.Fingerprint));

    public bool IsTrusted(Fingerprint? fingerprint)
    {
        foreach (var identity in _known) if (identity.Fingerprint == fingerprint) return identity.View.Trust.IsTrusted;
        return false;
    }

    /// <summary>Whether it is to be decided about this key: text to it is held.</summary>
    public bool IsHeld(Fingerprint? fingerprint)
    {
        foreach (var identity in _known) if (identity.Fingerprint == fingerprint) return identity.View.Standing == KeyStanding.Held;
        return false;
    }

    /// <summary>Follows the protocol engine after a step that may have changed a key's trust or standing, or shown one.</summary>
    /// <param name="shown">The key that a completed exchange has shown; null if none completed.</param>
    public void Follow(PeerKeys peer, Fingerprint? shown, long nowMs)
    {
        IsCopyStale |= _known.RemoveAll(i => !peer.Known.Any(k => k.Fingerprint == i.Fingerprint)) > 0;
        var now = Time(nowMs);
        foreach (var key in peer.Known)
        {
            var identity = _known.Find(i => i.Fingerprint == key.Fingerprint);
            if (identity is null)
            {
                _known.Add(identity = new Identity(new IdentityView(key.Fingerprint, default, "", null, null, null)));
                IsCopyStale = true;
            }
            if (identity.View.Standing != key.Standing)
            {
                identity.View = identity.View with { Standing = key.Standing };
                IsCopyStale = true;
            }
            if (identity.View.Trust == key.Trust) continue;
            identity.View = identity.View with { Trust = key.Trust, Verified = key.Trust.IsTrusted ? now : null };
            IsCopyStale = true;
        }
        if (_comingNote is var (noted, note)) TryNote(noted, note);
        if (shown is not null && _known.Find(i => i.Fingerprint == shown) is { } seen)
        {
            seen.View = seen.View with { FirstSeen = seen.View.FirstSeen ?? now, LastSeen = now };
            IsCopyStale |= nowMs - _copiedMs >= (long)s_copyAge.TotalMilliseconds;
        }
        IsCopyStale |= peer.Latest != _latest || peer.HighestVersion != _highestVersion;
        (_latest, _highestVersion) = (peer.Latest, peer.HighestVersion);
    }

    /// <summary>Sets the note to be taken over with the next change of the key's trust, so that one event tells both; null: none.</summary>
    public void ExpectNote(Fingerprint fingerprint, string? note) => _comingNote = note is null ? null : (fingerprint, note);

    /// <summary>Sets the note of a known key.</summary>
    /// <returns>False if the key is not known, or has that note already.</returns>
    public bool TryNote(Fingerprint fingerprint, string note)
    {
        if (_known.Find(i => i.Fingerprint == fingerprint) is not { } identity || identity.View.Note == note) return false;
        identity.View = identity.View with { Note = note };
        return IsCopyStale = true;
    }

    /// <summary>Adds notes and times that another server has for keys that are known here by now.</summary>
    public void Merge(PeerKeys peer, IReadOnlyList<IdentityView> others, long nowMs)
    {
        Follow(peer, null, nowMs);
        foreach (var other in others)
        {
            if (_known.Find(i => i.Fingerprint == other.Fingerprint) is not { } identity) continue;
            var view = identity.View;
            identity.View = view with
            {
                Note = view.Note.Length > 0 ? view.Note : other.Note,
                FirstSeen = Earlier(view.FirstSeen, other.FirstSeen),
                LastSeen = view.LastSeen is null || other.LastSeen > view.LastSeen ? other.LastSeen : view.LastSeen,
                Verified = view.Trust == other.Trust ? Earlier(view.Verified, other.Verified) : view.Verified,
            };
            IsCopyStale |= identity.View != view;
        }
    }

    private static DateTimeOffset? Earlier(DateTimeOffset? a, DateTimeOffset? b) => a is null || b < a ? b ?? a : a;

    public void Write(RowWriter row)
    {
        WriteViews(row, Views);
        SessionCodec.WriteFingerprint(row, _latest);
        row.Byte(_highestVersion);
        row.Int64(_copiedMs);
        row.Bool(IsDeleted);
    }

    public static Identities Read(ref RowReader row)
    {
        var identities = new Identities();
        identities._known.AddRange(ReadViews(ref row).Select(v => new Identity(v)));
        identities._latest = SessionCodec.ReadFingerprint(ref row);
        identities._highestVersion = row.Byte();
        identities._copiedMs = row.Int64();
        identities.IsDeleted = row.Bool();
        identities.IsCopyStale = false;
        return identities;
    }

    public static void WriteViews(RowWriter row, IReadOnlyList<IdentityView> views)
    {
        row.UInt32((uint)views.Count);
        foreach (var view in views) WriteView(row, view);
    }

    /// <returns>At most <see cref="OtrLimits.MaxKnownFingerprints"/>; the row has failed if it is damaged, or has more.</returns>
    public static IReadOnlyList<IdentityView> ReadViews(ref RowReader row)
    {
        var views = new List<IdentityView>();
        for (int n = row.Count(LeastEntrySize); n > 0; n--)
        {
            if (ReadView(ref row) is not { } view) break;
            views.Add(view);
        }
        if (views.Count > OtrLimits.MaxKnownFingerprints) row.Fail();
        return views;
    }

    public static void WriteView(RowWriter row, IdentityView view)
    {
        SessionCodec.WriteFingerprint(row, view.Fingerprint);
        row.Text(view.Trust.Label);
        row.Byte((byte)view.Standing);
        row.Text(view.Note);
        row.Int64(view.FirstSeen?.ToUnixTimeMilliseconds() ?? 0);
        row.Int64(view.LastSeen?.ToUnixTimeMilliseconds() ?? 0);
        row.Int64(view.Verified?.ToUnixTimeMilliseconds() ?? 0);
    }

    /// <returns>Null, and the row has failed, if it is damaged.</returns>
    public static IdentityView? ReadView(ref RowReader row)
    {
        var fingerprint = SessionCodec.ReadFingerprint(ref row);
        var (trust, standing, note) = (new TrustLevel(row.Text()), (KeyStanding)row.Byte(), row.Text());
        var (first, last, verified) = (Time(row.Int64()), Time(row.Int64()), Time(row.Int64()));
        bool isConsistent = standing == KeyStanding.Accepted || (standing is KeyStanding.Held or KeyStanding.Refused && !trust.IsTrusted);
        if (fingerprint is null || !isConsistent) row.Fail();
        return row.HasFailed ? null : new IdentityView(fingerprint!.Value, trust, note, first, last, verified) { Standing = standing };
    }

    /// <summary>Makes the copy that outlives the conversation's state.</summary>
    public byte[] SealCopy(Sealer sealer, ConversationKey key, string peer, long nowMs)
    {
        (_copiedMs, IsCopyStale) = (nowMs, false);
        using var row = new RowWriter();
        row.Byte(Format);
        row.Text(peer);
        Write(row);
        return sealer.Seal(SealedTable.Identities, Place(key), row.Written);
    }

    /// <returns>Null if it does not open.</returns>
    public static (string Peer, Identities Identities)? TryOpenCopy(Sealer sealer, ConversationKey key, byte[] value)
    {
        if (sealer.TryOpen(SealedTable.Identities, Place(key), value) is not { } clear) return null;
        try
        {
            return TryReadCopy(clear);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(clear);
        }
    }

    /// <returns>Null if it is not the content of such a copy.</returns>
    public static (string Peer, Identities Identities)? TryReadCopy(ReadOnlySpan<byte> clear)
    {
        var row = new RowReader(clear);
        bool isKnown = row.Byte() == Format;
        var peer = row.Text();
        var identities = Read(ref row);
        return isKnown && row.IsComplete ? (peer, identities) : null;
    }

    // The copy has no version of its own: whoever can put an older one back can put an older conversation back as well.
    public static RowKey Place(ConversationKey key) => new(key.EndpointId, key.ConversationId, 1);

    private static DateTimeOffset? Time(long ms) => ms == 0 ? null
        : DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(ms, 0, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()));
}
