using Relay.Storage.Sqlite;

namespace Relay.Storage.Tests.Sqlite;

/// <summary>What is remembered of the ends of streams: only what was committed, and never with a gap.</summary>
public sealed class StreamTailsTests
{
    private static readonly StreamKey Wire = new("e", StreamKind.Wire), Events = new("e", StreamKind.Events);
    private readonly StreamTails _tails = new();

    private void Commit(StreamKey stream, ulong acknowledged, ulong last, params byte[][] rows)
    {
        var position = new StreamPositions.Position { Acknowledged = acknowledged, Last = last };
        position.Rows.AddRange(rows);
        _tails.Committed(stream, position);
    }

    private ulong[]? Read(ulong after, int max = 100, long maxBytes = 1 << 20) => _tails.Read(Wire, after, max, maxBytes)?.Select(r => r.Sequence).ToArray();

    [Fact]
    public void Rows_are_read_from_the_end_of_the_stream_and_nothing_before_it_is_made_up()
    {
        Assert.Null(Read(0));
        // The first two were committed by an earlier process.
        Commit(Wire, 0, 4, [3], [4]);
        Assert.Null(Read(0));
        Assert.Null(Read(1));
        Assert.Equal([3UL, 4UL], Read(2)!);
        Assert.Equal([4UL], Read(3)!);
        Assert.Empty(Read(4)!);
        Assert.Null(Read(5));
        Assert.Null(Read(ulong.MaxValue));
        Commit(Wire, 0, 5, [5]);
        Assert.Equal([3UL, 4UL, 5UL], Read(2)!);
        Assert.Equal([3UL, 4UL], Read(2, max: 2)!);
        Assert.Equal((byte)5, Assert.Single(_tails.Read(Wire, 4, 9, 9)!).Sealed[0]);
        Assert.Null(_tails.Read(Events, 0, 9, 9));
    }

    [Fact]
    public void Bytes_bound_a_read_but_one_row_always_comes()
    {
        Commit(Wire, 0, 3, new byte[10], new byte[10], new byte[10]);
        Assert.Equal([1UL, 2UL], Read(0, maxBytes: 20)!);
        Assert.Equal([1UL], Read(0, maxBytes: 1)!);
    }

    [Fact]
    public void Acknowledged_rows_are_dropped_and_the_position_stays()
    {
        Commit(Wire, 0, 3, [1], [2], [3]);
        Commit(Wire, 2, 3);
        Assert.Null(Read(1));
        Assert.Equal([3UL], Read(2)!);
        Commit(Wire, 3, 3);
        Assert.Empty(Read(3)!);
        Assert.Equal((3UL, 3UL), _tails.Find(Wire) is { } p ? (p.Acknowledged, p.Last) : default);
    }

    [Fact]
    public void After_a_commit_of_unknown_outcome_the_database_is_asked()
    {
        Commit(Wire, 0, 1, [1]);
        Commit(Events, 0, 1, [1]);
        _tails.Forget(Wire);
        Assert.Null(Read(0));
        Assert.Null(_tails.Find(Wire));
        Assert.NotNull(_tails.Find(Events));
        // Row 2 may be there or not: what is remembered from now on begins behind it.
        Commit(Wire, 0, 3, [3]);
        Assert.Null(Read(1));
        Assert.Equal([3UL], Read(2)!);
    }

    [Fact]
    public void Too_much_is_forgotten_as_a_whole()
    {
        var row = new byte[1 << 20];
        ulong last = 0;
        for (; (long)last * row.Length <= StorageLimits.MaxTailBytes; last++) Commit(Wire, 0, last + 1, row);
        Assert.NotNull(Read(0, max: 1));
        Commit(Events, 0, 1, [1]);
        Assert.Null(_tails.Find(Wire));
        for (int i = 0; i < StorageLimits.MaxTails; i++) Commit(new StreamKey($"e{i}", StreamKind.Wire), 0, 1, [1]);
        Assert.Null(_tails.Find(Events));
    }
}
