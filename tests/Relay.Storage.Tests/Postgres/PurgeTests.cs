using System.Security.Cryptography;
using Npgsql;
using Relay.Storage.Postgres;
using static Relay.Storage.Tests.Harness.StoreUnits;

namespace Relay.Storage.Tests.Postgres;

/// <summary>What is left of a purged endpoint in PostgreSQL's files.</summary>
public sealed class PurgeTests(PostgresFixture postgres) : PostgresTest(postgres)
{
    [Fact]
    public async Task A_purge_leaves_neither_the_sealed_keys_nor_their_earlier_versions_in_the_tables()
    {
        var store = await OpenAsync();
        byte[][] versions = [.. Enumerable.Range(0, 3).Select(_ => RandomNumberGenerator.GetBytes(900))];
        var kept = RandomNumberGenerator.GetBytes(900);
        await store.InsertEndpointAsync(Endpoint("e", 1, 1) with { Sealed = versions[0] }, default);
        await store.InsertEndpointAsync(Endpoint("f", 2, 2) with { Sealed = kept }, default);
        Assert.True(await store.UpdateEndpointAsync("e", 1, versions[1], null, default));
        Assert.True(await store.UpdateEndpointAsync("e", 2, versions[2], null, default));
        foreach (var version in versions) Assert.True(await IsInTablesAsync(version));
        Assert.True(await store.PurgeEndpointAsync("e", 3, default));
        foreach (var version in versions) Assert.False(await IsInTablesAsync(version));
        Assert.True(await IsInTablesAsync(kept));
        Assert.Equal(kept, (await store.LoadEndpointAsync("f", default))!.Sealed);
    }

    [Fact]
    public async Task A_deleted_file_leaves_none_of_its_sealed_rows_in_the_tables_once_they_are_scrubbed()
    {
        var store = await WithEndpointAsync();
        byte[][] versions = [.. Enumerable.Range(0, 2).Select(_ => RandomNumberGenerator.GetBytes(900))];
        var kept = RandomNumberGenerator.GetBytes(900);
        FileRow Row(string id, ulong revision, byte[] value) => new("e", id, "c", revision, 50, 0, value);
        await store.SaveFileAsync(Row("a", 1, versions[0]), default);
        await store.SaveFileAsync(Row("a", 2, versions[1]), default);
        await store.SaveFileAsync(Row("b", 1, kept), default);
        await store.AppendPortionAsync("e", "b", 0, [7], default);
        await store.DeleteFileAsync("e", "a", default);
        foreach (var version in versions) Assert.True(await IsInTablesAsync(version));
        Assert.True(await store.ScrubFilesAsync(default));
        foreach (var version in versions) Assert.False(await IsInTablesAsync(version));
        var left = Assert.Single(await store.ListFilesAsync("e", null, 9, default));
        Assert.Equal(kept, left.Row.Sealed);
        Assert.Equal(1u, left.Portions);
        Assert.Equal(SaveFileResult.Saved, await store.SaveFileAsync(Row("a", 1, versions[0]), default));
    }

    [Fact]
    public async Task A_purge_waits_for_a_transaction_that_can_still_read_the_sealed_keys()
    {
        var store = await OpenAsync();
        var value = RandomNumberGenerator.GetBytes(900);
        await store.InsertEndpointAsync(Endpoint("e", 1, 1) with { Sealed = value }, default);
        await using var dump = await ConnectAsync();
        await dump.ExecuteAsync("BEGIN ISOLATION LEVEL REPEATABLE READ", default);
        await dump.ScalarAsync<long>("SELECT count(*) FROM relay.counter", default);
        var purge = store.PurgeEndpointAsync("e", 1, default).AsTask();
        while (await AskAsync<int>("SELECT octet_length(sealed) FROM relay.endpoint WHERE id = 'e'") > 0) await Task.Delay(20);
        Assert.NotSame(purge, await Task.WhenAny(purge, Task.Delay(500)));
        await dump.ExecuteAsync("COMMIT", default);
        Assert.True(await purge.WaitAsync(Limit));
        Assert.False(await IsInTablesAsync(value));
    }

    /// <summary>The server's transactions are numbered together, so one of another database can be older than the purge, too.</summary>
    [Fact]
    public async Task A_purge_waits_for_a_writing_transaction_of_another_database()
    {
        var store = await OpenAsync();
        var value = RandomNumberGenerator.GetBytes(900);
        await store.InsertEndpointAsync(Endpoint("e", 1, 1) with { Sealed = value }, default);
        await using var other = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(Database) { Database = "postgres", Pooling = false }
            .ConnectionString);
        await other.OpenAsync();
        await other.ExecuteAsync("BEGIN", default);
        await other.ScalarAsync<string>("SELECT pg_current_xact_id()::text", default);
        var purge = store.PurgeEndpointAsync("e", 1, default).AsTask();
        while (await AskAsync<int>("SELECT octet_length(sealed) FROM relay.endpoint WHERE id = 'e'") > 0) await Task.Delay(20);
        await Task.WhenAny(purge, Task.Delay(500));
        await other.ExecuteAsync("COMMIT", default);
        Assert.True(await purge.WaitAsync(Limit));
        Assert.False(await IsInTablesAsync(value));
    }

    [Fact]
    public async Task Two_nodes_that_find_the_same_endpoint_purge_it_once()
    {
        var stores = new[] { await WithEndpointAsync(), await OpenAsync() };
        for (int i = 0; i < 200; i++) await stores[0].CommitAsync(Unit($"c{i}", 0, 1, new Row(Wire, 1)), default);
        var done = await Task.WhenAll(stores.Select(s => s.PurgeEndpointAsync("e", 1, default).AsTask()));
        Assert.Single(done, d => d);
        Assert.Null(await stores[1].LoadEndpointAsync("e", default));
        Assert.Equal(0L, await AskAsync<long>("SELECT (SELECT count(*) FROM relay.conversation) + (SELECT count(*) FROM relay.outbox) "
            + "+ (SELECT count(*) FROM relay.stream) + (SELECT count(*) FROM relay.endpoint_size)"));
    }

    private async Task<bool> IsInTablesAsync(byte[] value)
    {
        await AskAsync<object>("CHECKPOINT");
        var directory = Path.Combine((await AskAsync<string>("SHOW data_directory"))!, "base",
            (await AskAsync<string>("SELECT oid::text FROM pg_database WHERE datname = current_database()"))!);
        return Directory.GetFiles(directory).Any(f => File.ReadAllBytes(f).AsSpan().IndexOf(value.AsSpan(100, 64)) >= 0);
    }
}
