using System.Globalization;
using Npgsql;
using Relay.Storage.Backups;
using Relay.Storage.Sealing;

namespace Relay.Storage.Postgres;

/// <summary>A read-only transaction (repeatable read) on a cluster's database, whose nodes go on.</summary>
public sealed class PostgresSnapshot : IStoreSnapshot
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;

    private PostgresSnapshot(NpgsqlConnection connection, NpgsqlTransaction transaction)
        => (_connection, _transaction) = (connection, transaction);

    /// <exception cref="RelayStartException">
    /// The database cannot be reached, or its schema is not Relay's or of another version.
    /// </exception>
    public static async Task<PostgresSnapshot> OpenAsync(string connectionString, CancellationToken cancellation)
    {
        var connection = await BackupConnection.OpenAsync(connectionString, "relay backup", cancellation).ConfigureAwait(false);
        try
        {
            var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellation)
                .ConfigureAwait(false);
            await connection.ExecuteAsync("SET TRANSACTION READ ONLY", cancellation).ConfigureAwait(false);
            int? version = await BackupConnection.ReadVersionAsync(connection, cancellation).ConfigureAwait(false);
            if (version == PostgresSchema.Version) return new PostgresSnapshot(connection, transaction);
            throw new RelayStartException(version is null
                ? $"The database {PostgresMigration.Place(connection)} has no Relay schema: there is nothing to back up."
                : string.Create(CultureInfo.InvariantCulture, $"The database {PostgresMigration.Place(connection)} has schema version "
                    + $"{version}, and this Relay reads version {PostgresSchema.Version}. Back it up with the Relay that uses it, or let "
                    + $"this one use it first."));
        }
        catch (Exception e)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            if (e is not RelayStartException && BackupConnection.Explain(e, "Reading the database") is { } explained) throw explained;
            throw;
        }
    }

    public async ValueTask<byte[]?> ReadIdentityAsync(CancellationToken cancellation)
        => (await ReadDocumentAsync(StoreIdentity.Row, cancellation).ConfigureAwait(false))?.Sealed;

    public ValueTask<DocumentRow?> ReadDocumentAsync(string name, CancellationToken cancellation)
        => ReadAsync(async c => (await c.RowsAsync("SELECT version, sealed FROM relay.document WHERE name = $1",
            r => new DocumentRow((ulong)r.GetInt64(0), r.GetFieldValue<byte[]>(1)), cancellation, name).ConfigureAwait(false))
            .FirstOrDefault());

    public ValueTask<IReadOnlyList<EndpointRow>> ReadEndpointsAsync(string? afterId, int max, CancellationToken cancellation)
        => ReadAsync<IReadOnlyList<EndpointRow>>(async c => await PostgresStore.ListEndpointsAsync(c, afterId, max, cancellation)
            .ConfigureAwait(false));

    public ValueTask<IReadOnlyList<BackedUpStream>> ReadStreamsAsync(StreamKey? after, int max, CancellationToken cancellation)
        => ReadAsync<IReadOnlyList<BackedUpStream>>(async c => await c.RowsAsync(
            "SELECT endpoint, kind, last FROM relay.stream WHERE (endpoint, kind) > ($1, $2) ORDER BY endpoint, kind LIMIT $3",
            r => new BackedUpStream(new StreamKey(r.GetString(0), (StreamKind)r.GetInt16(1)), (ulong)r.GetInt64(2)), cancellation,
            after?.EndpointId ?? "", after is { } known ? (short)known.Kind : (short)0, (long)max).ConfigureAwait(false));

    public ValueTask<IReadOnlyList<IdentitiesRow>> ReadIdentitiesAsync(IdentitiesRow? after, int max, CancellationToken cancellation)
        => ReadAsync<IReadOnlyList<IdentitiesRow>>(async c => await c.RowsAsync(
            "SELECT endpoint, conversation, sealed FROM relay.identities WHERE (endpoint, conversation) > ($1, $2) "
            + "ORDER BY endpoint, conversation LIMIT $3",
            r => new IdentitiesRow(r.GetString(0), r.GetString(1), r.GetFieldValue<byte[]>(2)), cancellation,
            after?.EndpointId ?? "", after?.ConversationId ?? "", (long)max).ConfigureAwait(false));

    private async ValueTask<T> ReadAsync<T>(Func<NpgsqlConnection, Task<T>> read)
    {
        try
        {
            return await read(_connection).ConfigureAwait(false);
        }
        catch (Exception e) when (BackupConnection.Explain(e, "Reading the database") is { } explained)
        {
            throw new StoreException(explained.Message, e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync().ConfigureAwait(false);
        await _connection.DisposeAsync().ConfigureAwait(false);
    }
}
