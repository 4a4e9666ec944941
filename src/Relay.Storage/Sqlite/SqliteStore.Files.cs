namespace Relay.Storage.Sqlite;

public sealed partial class SqliteStore
{
    private const string SelectFile = "SELECT endpoint, id, conversation, revision, expires, reserved, sealed, "
        + "(SELECT coalesce(max(p.number) + 1, 0) FROM file_portion p WHERE p.endpoint = file.endpoint AND p.file = file.id) FROM file";

    public async ValueTask<SaveFileResult> SaveFileAsync(FileRow file, CancellationToken cancellation)
        => await _writer.RunAsync((s, _) => Save(s, file)).ConfigureAwait(false);

    public ValueTask<StoredFile?> LoadFileAsync(string endpointId, string id, CancellationToken cancellation) => _readers.ReadAsync(s =>
    {
        using var rows = s.Query(SelectFile + " WHERE endpoint = $1 AND id = $2 AND length(sealed) > 0", endpointId, id);
        return rows.Read() ? ReadFile(rows) : null;
    }, cancellation);

    public ValueTask<IReadOnlyList<StoredFile>> ListFilesAsync(string endpointId, string? afterId, int max, CancellationToken cancellation)
        => _readers.ReadAsync<IReadOnlyList<StoredFile>>(s =>
    {
        var list = new List<StoredFile>();
        using var rows = s.Query(SelectFile + " WHERE endpoint = $1 AND id > $2 AND length(sealed) > 0 ORDER BY id LIMIT $3", endpointId,
            afterId ?? "", (long)max);
        while (rows.Read()) list.Add(ReadFile(rows));
        return list;
    }, cancellation);

    public async ValueTask<bool> AppendPortionAsync(string endpointId, string id, uint number, byte[] value,
        CancellationToken cancellation)
        => await _writer.RunAsync((s, _) =>
    {
        Admit(value);
        return s.Execute("INSERT INTO file_portion (endpoint, file, number, sealed) SELECT $1, $2, $3, $4 "
            + "WHERE EXISTS (SELECT 1 FROM file WHERE endpoint = $1 AND id = $2 AND length(sealed) > 0) "
            + "AND (SELECT coalesce(max(number) + 1, 0) FROM file_portion WHERE endpoint = $1 AND file = $2) = $3",
            endpointId, id, (long)number, value) > 0;
    }).ConfigureAwait(false);

    public ValueTask<IReadOnlyList<byte[]>> ReadPortionsAsync(string endpointId, string id, uint first, int max,
        CancellationToken cancellation) => _readers.ReadAsync<IReadOnlyList<byte[]>>(s =>
    {
        var list = new List<byte[]>();
        using var rows = s.Query("SELECT sealed FROM file_portion WHERE endpoint = $1 AND file = $2 AND number >= $3 "
            + "ORDER BY number LIMIT $4", endpointId, id, (long)first, (long)max);
        while (rows.Read()) list.Add(rows.Blob(0));
        return list;
    }, cancellation);

    public async ValueTask DeleteFileAsync(string endpointId, string id, CancellationToken cancellation)
    {
        await _writer.RunAsync((s, _) => s.Execute("UPDATE file SET sealed = x'', expires = 0, revision = revision + 1 "
            + "WHERE endpoint = $1 AND id = $2", endpointId, id)).ConfigureAwait(false);
        await DeleteFilePortionsAsync(endpointId, id, cancellation).ConfigureAwait(false);
        await _writer.RunAsync((s, _) => s.Execute("DELETE FROM file WHERE endpoint = $1 AND id = $2 AND length(sealed) = 0", endpointId,
            id)).ConfigureAwait(false);
    }

    // Deleted content is overwritten with zeros in the file (secure_delete); the log still has it until it is truncated.
    public async ValueTask<bool> ScrubFilesAsync(CancellationToken cancellation) => await _writer.TruncateLogAsync().ConfigureAwait(false);

    public ValueTask<IReadOnlyList<(string EndpointId, string Id)>> ReadFilesDueAsync(long untilMs, int max, CancellationToken cancellation)
        => _readers.ReadAsync<IReadOnlyList<(string, string)>>(s =>
    {
        var list = new List<(string, string)>();
        using var rows = s.Query("SELECT endpoint, id FROM file WHERE expires <= $1 ORDER BY expires LIMIT $2", untilMs, (long)max);
        while (rows.Read()) list.Add((rows.Text(0), rows.Text(1)));
        return list;
    }, cancellation);

    /// <summary>Writes nothing unless the result is that it is saved.</summary>
    private SaveFileResult Save(SqliteSession s, FileRow file)
    {
        Admit(file.Sealed);
        if (s.Scalar("SELECT 1 FROM endpoint WHERE id = $1 AND length(sealed) > 0", file.EndpointId) is null)
            return SaveFileResult.NoEndpoint;
        var revision = (long?)s.Scalar("SELECT revision FROM file WHERE endpoint = $1 AND id = $2", file.EndpointId, file.Id) ?? 0;
        if (revision != (long)file.Revision - 1) return SaveFileResult.Conflict;
        using (var rows = s.Query("SELECT count(*), coalesce(sum(reserved), 0), coalesce(sum(conversation = $3), 0), "
            + "coalesce(sum(reserved * (conversation = $3)), 0) FROM file WHERE endpoint = $1 AND id <> $2", file.EndpointId, file.Id,
            file.ConversationId))
        {
            if (rows.Read() && !new FileUse(rows.Int64(0), rows.Int64(1), rows.Int64(2), rows.Int64(3)).HasRoomFor(file, _quota))
                return SaveFileResult.Full;
        }
        s.Execute("INSERT OR REPLACE INTO file (endpoint, id, conversation, revision, expires, reserved, sealed) "
            + "VALUES ($1, $2, $3, $4, $5, $6, $7)", file.EndpointId, file.Id, file.ConversationId, (long)file.Revision, file.ExpiresMs,
            file.Reserved, file.Sealed);
        return SaveFileResult.Saved;
    }

    /// <param name="id">Null: of all files of the endpoint.</param>
    private async Task DeleteFilePortionsAsync(string endpointId, string? id, CancellationToken cancellation)
    {
        // In portions, so that other writes get their turn.
        while (await _writer.RunAsync((s, _) => s.Execute("DELETE FROM file_portion WHERE rowid IN (SELECT rowid FROM file_portion "
            + "WHERE endpoint = $1 AND ($2 IS NULL OR file = $2) LIMIT $3)", endpointId, id,
            (long)StorageLimits.DeletedPortionsPerTransaction)).ConfigureAwait(false) > 0)
            cancellation.ThrowIfCancellationRequested();
    }

    private static StoredFile ReadFile(SqliteRows row) => new(
        new FileRow(row.Text(0), row.Text(1), row.Text(2), (ulong)row.Int64(3), row.Int64(4), row.Int64(5), row.Blob(6)),
        (uint)row.Int64(7));
}
