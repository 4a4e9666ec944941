using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Otr.Core;
using Relay.Actors;
using Relay.Actors.Cluster;
using Relay.Actors.Documents;
using Relay.Actors.Epochs;
using Relay.Storage;
using Relay.Storage.Postgres;
using Relay.Storage.Sealing;

namespace Relay.Cluster.Tests;

/// <summary>Sealing epochs of a cluster: the key goes from node to node, and what PostgreSQL keeps of yesterday opens with nothing of today.</summary>
public sealed class EpochTests(ClusterDatabase databases) : IDisposable
{
    private const string Endpoint = "bot", Peer = "contact@example.net";
    private static readonly ConversationAddress s_address = new ConversationAddress.ByPeer(Endpoint, Peer);
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-test-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private string KeyOf(string node) => Path.Combine(_directory, node, "epoch.key");

    private static EpochTimes Times(TimeSpan length) => new(length)
    {
        Look = TimeSpan.FromMilliseconds(50), Watch = TimeSpan.FromMilliseconds(50), Settle = TimeSpan.FromMilliseconds(500),
        Grace = TimeSpan.FromMilliseconds(50),
    };

    private Task<IRelay> OpenAsync(string database, string name, TimeSpan length, bool? isEnabled = null, bool beginAnew = false)
        => ClusterRelay.OpenAsync(new ClusterRelayOptions(database, new ClusterOptions { Host = "127.0.0.1", Port = TestNode.FreePort() })
        {
            DataDirectory = Path.Combine(_directory, name), SealingKeyFile = Path.Combine(_directory, "sealing.key"), Shards = 4, Version = "1.0.0",
            Epochs = new SealingEpochOptions { IsEnabled = isEnabled, BeginAnew = beginAnew }, EpochTimes = Times(length),
        }, NullLoggerFactory.Instance, TimeProvider.System, SystemRandom.Instance, default);

    private EpochKeyFile.Position Position(string node)
    {
        using var key = SealingKey.Read(Path.Combine(_directory, "sealing.key"));
        using var file = EpochKeyFile.TryOpen(KeyOf(node), key)!;
        return file.Now;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TestNode.Limit);
        while (!await condition()) await Task.Delay(20, limit.Token);
    }

    private static async Task<T> AskAsync<T>(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(database + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Every file of the server: tables, indexes, and the write-ahead log.</summary>
    private static async Task<byte[][]> FilesAsync(string database)
    {
        await AskAsync<object?>(database, "SELECT pg_switch_wal()::text");
        var directory = await AskAsync<string>(database, "SHOW data_directory");
        var folders = new[] { Path.Combine(directory, "pg_wal"), Path.Combine(directory, "base", await AskAsync<string>(database, "SELECT oid::text FROM pg_database WHERE datname = current_database()")) };
        return [.. folders.SelectMany(Directory.GetFiles).Select(File.ReadAllBytes)];
    }

    private static async Task<List<(SealedTable Table, SealedPlace Place, byte[] Sealed)>> RowsAsync(string database)
    {
        using var meter = new System.Diagnostics.Metrics.Meter("test");
        await using var store = await PostgresStore.OpenAsync(database, new Storage.Telemetry.StorageTelemetry(meter), NullLogger.Instance, TimeProvider.System, default);
        var rows = new List<(SealedTable, SealedPlace, byte[])>();
        foreach (var table in Enum.GetValues<SealedTable>().Where(Sealer.IsOfEpoch))
            rows.AddRange((await store.ReadStaleAsync(table, null, new byte[5], 1000, default)).Rows.Select(r => (table, r.Place, r.Sealed)));
        return rows;
    }

    private List<bool> Open(IEnumerable<(SealedTable Table, SealedPlace Place, byte[] Sealed)> rows, string epochKey)
    {
        using var key = SealingKey.Read(Path.Combine(_directory, "sealing.key"));
        using var file = EpochKeyFile.TryOpen(epochKey, key)!;
        using var sealer = new Sealer(key, RandomNumberGenerator.Fill, file.Epochs);
        return [.. rows.Select(r => sealer.Opens(r.Table, r.Place.KeyIn(r.Table), r.Sealed))];
    }

    [Fact]
    public async Task Two_nodes_end_an_epoch_and_the_log_of_the_time_before_opens_with_neither_s_keys()
    {
        var database = await databases.CreateAsync();
        await using var a = await OpenAsync(database, "a", TimeSpan.FromHours(1), isEnabled: true);
        var request = new CreateEndpoint("create", Endpoint, "xmpp", "bot@example.net", new EndpointSettings(), null);
        Assert.IsType<CreateEndpointReply.Created>(await a.Endpoints.CreateAsync(request, default));
        var first = Assert.IsType<ConversationReply.Done>(await a.AskAsync(s_address, new Command.StartSession("first"), default));
        // The other node is not told of epochs: it finds them in the database, and is given the key.
        await using var b = await OpenAsync(database, "b", TimeSpan.FromHours(1));
        Assert.Equal(Position("a"), Position("b"));
        var rows = await RowsAsync(database);
        Assert.True(rows.Count >= 2);
        File.Copy(KeyOf("a"), Path.Combine(_directory, "then.key"));
        Assert.All(Open(rows, Path.Combine(_directory, "then.key")), Assert.True);
        // An archive of the time has them, in its log.
        var archive = await FilesAsync(database);
        Assert.All(rows, r => Assert.Contains(archive, f => f.AsSpan().IndexOf(r.Sealed) >= 0));
        // And what the one node has given the other: the log has every document that there was.
        var secret = new byte[32];
        uint then = Position("a").Current;
        using (var key = SealingKey.Read(Path.Combine(_directory, "sealing.key")))
        using (var file = EpochKeyFile.TryOpen(KeyOf("a"), key)!) Assert.True(file.Epochs.TryCopySecret(file.Now.Floor, secret));
        Assert.DoesNotContain(archive, f => f.AsSpan().IndexOf(secret) >= 0);

        // The next epoch begins and the one before ends, on both nodes, under traffic from both.
        await a.DisposeAsync();
        await using var again = await OpenAsync(database, "a", TimeSpan.FromMilliseconds(1500));
        await b.DisposeAsync();
        await using var other = await OpenAsync(database, "b", TimeSpan.FromMilliseconds(1500));
        int asked = 0;
        await UntilAsync(async () =>
        {
            foreach (var node in new[] { again, other })
            {
                var id = $"more{++asked}";
                while (await node.AskAsync(s_address, new Command.StartSession(id), default) is ConversationReply.Unavailable) await Task.Delay(20);
            }
            return Position("a").Floor > then && Position("b").Floor > then;
        });
        foreach (var node in new[] { "a", "b" }) Assert.All(Open(rows, KeyOf(node)), Assert.False);
        foreach (var node in new[] { again, other })
            Assert.NotNull(await node.GetConversationAsync(Endpoint, first.ConversationId, default) is { Peer: Peer } view ? view : null);
        // What is there now opens, with the keys of either.
        var now = await RowsAsync(database);
        Assert.All(now, r => Assert.Equal(2, r.Sealed[0]));
        Assert.DoesNotContain(now, r => rows.Exists(old => old.Sealed.AsSpan().SequenceEqual(r.Sealed)));
    }

    [Fact]
    public async Task A_cluster_that_was_not_told_seals_as_before()
    {
        var database = await databases.CreateAsync();
        await using (await OpenAsync(database, "a", TimeSpan.FromHours(1)))
        {
            Assert.False(File.Exists(KeyOf("a")));
            // A node that runs could not read what one with epochs seals.
            var refusal = await Assert.ThrowsAsync<RelayStartException>(() => OpenAsync(database, "b", TimeSpan.FromHours(1), isEnabled: true));
            Assert.Contains("Stop all nodes", refusal.Message, StringComparison.Ordinal);
            Assert.False(File.Exists(KeyOf("b")));
        }
        // Once one node has begun, one that starts later follows it.
        await using var b = await OpenAsync(database, "b", TimeSpan.FromHours(1), isEnabled: true);
        await using var again = await OpenAsync(database, "a", TimeSpan.FromHours(1));
        Assert.Equal(Position("b"), Position("a"));
    }

    [Fact]
    public async Task Without_any_node_that_has_the_key_a_start_is_refused_until_it_is_said_to_be_lost()
    {
        var database = await databases.CreateAsync();
        await using (await OpenAsync(database, "a", TimeSpan.FromHours(1), isEnabled: true)) { }
        using var key = SealingKey.Read(Path.Combine(_directory, "sealing.key"));
        using var meter = new System.Diagnostics.Metrics.Meter("test");
        await using var store = await PostgresStore.OpenAsync(database, new Storage.Telemetry.StorageTelemetry(meter), NullLogger.Instance, TimeProvider.System, default);
        using var proof = new Sealer(key, RandomNumberGenerator.Fill);
        var path = Path.Combine(_directory, "c.key");

        Task<EpochKeyFile?> StartAsync(bool beginAnew, TimeProvider time) => new ClusterEpochs(path, new SealingEpochOptions { BeginAnew = beginAnew },
            new EpochDocuments(new SealedDocuments(store, proof)), store.ListNodesAsync, key, SystemRandom.Instance, time, NullLogger.Instance) { Patience = TimeSpan.FromMilliseconds(300) }.OpenAsync(default);

        var refusal = await Assert.ThrowsAsync<RelayStartException>(() => StartAsync(false, TimeProvider.System));
        Assert.Contains("--new-epoch-key", refusal.Message, StringComparison.Ordinal);
        Assert.True(refusal.IsTemporary);
        Assert.False(File.Exists(path));
        using (var begun = await StartAsync(true, TimeProvider.System)) Assert.NotNull(begun);
        // The file of before is another chain's, and is refused rather than used.
        path = KeyOf("a");
        Assert.Contains("Move the file away", (await Assert.ThrowsAsync<RelayStartException>(() => StartAsync(false, TimeProvider.System))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_answer_opens_with_the_asking_node_s_key_alone()
    {
        using EpochHandOver asks = new(), other = new();
        byte[] secret = RandomNumberGenerator.GetBytes(32), opened = new byte[32];
        var answer = EpochHandOver.Answer(asks.PublicKey, 7, secret)!;
        Assert.True(asks.TryOpen(answer, 7, opened));
        Assert.Equal(secret, opened);
        Assert.False(other.TryOpen(answer, 7, opened));
        Assert.False(asks.TryOpen(answer, 8, opened));
        for (int i = 0; i < answer.Length; i++)
        {
            var damaged = answer.ToArray();
            damaged[i] ^= 1;
            Assert.False(asks.TryOpen(damaged, 7, opened));
            Assert.False(asks.TryOpen(answer.AsSpan(0, i), 7, opened));
        }
        // A point that is not on the curve.
        var bad = asks.PublicKey;
        bad[^1] ^= 1;
        Assert.Null(EpochHandOver.Answer(bad, 7, secret));
    }
}
