using System.Buffers.Binary;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Relay.Storage.Telemetry;

namespace Relay.Storage.Sqlite;

/// <summary>
/// The store of one process: a SQLite file in WAL mode, flushed to disk at every commit. Deleted content is overwritten with zeros.
/// </summary>
public sealed partial class SqliteStore : IRelayStore, IResealStore
{
    private readonly StreamTails _tails = new();
    private readonly SqliteWriter _writer;
    private readonly SqliteReaders _readers;
    private readonly FileQuota _quota;

    private SqliteStore(SqliteSession writing, SqliteReaders readers, StorageTelemetry telemetry, ILogger log, FileQuota quota)
    {
        _writer = new SqliteWriter(writing, _tails, telemetry, log)
        {
            Touched = (stream, position) =>
            {
                if (position.IsAppended) Appended?.Invoke(stream, position.Last);
                if (position.IsAcknowledged) Acknowledged?.Invoke(stream);
            },
        };
        (_readers, _quota) = (readers, quota);
    }

    public event Action<StreamKey, ulong>? Appended;

    public event Action<StreamKey>? Acknowledged;

    /// <summary>For tests: replaces <see cref="SqliteWriter.EndTransaction"/>.</summary>
    internal Action<SqliteSession> EndTransaction { set => _writer.EndTransaction = value; }

    /// <summary>
    /// Opens the file, or creates it. The caller holds the directory's lock and has checked the file (<see cref="SqliteFile.Check"/>).
    /// </summary>
    /// <param name="quota">Null: the default.</param>
    /// <exception cref="RelayStartException">The file cannot be written.</exception>
    public static SqliteStore Open(string path, StorageTelemetry telemetry, ILogger log, FileQuota? quota = null)
    {
        if (!File.Exists(path)) SqliteFile.Create(path);
        SqliteSession? session = null;
        try
        {
            session = SqliteSession.Open(path, SqliteOpenMode.ReadWrite);
            session.Execute("PRAGMA journal_mode = WAL");
            session.Execute("PRAGMA journal_size_limit = 16777216");
            // Every commit rewrites rows anywhere in the tables. With the default cache of 2 MB the pages are read again, and with a
            // checkpoint every 1,000 pages each is written to the file about as often as to the log.
            session.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA cache_size = -{StorageLimits.SqliteCacheKib}"));
            session.Execute(string.Create(CultureInfo.InvariantCulture,
                $"PRAGMA wal_autocheckpoint = {StorageLimits.SqliteCheckpointPages}"));
            SqliteSchema.Migrate(session);
            return new SqliteStore(session, new SqliteReaders(path, StorageLimits.ReadConnections), telemetry, log,
                quota ?? FileQuota.Default);
        }
        catch (SqliteException e)
        {
            session?.Dispose();
            throw new RelayStartException($"{path} cannot be opened for writing (SQLite error {e.SqliteExtendedErrorCode}). "
                + "Check that the disk has free space and that the file is writable.", e);
        }
    }

    /// <summary>Reads a meta row; null if there is none.</summary>
    /// <exception cref="StoreException"/>
    public ValueTask<byte[]?> FindMetaAsync(string name, CancellationToken cancellation)
        => _readers.ReadAsync(s => (byte[]?)s.Scalar("SELECT sealed FROM meta WHERE name = $1", name), cancellation);

    public async ValueTask<byte[]> GetOrAddMetaAsync(string name, byte[]? candidate, CancellationToken cancellation)
    {
        const string select = "SELECT sealed FROM meta WHERE name = $1";
        if (await _readers.ReadAsync(s => (byte[]?)s.Scalar(select, name), cancellation).ConfigureAwait(false) is { } stored) return stored;
        if (candidate is null) throw new StoreException("The database lacks a meta row that every Relay database has.");
        return await _writer.RunAsync((s, _) =>
        {
            s.Execute("INSERT INTO meta (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", name, candidate);
            return (byte[])s.Scalar(select, name)!;
        }).ConfigureAwait(false);
    }

    public async ValueTask FlushAsync(CancellationToken cancellation)
        => await _writer.StopAsync().WaitAsync(cancellation).ConfigureAwait(false);

    public async ValueTask DisposeAsync()
    {
        await _writer.StopAsync().ConfigureAwait(false);
        await _readers.DisposeAsync().ConfigureAwait(false);
    }

    internal static byte[] Blob(UInt128 value)
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, value);
        return bytes;
    }

    private static UInt128 Number(byte[] blob) => blob.Length == 16 ? BinaryPrimitives.ReadUInt128BigEndian(blob) : default;
}
