using System.Globalization;
using Npgsql;
using Relay.Storage.Sealing;

namespace Relay.Storage.Postgres;

public sealed partial class PostgresStore
{
    /// <summary>Fails with <see cref="PostgresSchema.EpochHasEnded"/> unless values of the epoch $1 may be stored by this transaction.</summary>
    internal const string AdmitEpoch = "SELECT relay.admit_epoch($1)";

    public async ValueTask RaiseEpochFloorAsync(uint epoch, CancellationToken cancellation)
    {
        RefuseIfClosed();
        await _connections.RunAsync(async (connection, _, c) =>
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.Add("SELECT set_config('lock_timeout', $1, true)",
                StorageLimits.EpochLockTimeout.TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture));
            batch.Add("SELECT pg_advisory_xact_lock($1, 0)", (int)AdvisoryLock.Epochs);
            batch.Add("INSERT INTO relay.counter AS c (name, value) VALUES ('sealing_epoch', $1) "
                + "ON CONFLICT (name) DO UPDATE SET value = greatest(c.value, excluded.value)", (long)epoch);
            return await batch.ExecuteNonQueryAsync(c).ConfigureAwait(false);
        }, cancellation).ConfigureAwait(false);
    }

    public ValueTask<StalePortion> ReadStaleAsync(SealedTable table, SealedPlace? after, ReadOnlyMemory<byte> current, int max,
        CancellationToken cancellation) => ReadAsync(async (connection, c) =>
    {
        var columns = SealedColumns.Of(table);
        var rows = await connection.RowsAsync(columns.SelectStale("relay."), r => (
            Place: new SealedPlace(r.GetString(0), r.GetString(1), Convert.ToInt64(r.GetValue(2), CultureInfo.InvariantCulture),
                Convert.ToInt64(r.GetValue(3), CultureInfo.InvariantCulture)),
            Sealed: r.IsDBNull(4) ? null : r.GetFieldValue<byte[]>(4)),
            c, [.. columns.KeyOf(after ?? SealedPlace.Start), current.ToArray(), (long)max]).ConfigureAwait(false);
        return new StalePortion([.. rows.Where(r => r.Sealed is not null).Select(r => (r.Place, r.Sealed!))],
            rows.Count < max ? null : rows[^1].Place);
    }, cancellation);

    public async ValueTask<int> ReplaceSealedAsync(SealedTable table, IReadOnlyList<ResealedRow> rows, CancellationToken cancellation)
    {
        RefuseIfClosed();
        var columns = SealedColumns.Of(table);
        var sql = columns.ReplaceValue("relay.");
        return await _connections.RunAsync(async (connection, _, c) =>
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.Add(AdmitEpoch, (long)rows.Min(r => Sealer.EpochOf(r.New)));
            foreach (var row in rows) batch.Add(sql, [.. columns.PlaceOf(row.Place), row.New, row.Old]);
            return await batch.ExecuteNonQueryAsync(c).ConfigureAwait(false);
        }, cancellation).ConfigureAwait(false);
    }
}
