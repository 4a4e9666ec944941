using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Otr.Core;
using Relay.Actors.Endpoints;
using Relay.Actors.Subscriptions;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>
/// A conversation in memory: exactly what the store has at <see cref="Version"/>, or a candidate for the next version. Its
/// row holds the tail of the request log, the peer's address, what views show of it, the sends whose outcome is open, and the protocol
/// engine's snapshot.
/// </summary>
internal sealed class ConversationState : IDisposable
{
    private const byte Format = 5;

    private readonly AccountCache.AccountLease _lease;
    private OtrConversation? _otr;

    private ConversationState(AccountCache.AccountLease lease, RequestLog log)
    {
        _lease = lease;
        Log = log;
    }

    /// <summary>The peer's address; null until the first command that names it.</summary>
    public string? Peer { get; private set; }

    public OtrConversation Otr => _otr ?? throw new InvalidOperationException("The conversation has not begun.");

    public HeldSends HeldSends { get; private init; } = new();

    public NoticeBudget Notices { get; private init; } = new();

    public Identities Identities { get; private init; } = new();

    public Verifications Verifications { get; private set; } = new();

    public AutomaticAnswers AutomaticAnswers { get; private init; } = new();

    public ConversationLabels Labels { get; private init; } = new();

    /// <summary>When it began, in Unix ms; after a restore of the database, when it began again.</summary>
    public long CreatedMs { get; private set; }

    /// <summary>The last private text that told so was HTML.</summary>
    public bool PeerWritesHtml { get; private set; }

    public RequestLog Log { get; }

    /// <summary>0: not stored yet.</summary>
    public ulong Version { get; private set; }

    /// <summary>The stored deadline in Unix ms.</summary>
    public long? DueMs { get; private set; }

    /// <summary>Whether the peer is known, so that commands can be executed.</summary>
    [MemberNotNullWhen(true, nameof(Peer))]
    public bool IsBegun => Peer is not null;

    public bool IsStored => Version > 0;

    /// <summary>A conversation that has not begun. Takes ownership of the lease.</summary>
    public static ConversationState New(AccountCache.AccountLease lease, RequestLogBounds bounds) => new(lease, new RequestLog(bounds));

    /// <summary>
    /// Begins a conversation whose state is lost, but not what is known of the peer's keys, because the database was restored. Takes
    /// ownership of the lease.
    /// </summary>
    public static ConversationState New(
        AccountCache.AccountLease lease, RequestLogBounds bounds, string peer, Identities identities, long nowMs)
        => new(lease, new RequestLog(bounds))
        {
            Peer = peer, Identities = identities, Verifications = Verifications.AfterLoss(nowMs), CreatedMs = nowMs,
            _otr = new OtrConversation(lease.Account, lease.Settings, identities.Keys),
        };

    /// <summary>The state takes the place of a stored one that cannot be opened any more, and of its request log.</summary>
    public ConversationState InPlaceOf(ConversationRow lost)
    {
        (Version, DueMs) = (lost.Version, lost.DueMs);
        Log.ForgetRows(lost.Version);
        return this;
    }

    public void Begin(string peer, long nowMs)
    {
        _otr = new OtrConversation(_lease.Account, _lease.Settings);
        (Peer, CreatedMs) = (peer, nowMs);
    }

    public bool IsDeleted => Identities.IsDeleted;

    /// <summary>
    /// Forgets everything but the peer's keys and the request log, without which a message could be sent or delivered twice. The sessions
    /// must have been ended.
    /// </summary>
    public void Delete()
    {
        Otr.Dispose();
        _otr = new OtrConversation(_lease.Account, _lease.Settings, Identities.Keys);
        Verifications = Verifications.Emptied();
        Labels.Clear();
        AutomaticAnswers.Secret = null;
        PeerWritesHtml = false;
        Identities.IsDeleted = true;
    }

    /// <summary>The conversation begins again.</summary>
    public void Revive(long nowMs)
    {
        Identities.IsDeleted = false;
        CreatedMs = nowMs;
    }

    /// <summary>The endpoint's settings have changed: the state must be loaded again to follow them.</summary>
    public bool IsStale => _lease.IsStale;

    /// <summary>The streams that an event is appended to: the endpoint's own, and those of the subscriptions that want it.</summary>
    public IEnumerable<StreamKey> StreamsFor(string endpointId, OutboxBody body)
    {
        if (_lease.HasOwnEventStream) yield return new StreamKey(endpointId, StreamKind.Events);
        if (_lease.Subscriptions.Count == 0) yield break;
        var type = SubscriptionSettings.TypeOf(body);
        foreach (var subscription in _lease.Subscriptions)
        {
            if ((subscription.Types & type) != 0) yield return StreamKey.OfSubscription(endpointId, subscription.Name);
        }
    }

    /// <summary>All streams that events may be appended to.</summary>
    public IEnumerable<StreamKey> EventStreams(string endpointId)
    {
        if (_lease.HasOwnEventStream) yield return new StreamKey(endpointId, StreamKind.Events);
        foreach (var subscription in _lease.Subscriptions) yield return StreamKey.OfSubscription(endpointId, subscription.Name);
    }

    /// <summary>How the peer's verifications are answered.</summary>
    public SmpAnswering Answering => new(
        TimeSpan.FromMilliseconds(_lease.Settings.SmpAnswerLifetime), (AutomaticAnswers.Secret ?? _lease.AnswerSecret) is not null);

    /// <summary>What answers the peer's verifications in one step; null: the bot is asked.</summary>
    public ISmpAnswers? Answers(long nowMs) => AutomaticAnswers.For(_lease.AnswerSecret, nowMs);

    /// <summary>A private text of the peer as the bot gets it. What the text tells of the peer's program is remembered.</summary>
    public ReadOnlyMemory<byte> FromPeer(ReadOnlyMemory<byte> text)
    {
        var evidence = HtmlText.Judge(text.Span);
        if (evidence != HtmlEvidence.None) PeerWritesHtml = evidence == HtmlEvidence.Html;
        if (!IsHtml(evidence == HtmlEvidence.Html)) return text;
        // An image alone shows no text: that something came is better told by the HTML than by nothing.
        return HtmlText.FromHtml(text.Span) is { IsEmpty: false } shown ? shown : text;
    }

    /// <returns>A bot's text as the peer's program takes it in a private session.</returns>
    public ReadOnlyMemory<byte> ToPeer(ReadOnlyMemory<byte> text) => IsHtml(PeerWritesHtml) ? HtmlText.ToHtml(text.Span) : text;

    public void Committed(long? dueMs, List<SeenRequest> taken, long nowMs)
    {
        Version++;
        DueMs = dueMs;
        Log.Add(Version, taken, nowMs);
    }

    /// <param name="taken">The ids of the commit that the row is for.</param>
    public byte[] Seal(Sealer sealer, in RowKey key, List<SeenRequest> taken)
    {
        using var row = new RowWriter();
        row.Byte(Format);
        Log.WriteTail(row, taken);
        row.Text(Peer!);
        row.Name(Otr.State);
        var sessions = Otr.Sessions;
        row.UInt32((uint)sessions.Count);
        foreach (var session in sessions) SessionCodec.Write(row, session);
        Identities.Write(row);
        Verifications.Write(row);
        HeldSends.Write(row);
        Labels.Write(row);
        AutomaticAnswers.Write(row);
        row.Int64(CreatedMs);
        Notices.Write(row);
        row.Bool(PeerWritesHtml);
        Otr.WriteSnapshot(row);
        return sealer.Seal(SealedTable.Conversation, key, row.Written);
    }

    /// <returns>Null if a row or the snapshot in it does not open; the caller then keeps the lease.</returns>
    public static ConversationState? TryOpen(
        AccountCache.AccountLease lease, Sealer sealer, ConversationRow stored, RequestLogBounds bounds, long nowMs)
    {
        var conversation = new ConversationKey(stored.EndpointId, stored.Id);
        if (TryOpenRows(sealer, conversation, stored, bounds, nowMs) is not { } log) return null;
        var key = new RowKey(stored.EndpointId, stored.Id, stored.Version);
        if (sealer.TryOpen(SealedTable.Conversation, key, stored.Sealed) is not { } clear) return null;
        try
        {
            var row = new RowReader(clear);
            if (Shown.TryRead(ref row, out var tail) is not { } shown || !log.TryAddTail(tail, conversation, stored.WireBefore, nowMs))
                return null;
            var notices = NoticeBudget.Read(ref row);
            bool writesHtml = row.Bool();
            var snapshot = row.Rest();
            if (!row.IsComplete || !OtrConversation.TryRestore(snapshot, lease.Account, lease.Settings, out var otr)) return null;
            return new ConversationState(lease, log)
            {
                Peer = shown.Peer, _otr = otr, HeldSends = shown.HeldSends, Notices = notices, Identities = shown.Identities,
                Verifications = shown.Verifications, Labels = shown.Labels, AutomaticAnswers = shown.Answers, CreatedMs = shown.CreatedMs,
                PeerWritesHtml = writesHtml, Version = stored.Version, DueMs = stored.DueMs,
            };
        }
        finally
        {
            CryptographicOperations.ZeroMemory(clear);
        }
    }

    /// <summary>Reads the request log of a stored conversation.</summary>
    /// <returns>Null if a row does not open.</returns>
    public static RequestLog? TryOpenLog(Sealer sealer, ConversationRow stored, RequestLogBounds bounds, long nowMs)
    {
        var conversation = new ConversationKey(stored.EndpointId, stored.Id);
        if (TryOpenRows(sealer, conversation, stored, bounds, nowMs) is not { } log) return null;
        var key = new RowKey(stored.EndpointId, stored.Id, stored.Version);
        if (sealer.TryOpen(SealedTable.Conversation, key, stored.Sealed) is not { } clear) return null;
        try
        {
            var row = new RowReader(clear);
            return row.Byte() == Format && log.TryAddTail(row.Bytes(), conversation, stored.WireBefore, nowMs) && !row.HasFailed ? log : null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(clear);
        }
    }

    /// <summary>Reads the rows of the request log, without its tail.</summary>
    private static RequestLog? TryOpenRows(
        Sealer sealer, ConversationKey conversation, ConversationRow stored, RequestLogBounds bounds, long nowMs)
    {
        var log = new RequestLog(bounds);
        foreach (var seen in stored.Seen)
        {
            // Lost with the epoch's key, as if the row were missing.
            if (sealer.IsOfLostEpoch(seen.Sealed)) continue;
            if (!log.TryAddRow(sealer, conversation, seen, nowMs)) return null;
        }
        return log;
    }

    /// <summary>Reads the part of a stored conversation that views show, without its secrets.</summary>
    /// <returns>Null if the row does not open.</returns>
    public static ConversationView? TryOpenView(Sealer sealer, in RowKey key, byte[] value, DateTimeOffset updated)
    {
        if (sealer.TryOpen(SealedTable.Conversation, key, value) is not { } clear) return null;
        try
        {
            var row = new RowReader(clear);
            if (Shown.TryRead(ref row, out _) is not { } shown) return null;
            return new ConversationView(key.Owner, key.Id, shown.Peer, shown.State, shown.Sessions, updated)
            {
                Identities = shown.Identities.Views, PeerKeys = shown.Identities.Keys, Verifications = shown.Verifications.Views,
                Labels = shown.Labels.Values, Revision = shown.Labels.Revision, HeldMessages = shown.HeldSends.All.Count,
                AnswersAutomatically = shown.Answers.Secret is not null, IsDeleted = shown.Identities.IsDeleted,
                Created = DateTimeOffset.FromUnixTimeMilliseconds(
                    Math.Clamp(shown.CreatedMs, 0, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())),
            };
        }
        finally
        {
            CryptographicOperations.ZeroMemory(clear);
        }
    }

    private bool IsHtml(bool isEvident) => _lease.TextFormat switch
    {
        TextFormat.Plain => false,
        TextFormat.Html => true,
        _ => isEvident,
    };

    public void Dispose()
    {
        _otr?.Dispose();
        _lease.Dispose();
    }

    /// <summary>The first part of a row: what views show, and what is read with it.</summary>
    private sealed record Shown(
        string Peer, MessageState State, SessionInfo[] Sessions, Identities Identities, Verifications Verifications, HeldSends HeldSends,
        ConversationLabels Labels, AutomaticAnswers Answers, long CreatedMs)
    {
        /// <returns>Null if the row is of another format or damaged.</returns>
        public static Shown? TryRead(ref RowReader row, out ReadOnlySpan<byte> tail)
        {
            bool isKnown = row.Byte() == Format;
            tail = row.Bytes();
            var peer = row.Text();
            var state = row.Name<MessageState>();
            var sessions = new SessionInfo[row.Count(SessionCodec.LeastSize)];
            for (int i = 0; i < sessions.Length; i++) sessions[i] = SessionCodec.Read(ref row);
            var shown = new Shown(peer, state, sessions, Identities.Read(ref row), Verifications.Read(ref row), HeldSends.Read(ref row),
                ConversationLabels.Read(ref row), AutomaticAnswers.Read(ref row), row.Int64());
            return isKnown && !row.HasFailed ? shown : null;
        }
    }
}

/// <summary>Bounds the notices that a peer can cause in a window: an unknown peer must not be able to fill the bot's stream.</summary>
internal sealed class NoticeBudget
{
    private long _windowStartMs;
    private uint _spent;

    public bool TrySpend(long nowMs)
    {
        // A clock that was set back opens a window too; otherwise a jump could suppress notices for years.
        if (nowMs - _windowStartMs >= RelayLimits.NoticeWindow.TotalMilliseconds || nowMs < _windowStartMs)
        {
            _windowStartMs = nowMs;
            _spent = 0;
        }
        if (_spent >= RelayLimits.MaxNoticesPerWindow) return false;
        _spent++;
        return true;
    }

    public void Write(RowWriter row)
    {
        row.Int64(_windowStartMs);
        row.UInt32(_spent);
    }

    public static NoticeBudget Read(ref RowReader row) => new() { _windowStartMs = row.Int64(), _spent = row.UInt32() };
}
