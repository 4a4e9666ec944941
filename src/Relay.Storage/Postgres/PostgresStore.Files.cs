using Npgsql;
using Relay.Storage.Sealing;

namespace Relay.Storage.Postgres;

public sealed partial class PostgresStore
{
    private const string SelectFile = "SELECT endpoint, id, conversation, revision, expires, reserved, sealed, "
        + "(SELECT coalesce(max(p.number) + 1, 0) FROM relay.file_portion p WHERE p.endpoint = f.endpoint AND p.file = f.id) "
        + "FROM relay.file f";

    private const string FileColumns = "u(endpoint, id, conversation, revision, expires, reserved, sealed)";
    private const string FileArrays = "unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bytea[]) ";

    /// <summary>Inserts those files that are new and have room: $8 files of their endpoint, and $9 of their conversation.</summary>
    internal const string InsertFiles = $"""
        INSERT INTO relay.file (endpoint, id, conversation, revision, expires, reserved, sealed)
        SELECT u.* FROM {FileArrays} {FileColumns}
        WHERE (SELECT count(*) FROM relay.file f WHERE f.endpoint = u.endpoint) < $8
            AND (SELECT count(*) FROM relay.file f WHERE f.endpoint = u.endpoint AND f.conversation = u.conversation)
                < $9
        ON CONFLICT DO NOTHING
        """;

    /// <summary>Replaces those files whose revision is the one before.</summary>
    internal const string ReplaceFiles = "UPDATE relay.file f SET revision = u.revision, expires = u.expires, reserved = u.reserved, "
        + "sealed = u.sealed FROM " + FileArrays + FileColumns
        + " WHERE f.endpoint = u.endpoint AND f.id = u.id AND f.revision = u.revision - 1";

    public async ValueTask<SaveFileResult> SaveFileAsync(FileRow file, CancellationToken cancellation)
    {
        RefuseIfClosed();
        return await _connections.RunAsync((connection, _, c) => SaveAsync(connection, file, c), cancellation).ConfigureAwait(false);
    }

    public ValueTask<StoredFile?> LoadFileAsync(string endpointId, string id, CancellationToken cancellation)
        => ReadAsync(async (connection, c) => (await connection.RowsAsync(
            SelectFile + " WHERE endpoint = $1 AND id = $2 AND octet_length(sealed) > 0", File, c, endpointId, id).ConfigureAwait(false))
            .FirstOrDefault(), cancellation);

    public ValueTask<IReadOnlyList<StoredFile>> ListFilesAsync(string endpointId, string? afterId, int max, CancellationToken cancellation)
        => ReadAsync<IReadOnlyList<StoredFile>>(async (connection, c) => await connection.RowsAsync(
            SelectFile + " WHERE endpoint = $1 AND id > $2 AND octet_length(sealed) > 0 ORDER BY id LIMIT $3", File, c, endpointId,
            afterId ?? "", (long)max).ConfigureAwait(false), cancellation);

    public async ValueTask<bool> AppendPortionAsync(string endpointId, string id, uint number, byte[] value,
        CancellationToken cancellation)
    {
        RefuseIfClosed();
        return await _connections.RunAsync(async (connection, isAgain, c) =>
        {
            // The lock keeps a deletion from passing by.
            int stored = await connection.ExecuteAdmittedAsync(value, "INSERT INTO relay.file_portion (endpoint, file, number, sealed) "
                + "SELECT $1, $2, $3, $4 FROM relay.file f WHERE f.endpoint = $1 AND f.id = $2 AND octet_length(f.sealed) > 0 "
                + "AND (SELECT coalesce(max(number) + 1, 0) FROM relay.file_portion WHERE endpoint = $1 AND file = $2) = $3 "
                + "FOR SHARE OF f ON CONFLICT DO NOTHING", c, endpointId, id, (long)number, value).ConfigureAwait(false);
            if (stored > 0 || !isAgain) return stored > 0;
            // The reply to the first attempt may have been lost. Sealed values are unique, so an equal one is this attempt's own.
            return await connection.ScalarAsync<byte[]>("SELECT sealed FROM relay.file_portion WHERE endpoint = $1 AND file = $2 "
                + "AND number = $3", c, endpointId, id, (long)number).ConfigureAwait(false) is { } now && now.AsSpan().SequenceEqual(value);
        }, cancellation).ConfigureAwait(false);
    }

    public ValueTask<IReadOnlyList<byte[]>> ReadPortionsAsync(string endpointId, string id, uint first, int max,
        CancellationToken cancellation)
        => ReadAsync<IReadOnlyList<byte[]>>(async (connection, c) => await connection.RowsAsync(
            "SELECT sealed FROM relay.file_portion WHERE endpoint = $1 AND file = $2 AND number >= $3 ORDER BY number LIMIT $4",
            r => r.GetFieldValue<byte[]>(0), c, endpointId, id, (long)first, (long)max).ConfigureAwait(false), cancellation);

    public async ValueTask DeleteFileAsync(string endpointId, string id, CancellationToken cancellation)
    {
        await WriteAsync((connection, c) => connection.ExecuteAsync("UPDATE relay.file SET sealed = '', expires = 0, "
            + "revision = revision + 1 WHERE endpoint = $1 AND id = $2", c, endpointId, id), cancellation).ConfigureAwait(false);
        await DeleteFilePortionsAsync(endpointId, id, cancellation).ConfigureAwait(false);
        await WriteAsync((connection, c) => connection.ExecuteAsync("DELETE FROM relay.file WHERE endpoint = $1 AND id = $2 "
            + "AND octet_length(sealed) = 0", c, endpointId, id), cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Rewrites the table of the files' rows, in which an ordinary VACUUM leaves the bytes of old versions. It is locked meanwhile, so that one
    /// which is large is left alone. Portions are ciphertext without the keys in it.
    /// </summary>
    public async ValueTask<bool> ScrubFilesAsync(CancellationToken cancellation)
    {
        RefuseIfClosed();
        if (await _connections.RunAsync((connection, _, c) => connection.ScalarAsync<long>("SELECT pg_total_relation_size('relay.file')", c),
            cancellation).ConfigureAwait(false) > StorageLimits.MaxScrubbedBytes) return false;
        if (!await OlderTransactionsEndAsync(cancellation).ConfigureAwait(false)) return false;
        await WriteAsync((connection, c) => connection.ExecuteAsync("VACUUM (FULL) relay.file", c), cancellation).ConfigureAwait(false);
        return true;
    }

    public ValueTask<IReadOnlyList<(string EndpointId, string Id)>> ReadFilesDueAsync(long untilMs, int max, CancellationToken cancellation)
        => ReadAsync<IReadOnlyList<(string, string)>>(async (connection, c) => await connection.RowsAsync(
            "SELECT endpoint, id FROM relay.file WHERE expires <= $1 ORDER BY expires LIMIT $2", r => (r.GetString(0), r.GetString(1)), c,
            untilMs, (long)max).ConfigureAwait(false), cancellation);

    private async Task<SaveFileResult> SaveAsync(NpgsqlConnection connection, FileRow file, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
        await connection.ExecuteAsync(AdmitEpoch, cancellation, (long)Sealer.EpochOf(file.Sealed)).ConfigureAwait(false);
        // The lock keeps a purge from passing by.
        if (!await connection.ScalarAsync<bool>("SELECT true FROM relay.endpoint WHERE id = $1 AND octet_length(sealed) > 0 FOR SHARE",
            cancellation, file.EndpointId).ConfigureAwait(false)) return SaveFileResult.NoEndpoint;
        var stored = (await connection.RowsAsync("SELECT revision, sealed FROM relay.file WHERE endpoint = $1 AND id = $2",
            r => (Revision: (ulong)r.GetInt64(0), Sealed: r.GetFieldValue<byte[]>(1)), cancellation, file.EndpointId, file.Id)
            .ConfigureAwait(false)).FirstOrDefault();
        // The reply to an earlier attempt may have been lost. Sealed values are unique, so an equal one is that attempt's own.
        if (stored.Revision == file.Revision && stored.Sealed.AsSpan().SequenceEqual(file.Sealed)) return SaveFileResult.Saved;
        if (stored.Revision != file.Revision - 1) return SaveFileResult.Conflict;
        var use = await connection.RowsAsync("SELECT count(*), coalesce(sum(reserved), 0)::bigint, "
            + "count(*) FILTER (WHERE conversation = $3), coalesce(sum(reserved) FILTER (WHERE conversation = $3), 0)::bigint "
            + "FROM relay.file WHERE endpoint = $1 AND id <> $2",
            r => new FileUse(r.GetInt64(0), r.GetInt64(1), r.GetInt64(2), r.GetInt64(3)), cancellation, file.EndpointId, file.Id,
            file.ConversationId).ConfigureAwait(false);
        if (!use[0].HasRoomFor(file, _quota)) return SaveFileResult.Full;
        int saved = await connection.ExecuteAsync(file.Revision == 1
            ? "INSERT INTO relay.file (endpoint, id, conversation, revision, expires, reserved, sealed) "
                + "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING"
            : "UPDATE relay.file SET conversation = $3, revision = $4, expires = $5, reserved = $6, sealed = $7 "
                + "WHERE endpoint = $1 AND id = $2 AND revision = $4 - 1",
            cancellation, file.EndpointId, file.Id, file.ConversationId, (long)file.Revision, file.ExpiresMs, file.Reserved, file.Sealed)
            .ConfigureAwait(false);
        await transaction.CommitAsync(cancellation).ConfigureAwait(false);
        return saved > 0 ? SaveFileResult.Saved : SaveFileResult.Conflict;
    }

    /// <param name="id">Null: of all files of the endpoint.</param>
    private async Task DeleteFilePortionsAsync(string endpointId, string? id, CancellationToken cancellation)
    {
        // In portions, so that other writes get their turn.
        while (await _connections.RunAsync((connection, _, c) => connection.ExecuteAsync("DELETE FROM relay.file_portion "
            + "WHERE endpoint = $1 AND (file, number) IN (SELECT file, number FROM relay.file_portion "
            + "WHERE endpoint = $1 AND ($2::text IS NULL OR file = $2::text) LIMIT $3)", c, endpointId, id,
            (long)StorageLimits.DeletedPortionsPerTransaction), cancellation).ConfigureAwait(false) > 0)
            cancellation.ThrowIfCancellationRequested();
    }

    private static StoredFile File(NpgsqlDataReader row) => new(
        new FileRow(row.GetString(0), row.GetString(1), row.GetString(2), (ulong)row.GetInt64(3), row.GetInt64(4), row.GetInt64(5),
            row.GetFieldValue<byte[]>(6)), (uint)row.GetInt64(7));
}
