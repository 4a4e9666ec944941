using System.Globalization;
using Microsoft.Data.Sqlite;
using Relay.Storage.Backups;
using Relay.Storage.Sealing;

namespace Relay.Storage.Sqlite;

/// <summary>
/// Fills the database of a data directory in one transaction. The caller holds the directory's lock, and has checked the file.
/// </summary>
public sealed class SqliteRestore : IStoreRestore
{
    private const int FullResult = 13;

    /// <summary>Tables that a restore empties; every table is here or in <see cref="Kept"/>.</summary>
    internal static readonly string[] Cleared =
        ["conversation", "seen", "outbox", "identities", "stream", "subscription", "file", "file_portion", "endpoint", "meta"];

    /// <summary>Tables that a restore leaves as they are: the audit log is evidence, and change numbers must go on increasing.</summary>
    internal static readonly string[] Kept = ["audit", "counter"];

    private readonly string _path;
    private readonly SqliteSession _session;

    private SqliteRestore(string path, SqliteSession session, StoreContent found) => (_path, _session, Found) = (path, session, found);

    public StoreContent Found { get; }

    /// <summary>For tests: the session of the transaction.</summary>
    internal SqliteSession Session => _session;

    /// <summary>Opens the database, or creates it, and begins the transaction.</summary>
    /// <exception cref="RelayStartException">The file cannot be written.</exception>
    public static SqliteRestore Open(string path)
    {
        if (!File.Exists(path)) SqliteFile.Create(path);
        SqliteSession? session = null;
        try
        {
            session = SqliteSession.Open(path, SqliteOpenMode.ReadWrite);
            session.Execute("PRAGMA journal_mode = WAL");
            SqliteSchema.Migrate(session);
            session.Execute("BEGIN IMMEDIATE");
            return new SqliteRestore(path, session, ReadContent(session));
        }
        catch (SqliteException e)
        {
            session?.Dispose();
            throw Failed(path, e);
        }
    }

    /// <summary>What a database holds, read without writing to it; nothing if there is none.</summary>
    /// <exception cref="RelayStartException">The file is foreign, damaged or of a newer version.</exception>
    public static StoreContent Look(string path)
    {
        if (!File.Exists(path)) return new StoreContent(null, 0, false);
        SqliteFile.CheckHeader(path);
        try
        {
            using var session = SqliteSession.Open(SqliteCheck.Source(path, isServed: false)
                ?? throw new RelayStartException($"{path}-wal holds changes that were not yet taken into the database. Start the server "
                    + "once, stop it, and try again."), SqliteOpenMode.ReadOnly);
            return ReadContent(session);
        }
        catch (SqliteException e)
        {
            throw Failed(path, e);
        }
    }

    private static StoreContent ReadContent(SqliteSession session) => new(
        (byte[]?)session.Scalar("SELECT sealed FROM meta WHERE name = $1", StoreIdentity.Row),
        (long)session.Scalar("SELECT count(*) FROM endpoint")!,
        session.Scalar("SELECT 1 FROM conversation LIMIT 1") is not null || session.Scalar("SELECT 1 FROM identities LIMIT 1") is not null);

    public ValueTask<DocumentRow?> ReadDocumentAsync(string name, CancellationToken cancellation) => ValueTask.FromResult<DocumentRow?>(null);

    public ValueTask ClearAsync(CancellationToken cancellation) => Write(s =>
    {
        foreach (var table in Cleared) s.Execute("DELETE FROM " + table);
    });

    public ValueTask WriteIdentityAsync(byte[] value, CancellationToken cancellation) => Write(s =>
        s.Execute("INSERT INTO meta (name, sealed) VALUES ($1, $2)", StoreIdentity.Row, value));

    public ValueTask WriteDocumentAsync(string name, DocumentRow document, CancellationToken cancellation)
        => throw new NotSupportedException("A store of one process has no documents.");

    public ValueTask AddEndpointsAsync(IEnumerable<EndpointRow> rows, CancellationToken cancellation) => Write(s =>
    {
        foreach (var row in rows)
        {
            cancellation.ThrowIfCancellationRequested();
            s.Execute("INSERT INTO endpoint (id, address, request, request_content, sealed, revision, purge) "
                + "VALUES ($1, $2, $3, $4, $5, $6, $7)", row.Id, SqliteStore.Blob(row.Address), SqliteStore.Blob(row.Request),
                SqliteStore.Blob(row.RequestContent), row.Sealed, (long)row.Revision, row.PurgeMs);
        }
    });

    public ValueTask AddStreamsAsync(IEnumerable<BackedUpStream> rows, CancellationToken cancellation) => Write(s =>
    {
        foreach (var row in rows)
            s.Execute("INSERT INTO stream (endpoint, kind, acknowledged, last, bytes) VALUES ($1, $2, $3, $3, 0)", row.Stream.EndpointId,
                (long)row.Stream.Kind, (long)row.Last);
    });

    public ValueTask AddIdentitiesAsync(IEnumerable<IdentitiesRow> rows, CancellationToken cancellation) => Write(s =>
    {
        foreach (var row in rows)
        {
            cancellation.ThrowIfCancellationRequested();
            s.Execute("INSERT INTO identities (endpoint, conversation, sealed) VALUES ($1, $2, $3)", row.EndpointId, row.ConversationId,
                row.Sealed);
        }
    });

    public ValueTask CommitAsync(CancellationToken cancellation) => Write(s =>
    {
        s.Execute("COMMIT");
        s.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
    });

    private ValueTask Write(Action<SqliteSession> write)
    {
        try
        {
            write(_session);
            return ValueTask.CompletedTask;
        }
        catch (SqliteException e)
        {
            throw Failed(_path, e);
        }
    }

    private static RelayStartException Failed(string path, SqliteException e) => new(e.SqliteErrorCode == FullResult
        ? $"The disk of {path} is full. Nothing was restored: make room (twice the backup's size), and try again."
        : string.Create(CultureInfo.InvariantCulture, $"{path} cannot be written (SQLite error {e.SqliteExtendedErrorCode}). Nothing was "
            + $"restored. Check that the disk has free space and that the file is writable."), e);

    /// <summary>Rolls back what was not committed.</summary>
    public ValueTask DisposeAsync()
    {
        _session.Dispose();
        return ValueTask.CompletedTask;
    }
}
