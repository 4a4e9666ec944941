using System.Globalization;
using Microsoft.Data.Sqlite;
using Relay.Storage.Backups;
using Relay.Storage.Files;
using Relay.Storage.Sealing;

namespace Relay.Storage.Sqlite;

/// <summary>
/// A read transaction on the database of a data directory. A server that uses it goes on writing; its log cannot be shortened meanwhile.
/// Without a server the directory's lock keeps one from starting.
/// </summary>
public sealed class SqliteSnapshot : IStoreSnapshot
{
    private readonly DataDirectory? _directory;
    private readonly SqliteSession _session;

    private SqliteSnapshot(DataDirectory? directory, SqliteSession session) => (_directory, _session) = (directory, session);

    /// <exception cref="RelayStartException">
    /// There is no database, it is foreign, damaged or of another version, or something that is no server uses the directory.
    /// </exception>
    public static SqliteSnapshot Open(string dataDirectory)
    {
        var path = Path.Combine(Path.GetFullPath(dataDirectory), DataDirectory.DatabaseName);
        if (!File.Exists(path))
            throw new RelayStartException($"There is no database {path}. Name the server's data directory (--data), or its database.");
        SqliteFile.CheckHeader(path);
        var directory = TryLock(dataDirectory);
        SqliteSession? session = null;
        try
        {
            var source = directory is null && !File.Exists(path + "-shm") ? null : SqliteCheck.Source(path, isServed: directory is null);
            if (source is null)
                throw new RelayStartException(directory is null
                    ? $"{dataDirectory} is in use, and no server has its database open: one starts or ends, or a restore runs. Try again."
                    : $"{path}-wal holds changes that were not yet taken into the database. Start the server once, and try again.");
            session = SqliteSession.Open(source, SqliteOpenMode.ReadOnly);
            session.Execute("BEGIN");
            if (SqliteSchema.ReadVersion(session) is var version && version != SqliteSchema.Version)
                throw new RelayStartException(string.Create(CultureInfo.InvariantCulture,
                    $"{path} has schema version {version}, and this Relay reads version {SqliteSchema.Version}. Back it up with the Relay "
                    + $"that uses it, or let this one use it first."));
            return new SqliteSnapshot(directory, session);
        }
        catch (Exception e)
        {
            session?.Dispose();
            directory?.Dispose();
            if (e is SqliteException fault) throw new RelayStartException($"{path} cannot be read ({Code(fault)}).", fault);
            throw;
        }
    }

    private static DataDirectory? TryLock(string dataDirectory)
    {
        try
        {
            return DataDirectory.Open(dataDirectory, null);
        }
        catch (RelayStartException e) when (e.InnerException is IOException)
        {
            return null;
        }
    }

    public ValueTask<byte[]?> ReadIdentityAsync(CancellationToken cancellation)
        => Read(s => (byte[]?)s.Scalar("SELECT sealed FROM meta WHERE name = $1", StoreIdentity.Row));

    public ValueTask<DocumentRow?> ReadDocumentAsync(string name, CancellationToken cancellation) => ValueTask.FromResult<DocumentRow?>(null);

    public ValueTask<IReadOnlyList<EndpointRow>> ReadEndpointsAsync(string? afterId, int max, CancellationToken cancellation)
        => Read<IReadOnlyList<EndpointRow>>(s => SqliteStore.ListEndpoints(s, afterId, max));

    public ValueTask<IReadOnlyList<BackedUpStream>> ReadStreamsAsync(StreamKey? after, int max, CancellationToken cancellation)
        => Read<IReadOnlyList<BackedUpStream>>(s =>
        {
            var list = new List<BackedUpStream>();
            using var rows = s.Query("SELECT endpoint, kind, last FROM stream WHERE (endpoint, kind) > ($1, $2) ORDER BY endpoint, kind "
                + "LIMIT $3", after?.EndpointId ?? "", after is { } known ? (long)known.Kind : 0, (long)max);
            while (rows.Read())
                list.Add(new BackedUpStream(new StreamKey(rows.Text(0), (StreamKind)rows.Int64(1)), (ulong)rows.Int64(2)));
            return list;
        });

    public ValueTask<IReadOnlyList<IdentitiesRow>> ReadIdentitiesAsync(IdentitiesRow? after, int max, CancellationToken cancellation)
        => Read<IReadOnlyList<IdentitiesRow>>(s =>
        {
            var list = new List<IdentitiesRow>(max);
            using var rows = s.Query("SELECT endpoint, conversation, sealed FROM identities WHERE (endpoint, conversation) > ($1, $2) "
                + "ORDER BY endpoint, conversation LIMIT $3", after?.EndpointId ?? "", after?.ConversationId ?? "", (long)max);
            while (rows.Read()) list.Add(new IdentitiesRow(rows.Text(0), rows.Text(1), rows.Blob(2)));
            return list;
        });

    private ValueTask<T> Read<T>(Func<SqliteSession, T> read)
    {
        try
        {
            return ValueTask.FromResult(read(_session));
        }
        catch (SqliteException e)
        {
            throw new StoreException($"The database cannot be read ({Code(e)}); 'relay doctor' checks it.", e);
        }
    }

    private static string Code(SqliteException e) => string.Create(CultureInfo.InvariantCulture, $"SQLite error {e.SqliteExtendedErrorCode}");

    public ValueTask DisposeAsync()
    {
        _session.Dispose();
        _directory?.Dispose();
        return ValueTask.CompletedTask;
    }
}
