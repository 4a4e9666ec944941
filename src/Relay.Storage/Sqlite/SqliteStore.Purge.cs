namespace Relay.Storage.Sqlite;

public sealed partial class SqliteStore
{
    /// <summary>
    /// Conversations come first: once they are gone no commit can add rows to the other tables, because it finds its version changed.
    /// </summary>
    private static readonly string[] s_purges =
    [
        "DELETE FROM conversation WHERE rowid IN (SELECT rowid FROM conversation WHERE endpoint = $1 LIMIT $2)",
        "DELETE FROM seen WHERE (endpoint, conversation, version) IN "
            + "(SELECT endpoint, conversation, version FROM seen WHERE endpoint = $1 LIMIT $2)",
        "DELETE FROM identities WHERE (endpoint, conversation) IN "
            + "(SELECT endpoint, conversation FROM identities WHERE endpoint = $1 LIMIT $2)",
        "DELETE FROM outbox WHERE (endpoint, kind, sequence) IN "
            + "(SELECT endpoint, kind, sequence FROM outbox "
            + "WHERE endpoint = $1 OR (endpoint > $1 || '/' AND endpoint < $1 || '0') LIMIT $2)",
        "DELETE FROM file WHERE rowid IN (SELECT rowid FROM file WHERE endpoint = $1 LIMIT $2)",
    ];

    public ValueTask<IReadOnlyList<EndpointRow>> ReadPurgeDueAsync(long untilMs, int max, CancellationToken cancellation)
        => _readers.ReadAsync<IReadOnlyList<EndpointRow>>(s =>
    {
        var list = new List<EndpointRow>();
        using var rows = s.Query(SelectEndpoint + " WHERE purge IS NOT NULL AND purge <= $1 ORDER BY purge, id LIMIT $2",
            untilMs, (long)max);
        while (rows.Read()) list.Add(Endpoint(rows));
        return list;
    }, cancellation);

    public async ValueTask<bool> PurgeEndpointAsync(string id, ulong expectedRevision, CancellationToken cancellation)
    {
        if (!await _writer.RunAsync((s, _) => Replace(s, id, expectedRevision, [], 0)).ConfigureAwait(false)) return false;
        foreach (var sql in s_purges) await DeletePortionsAsync(sql, id, cancellation).ConfigureAwait(false);
        await DeleteFilePortionsAsync(id, null, cancellation).ConfigureAwait(false);
        await _writer.RunAsync((s, _) =>
        {
            s.Execute("DELETE FROM subscription WHERE endpoint = $1", id);
            return s.Execute("DELETE FROM stream WHERE endpoint = $1 OR (endpoint > $1 || '/' AND endpoint < $1 || '0')", id);
        }).ConfigureAwait(false);
        _tails.Forget(id);
        // Deleted content is overwritten with zeros in the file (secure_delete); the log still has it until it is truncated.
        if (!await _writer.TruncateLogAsync().ConfigureAwait(false))
            throw new StoreException("The log could not be truncated, because a read holds it.");
        await _writer.RunAsync((s, _) => s.Execute("DELETE FROM endpoint WHERE id = $1 AND length(sealed) = 0", id)).ConfigureAwait(false);
        return true;
    }
}
