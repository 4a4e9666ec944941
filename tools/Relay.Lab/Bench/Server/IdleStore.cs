using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using Microsoft.Data.Sqlite;
using Otr.Core;
using Relay.Actors;
using Relay.Storage.Files;
using Relay.Storage.Sealing;
using Relay.Storage.Sqlite;

namespace Relay.Lab.Bench.Server;

/// <summary>
/// Fills the store of a stopped server with copies of one real conversation's row, each sealed for another peer. All have the
/// same snapshot, so that one contact's wire text is valid in each of them.
/// </summary>
internal sealed class IdleStore : IDisposable
{
    private const string IdentityRow = "identity";
    private const int ChunkSize = 4096;

    private readonly DataDirectory _directory;
    private readonly EpochKeyFile? _epochs;
    private readonly Sealer _sealer;
    private readonly KeyedIds _ids;
    /// <summary>The format version of the seed's row.</summary>
    private byte _format;
    private readonly SqliteConnection _connection;

    /// <param name="path">The data directory.</param>
    public IdleStore(string path)
    {
        _directory = DataDirectory.Open(path, null);
        using (var key = SealingKey.Read(_directory.SealingKey))
        {
            _epochs = EpochKeyFile.TryOpen(Path.Combine(_directory.Path, EpochKeyFile.DefaultName), key);
            _sealer = new Sealer(key, SystemRandom.Instance.Fill, _epochs?.Epochs);
        }
        var identity = _sealer.TryOpen(
            SealedTable.Meta, new RowKey(IdentityRow, "", 1), SqliteFile.Check(_directory.Database, IdentityRow)!)!;
        _ids = new KeyedIds(identity);
        CryptographicOperations.ZeroMemory(identity);
        _connection = new SqliteConnection(
            new SqliteConnectionStringBuilder
            {
                DataSource = _directory.Database, Mode = SqliteOpenMode.ReadWrite, Pooling = false,
            }.ToString());
        _connection.Open();
        // Durability is not needed while the store is filled; the server sets its own modes when it opens the file.
        Execute("PRAGMA journal_mode = DELETE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536");
    }

    /// <summary>The peer's address in the conversation with this number.</summary>
    public static string Peer(int n) => $"idle-{n:D7}@load.example";

    /// <summary>The size of the database file, in bytes.</summary>
    public static long Size(string path) => new FileInfo(Path.Combine(path, "relay.db")).Length;

    /// <summary>
    /// Adds <paramref name="count"/> conversations, numbered from 0, as copies of the one with <paramref name="seedPeer"/>.
    /// </summary>
    /// <param name="progress">Called with the number of conversations added so far.</param>
    public async Task FillAsync(string endpointId, string seedPeer, int count, Action<int> progress, CancellationToken cancellation)
    {
        var body = Body(endpointId, seedPeer);
        var ids = new (string Id, int Number)[count];
        Parallel.For(0, count, n => ids[n] = (Id(endpointId, Peer(n)), n));
        // Sorted in the order of the index, so that its pages are written sequentially.
        Array.Sort(ids, (a, b) => string.CompareOrdinal(a.Id, b.Id));
        var chunks = Channel.CreateBounded<(string Id, byte[] Sealed)[]>(4);
        var sealing = Task.Run(async () =>
        {
            foreach (var chunk in ids.Chunk(ChunkSize))
                await chunks.Writer.WriteAsync([.. chunk.Select(c => (c.Id, Seal(endpointId, c.Id, Peer(c.Number), body)))], cancellation);
            chunks.Writer.Complete();
        }, cancellation);
        long now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        int done = 0;
        using var transaction = _connection.BeginTransaction();
        using var insert = Command(
            "INSERT INTO conversation (endpoint, id, version, updated, sealed) VALUES ($endpoint, $id, 1, $updated, $sealed)",
            ("$endpoint", endpointId), ("$id", ""), ("$updated", now), ("$sealed", Array.Empty<byte>()));
        insert.Prepare();
        await foreach (var chunk in chunks.Reader.ReadAllAsync(cancellation))
        {
            foreach (var (id, value) in chunk)
            {
                (insert.Parameters["$id"].Value, insert.Parameters["$sealed"].Value) = (id, value);
                insert.ExecuteNonQuery();
            }
            progress(done += chunk.Length);
        }
        await sealing;
        Execute("UPDATE endpoint SET conversations = conversations + $count WHERE id = $id", ("$id", endpointId), ("$count", (long)count));
        transaction.Commit();
    }

    public void Dispose()
    {
        _connection.Dispose();
        // Flushed here: otherwise the server's first flush would write all of it, and count as part of its start.
        using (var file = new FileStream(_directory.Database, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
            file.Flush(flushToDisk: true);
        _sealer.Dispose();
        _epochs?.Dispose();
        _ids.Dispose();
        _directory.Dispose();
    }

    private string Id(string endpointId, string peer) => _ids.Conversation(endpointId, peer);

    /// <summary>The part of the seed's row that follows the peer's address.</summary>
    private byte[] Body(string endpointId, string seedPeer)
    {
        var id = Id(endpointId, seedPeer);
        using var select = Command(
            "SELECT version, sealed FROM conversation WHERE endpoint = $endpoint AND id = $id", ("$endpoint", endpointId), ("$id", id));
        using var row = select.ExecuteReader();
        if (!row.Read()) throw new InvalidOperationException("The seed conversation is missing.");
        var clear = _sealer.TryOpen(
            SealedTable.Conversation, new RowKey(endpointId, id, (ulong)row.GetInt64(0)), row.GetFieldValue<byte[]>(1))!;
        var read = new RowReader(clear);
        _format = read.Byte();
        read.Bytes();
        if (Encoding.UTF8.GetString(read.Bytes()) != seedPeer) throw new InvalidOperationException("The seed's row has another format.");
        return read.Rest().ToArray();
    }

    private byte[] Seal(string endpointId, string id, string peer, byte[] body)
        => _sealer.Seal(SealedTable.Conversation, new RowKey(endpointId, id, 1), [.. Head(peer), .. body]);

    private void Execute(string sql, params (string Name, object Value)[] parameters)
    {
        using var command = Command(sql, parameters);
        command.ExecuteNonQuery();
    }

    private SqliteCommand Command(string sql, params (string Name, object Value)[] parameters)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value);
        return command;
    }

    /// <summary>
    /// The beginning of a conversation's row: the format version, no request ids, which an idle conversation forgets after a day, and the
    /// peer's address.
    /// </summary>
    private byte[] Head(string peer)
    {
        using var row = new RowWriter();
        row.Byte(_format);
        row.Bytes([]);
        row.Bytes(Encoding.UTF8.GetBytes(peer));
        return row.Written.ToArray();
    }
}
