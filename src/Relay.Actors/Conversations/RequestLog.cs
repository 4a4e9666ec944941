using System.Security.Cryptography;
using Otr.Core;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>An executed command with its first reply.</summary>
/// <param name="content">Keyed hash of the command's content: another request under the same id has another one.</param>
/// <param name="isRequest">True for a bot's or an operator's request, false for a peer's message from a bridge.</param>
internal sealed class SeenRequest(UInt128 id, UInt128 content, long timeMs, ConversationReply answer, bool isRequest)
{
    public UInt128 Id => id;
    public UInt128 Content => content;
    public long TimeMs => timeMs;
    public ConversationReply Answer => answer;
    public bool IsRequest => isRequest;

    /// <summary>What became of the message that the request sent; null for other requests.</summary>
    public SentMessage? Sent { get; set; }

    /// <summary>The entry with another fate of its message, to be added by the next commit in its place.</summary>
    public SeenRequest With(SentMessage sent) => new(id, content, timeMs, answer, isRequest) { Sent = sent, AskedAgainMs = AskedAgainMs };

    /// <summary>Time of the last repetition, in Unix ms; in memory only.</summary>
    public long AskedAgainMs { get; set; } = long.MinValue / 2;
}

/// <summary>The sizes of a request log.</summary>
internal sealed record RequestLogBounds
{
    public static RequestLogBounds Default { get; } = new();

    /// <summary>Ids that are kept at any age up to <see cref="RelayLimits.SeenIdLifetime"/>.</summary>
    public int MaxIds { get; init; } = RelayLimits.MaxSeenIds;

    /// <summary>Of these, the ids of bots' and operators' requests, which a peer's messages do not displace.</summary>
    public int MaxRequests { get; init; } = RelayLimits.MaxSeenRequestIds;

    /// <summary>Ids in all. Reached: commands are refused until the oldest may be forgotten.</summary>
    public int MaxRecentIds { get; init; } = RelayLimits.MaxRecentSeenIds;

    /// <summary>The tail is shorter.</summary>
    public int MaxTailIds { get; init; } = RelayLimits.MaxTailIds;

    /// <summary>
    /// Time for which no id is forgotten after it was added, asked for again, or loaded: as long as a copy of its command may
    /// still arrive.
    /// </summary>
    public TimeSpan Kept { get; init; } = RelayLimits.MaxCommandLifetime;
}

/// <summary>
/// The idempotency keys of a conversation with their first answers. The newest are the log's tail, which is part of the conversation's
/// own row; a commit that would make the tail too long stores the tail and its own keys together as a row of their own. Keys are forgotten
/// oldest first, by number and age, but none while a copy of its command can still arrive. Reading back what is stored gives the same log.
/// A peer's messages do not displace requests: those are carried over into the commit that would forget them.
/// </summary>
internal sealed class RequestLog(RequestLogBounds bounds)
{
    private const byte Format = 5;
    /// <summary>Bytes of the smallest entry of a row.</summary>
    private const int LeastEntrySize = 42;

    private enum Kind : byte { Done = 1, WireRejected = 2, Refused = 3 }

    private readonly record struct Row(ulong Version, SeenRequest[] Requests, long KeptUntilMs);

    private readonly Dictionary<UInt128, SeenRequest> _byId = [];
    private readonly Queue<Row> _rows = [];
    private readonly Queue<(SeenRequest Seen, long KeptUntilMs)> _tail = [];
    private int _requests;
    private ulong _lostThrough;

    public int Count => _byId.Count;

    public SeenRequest? Find(UInt128 id) => _byId.GetValueOrDefault(id);

    /// <summary>The requests that have sent a message.</summary>
    public IEnumerable<SeenRequest> Messages => _byId.Values.Where(s => s.Sent is not null);

    /// <summary>Whether the log is full once the next commit has added its ids.</summary>
    public bool IsFull(int coming) => _byId.Count + coming >= bounds.MaxRecentIds;

    /// <summary>Time at which the last id expires, in Unix ms; null if the log is empty.</summary>
    public long? ForgetAllAtMs
    {
        get
        {
            long? newest = _rows.Count == 0 ? null : _rows.Max(r => Newest(r.Requests));
            foreach (var (seen, _) in _tail) newest = Math.Max(newest ?? seen.TimeMs, seen.TimeMs);
            return newest + Lifetime;
        }
    }

    /// <summary>Rows up to a version do not open any more: the next commit deletes them.</summary>
    public void ForgetRows(ulong through) => _lostThrough = through;

    /// <summary>Forgets ids that have expired or exceed the bounds.</summary>
    /// <param name="coming">Ids of the next commit. Requests that must be kept are added to them.</param>
    /// <returns>
    /// The last commit version whose row may be deleted, 0 if none; and whether the tail has become shorter, so that the conversation's row
    /// should be written.
    /// </returns>
    public (ulong Through, bool IsTailShorter) Forget(long nowMs, List<SeenRequest> coming)
    {
        ulong through = _lostThrough;
        while (_rows.TryPeek(out var oldest)
            && MayForget(Newest(oldest.Requests), oldest.KeptUntilMs, coming.Count - oldest.Requests.Length, nowMs))
        {
            _rows.Dequeue();
            foreach (var seen in oldest.Requests) Forget(seen, nowMs, coming);
            through = oldest.Version;
        }
        int length = _tail.Count;
        while (_rows.Count == 0 && _tail.TryPeek(out var oldest)
            && MayForget(oldest.Seen.TimeMs, oldest.KeptUntilMs, coming.Count - 1, nowMs))
        {
            _tail.Dequeue();
            Forget(oldest.Seen, nowMs, coming);
        }
        return (through, _tail.Count < length);
    }

    /// <summary>Whether the next commit stores the tail as a row of its own.</summary>
    public bool IsTailFullWith(int coming) => coming > 0 && _tail.Count + coming >= bounds.MaxTailIds;

    /// <summary>Adds the ids of a successful commit.</summary>
    public void Add(ulong version, List<SeenRequest> requests, long nowMs)
    {
        _lostThrough = 0;
        if (requests.Count == 0) return;
        bool isRow = IsTailFullWith(requests.Count);
        if (isRow)
        {
            _rows.Enqueue(new Row(version, [.. _tail.Select(t => t.Seen).Where(s => IsInTail(s, requests)), .. requests], nowMs + Kept));
            _tail.Clear();
        }
        foreach (var seen in requests)
        {
            if (!isRow) _tail.Enqueue((seen, nowMs + Kept));
            Remember(seen);
        }
    }

    /// <summary>Seals the tail and the ids of the next commit as a row.</summary>
    public byte[] SealRow(Sealer sealer, in RowKey key, List<SeenRequest> coming)
    {
        using var row = new RowWriter();
        row.Byte(Format);
        WriteWith(row, coming);
        return sealer.Seal(SealedTable.Seen, key, row.Written);
    }

    /// <summary>Writes the tail as it is after the next commit, with a length prefix.</summary>
    public void WriteTail(RowWriter row, List<SeenRequest> coming)
    {
        if (IsTailFullWith(coming.Count))
        {
            row.Bytes([]);
            return;
        }
        int begin = row.Begin();
        WriteWith(row, coming);
        row.End(begin);
    }

    /// <returns>False if the row does not open.</returns>
    public bool TryAddRow(Sealer sealer, ConversationKey key, SeenRow stored, long nowMs)
    {
        var place = new RowKey(key.EndpointId, key.ConversationId, stored.Version);
        if (sealer.TryOpen(SealedTable.Seen, place, stored.Sealed) is not { } clear) return false;
        var row = new RowReader(clear);
        var requests = row.Byte() == Format ? Read(ref row, key, stored.WireBefore) : [];
        CryptographicOperations.ZeroMemory(clear);
        if (!row.IsComplete || requests.Length == 0) return false;
        _rows.Enqueue(new Row(stored.Version, requests, nowMs + Kept));
        foreach (var seen in requests) Remember(seen);
        return true;
    }

    /// <summary>Adds the tail, after the rows.</summary>
    /// <param name="wireBefore">As <see cref="ConversationRow.WireBefore"/>, for messages of the commit that wrote it.</param>
    /// <returns>False if it is damaged.</returns>
    public bool TryAddTail(ReadOnlySpan<byte> written, ConversationKey key, ulong wireBefore, long nowMs)
    {
        if (written.IsEmpty) return true;
        var row = new RowReader(written);
        var requests = Read(ref row, key, wireBefore);
        if (!row.IsComplete) return false;
        foreach (var seen in requests)
        {
            _tail.Enqueue((seen, nowMs + Kept));
            Remember(seen);
        }
        return true;
    }

    private void Remember(SeenRequest seen)
    {
        bool isKnown = _byId.ContainsKey(seen.Id);
        _byId[seen.Id] = seen;
        if (seen.IsRequest && !isKnown) _requests++;
    }

    private void Forget(SeenRequest seen, long nowMs, List<SeenRequest> coming)
    {
        // A later entry has what became of its message since.
        if (_byId.GetValueOrDefault(seen.Id) != seen) return;
        _byId.Remove(seen.Id);
        // What becomes of a held message has yet to be told.
        bool isKept = seen.AskedAgainMs + Kept > nowMs || seen.Sent is { Status: MessageStatus.Held };
        if (seen.IsRequest) isKept |= _requests-- <= bounds.MaxRequests && seen.TimeMs + Lifetime > nowMs;
        if (isKept && coming.TrueForAll(c => c.Id != seen.Id)) coming.Add(seen);
    }

    /// <summary>Whether no later entry, and none of the next commit, takes the place of one of the tail.</summary>
    private bool IsInTail(SeenRequest seen, List<SeenRequest> coming)
    {
        if (_byId.GetValueOrDefault(seen.Id) != seen) return false;
        foreach (var next in coming)
        {
            if (next.Id == seen.Id) return false;
        }
        return true;
    }

    /// <param name="more">Ids that the next commit adds, less those to be forgotten: the newest MaxIds stay.</param>
    private bool MayForget(long newestMs, long keptUntilMs, int more, long nowMs)
        => newestMs + Lifetime <= nowMs || (_byId.Count + more >= bounds.MaxIds && keptUntilMs <= nowMs);

    /// <summary>Writes the tail and the ids of the next commit, with their number in front.</summary>
    private void WriteWith(RowWriter row, List<SeenRequest> coming)
    {
        int at = row.Written.Length, count = coming.Count;
        row.UInt32(0);
        foreach (var (seen, _) in _tail)
        {
            if (!IsInTail(seen, coming)) continue;
            Write(row, seen);
            count++;
        }
        foreach (var seen in coming) Write(row, seen);
        row.Count(at, count);
    }

    private static void Write(RowWriter row, SeenRequest seen)
    {
        row.UInt128(seen.Id);
        row.UInt128(seen.Content);
        row.Int64(seen.TimeMs);
        row.Bool(seen.IsRequest);
        WriteAnswer(row, seen.Answer);
        row.Bool(seen.Sent is not null);
        seen.Sent?.Write(row);
    }

    private static SeenRequest[] Read(ref RowReader row, ConversationKey key, ulong wireBefore)
    {
        var requests = new SeenRequest[row.Count(LeastEntrySize)];
        for (int i = 0; i < requests.Length; i++)
        {
            var (id, content, time, isRequest) = (row.UInt128(), row.UInt128(), row.Int64(), row.Bool());
            var answer = ReadAnswer(ref row, key.ConversationId);
            var sent = row.Bool() ? SentMessage.Read(ref row).At(wireBefore) : null;
            if (sent is not null && answer is ConversationReply.Done done) answer = done with { Sent = new SentReference(id, time) };
            requests[i] = new SeenRequest(id, content, time, answer, isRequest) { Sent = sent };
        }
        return requests;
    }

    private long Kept => (long)bounds.Kept.TotalMilliseconds;

    private static long Lifetime => (long)RelayLimits.SeenIdLifetime.TotalMilliseconds;

    private static long Newest(SeenRequest[] requests) => requests.Max(i => i.TimeMs);

    private static void WriteAnswer(RowWriter row, ConversationReply answer)
    {
        switch (answer)
        {
            case ConversationReply.Done done:
                row.Byte((byte)Kind.Done);
                row.Name(done.State);
                row.Bool(done.Disposition is not null);
                if (done.Disposition is { } disposition) row.Name(disposition);
                row.UInt64(done.Verification);
                break;
            case ConversationReply.WireRejected rejected:
                row.Byte((byte)Kind.WireRejected);
                row.Name(rejected.Reason);
                break;
            case ConversationReply.Refused refused:
                row.Byte((byte)Kind.Refused);
                row.Name(refused.Reason);
                break;
            default:
                throw new InvalidOperationException($"{answer.GetType().Name} is not an answer to be remembered.");
        }
    }

    private static ConversationReply ReadAnswer(ref RowReader row, string conversationId)
    {
        switch ((Kind)row.Byte())
        {
            case Kind.Done:
                var state = row.Name<MessageState>();
                return new ConversationReply.Done(conversationId, state, row.Bool() ? row.Name<SendDisposition>() : null)
                {
                    Verification = row.UInt64(),
                };
            case Kind.WireRejected:
                return new ConversationReply.WireRejected(conversationId, row.Name<RejectReason>());
            case Kind.Refused:
                return new ConversationReply.Refused(conversationId, row.Name<RefusalReason>());
            default:
                row.Fail();
                return new ConversationReply.RequestIdReused();
        }
    }
}
