using Npgsql;

namespace Relay.Storage.Postgres;

public sealed partial class PostgresStore
{
    private const string SelectEndpoint = "SELECT id, address, request, request_content, sealed FROM relay.endpoint";

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
            batch.Add("INSERT INTO relay.endpoint (id, address, request, request_content, sealed) VALUES ($1, $2, $3, $4, $5)",
                endpoint.Id, Blob(endpoint.Address), Blob(endpoint.Request), Blob(endpoint.RequestContent), endpoint.Sealed);
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

    public ValueTask<IReadOnlyList<EndpointRow>> ListEndpointsAsync(string? afterId, int max, CancellationToken cancellation)
        => ReadAsync<IReadOnlyList<EndpointRow>>(async (connection, c) => await connection.RowsAsync(
            SelectEndpoint + " WHERE id > $1 ORDER BY id LIMIT $2", Endpoint, c, afterId ?? "", (long)max).ConfigureAwait(false),
            cancellation);

    private static async Task<EndpointRow?> FindAsync(NpgsqlConnection connection, string where, CancellationToken cancellation, object key)
    {
        var rows = await connection.RowsAsync($"{SelectEndpoint} WHERE {where}", Endpoint, cancellation, key).ConfigureAwait(false);
        return rows.Count == 0 ? null : rows[0];
    }

    private static EndpointRow Endpoint(NpgsqlDataReader row) => new(
        row.GetString(0), Number(row.GetFieldValue<byte[]>(1)), Number(row.GetFieldValue<byte[]>(2)), Number(row.GetFieldValue<byte[]>(3)),
        row.GetFieldValue<byte[]>(4));
}
