using Npgsql;

namespace Relay.Storage.Postgres;

public sealed partial class PostgresStore
{
    /// <summary>
    /// Conversations come first: once they are gone no commit can add rows to the other tables, because it finds its version changed.
    /// </summary>
    private static readonly string[] s_purges =
    [
        "DELETE FROM relay.conversation WHERE endpoint = $1 AND id IN (SELECT id FROM relay.conversation WHERE endpoint = $1 LIMIT $2)",
        "DELETE FROM relay.seen WHERE endpoint = $1 AND (conversation, version) IN "
            + "(SELECT conversation, version FROM relay.seen WHERE endpoint = $1 LIMIT $2)",
        "DELETE FROM relay.identities WHERE endpoint = $1 AND conversation IN "
            + "(SELECT conversation FROM relay.identities WHERE endpoint = $1 LIMIT $2)",
        "DELETE FROM relay.outbox WHERE (endpoint, kind, sequence) IN (SELECT endpoint, kind, sequence FROM relay.outbox "
            + "WHERE endpoint = $1 OR (endpoint > $1 || '/' AND endpoint < $1 || '0') LIMIT $2)",
        "DELETE FROM relay.file WHERE endpoint = $1 AND id IN (SELECT id FROM relay.file WHERE endpoint = $1 LIMIT $2)",
    ];

    /// <summary>
    /// Whether every transaction that can hold a version of a row was begun at or after transaction $1: the running ones of the whole
    /// server, by the snapshot that this statement takes, the snapshots of this database's sessions and of standbys, and their slots.
    /// </summary>
    private const string IsOldestSnapshotSince = """
        SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $1::text::xid8
            AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND age(backend_xmin) > age($1::text::xid8::xid)
                AND (datid IS NULL OR datid = (SELECT oid FROM pg_database WHERE datname = current_database())))
            AND NOT EXISTS (SELECT FROM pg_replication_slots WHERE age(xmin) > age($1::text::xid8::xid))
        """;

    public ValueTask<IReadOnlyList<EndpointRow>> ReadPurgeDueAsync(long untilMs, int max, CancellationToken cancellation)
        => ReadAsync<IReadOnlyList<EndpointRow>>(async (connection, c) => await connection.RowsAsync(
            SelectEndpoint + " WHERE purge IS NOT NULL AND purge <= $1 ORDER BY purge, id LIMIT $2", Endpoint, c, untilMs, (long)max)
            .ConfigureAwait(false), cancellation);

    public async ValueTask<bool> PurgeEndpointAsync(string id, ulong expectedRevision, CancellationToken cancellation)
    {
        RefuseIfClosed();
        if (!await _connections.RunAsync((connection, isAgain, c) => BeginPurgeAsync(connection, id, expectedRevision, isAgain, c),
            cancellation).ConfigureAwait(false)) return false;
        foreach (var sql in s_purges) await DeletePortionsAsync(sql, id, cancellation).ConfigureAwait(false);
        await DeleteFilePortionsAsync(id, null, cancellation).ConfigureAwait(false);
        await WriteAsync((connection, c) => connection.ExecuteAsync("DELETE FROM relay.subscription WHERE endpoint = $1", c, id),
            cancellation).ConfigureAwait(false);
        await WriteAsync((connection, c) => connection.ExecuteAsync(
            "DELETE FROM relay.stream WHERE endpoint = $1 OR (endpoint > $1 || '/' AND endpoint < $1 || '0')", c, id), cancellation)
            .ConfigureAwait(false);
        // Rewrites the table, which is small, without the versions of rows that were replaced: an ordinary VACUUM leaves their bytes,
        // and any VACUUM leaves the versions that an older transaction may still read.
        if (!await OlderTransactionsEndAsync(cancellation).ConfigureAwait(false))
        {
            throw new StoreException($"Endpoint \"{id}\" is deleted, but the database keeps its sealed keys for a transaction that began "
                + "before and has not ended (a dump, a session idle in a transaction, a standby or a replication slot). They are "
                + "destroyed once it has ended; see pg_stat_activity.backend_xmin.");
        }
        await WriteAsync((connection, c) => connection.ExecuteAsync("VACUUM (FULL) relay.endpoint", c), cancellation).ConfigureAwait(false);
        await WriteAsync((connection, c) => connection.ExecuteAsync(
            "DELETE FROM relay.endpoint WHERE id = $1 AND octet_length(sealed) = 0", c, id), cancellation).ConfigureAwait(false);
        return true;
    }

    /// <summary>Waits up to <see cref="StorageLimits.PurgePatience"/> until no transaction is left that began before.</summary>
    /// <returns>False if there is one still.</returns>
    private async Task<bool> OlderTransactionsEndAsync(CancellationToken cancellation)
    {
        string next = (await _connections.RunAsync((connection, _, c) => connection.ScalarAsync<string>(
            "SELECT pg_snapshot_xmax(pg_current_snapshot())::text", c), cancellation).ConfigureAwait(false))!;
        long start = _time.GetTimestamp();
        while (!await _connections.RunAsync((connection, _, c) => connection.ScalarAsync<bool>(IsOldestSnapshotSince, c, next), cancellation)
            .ConfigureAwait(false))
        {
            if (_time.GetElapsedTime(start) >= StorageLimits.PurgePatience) return false;
            await Task.Delay(StorageLimits.PurgePoll, _time, cancellation).ConfigureAwait(false);
        }
        return true;
    }

    private static async Task<bool> BeginPurgeAsync(NpgsqlConnection connection, string id, ulong expectedRevision, bool isAgain,
        CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
        await connection.ExecuteAsync("SELECT pg_advisory_xact_lock($1, 0)", cancellation, (int)AdvisoryLock.Endpoints)
            .ConfigureAwait(false);
        bool isBegun = await connection.ExecuteAsync(ReplaceEndpoint, cancellation, id, (long)expectedRevision, Array.Empty<byte>(), 0L)
            .ConfigureAwait(false) > 0
            // The reply to the first attempt may have been lost.
            || (isAgain && await FindAsync(connection, "id = $1", cancellation, id).ConfigureAwait(false) is { Sealed.Length: 0 } row
                && row.Revision == expectedRevision + 1);
        // No further conversations.
        if (isBegun) await connection.ExecuteAsync("DELETE FROM relay.endpoint_size WHERE endpoint = $1", cancellation, id)
            .ConfigureAwait(false);
        await transaction.CommitAsync(cancellation).ConfigureAwait(false);
        return isBegun;
    }
}
