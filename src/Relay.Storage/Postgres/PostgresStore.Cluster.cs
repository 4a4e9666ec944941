using System.Globalization;
using Npgsql;
using Relay.Storage.Telemetry;

namespace Relay.Storage.Postgres;

public sealed partial class PostgresStore : INodeRegistry
{
    public async Task<INodeRows> RegisterNodeAsync(NodeIdentity self, string version, CancellationToken cancellation)
        => await NodeRows.RegisterAsync(_connections, self, version, _log, cancellation).ConfigureAwait(false);

    /// <summary>Lists the registered nodes, without being one of them.</summary>
    /// <exception cref="StoreException"/>
    public ValueTask<IReadOnlyList<RegisteredNode>> ListNodesAsync(CancellationToken cancellation) => ReadAsync<IReadOnlyList<RegisteredNode>>(
        async (connection, c) => await NodeRows.ReadAllAsync(connection, c).ConfigureAwait(false), cancellation);

    public async ValueTask<ShardFence> ClaimShardAsync(int shard, Guid node, CancellationToken cancellation)
    {
        RefuseIfClosed();
        // A claim whose reply was lost can be repeated: the lost epoch is never used.
        return await _connections.RunAsync(async (connection, _, c) =>
        {
            try
            {
                await using var batch = new NpgsqlBatch(connection);
                batch.Add("SELECT set_config('lock_timeout', $1, true)",
                    StorageLimits.ClaimPatience.TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture));
                batch.Add("SELECT pg_advisory_xact_lock($1, $2)", (int)AdvisoryLock.Shard, shard);
                batch.Add("INSERT INTO relay.shard AS s (id, epoch, node, claimed) VALUES ($1, 1, $2, clock_timestamp()) "
                    + "ON CONFLICT (id) DO UPDATE SET epoch = s.epoch + 1, node = excluded.node, claimed = excluded.claimed "
                    + "RETURNING epoch", shard, node);
                var reader = await batch.ExecuteReaderAsync(c).ConfigureAwait(false);
                await using (reader.ConfigureAwait(false))
                {
                    await reader.NextResultAsync(c).ConfigureAwait(false);
                    await reader.NextResultAsync(c).ConfigureAwait(false);
                    await reader.ReadAsync(c).ConfigureAwait(false);
                    return new ShardFence(shard, reader.GetInt64(0));
                }
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
            {
                await EndOldOwnersAsync(connection, shard, c).ConfigureAwait(false);
                throw;
            }
        }, cancellation).ConfigureAwait(false);
    }

    public ValueTask<DocumentRow?> LoadDocumentAsync(string name, CancellationToken cancellation)
        => ReadAsync((connection, c) => DocumentAsync(connection, name, c), cancellation);

    public async ValueTask<bool> SaveDocumentAsync(string name, ulong expectedVersion, byte[] value, CancellationToken cancellation)
    {
        RefuseIfClosed();
        if (expectedVersion >= long.MaxValue) return false;
        return await _connections.RunAsync(async (connection, isAgain, c) =>
        {
            int written = expectedVersion == 0
                ? await connection.ExecuteAsync(
                    "INSERT INTO relay.document (name, version, sealed) VALUES ($1, 1, $2) ON CONFLICT (name) DO NOTHING",
                    c, name, value).ConfigureAwait(false)
                : await connection.ExecuteAsync(
                    "UPDATE relay.document SET version = version + 1, sealed = $3 WHERE name = $1 AND version = $2",
                    c, name, (long)expectedVersion, value).ConfigureAwait(false);
            // The reply to the first attempt may have been lost. Sealed values are unique, so an equal one is this attempt's own.
            return written == 1 || (isAgain && await DocumentAsync(connection, name, c).ConfigureAwait(false) is { } stored
                && stored.Version == expectedVersion + 1 && stored.Sealed.AsSpan().SequenceEqual(value));
        }, cancellation).ConfigureAwait(false);
    }

    private static async Task<DocumentRow?> DocumentAsync(NpgsqlConnection connection, string name, CancellationToken cancellation)
    {
        var rows = await connection.RowsAsync("SELECT version, sealed FROM relay.document WHERE name = $1",
            r => new DocumentRow((ulong)r.GetInt64(0), r.GetFieldValue<byte[]>(1)), cancellation, name).ConfigureAwait(false);
        return rows.Count == 0 ? null : rows[0];
    }

    /// <summary>
    /// Ends the sessions that hold a shard's lock for an older owner. The server's timeouts end a transaction that hangs between two round
    /// trips, but not one that hangs in the middle of a message.
    /// </summary>
    private async Task EndOldOwnersAsync(NpgsqlConnection connection, int shard, CancellationToken cancellation)
    {
        var rows = await connection.RowsAsync("""
            SELECT pg_terminate_backend(a.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
            WHERE l.locktype = 'advisory' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND l.classid = $1::bigint::oid AND l.objid = ($2::bigint & 4294967295)::oid AND l.objsubid = 2
                AND l.granted AND l.pid <> pg_backend_pid() AND a.xact_start < clock_timestamp() - $3
            """, r => r.GetBoolean(0), cancellation, (long)AdvisoryLock.Shard, (long)shard, StorageLimits.ClaimPatience / 2)
            .ConfigureAwait(false);
        int ended = rows.Count(isEnded => isEnded);
        if (ended > 0) StorageLog.OldOwnersEnded(_log, shard, ended);
    }
}
