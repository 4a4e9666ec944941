namespace Relay.Storage.Sqlite;

public sealed partial class SqliteStore
{
    public async ValueTask<bool> AppendAuditAsync(ulong sequence, byte[] value, CancellationToken cancellation)
        => await _writer.RunAsync((s, _) => s.Execute("INSERT INTO audit (sequence, sealed) SELECT $1, $2 "
            + "WHERE (SELECT coalesce(max(sequence), 0) FROM audit) = $3", (long)sequence, value, (long)(sequence - 1)) > 0)
            .ConfigureAwait(false);

    public ValueTask<IReadOnlyList<AuditRow>> ReadAuditAsync(ulong after, int max, CancellationToken cancellation)
        => _readers.ReadAsync<IReadOnlyList<AuditRow>>(s =>
        {
            using var rows = s.Query("SELECT sequence, sealed FROM audit WHERE sequence > $1 ORDER BY sequence LIMIT $2", (long)after,
                (long)max);
            var read = new List<AuditRow>();
            while (rows.Read()) read.Add(new AuditRow((ulong)rows.Int64(0), rows.Blob(1)));
            return read;
        }, cancellation);

    public ValueTask<(ulong First, ulong Last)> AuditBoundsAsync(CancellationToken cancellation) => _readers.ReadAsync(s =>
    {
        using var rows = s.Query("SELECT (SELECT coalesce(min(sequence), 0) FROM audit), (SELECT coalesce(max(sequence), 0) FROM audit)");
        return rows.Read() ? ((ulong)rows.Int64(0), (ulong)rows.Int64(1)) : default;
    }, cancellation);

    // In portions, so that other writes get their turn.
    public async ValueTask TrimAuditAsync(ulong through, CancellationToken cancellation)
    {
        while (await _writer.RunAsync((s, _) => s.Execute("DELETE FROM audit WHERE sequence IN (SELECT sequence FROM audit "
            + "WHERE sequence <= $1 AND sequence < (SELECT max(sequence) FROM audit) ORDER BY sequence LIMIT $2)", (long)through,
            (long)StorageLimits.PurgedRowsPerTransaction)).ConfigureAwait(false) > 0)
            cancellation.ThrowIfCancellationRequested();
    }
}
