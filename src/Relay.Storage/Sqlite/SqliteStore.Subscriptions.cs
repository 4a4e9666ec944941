namespace Relay.Storage.Sqlite;

public sealed partial class SqliteStore
{
    // A stream is created with its first row.
    public ValueTask OpenStreamAsync(StreamKey stream, CancellationToken cancellation) => ValueTask.CompletedTask;

    public async ValueTask DeleteSubscriptionAsync(string endpointId, string name, CancellationToken cancellation)
    {
        var stream = StreamKey.OfSubscription(endpointId, name);
        await DeletePortionsAsync("DELETE FROM outbox WHERE (endpoint, kind, sequence) IN "
            + "(SELECT endpoint, kind, sequence FROM outbox WHERE endpoint = $1 LIMIT $2)", stream.EndpointId, cancellation)
            .ConfigureAwait(false);
        await _writer.RunAsync((s, _) =>
        {
            s.Execute("DELETE FROM stream WHERE endpoint = $1", stream.EndpointId);
            return s.Execute("DELETE FROM subscription WHERE endpoint = $1 AND name = $2", endpointId, name);
        }).ConfigureAwait(false);
        _tails.Forget(stream);
    }

    public ValueTask<SubscriptionRow?> LoadSubscriptionAsync(string endpointId, string name, SubscriptionPart part,
        CancellationToken cancellation) => _readers.ReadAsync(s =>
    {
        using var rows = s.Query("SELECT revision, sealed FROM subscription WHERE endpoint = $1 AND name = $2 AND part = $3", endpointId,
            name, (long)part);
        return rows.Read() ? new SubscriptionRow((ulong)rows.Int64(0), rows.Blob(1)) : null;
    }, cancellation);

    public async ValueTask<bool> SaveSubscriptionAsync(string endpointId, string name, SubscriptionPart part, ulong expectedRevision,
        byte[] value, CancellationToken cancellation)
        => await _writer.RunAsync((s, _) =>
    {
        Admit(value);
        return (expectedRevision == 0
            ? s.Execute("INSERT INTO subscription (endpoint, name, part, revision, sealed) VALUES ($1, $2, $3, 1, $4) "
                + "ON CONFLICT (endpoint, name, part) DO NOTHING", endpointId, name, (long)part, value)
            : s.Execute("UPDATE subscription SET revision = revision + 1, sealed = $5 "
                + "WHERE endpoint = $1 AND name = $2 AND part = $3 AND revision = $4", endpointId, name, (long)part,
                (long)expectedRevision, value)) > 0;
    }).ConfigureAwait(false);

    private async Task DeletePortionsAsync(string sql, string key, CancellationToken cancellation)
    {
        // In portions, so that other writes get their turn.
        while (await _writer.RunAsync((s, _) => s.Execute(sql, key, (long)StorageLimits.PurgedRowsPerTransaction))
            .ConfigureAwait(false) > 0)
            cancellation.ThrowIfCancellationRequested();
    }
}
