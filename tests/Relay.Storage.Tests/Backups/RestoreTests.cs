using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Relay.Storage.Backups;
using Relay.Storage.Files;
using Relay.Storage.Postgres;
using Relay.Storage.Sqlite;
using Relay.Storage.Telemetry;
using Relay.Storage.Tests.Postgres;

namespace Relay.Storage.Tests.Backups;

/// <summary>The transactions of a restore: what they clear, and that nothing of one that fails is left.</summary>
public sealed class RestoreTests(PostgresFixture postgres) : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-restore-").FullName;

    private string Database => Path.Combine(_directory, "relay.db");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static EndpointRow Endpoint(int i) => new($"e{i:d6}", (UInt128)i, (UInt128)i, (UInt128)i, new byte[500], 3, i);

    /// <summary>Whoever adds a table decides what a restore does to it.</summary>
    [Fact]
    public void Every_table_of_SQLite_is_cleared_or_kept()
    {
        SqliteFile.Create(Database);
        using var session = SqliteSession.Open(Database, Microsoft.Data.Sqlite.SqliteOpenMode.ReadOnly);
        var tables = new List<string>();
        using (var rows = session.Query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"))
            while (rows.Read()) tables.Add(rows.Text(0));
        Assert.Equal(tables.Order(), SqliteRestore.Cleared.Concat(SqliteRestore.Kept).Order());
    }

    [Fact]
    public async Task Every_table_of_PostgreSQL_is_cleared_or_kept()
    {
        var database = await postgres.CreateDatabaseAsync();
        await (await PostgresRestore.OpenAsync(database, default)).DisposeAsync();
        await using var connection = new NpgsqlConnection(database + ";Pooling=false");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        var tables = await connection.RowsAsync("SELECT tablename FROM pg_tables WHERE schemaname = 'relay'", r => r.GetString(0), default);
        Assert.Equal(tables.Order(), PostgresRestore.Cleared.Concat(PostgresRestore.Kept).Append("document").Order());
    }

    /// <summary>Whoever puts a database back by its own means clears what a restore clears, but for what a backup holds.</summary>
    [Theory]
    [InlineData("docs/operators.md"), InlineData("deploy/README.md"), InlineData("deploy/test-compose.sh")]
    [InlineData("deploy/single.md"), InlineData("deploy/test-compose-single.sh")]
    public void The_statements_for_a_dump_clear_sessions_messages_and_files(string page)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "Relay.sln"))) root = root.Parent!;
        var text = File.ReadAllText(Path.Combine(root.FullName, page));
        string[] held = ["identities", "endpoint", "endpoint_size", "stream", "meta"];
        var truncated = Regex.Match(text, @"TRUNCATE (relay\.[^;]+);").Groups[1].Value.Split(", ", StringSplitOptions.RemoveEmptyEntries).Select(t => t["relay.".Length..]);
        var deleted = Regex.Matches(text, @"DELETE FROM (\w+);").Select(m => m.Groups[1].Value);
        var cleared = page.Contains("single", StringComparison.Ordinal) ? (deleted, SqliteRestore.Cleared) : (truncated, PostgresRestore.Cleared);
        Assert.Equal(cleared.Item2.Except(held).Order(), cleared.Item1.Order());
    }

    [Fact]
    public async Task A_full_disk_leaves_the_store_as_it_was()
    {
        await using (var first = SqliteRestore.Open(Database))
        {
            await first.AddEndpointsAsync([Endpoint(1)], default);
            await first.CommitAsync(default);
        }
        await using (var restore = SqliteRestore.Open(Database))
        {
            // SQLite's own bound of a file's pages fails as a full disk does.
            long pages = (long)restore.Session.Scalar("PRAGMA page_count")!;
            restore.Session.Execute(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"PRAGMA max_page_count = {pages + 10}"));
            await restore.ClearAsync(default);
            var e = await Assert.ThrowsAsync<RelayStartException>(() => restore.AddEndpointsAsync(Enumerable.Range(2, 1000).Select(Endpoint), default).AsTask());
            Assert.Contains("full. Nothing was restored", e.Message, StringComparison.Ordinal);
        }
        Assert.Equal(1, SqliteRestore.Look(Database).Endpoints);
    }

    /// <summary>A backup is of one moment: nothing that is committed while it is made is in a part of it.</summary>
    [Fact]
    public async Task A_snapshot_does_not_see_what_is_written_meanwhile()
    {
        var database = await postgres.CreateDatabaseAsync();
        var telemetry = new StorageTelemetry(new System.Diagnostics.Metrics.Meter("test"));
        // As a server does.
        using var directory = DataDirectory.Open(_directory, null);
        IRelayStore[] stores =
        [
            await PostgresStore.OpenAsync(database, telemetry, NullLogger.Instance, TimeProvider.System, default), SqliteStore.Open(Database, telemetry, NullLogger.Instance),
        ];
        foreach (var store in stores)
        {
            await using (store)
            {
                Assert.Equal(InsertEndpointResult.Inserted, await store.InsertEndpointAsync(Endpoint(1) with { Revision = 1 }, default));
                IStoreSnapshot snapshot = store is PostgresStore ? await PostgresSnapshot.OpenAsync(database, default) : SqliteSnapshot.Open(_directory);
                await using (snapshot)
                {
                    Assert.Equal(InsertEndpointResult.Inserted, await store.InsertEndpointAsync(Endpoint(2) with { Revision = 1 }, default));
                    Assert.Equal("e000001", Assert.Single(await snapshot.ReadEndpointsAsync(null, 10, default)).Id);
                }
                Assert.Equal(2, (await store.ListEndpointsAsync(null, 10, default)).Count);
            }
        }
    }

    [Fact]
    public async Task What_was_not_committed_is_gone_and_what_was_is_read_back_in_order()
    {
        var database = await postgres.CreateDatabaseAsync();
        Assert.True((await PostgresRestore.LookAsync(database, default)).IsEmpty);
        Assert.Contains("no Relay schema", (await Assert.ThrowsAsync<RelayStartException>(() => PostgresSnapshot.OpenAsync(database, default))).Message, StringComparison.Ordinal);
        async Task FillAsync(IStoreRestore restore)
        {
            await restore.ClearAsync(default);
            await restore.WriteIdentityAsync([1, 2, 3], default);
            await restore.AddEndpointsAsync(Enumerable.Range(1, 2500).Select(Endpoint), default);
            await restore.AddStreamsAsync([new(new StreamKey("e000001", StreamKind.Wire), 7), new(new StreamKey("e000001", StreamKind.Events), 9)], default);
            await restore.AddIdentitiesAsync(Enumerable.Range(1, 2500).Select(i => new IdentitiesRow("e000001", $"c{i:d6}", [9])), default);
        }
        await using (var dropped = await PostgresRestore.OpenAsync(database, default)) await FillAsync(dropped);
        Assert.True((await PostgresRestore.LookAsync(database, default)).IsEmpty);
        await using (var failed = await PostgresRestore.OpenAsync(database, default))
            await Assert.ThrowsAsync<InvalidDataException>(() => failed.AddEndpointsAsync(Enumerable.Range(1, 50).Select(i => i < 50 ? Endpoint(i) : throw new InvalidDataException()), default).AsTask());
        Assert.True((await PostgresRestore.LookAsync(database, default)).IsEmpty);
        IStoreRestore[] restores = [await PostgresRestore.OpenAsync(database, default), SqliteRestore.Open(Database)];
        foreach (var restore in restores)
        {
            await FillAsync(restore);
            await restore.CommitAsync(default);
            await restore.DisposeAsync();
        }
        IStoreSnapshot[] snapshots = [await PostgresSnapshot.OpenAsync(database, default), SqliteSnapshot.Open(_directory)];
        foreach (var snapshot in snapshots)
        {
            Assert.Equal([1, 2, 3], await snapshot.ReadIdentityAsync(default));
            var endpoints = new List<EndpointRow>();
            while (await snapshot.ReadEndpointsAsync(endpoints.LastOrDefault()?.Id, 1000, default) is { Count: > 0 } rows) endpoints.AddRange(rows);
            Assert.Equal(Enumerable.Range(1, 2500).Select(i => (Endpoint(i).Id, (UInt128)i, 3ul, (long?)i)), endpoints.Select(e => (e.Id, e.Address, e.Revision, e.PurgeMs)));
            var identities = new List<IdentitiesRow>();
            while (await snapshot.ReadIdentitiesAsync(identities.Count == 0 ? null : identities[^1], 1000, default) is { Count: > 0 } rows) identities.AddRange(rows);
            Assert.Equal(Enumerable.Range(1, 2500).Select(i => $"c{i:d6}"), identities.Select(i => i.ConversationId));
            var events = Assert.Single(await snapshot.ReadStreamsAsync(null, 1, default));
            Assert.Equal((StreamKind.Events, 9ul), (events.Stream.Kind, events.Last));
            Assert.Equal(7ul, Assert.Single(await snapshot.ReadStreamsAsync(events.Stream, 5, default)).Last);
            await snapshot.DisposeAsync();
        }
    }
}
