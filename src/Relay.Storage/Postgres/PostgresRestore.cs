using Npgsql;
using NpgsqlTypes;
using Relay.Storage.Backups;
using Relay.Storage.Sealing;

namespace Relay.Storage.Postgres;

/// <summary>
/// Fills a cluster's database in one transaction, which locks all its tables: a node that starts meanwhile waits, and begins with what was
/// restored.
/// </summary>
public sealed class PostgresRestore : IStoreRestore
{
    /// <summary>
    /// Tables that a restore empties; every table is here, in <see cref="Kept"/>, or is `document`, of which a part stays.
    /// </summary>
    internal static readonly string[] Cleared =
        ["conversation", "seen", "outbox", "identities", "stream", "subscription", "file", "file_portion", "endpoint", "endpoint_size"];

    /// <summary>
    /// Tables that a restore leaves as they are: the audit log is evidence; epochs, change numbers and the numbers of lanes must go on
    /// increasing.
    /// </summary>
    internal static readonly string[] Kept = ["audit", "cluster_node", "counter", "lane", "meta", "schema_version", "shard"];

    private const string What = "The restore";

    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;

    private PostgresRestore(NpgsqlConnection connection, NpgsqlTransaction transaction, StoreContent found)
        => (_connection, _transaction, Found) = (connection, transaction, found);

    public StoreContent Found { get; }

    /// <summary>Migrates the schema, or creates it, and begins the transaction.</summary>
    /// <exception cref="RelayStartException">A node uses the database, or it cannot be used; the message says what to do.</exception>
    public static async Task<PostgresRestore> OpenAsync(string connectionString, CancellationToken cancellation)
    {
        var connection = await BackupConnection.OpenAsync(connectionString, "relay restore", cancellation).ConfigureAwait(false);
        try
        {
            await RefuseNodesAsync(connection, cancellation).ConfigureAwait(false);
            await PostgresMigration.RunAsync(connection, cancellation).ConfigureAwait(false);
            var transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
            var tables = await connection.RowsAsync("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = $1 ORDER BY tablename",
                r => PostgresSchema.Name + "." + r.GetString(0), cancellation, PostgresSchema.Name).ConfigureAwait(false);
            await connection.ExecuteAsync($"LOCK TABLE {string.Join(", ", tables)} IN ACCESS EXCLUSIVE MODE", cancellation)
                .ConfigureAwait(false);
            // Again: a node may have connected meanwhile and have read what is about to be replaced.
            await RefuseNodesAsync(connection, cancellation).ConfigureAwait(false);
            return new PostgresRestore(connection, transaction, await ReadContentAsync(connection, cancellation).ConfigureAwait(false));
        }
        catch (Exception e)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            if (e is not RelayStartException && BackupConnection.Explain(e, What) is { } explained) throw explained;
            throw;
        }
    }

    /// <summary>What a database holds, read without writing to it.</summary>
    /// <exception cref="RelayStartException">A node uses the database, or it cannot be read, or its schema has another version.</exception>
    public static async Task<StoreContent> LookAsync(string connectionString, CancellationToken cancellation)
    {
        var connection = await BackupConnection.OpenAsync(connectionString, "relay restore", cancellation).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            try
            {
                await RefuseNodesAsync(connection, cancellation).ConfigureAwait(false);
                if (await BackupConnection.ReadVersionAsync(connection, cancellation).ConfigureAwait(false) is not { } version)
                    return new StoreContent(null, 0, false);
                return version <= PostgresSchema.Version ? await ReadContentAsync(connection, cancellation).ConfigureAwait(false)
                    : throw new RelayStartException($"The database {PostgresMigration.Place(connection)} was written by a newer Relay. "
                        + "Restore with that one. Nothing was changed.");
            }
            catch (Exception e) when (e is not RelayStartException && BackupConnection.Explain(e, What) is { } explained)
            {
                throw explained;
            }
        }
    }

    private static async Task RefuseNodesAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (await BackupConnection.CountNodeSessionsAsync(connection, cancellation).ConfigureAwait(false) == 0) return;
        throw new RelayStartException($"A Relay uses the database {PostgresMigration.Place(connection)}. Stop all nodes, and restore then: "
            + "a node that runs would go on with sessions and keys that are no longer there. Nothing was changed.");
    }

    private static async Task<StoreContent> ReadContentAsync(NpgsqlConnection connection, CancellationToken cancellation) => new(
        await connection.ScalarAsync<byte[]>("SELECT sealed FROM relay.document WHERE name = $1", cancellation, StoreIdentity.Row)
            .ConfigureAwait(false),
        await connection.ScalarAsync<long>("SELECT count(*) FROM relay.endpoint", cancellation).ConfigureAwait(false),
        await connection.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM relay.conversation) OR EXISTS (SELECT FROM relay.identities)",
            cancellation).ConfigureAwait(false));

    public async ValueTask<DocumentRow?> ReadDocumentAsync(string name, CancellationToken cancellation)
        => (await RunAsync(c => c.RowsAsync("SELECT version, sealed FROM relay.document WHERE name = $1",
            r => new DocumentRow((ulong)r.GetInt64(0), r.GetFieldValue<byte[]>(1)), cancellation, name)).ConfigureAwait(false))
            .FirstOrDefault();

    public async ValueTask ClearAsync(CancellationToken cancellation)
        => await RunAsync(async c =>
        {
            await c.ExecuteAsync($"TRUNCATE {string.Join(", ", Cleared.Select(t => $"{PostgresSchema.Name}.{t}"))}", cancellation)
                .ConfigureAwait(false);
            return await c.ExecuteAsync("DELETE FROM relay.document WHERE name <> $1", cancellation, ShardCount.Document)
                .ConfigureAwait(false);
        }).ConfigureAwait(false);

    public ValueTask WriteIdentityAsync(byte[] value, CancellationToken cancellation)
        => WriteDocumentAsync(StoreIdentity.Row, new DocumentRow(1, value), cancellation);

    public async ValueTask WriteDocumentAsync(string name, DocumentRow document, CancellationToken cancellation)
        => await RunAsync(c => c.ExecuteAsync("INSERT INTO relay.document (name, version, sealed) VALUES ($1, $2, $3)", cancellation, name,
            (long)document.Version, document.Sealed)).ConfigureAwait(false);

    public async ValueTask AddEndpointsAsync(IEnumerable<EndpointRow> rows, CancellationToken cancellation)
        => await RunAsync(async c =>
        {
            await CopyAsync(c, "relay.endpoint (id, address, request, request_content, sealed, revision, purge)", rows, (into, row) =>
            {
                into.Write(row.Id, NpgsqlDbType.Text);
                into.Write(PostgresStore.Blob(row.Address), NpgsqlDbType.Bytea);
                into.Write(PostgresStore.Blob(row.Request), NpgsqlDbType.Bytea);
                into.Write(PostgresStore.Blob(row.RequestContent), NpgsqlDbType.Bytea);
                into.Write(row.Sealed, NpgsqlDbType.Bytea);
                into.Write((long)row.Revision, NpgsqlDbType.Bigint);
                if (row.PurgeMs is { } purge) into.Write(purge, NpgsqlDbType.Bigint);
                else into.WriteNull();
            }, cancellation).ConfigureAwait(false);
            return await c.ExecuteAsync("INSERT INTO relay.endpoint_size (endpoint, conversations) SELECT id, 0 FROM relay.endpoint",
                cancellation).ConfigureAwait(false);
        }).ConfigureAwait(false);

    public async ValueTask AddStreamsAsync(IEnumerable<BackedUpStream> rows, CancellationToken cancellation)
        => await RunAsync(c => CopyAsync(c, "relay.stream (endpoint, kind, acknowledged, last, bytes)", rows, (into, row) =>
        {
            into.Write(row.Stream.EndpointId, NpgsqlDbType.Text);
            into.Write((short)row.Stream.Kind, NpgsqlDbType.Smallint);
            into.Write((long)row.Last, NpgsqlDbType.Bigint);
            into.Write((long)row.Last, NpgsqlDbType.Bigint);
            into.Write(0L, NpgsqlDbType.Bigint);
        }, cancellation)).ConfigureAwait(false);

    public async ValueTask AddIdentitiesAsync(IEnumerable<IdentitiesRow> rows, CancellationToken cancellation)
        => await RunAsync(c => CopyAsync(c, "relay.identities (endpoint, conversation, sealed)", rows, (into, row) =>
        {
            into.Write(row.EndpointId, NpgsqlDbType.Text);
            into.Write(row.ConversationId, NpgsqlDbType.Text);
            into.Write(row.Sealed, NpgsqlDbType.Bytea);
        }, cancellation)).ConfigureAwait(false);

    public async ValueTask CommitAsync(CancellationToken cancellation)
        => await RunAsync(async _ =>
        {
            await _transaction.CommitAsync(cancellation).ConfigureAwait(false);
            return true;
        }).ConfigureAwait(false);

    private static async Task<ulong> CopyAsync<T>(
        NpgsqlConnection connection, string into, IEnumerable<T> rows, Action<NpgsqlBinaryImporter, T> write, CancellationToken cancellation)
    {
        // An importer that is disposed of before it is completed cancels the statement, and so the transaction.
        var importer = await connection.BeginBinaryImportAsync($"COPY {into} FROM STDIN (FORMAT BINARY)", cancellation).ConfigureAwait(false);
        await using (importer.ConfigureAwait(false))
        {
            foreach (var row in rows)
            {
                cancellation.ThrowIfCancellationRequested();
                importer.StartRow();
                write(importer, row);
            }
            return await importer.CompleteAsync(cancellation).ConfigureAwait(false);
        }
    }

    private async Task<T> RunAsync<T>(Func<NpgsqlConnection, Task<T>> run)
    {
        try
        {
            return await run(_connection).ConfigureAwait(false);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException && BackupConnection.Explain(e, What) is { } explained)
        {
            throw explained;
        }
    }

    /// <summary>Rolls back what was not committed.</summary>
    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync().ConfigureAwait(false);
        await _connection.DisposeAsync().ConfigureAwait(false);
    }
}
