namespace Relay.Storage.Postgres;

public sealed partial class PostgresStore
{
    public async ValueTask<bool> AppendAuditAsync(ulong sequence, byte[] value, CancellationToken cancellation)
    {
        RefuseIfClosed();
        return await _connections.RunAsync(async (connection, isAgain, c) =>
        {
            int stored = await connection.ExecuteAsync("INSERT INTO relay.audit (sequence, sealed) SELECT $1::bigint, $2::bytea "
                + "WHERE (SELECT coalesce(max(sequence), 0) FROM relay.audit) = $1::bigint - 1 ON CONFLICT DO NOTHING", c, (long)sequence,
                value).ConfigureAwait(false);
            if (stored > 0 || !isAgain) return stored > 0;
            // The reply to the first attempt may have been lost. Sealed values are unique, so an equal one is this attempt's own.
            return await connection.ScalarAsync<byte[]>("SELECT sealed FROM relay.audit WHERE sequence = $1", c, (long)sequence)
                .ConfigureAwait(false) is { } now && now.AsSpan().SequenceEqual(value);
        }, cancellation).ConfigureAwait(false);
    }

    public ValueTask<IReadOnlyList<AuditRow>> ReadAuditAsync(ulong after, int max, CancellationToken cancellation)
        => ReadAsync<IReadOnlyList<AuditRow>>(async (connection, c) => await connection.RowsAsync(
            "SELECT sequence, sealed FROM relay.audit WHERE sequence > $1 ORDER BY sequence LIMIT $2",
            r => new AuditRow((ulong)r.GetInt64(0), r.GetFieldValue<byte[]>(1)), c, (long)after, (long)max).ConfigureAwait(false),
            cancellation);

    public ValueTask<(ulong First, ulong Last)> AuditBoundsAsync(CancellationToken cancellation) => ReadAsync(async (connection, c) =>
    {
        var rows = await connection.RowsAsync("SELECT coalesce(min(sequence), 0), coalesce(max(sequence), 0) FROM relay.audit",
            r => (First: (ulong)r.GetInt64(0), Last: (ulong)r.GetInt64(1)), c).ConfigureAwait(false);
        return rows[0];
    }, cancellation);

    // In portions, so that other writes get their turn.
    public async ValueTask TrimAuditAsync(ulong through, CancellationToken cancellation)
    {
        RefuseIfClosed();
        while (await _connections.RunAsync((connection, _, c) => connection.ExecuteAsync("DELETE FROM relay.audit WHERE sequence IN "
            + "(SELECT sequence FROM relay.audit WHERE sequence <= $1 AND sequence < (SELECT max(sequence) FROM relay.audit) "
            + "ORDER BY sequence LIMIT $2)", c, (long)through, (long)StorageLimits.PurgedRowsPerTransaction), cancellation)
            .ConfigureAwait(false) > 0)
            cancellation.ThrowIfCancellationRequested();
    }
}
