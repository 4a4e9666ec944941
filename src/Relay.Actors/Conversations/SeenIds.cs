using System.Security.Cryptography;
using Otr.Core;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <param name="Content">Keyed hash of what was asked, by which another request under the same id is told.</param>
/// <param name="Answer">The first one, given again.</param>
/// <param name="IsRequest">A bot's or an operator's request, not a message that a peer made the bridge bring.</param>
internal sealed record SeenId(UInt128 Id, UInt128 Content, long TimeMs, Reply Answer, bool IsRequest);

/// <summary>
/// The ids a conversation has taken in, with their first answers: one row a commit, forgotten oldest first by number and
/// age. Reading the rows back gives the same set. Requests are not pushed out by what a peer sends, however much it is:
/// they are carried over into the commit that would forget them.
/// </summary>
internal sealed class SeenIds
{
    private const byte Format = 2;

    private enum Kind : byte { Done = 1, WireRejected = 2, Refused = 3 }

    private readonly Dictionary<UInt128, SeenId> _byId = [];
    private readonly Queue<(ulong Version, SeenId[] Ids)> _commits = [];

    private int _requests;

    public int Count => _byId.Count;

    public SeenId? Find(UInt128 id) => _byId.GetValueOrDefault(id);

    /// <summary>When the last one may be forgotten, in Unix ms; null if none is remembered.</summary>
    public long? ForgetAllAtMs => _commits.Count == 0 ? null : _commits.Max(c => Newest(c.Ids)) + Lifetime;

    /// <summary>
    /// Forgets what is too old or too much, with room for what is coming; the last commit version whose row may go, 0 if none.
    /// </summary>
    /// <param name="coming">What the next commit takes in; requests that are to be kept are added to it.</param>
    public ulong Forget(long nowMs, List<SeenId> coming)
    {
        ulong through = 0;
        while (_commits.TryPeek(out var oldest) && (_byId.Count + coming.Count > RelayLimits.MaxSeenIds || Newest(oldest.Ids) + Lifetime <= nowMs))
        {
            _commits.Dequeue();
            foreach (var seen in oldest.Ids)
            {
                _byId.Remove(seen.Id);
                if (!seen.IsRequest) continue;
                if (_requests-- <= RelayLimits.MaxSeenRequestIds && seen.TimeMs + Lifetime > nowMs) coming.Add(seen);
            }
            through = oldest.Version;
        }
        return through;
    }

    /// <summary>They are durable with a commit.</summary>
    public void Add(ulong version, SeenId[] ids)
    {
        if (ids.Length == 0) return;
        _commits.Enqueue((version, ids));
        foreach (var seen in ids)
        {
            _byId[seen.Id] = seen;
            if (seen.IsRequest) _requests++;
        }
    }

    public static byte[] Seal(Sealer sealer, in RowKey key, IReadOnlyCollection<SeenId> ids)
    {
        using var row = new RowWriter();
        row.Byte(Format);
        row.UInt32((uint)ids.Count);
        foreach (var seen in ids)
        {
            row.UInt128(seen.Id);
            row.UInt128(seen.Content);
            row.Int64(seen.TimeMs);
            row.Bool(seen.IsRequest);
            Write(row, seen.Answer);
        }
        return sealer.Seal(SealedTable.Seen, key, row.Written);
    }

    /// <returns>False if the row does not open.</returns>
    public bool TryAddRow(Sealer sealer, string endpointId, string conversationId, SeenRow stored)
    {
        if (sealer.TryOpen(SealedTable.Seen, new RowKey(endpointId, conversationId, stored.Version), stored.Sealed) is not { } clear) return false;
        var row = new RowReader(clear);
        byte format = row.Byte();
        if (format is 0 or > Format) return false;
        var ids = new SeenId[row.Count(41)];
        for (int i = 0; i < ids.Length; i++)
        {
            var (id, content, time) = (row.UInt128(), row.UInt128(), row.Int64());
            bool isRequest = format > 1 && row.Bool();
            ids[i] = new SeenId(id, content, time, Read(ref row, conversationId), isRequest);
        }
        CryptographicOperations.ZeroMemory(clear);
        if (!row.IsComplete) return false;
        Add(stored.Version, ids);
        return true;
    }

    private static long Lifetime => (long)RelayLimits.SeenIdLifetime.TotalMilliseconds;

    private static long Newest(SeenId[] ids) => ids.Max(i => i.TimeMs);

    private static void Write(RowWriter row, Reply answer)
    {
        switch (answer)
        {
            case Reply.Done done:
                row.Byte((byte)Kind.Done);
                row.Name(done.State);
                row.Bool(done.Disposition is not null);
                if (done.Disposition is { } disposition) row.Name(disposition);
                break;
            case Reply.WireRejected rejected:
                row.Byte((byte)Kind.WireRejected);
                row.Name(rejected.Reason);
                break;
            case Reply.Refused refused:
                row.Byte((byte)Kind.Refused);
                row.Name(refused.Reason);
                break;
            default:
                throw new InvalidOperationException($"{answer.GetType().Name} is not an answer to be remembered.");
        }
    }

    private static Reply Read(ref RowReader row, string conversationId)
    {
        switch ((Kind)row.Byte())
        {
            case Kind.Done:
                return new Reply.Done(conversationId, row.Name<MessageState>(), row.Bool() ? row.Name<SendDisposition>() : null);
            case Kind.WireRejected:
                return new Reply.WireRejected(conversationId, row.Name<RejectReason>());
            case Kind.Refused:
                return new Reply.Refused(conversationId, row.Name<RefusalReason>());
            default:
                row.Fail();
                return new Reply.RequestIdReused();
        }
    }
}
