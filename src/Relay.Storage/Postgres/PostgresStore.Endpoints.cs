using Npgsql;

namespace Relay.Storage.Postgres;

public sealed partial class PostgresStore
{
    private const string SelectEndpoint = "SELECT id, address, request, request_content, sealed, revision, purge FROM relay.endpoint";

    private const string ReplaceEndpoint = "WITH c AS (UPDATE relay.counter SET value = value + 1 WHERE name = 'endpoint_change' "
        + "RETURNING value) UPDATE relay.endpoint SET sealed = $3, purge = $4, revision = revision + 1, change = (SELECT value FROM c) "
        + "WHERE id = $1 AND revision = $2";

    public async ValueTask<InsertEndpointResult> InsertEndpointAsync(EndpointRow endpoint, CancellationToken cancellation)
    {
        RefuseIfClosed();
        return await _connections.RunAsync(async (connection, isAgain, c) =>
        {
            await using var transaction = await connection.BeginTransactionAsync(c).ConfigureAwait(false);
            await connection.ExecuteAsync("SELECT pg_advisory_xact_lock($1, 0)", c, (int)AdvisoryLock.Endpoints).ConfigureAwait(false);
            if (await FindAsync(connection, "request = $1", c, Blob(endpoint.Request)).ConfigureAwait(false) is { } stored)
            {
                // The reply to the first attempt may have been lost. Sealed values are unique, so an equal one is this attempt's own.
                return isAgain && stored.Id == endpoint.Id && stored.Sealed.AsSpan().SequenceEqual(endpoint.Sealed)
                    ? InsertEndpointResult.Inserted : InsertEndpointResult.RequestSeen;
            }
            if (await FindAsync(connection, "id = $1", c, endpoint.Id).ConfigureAwait(false) is not null)
                return InsertEndpointResult.IdTaken;
            if (await FindAsync(connection, "address = $1", c, Blob(endpoint.Address)).ConfigureAwait(false) is not null)
                return InsertEndpointResult.AddressTaken;
            if (await connection.ScalarAsync<long>("SELECT count(*) FROM relay.endpoint", c).ConfigureAwait(false)
                >= StorageLimits.MaxEndpoints) return InsertEndpointResult.TooMany;
            await using var batch = new NpgsqlBatch(connection, transaction);
            batch.Add("INSERT INTO relay.endpoint (id, address, request, request_content, sealed, purge) VALUES ($1, $2, $3, $4, $5, $6)",
                endpoint.Id, Blob(endpoint.Address), Blob(endpoint.Request), Blob(endpoint.RequestContent), endpoint.Sealed,
                endpoint.PurgeMs);
            batch.Add("INSERT INTO relay.endpoint_size (endpoint, conversations) VALUES ($1, 0)", endpoint.Id);
            foreach (var kind in Enum.GetValues<StreamKind>())
                batch.Add("INSERT INTO relay.stream (endpoint, kind, acknowledged, last, bytes) VALUES ($1, $2, 0, 0, 0)", endpoint.Id,
                    (short)kind);
            await batch.ExecuteNonQueryAsync(c).ConfigureAwait(false);
            await transaction.CommitAsync(c).ConfigureAwait(false);
            return InsertEndpointResult.Inserted;
        }, cancellation).ConfigureAwait(false);
    }

    public ValueTask<EndpointRow?> LoadEndpointAsync(string id, CancellationToken cancellation)
        => ReadAsync((connection, c) => FindAsync(connection, "id = $1", c, id), cancellation);

    public ValueTask<EndpointRow?> FindEndpointByRequestAsync(UInt128 request, CancellationToken cancellation)
        => ReadAsync((connection, c) => FindAsync(connection, "request = $1", c, Blob(request)), cancellation);

    public async ValueTask<bool> UpdateEndpointAsync(string id, ulong expectedRevision, byte[] value, long? purgeMs,
        CancellationToken cancellation)
    {
        RefuseIfClosed();
        return await _connections.RunAsync(async (connection, isAgain, c) =>
        {
            await using var transaction = await connection.BeginTransactionAsync(c).ConfigureAwait(false);
            // Changes are committed in the order of their numbers: a reader that has seen one has seen all before it.
            await connection.ExecuteAsync("SELECT pg_advisory_xact_lock($1, 0)", c, (int)AdvisoryLock.Endpoints).ConfigureAwait(false);
            int updated = await connection.ExecuteAsync(ReplaceEndpoint, c, id, (long)expectedRevision, value, purgeMs)
                .ConfigureAwait(false);
            // The reply to the first attempt may have been lost. Sealed values are unique, so an equal one is this attempt's own.
            bool isDone = updated > 0 || (isAgain && await FindAsync(connection, "id = $1", c, id).ConfigureAwait(false) is { } stored
                && stored.Revision == expectedRevision + 1 && stored.Sealed.AsSpan().SequenceEqual(value));
            await transaction.CommitAsync(c).ConfigureAwait(false);
            return isDone;
        }, cancellation).ConfigureAwait(false);
    }

    public ValueTask<EndpointChanges> ReadChangesAsync(ulong after, CancellationToken cancellation) => ReadAsync(async (connection, c) =>
    {
        var rows = await connection.RowsAsync(
            "SELECT id, revision, change FROM relay.endpoint WHERE change > 0 AND change > $1 ORDER BY change",
            r => (r.GetString(0), (ulong)r.GetInt64(1), (ulong)r.GetInt64(2)), c, (long)after).ConfigureAwait(false);
        return new EndpointChanges([.. rows.Select(r => (r.Item1, r.Item2))], rows.Count == 0 ? after : rows[^1].Item3);
    }, cancellation);

    public ValueTask<IReadOnlyList<EndpointRow>> ListEndpointsAsync(string? afterId, int max, CancellationToken cancellation)
        => ReadAsync<IReadOnlyList<EndpointRow>>(
            async (connection, c) => await ListEndpointsAsync(connection, afterId, max, c).ConfigureAwait(false), cancellation);

    internal static Task<List<EndpointRow>> ListEndpointsAsync(
        NpgsqlConnection connection, string? afterId, int max, CancellationToken cancellation)
        => connection.RowsAsync(SelectEndpoint + " WHERE id > $1 ORDER BY id LIMIT $2", Endpoint, cancellation, afterId ?? "", (long)max);

    private static async Task<EndpointRow?> FindAsync(NpgsqlConnection connection, string where, CancellationToken cancellation, object key)
    {
        var rows = await connection.RowsAsync($"{SelectEndpoint} WHERE {where}", Endpoint, cancellation, key).ConfigureAwait(false);
        return rows.Count == 0 ? null : rows[0];
    }

    private static EndpointRow Endpoint(NpgsqlDataReader row) => new(
        row.GetString(0), Number(row.GetFieldValue<byte[]>(1)), Number(row.GetFieldValue<byte[]>(2)), Number(row.GetFieldValue<byte[]>(3)),
        row.GetFieldValue<byte[]>(4), (ulong)row.GetInt64(5), row.IsDBNull(6) ? null : row.GetInt64(6));
}
