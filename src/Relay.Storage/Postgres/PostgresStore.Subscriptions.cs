namespace Relay.Storage.Postgres;

public sealed partial class PostgresStore
{
    public ValueTask OpenStreamAsync(StreamKey stream, CancellationToken cancellation)
        => WriteAsync((connection, c) => connection.ExecuteAsync(
            "INSERT INTO relay.stream (endpoint, kind, acknowledged, last, bytes) VALUES ($1, $2, 0, 0, 0) ON CONFLICT DO NOTHING", c,
            stream.EndpointId, (short)stream.Kind), cancellation);

    public async ValueTask DeleteSubscriptionAsync(string endpointId, string name, CancellationToken cancellation)
    {
        var stream = StreamKey.OfSubscription(endpointId, name);
        // First its position: no unit can append to it any more.
        await WriteAsync((connection, c) => connection.ExecuteAsync("DELETE FROM relay.stream WHERE endpoint = $1", c, stream.EndpointId),
            cancellation).ConfigureAwait(false);
        await DeletePortionsAsync("DELETE FROM relay.outbox WHERE endpoint = $1 AND (kind, sequence) IN "
            + "(SELECT kind, sequence FROM relay.outbox WHERE endpoint = $1 LIMIT $2)", stream.EndpointId, cancellation)
            .ConfigureAwait(false);
        await WriteAsync((connection, c) => connection.ExecuteAsync("DELETE FROM relay.subscription WHERE endpoint = $1 AND name = $2", c,
            endpointId, name), cancellation).ConfigureAwait(false);
    }

    public ValueTask<SubscriptionRow?> LoadSubscriptionAsync(string endpointId, string name, SubscriptionPart part,
        CancellationToken cancellation) => ReadAsync(async (connection, c) =>
    {
        var rows = await connection.RowsAsync(
            "SELECT revision, sealed FROM relay.subscription WHERE endpoint = $1 AND name = $2 AND part = $3",
            r => new SubscriptionRow((ulong)r.GetInt64(0), r.GetFieldValue<byte[]>(1)), c, endpointId, name, (short)part)
            .ConfigureAwait(false);
        return rows.Count == 0 ? null : rows[0];
    }, cancellation);

    public async ValueTask<bool> SaveSubscriptionAsync(string endpointId, string name, SubscriptionPart part, ulong expectedRevision,
        byte[] value, CancellationToken cancellation)
    {
        RefuseIfClosed();
        return await _connections.RunAsync(async (connection, isAgain, c) =>
        {
            int stored = expectedRevision == 0
                ? await connection.ExecuteAdmittedAsync(value, "INSERT INTO relay.subscription (endpoint, name, part, revision, sealed) "
                    + "VALUES ($1, $2, $3, 1, $4) ON CONFLICT DO NOTHING", c, endpointId, name, (short)part, value).ConfigureAwait(false)
                : await connection.ExecuteAdmittedAsync(value, "UPDATE relay.subscription SET revision = revision + 1, sealed = $5 "
                    + "WHERE endpoint = $1 AND name = $2 AND part = $3 AND revision = $4", c, endpointId, name, (short)part,
                    (long)expectedRevision, value).ConfigureAwait(false);
            if (stored > 0 || !isAgain) return stored > 0;
            // The reply to the first attempt may have been lost. Sealed values are unique, so an equal one is this attempt's own.
            return await connection.ScalarAsync<byte[]>("SELECT sealed FROM relay.subscription WHERE endpoint = $1 AND name = $2 "
                + "AND part = $3", c, endpointId, name, (short)part).ConfigureAwait(false) is { } now && now.AsSpan().SequenceEqual(value);
        }, cancellation).ConfigureAwait(false);
    }

    private async Task DeletePortionsAsync(string sql, string key, CancellationToken cancellation)
    {
        // In portions, so that other writes get their turn.
        while (await _connections.RunAsync((connection, _, c) => connection.ExecuteAsync(sql, c, key,
            (long)StorageLimits.PurgedRowsPerTransaction), cancellation).ConfigureAwait(false) > 0)
            cancellation.ThrowIfCancellationRequested();
    }
}
