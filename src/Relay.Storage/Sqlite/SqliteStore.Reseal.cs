using Relay.Storage.Sealing;

namespace Relay.Storage.Sqlite;

public sealed partial class SqliteStore
{
    // Only the writer's thread uses it: a job that runs later than the one that raised it finds it raised. One process writes, so it need
    // not be stored.
    private uint _epochFloor;

    public async ValueTask RaiseEpochFloorAsync(uint epoch, CancellationToken cancellation)
        => await _writer.RunAsync((_, _) => _epochFloor = Math.Max(_epochFloor, epoch)).ConfigureAwait(false);

    public ValueTask<StalePortion> ReadStaleAsync(SealedTable table, SealedPlace? after, ReadOnlyMemory<byte> current, int max,
        CancellationToken cancellation) => _readers.ReadAsync(s =>
    {
        var columns = SealedColumns.Of(table);
        var stale = new List<(SealedPlace, byte[])>();
        SealedPlace? last = null;
        int count = 0;
        using var rows = s.Query(columns.SelectStale(""),
            [.. columns.KeyOf(after ?? SealedPlace.Start).Select(SqliteValue.Of), current.ToArray(), (long)max]);
        while (rows.Read())
        {
            count++;
            last = new SealedPlace(rows.Text(0), rows.Text(1), rows.Int64(2), rows.Int64(3));
            if (!rows.IsNull(4)) stale.Add((last.Value, rows.Blob(4)));
        }
        return new StalePortion(stale, count < max ? null : last);
    }, cancellation);

    public async ValueTask<int> ReplaceSealedAsync(SealedTable table, IReadOnlyList<ResealedRow> rows, CancellationToken cancellation)
    {
        var columns = SealedColumns.Of(table);
        var sql = columns.ReplaceValue("");
        return await _writer.RunAsync((s, _) =>
        {
            int replaced = 0;
            foreach (var row in rows)
            {
                Admit(row.New);
                replaced += s.Execute(sql, [.. columns.PlaceOf(row.Place).Select(SqliteValue.Of), row.New, row.Old]);
                // The cached rows have the earlier values.
                if (table == SealedTable.Outbox) _tails.Forget(new StreamKey(row.Place.Owner, (StreamKind)row.Place.Part));
            }
            return replaced;
        }).ConfigureAwait(false);
    }

    private void Admit(CommitUnit unit)
    {
        Admit(unit.Sealed);
        if (unit.SealedSeen is { } seen) Admit(seen);
        foreach (var file in unit.Files) Admit(file.Sealed);
    }

    /// <exception cref="StoreException">The value is of an epoch whose keys are about to be destroyed.</exception>
    private void Admit(ReadOnlySpan<byte> value)
    {
        if (Sealer.EpochOf(value) >= _epochFloor) return;
        throw new StoreException("A value was sealed in an epoch that has ended since. Repeat the request.");
    }
}
