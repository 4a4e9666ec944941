namespace Relay.Storage.Postgres;

/// <summary>
/// What comes of each job of a group, decided from rows that the transaction has locked or will check again as it writes
/// them. A refused unit leaves no trace: sequences are given only to units that go through, one after the other, so
/// they have no gaps.
/// </summary>
internal sealed class GroupDecision
{
    private readonly GroupRows _rows;
    // The version within this transaction: as found, or one more once a unit went through.
    private readonly long[] _versions;
    private readonly long?[] _sizes;
    private long _bytes;

    public GroupDecision(IReadOnlyList<LaneJob> jobs, GroupRows rows)
    {
        _rows = rows;
        _versions = [.. rows.Versions];
        _sizes = [.. rows.Sizes];
        // Acknowledgements first: of what was there before, and the units find the room they make.
        foreach (var job in jobs.OfType<AcknowledgeJob>()) Decide(job);
        foreach (var job in jobs.OfType<CommitJob>()) Decide(job);
    }

    public GroupRows Rows => _rows;

    /// <summary>Refused or going through: they complete with the transaction.</summary>
    public List<LaneJob> Decided { get; } = [];

    /// <summary>For the next transaction.</summary>
    public List<LaneJob> Deferred { get; } = [];

    public List<(LaneJob Job, StoreException Reason)> Failed { get; } = [];

    /// <summary>Units going through, one a conversation.</summary>
    public List<CommitUnit> Units { get; } = [];

    public List<(StreamKey Stream, long Sequence, byte[] Sealed)> Outbox { get; } = [];

    /// <summary>Conversations that each of <see cref="GroupRows.Endpoints"/> gains.</summary>
    public IEnumerable<(string Endpoint, long Added)> Gains
        => _rows.Endpoints.Select((e, i) => (e, (_sizes[i] ?? 0) - (_rows.Sizes[i] ?? 0))).Where(g => g.Item2 > 0);

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
        // Its turn comes once the one before it is durable, or there is room.
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
                job.Result = CommitResult.Committed.Instance;
            }
            Decided.Add(job);
        }
        catch (StoreException e)
        {
            Failed.Add((job, e));
        }
    }

    private bool IsAfterOneOfThisGroup(CommitUnit unit, int place) => _versions[place] != _rows.Versions[place] && unit.ExpectedVersion == (ulong)_versions[place];

    // How much an acknowledgement frees is only known once it is done.
    private bool WaitsForRoom(CommitUnit unit) => unit.Outbox.Any(a => _rows.PositionOf(a.Stream) is { HasTooManyItems: false, HasTooManyBytes: true, IsAcknowledged: true });

    private CommitResult? Refuse(CommitUnit unit, int place)
    {
        // Also an older epoch than ours: a database that was put back knows nothing of this claim.
        if (unit.Fence is { } fence && _rows.EpochOf(fence.Shard) != fence.Epoch) return CommitResult.Fenced.Instance;
        foreach (var append in unit.Outbox)
        {
            // Only what stood there before counts: a unit is not refused half-way for its own rows.
            if (_rows.PositionOf(append.Stream) is { IsSane: true } p && (p.HasTooManyItems || p.HasTooManyBytes)) return new CommitResult.StreamFull(append.Stream);
        }
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
                // Its sequences were only tried: the next unit gets them.
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
        _bytes += unit.Sealed.Length + (unit.SealedSeen?.Length ?? 0);
        _versions[place]++;
        if (unit.ExpectedVersion == 0) _sizes[_rows.PlaceOfEndpoint(unit.EndpointId)]++;
    }

    private static StoreException Damaged() => new("A stream's row is damaged or missing.");
}
