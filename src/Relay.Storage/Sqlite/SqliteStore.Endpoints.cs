using Microsoft.Data.Sqlite;

namespace Relay.Storage.Sqlite;

public sealed partial class SqliteStore
{
    private const string SelectEndpoint = "SELECT id, address, request, request_content, sealed, revision, purge FROM endpoint";

    public async ValueTask<InsertEndpointResult> InsertEndpointAsync(EndpointRow endpoint, CancellationToken cancellation)
        => await _writer.RunAsync((s, _) =>
    {
        if (s.Scalar("SELECT 1 FROM endpoint WHERE request = $1", Blob(endpoint.Request)) is not null)
            return InsertEndpointResult.RequestSeen;
        if (s.Scalar("SELECT 1 FROM endpoint WHERE id = $1", endpoint.Id) is not null) return InsertEndpointResult.IdTaken;
        if (s.Scalar("SELECT 1 FROM endpoint WHERE address = $1", Blob(endpoint.Address)) is not null)
            return InsertEndpointResult.AddressTaken;
        if ((long)s.Scalar("SELECT count(*) FROM endpoint")! >= StorageLimits.MaxEndpoints) return InsertEndpointResult.TooMany;
        s.Execute("INSERT INTO endpoint (id, address, request, request_content, sealed, purge) VALUES ($1, $2, $3, $4, $5, $6)",
            endpoint.Id, Blob(endpoint.Address), Blob(endpoint.Request), Blob(endpoint.RequestContent), endpoint.Sealed, endpoint.PurgeMs);
        return InsertEndpointResult.Inserted;
    }).ConfigureAwait(false);

    public ValueTask<EndpointRow?> LoadEndpointAsync(string id, CancellationToken cancellation)
        => _readers.ReadAsync(s => Find(s, SelectEndpoint + " WHERE id = $1", id), cancellation);

    public ValueTask<EndpointRow?> FindEndpointByRequestAsync(UInt128 request, CancellationToken cancellation)
        => _readers.ReadAsync(s => Find(s, SelectEndpoint + " WHERE request = $1", Blob(request)), cancellation);

    public async ValueTask<bool> UpdateEndpointAsync(string id, ulong expectedRevision, byte[] value, long? purgeMs,
        CancellationToken cancellation)
        => await _writer.RunAsync((s, _) => Replace(s, id, expectedRevision, value, purgeMs)).ConfigureAwait(false);

    private static bool Replace(SqliteSession s, string id, ulong expectedRevision, byte[] value, long? purgeMs)
    {
        if (s.Scalar("SELECT 1 FROM endpoint WHERE id = $1 AND revision = $2", id, (long)expectedRevision) is null) return false;
        s.Execute("UPDATE counter SET value = value + 1 WHERE name = 'endpoint_change'");
        s.Execute("UPDATE endpoint SET sealed = $2, purge = $3, revision = revision + 1, "
            + "change = (SELECT value FROM counter WHERE name = 'endpoint_change') WHERE id = $1", id, value, purgeMs);
        return true;
    }

    public ValueTask<EndpointChanges> ReadChangesAsync(ulong after, CancellationToken cancellation) => _readers.ReadAsync(s =>
    {
        var updated = new List<(string, ulong)>();
        ulong last = after;
        using var rows = s.Query("SELECT id, revision, change FROM endpoint WHERE change > 0 AND change > $1 ORDER BY change", (long)after);
        while (rows.Read())
        {
            updated.Add((rows.Text(0), (ulong)rows.Int64(1)));
            last = (ulong)rows.Int64(2);
        }
        return new EndpointChanges(updated, last);
    }, cancellation);

    public ValueTask<IReadOnlyList<EndpointRow>> ListEndpointsAsync(string? afterId, int max, CancellationToken cancellation)
        => _readers.ReadAsync<IReadOnlyList<EndpointRow>>(s => ListEndpoints(s, afterId, max), cancellation);

    internal static List<EndpointRow> ListEndpoints(SqliteSession s, string? afterId, int max)
    {
        var list = new List<EndpointRow>();
        using var rows = s.Query(SelectEndpoint + " WHERE id > $1 ORDER BY id LIMIT $2", afterId ?? "", (long)max);
        while (rows.Read()) list.Add(Endpoint(rows));
        return list;
    }

    private static EndpointRow? Find(SqliteSession s, string sql, SqliteValue key)
    {
        using var rows = s.Query(sql, key);
        return rows.Read() ? Endpoint(rows) : null;
    }

    private static EndpointRow Endpoint(SqliteRows row) => new(
        row.Text(0), Number(row.Blob(1)), Number(row.Blob(2)), Number(row.Blob(3)), row.Blob(4), (ulong)row.Int64(5),
        row.IsNull(6) ? null : row.Int64(6));
}
