using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Otr.Core;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>Keyed hashes of a command's id and content, by which a repetition is recognised.</summary>
internal readonly record struct RequestIdentity(UInt128 Id, UInt128 Content)
{
    public static RequestIdentity Of(KeyedIds ids, Command command)
    {
        // The secrets of SMP are short, and a hash of one, kept for a day, could be searched for it: they are no part of the identity.
        var (kind, text) = command switch
        {
            Command.ReceiveWire wire => ("wire", wire.Text),
            Command.SendText send => ("send", send.Text),
            Command.StartSession => ("start", default),
            Command.EndSession => ("end", default),
            Command.Delete => ("delete", default),
            Command.StartSmp smp => ("smp-start", smp.Question),
            Command.AnswerSmp smp => ("smp-answer", Number(smp.Verification)),
            Command.AbortSmp smp => ("smp-abort", Number(smp.Verification)),
            Command.SetTrust trust => ("trust", TrustContent(trust)),
            Command.ImportKeys import => ("import", ImportContent(import)),
            Command.DecideKey decide => ("key", KeyContent(decide)),
            Command.SetAnswerSecret answer => ("answer-secret", new[] { answer.Secret is null ? (byte)0 : (byte)1 }),
            Command.SetLabels labels => ("labels", LabelsContent(labels)),
            Command.OfferFile offer => ("file", Encoding.UTF8.GetBytes(offer.FileId)),
            Command.ReportFile report => ("file-report", Encoding.UTF8.GetBytes(report.File.Id)),
            Command.CancelSend cancel => ("cancel", Encoding.UTF8.GetBytes(cancel.Message)),
            Command.SettleSend settle => ("settle", Encoding.UTF8.GetBytes(settle.Message)),
            _ => throw new ArgumentException($"A command without an identity: {command.GetType().Name}.", nameof(command)),
        };
        // Ids of bridges and of bots are separate spaces: the same id from the two is not the same request.
        var id = command switch
        {
            Command.ReceiveWire => OfWire(ids, command.RequestId),
            Command.SettleSend => ids.Of("settlement-id", Encoding.UTF8.GetBytes(command.RequestId)),
            Command.ReportFile => ids.Of("file-report-id", Encoding.UTF8.GetBytes(command.RequestId)),
            _ => ids.Of("request-id", Encoding.UTF8.GetBytes(command.RequestId)),
        };
        return new RequestIdentity(id, ids.Of("content/" + kind, text.Span));
    }

    private static ReadOnlyMemory<byte> Number(ulong value) => BitConverter.GetBytes(BinaryPrimitives.ReverseEndianness(value));

    private static ReadOnlyMemory<byte> TrustContent(Command.SetTrust trust)
    {
        using var row = new RowWriter();
        SessionCodec.WriteFingerprint(row, trust.Fingerprint);
        row.Text(trust.Trust?.Label ?? "");
        row.Bool(trust.Trust is not null);
        row.Text(trust.Note ?? "");
        row.Bool(trust.Note is not null);
        return row.Written.ToArray();
    }

    private static ReadOnlyMemory<byte> KeyContent(Command.DecideKey decide)
    {
        using var row = new RowWriter();
        SessionCodec.WriteFingerprint(row, decide.Fingerprint);
        row.Bool(decide.IsAccepted);
        return row.Written.ToArray();
    }

    private static ReadOnlyMemory<byte> LabelsContent(Command.SetLabels labels)
    {
        using var row = new RowWriter();
        CommandCodec.WriteLabels(row, labels);
        return row.Written.ToArray();
    }

    private static ReadOnlyMemory<byte> ImportContent(Command.ImportKeys import)
    {
        using var row = new RowWriter();
        Identities.WriteViews(row, import.Identities);
        SessionCodec.WriteFingerprint(row, import.Latest);
        row.Byte(import.HighestVersion);
        return row.Written.ToArray();
    }

    /// <summary>The hash of the id of a bridge's message.</summary>
    public static UInt128 OfWire(KeyedIds ids, string messageId) => ids.Of("wire-id", Encoding.UTF8.GetBytes(messageId));
}

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

    /// <summary>
    /// Time for which no id is forgotten after it was added, asked for again, or loaded: as long as a copy of its command may
    /// still arrive.
    /// </summary>
    public TimeSpan Kept { get; init; } = RelayLimits.MaxCommandLifetime;
}

/// <summary>
/// The idempotency keys of a conversation with their first answers: one stored row per commit. Rows are forgotten oldest
/// first, by number and age, but none while a copy of a command in it can still arrive. Reading the rows back gives the
/// same log. A peer's messages do not displace requests: those are carried over into the commit that would forget them.
/// </summary>
internal sealed class RequestLog(RequestLogBounds bounds)
{
    private const byte Format = 4;
    /// <summary>Bytes of the smallest entry of a row.</summary>
    private const int LeastEntrySize = 42;

    private enum Kind : byte { Done = 1, WireRejected = 2, Refused = 3 }

    private readonly record struct Row(ulong Version, SeenRequest[] Requests, long KeptUntilMs);

    private readonly Dictionary<UInt128, SeenRequest> _byId = [];
    private readonly Queue<Row> _rows = [];
    private int _requests;

    public int Count => _byId.Count;

    public SeenRequest? Find(UInt128 id) => _byId.GetValueOrDefault(id);

    /// <summary>The requests that have sent a message.</summary>
    public IEnumerable<SeenRequest> Messages => _byId.Values.Where(s => s.Sent is not null);

    /// <summary>Whether the log is full once the next commit has added its ids.</summary>
    public bool IsFull(int coming) => _byId.Count + coming >= bounds.MaxRecentIds;

    /// <summary>Time at which the last id expires, in Unix ms; null if the log is empty.</summary>
    public long? ForgetAllAtMs => _rows.Count == 0 ? null : _rows.Max(r => Newest(r.Requests)) + Lifetime;

    /// <summary>Forgets ids that have expired or exceed the bounds.</summary>
    /// <param name="coming">Ids of the next commit. Requests that must be kept are added to them.</param>
    /// <returns>The last commit version whose row may be deleted; 0 if none.</returns>
    public ulong Forget(long nowMs, List<SeenRequest> coming)
    {
        ulong through = 0;
        while (_rows.TryPeek(out var oldest) && (IsTooOld(oldest, nowMs) || IsTooMuch(oldest, nowMs, coming.Count)))
        {
            _rows.Dequeue();
            foreach (var seen in oldest.Requests)
            {
                // A later row has what became of its message since.
                if (_byId.GetValueOrDefault(seen.Id) != seen) continue;
                _byId.Remove(seen.Id);
                // What becomes of a held message has yet to be told.
                bool isKept = seen.AskedAgainMs + Kept > nowMs || seen.Sent is { Status: MessageStatus.Held };
                if (seen.IsRequest) isKept |= _requests-- <= bounds.MaxRequests && seen.TimeMs + Lifetime > nowMs;
                if (isKept && coming.TrueForAll(c => c.Id != seen.Id)) coming.Add(seen);
            }
            through = oldest.Version;
        }
        return through;
    }

    /// <summary>Adds the ids of a successful commit.</summary>
    public void Add(ulong version, SeenRequest[] requests, long nowMs)
    {
        if (requests.Length == 0) return;
        _rows.Enqueue(new Row(version, requests, nowMs + Kept));
        foreach (var seen in requests)
        {
            bool isKnown = _byId.ContainsKey(seen.Id);
            _byId[seen.Id] = seen;
            if (seen.IsRequest && !isKnown) _requests++;
        }
    }

    public static byte[] Seal(Sealer sealer, in RowKey key, IReadOnlyCollection<SeenRequest> requests)
    {
        using var row = new RowWriter();
        row.Byte(Format);
        row.UInt32((uint)requests.Count);
        foreach (var seen in requests)
        {
            row.UInt128(seen.Id);
            row.UInt128(seen.Content);
            row.Int64(seen.TimeMs);
            row.Bool(seen.IsRequest);
            WriteAnswer(row, seen.Answer);
            row.Bool(seen.Sent is not null);
            seen.Sent?.Write(row);
        }
        return sealer.Seal(SealedTable.Seen, key, row.Written);
    }

    /// <returns>False if the row does not open.</returns>
    public bool TryAddRow(Sealer sealer, ConversationKey key, SeenRow stored, long nowMs)
    {
        var place = new RowKey(key.EndpointId, key.ConversationId, stored.Version);
        if (sealer.TryOpen(SealedTable.Seen, place, stored.Sealed) is not { } clear) return false;
        var row = new RowReader(clear);
        if (row.Byte() != Format) return false;
        var requests = new SeenRequest[row.Count(LeastEntrySize)];
        for (int i = 0; i < requests.Length; i++)
        {
            var (id, content, time, isRequest) = (row.UInt128(), row.UInt128(), row.Int64(), row.Bool());
            var answer = ReadAnswer(ref row, key.ConversationId);
            var sent = row.Bool() ? SentMessage.Read(ref row).At(stored.WireBefore) : null;
            if (sent is not null && answer is ConversationReply.Done done) answer = done with { Sent = new SentReference(id, time) };
            requests[i] = new SeenRequest(id, content, time, answer, isRequest) { Sent = sent };
        }
        CryptographicOperations.ZeroMemory(clear);
        if (!row.IsComplete) return false;
        Add(stored.Version, requests, nowMs);
        return true;
    }

    private bool IsTooOld(in Row row, long nowMs) => Newest(row.Requests) + Lifetime <= nowMs;

    private bool IsTooMuch(in Row row, long nowMs, int coming) => _byId.Count + coming > bounds.MaxIds && row.KeptUntilMs <= nowMs;

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
