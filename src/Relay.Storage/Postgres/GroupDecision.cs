using Relay.Storage.Sealing;

namespace Relay.Storage.Postgres;

/// <summary>
/// Decides the result of each job of a group from rows that the transaction has locked or checks again when it writes them. A refused
/// unit has no effect: only accepted units get sequences, one after the other, so that streams have no gaps.
/// </summary>
internal sealed class GroupDecision
{
    private readonly GroupRows _rows;
    // The versions within this transaction: as read, or one more after a unit was accepted.
    private readonly long[] _versions;
    private readonly long?[] _sizes;
    private long _bytes;

    public GroupDecision(IReadOnlyList<LaneJob> jobs, GroupRows rows)
    {
        _rows = rows;
        _versions = [.. rows.Versions];
        _sizes = [.. rows.Sizes];
        // Acknowledgements come first: they apply to rows of earlier transactions, and units can use the space that they free.
        foreach (var job in jobs.OfType<AcknowledgeJob>()) Decide(job);
        foreach (var job in jobs.OfType<CommitJob>()) Decide(job);
    }

    public GroupRows Rows => _rows;

    /// <summary>Jobs that are accepted or refused; they complete when the transaction is durable.</summary>
    public List<LaneJob> Decided { get; } = [];

    /// <summary>Jobs that wait for the next transaction.</summary>
    public List<LaneJob> Deferred { get; } = [];

    /// <summary>Jobs that cannot be decided, because a row is damaged or could not be sealed.</summary>
    public List<(LaneJob Job, StoreException Reason)> Failed { get; } = [];

    /// <summary>Accepted units, at most one for each conversation.</summary>
    public List<CommitUnit> Units { get; } = [];

    /// <summary>The last sequence of the wire stream before each unit's rows, parallel to <see cref="Units"/>; 0 if it has none.</summary>
    public List<long> WireBefore { get; } = [];

    public List<(StreamKey Stream, long Sequence, byte[] Sealed)> Outbox { get; } = [];

    /// <summary>The number of new conversations of each of <see cref="GroupRows.Endpoints"/> that gets any.</summary>
    public IEnumerable<(string Endpoint, long Added)> Gains
        => _rows.Endpoints.Select((e, i) => (e, (_sizes[i] ?? 0) - (_rows.Sizes[i] ?? 0))).Where(g => g.Item2 > 0);

    /// <summary>The oldest sealing epoch of the values to be written; 0 if one is of none.</summary>
    public uint OldestEpoch => Units.SelectMany(u => u.Files.Select(f => f.Sealed).Append(u.Sealed).Append(u.SealedSeen ?? u.Sealed))
        .Concat(Outbox.Select(r => r.Sealed)).Min(v => Sealer.EpochOf(v));

    public IEnumerable<(StreamKey Stream, StreamPosition Position)> Streams
        => _rows.Streams.Select((s, i) => (s, _rows.Positions[i]!)).Where(s => s.Item2 is { IsAppended: true } or { IsAcknowledged: true });

    public bool HasWrites => Units.Count > 0 || Streams.Any();

    private void Decide(AcknowledgeJob job)
    {
        var position = _rows.PositionOf(job.Stream);
        if (position is { IsSane: false })
        {
            Failed.Add((job, Damaged()));
            return;
        }
        if (position is not null)
        {
            long sequence = (long)Math.Min(job.Sequence, (ulong)position.Last);
            if (sequence > position.Acknowledged) position.Acknowledged = sequence;
        }
        Decided.Add(job);
    }

    private void Decide(CommitJob job)
    {
        var unit = job.Unit;
        int place = _rows.PlaceOfConversation(unit);
        // Deferred until the conversation's previous unit is durable, or until there is space.
        if (_bytes >= StorageLimits.MaxBytesPerTransaction || IsAfterOneOfThisGroup(unit, place) || WaitsForRoom(unit))
        {
            Deferred.Add(job);
            return;
        }
        try
        {
            job.Result = Refuse(unit, place);
            if (job.Result is null)
            {
                Accept(unit, place);
                job.Result = new CommitResult.Committed((ulong)WireBefore[^1]);
            }
            Decided.Add(job);
        }
        catch (StoreException e)
        {
            Failed.Add((job, e));
        }
    }

    private bool IsAfterOneOfThisGroup(CommitUnit unit, int place)
        => _versions[place] != _rows.Versions[place] && unit.ExpectedVersion == (ulong)_versions[place];

    // How many bytes an acknowledgement frees is known only after it is committed.
    private bool WaitsForRoom(CommitUnit unit)
        => unit.Outbox.Any(a => _rows.PositionOf(a.Stream) is { HasTooManyItems: false, HasTooManyBytes: true, IsAcknowledged: true });

    private CommitResult? Refuse(CommitUnit unit, int place)
    {
        // A lower stored epoch is refused as well: a database restored from a backup does not contain this claim.
        if (unit.Fence is { } fence && _rows.EpochOf(fence.Shard) != fence.Epoch) return CommitResult.Fenced.Instance;
        foreach (var append in unit.Outbox)
        {
            // The bound is checked before the unit's own rows are added: a unit is accepted or refused as a whole.
            if (_rows.PositionOf(append.Stream) is { IsSane: true } p && (p.HasTooManyItems || p.HasTooManyBytes))
                return new CommitResult.StreamFull(append.Stream);
        }
        if (unit.UnacknowledgedWire is { } open && _rows.PositionOf(GroupRows.WireStream(unit)) is { } wire
            && (ulong)wire.Acknowledged >= open) return CommitResult.AlreadyAcknowledged.Instance;
        if (unit.ExpectedVersion != (ulong)_versions[place]) return CommitResult.Conflict.Instance;
        if (unit.ExpectedVersion == 0)
        {
            if (_sizes[_rows.PlaceOfEndpoint(unit.EndpointId)] is not { } size) return CommitResult.NoEndpoint.Instance;
            if (size is < 0 or >= StorageLimits.MaxConversationsPerEndpoint) return CommitResult.TooManyConversations.Instance;
        }
        if (unit.Outbox.Any(a => _rows.PositionOf(a.Stream) is null or { IsSane: false })) throw Damaged();
        return null;
    }

    private void Accept(CommitUnit unit, int place)
    {
        var wire = GroupRows.WireStream(unit);
        long wireBefore = unit.Outbox.Any(a => a.Stream == wire) ? _rows.PositionOf(wire)!.Last : 0;
        foreach (var append in unit.Outbox) _rows.PositionOf(append.Stream)!.Pending = 0;
        var sealedRows = new List<(StreamKey, long, byte[])>(unit.Outbox.Count);
        foreach (var append in unit.Outbox)
        {
            var position = _rows.PositionOf(append.Stream)!;
            long sequence = position.Last + ++position.Pending;
            try
            {
                sealedRows.Add((append.Stream, sequence, append.Seal((ulong)sequence)));
            }
            catch (Exception e)
            {
                // The stream's last sequence was not advanced, so the next unit gets these sequences.
                throw new StoreException($"A row could not be sealed ({e.GetType().Name}).", e);
            }
        }
        foreach (var row in sealedRows)
        {
            var position = _rows.PositionOf(row.Item1)!;
            position.Last = row.Item2;
            position.Bytes += row.Item3.Length;
            position.AddedBytes += row.Item3.Length;
            _bytes += row.Item3.Length;
        }
        Outbox.AddRange(sealedRows);
        Units.Add(unit);
        WireBefore.Add(wireBefore);
        _bytes += unit.Sealed.Length + (unit.SealedSeen?.Length ?? 0) + (unit.SealedIdentities?.Length ?? 0)
            + unit.Files.Sum(f => f.Sealed.Length);
        _versions[place]++;
        if (unit.ExpectedVersion == 0) _sizes[_rows.PlaceOfEndpoint(unit.EndpointId)]++;
    }

    private static StoreException Damaged() => new("A stream's row is damaged or missing.");
}
