using Npgsql;
using Relay.Storage.Postgres;
using static Relay.Storage.Tests.Harness.StoreUnits;

namespace Relay.Storage.Tests.Postgres;

/// <summary>Somebody has written into the database: what that touches fails in order, what is beside it goes on.</summary>
public sealed class AlteredDatabaseTests(PostgresFixture postgres) : PostgresTest(postgres)
{
    private static readonly StreamKey OtherWire = new("f", StreamKind.Wire);

    private async Task<PostgresStore> AlteredAsync(string sql)
    {
        var store = await WithEndpointAsync();
        await store.InsertEndpointAsync(Endpoint("f", 2, 2), default);
        await store.CommitAsync(Unit("c", 0, 1, new Row(Wire, 1)) with { SealedSeen = [1], DueMs = 5 }, default);
        await using var connection = await ConnectAsync();
        foreach (var constraint in await connection.RowsAsync("SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint WHERE contype = 'c' AND connamespace = 'relay'::regnamespace", r => r.GetString(0), default))
            await connection.ExecuteAsync(constraint, default);
        await connection.ExecuteAsync(sql, default);
        return store;
    }

    private static CommitUnit Other(string id) => Unit(id, 0, 1, new Row(OtherWire, 1)) with { EndpointId = "f" };

    [Theory]
    [InlineData("UPDATE relay.stream SET last = -1, acknowledged = -1 WHERE endpoint = 'e'")]
    [InlineData("UPDATE relay.stream SET last = 0, acknowledged = 1 WHERE endpoint = 'e'")]
    [InlineData("UPDATE relay.stream SET last = 9223372036854775807 WHERE endpoint = 'e'")]
    [InlineData("UPDATE relay.stream SET bytes = -9223372036854775808 WHERE endpoint = 'e'")]
    [InlineData("DELETE FROM relay.stream WHERE endpoint = 'e'")]
    [InlineData("INSERT INTO relay.outbox VALUES ('e', 2, 2, 'x')")]
    [InlineData("UPDATE relay.stream SET last = 0 WHERE endpoint = 'e'")]
    public async Task A_damaged_stream_takes_nothing_and_others_go_on(string sql)
    {
        var store = await AlteredAsync(sql);
        var (bad, good) = (store.CommitAsync(Unit("d", 0, 1, new Row(Wire, 1)), default).AsTask(), store.CommitAsync(Other("d"), default).AsTask());
        await Assert.ThrowsAsync<StoreException>(() => bad.WaitAsync(Limit));
        Assert.IsType<CommitResult.Committed>(await good.WaitAsync(Limit));
        Assert.Null(await store.LoadAsync("e", "d", default));
    }

    [Fact]
    public async Task What_fails_for_itself_does_not_take_its_group_along()
    {
        var store = await AlteredAsync("SELECT 1");
        var held = new TaskCompletionSource();
        store.Reached = (_, _) => held.Task;
        // All wait behind one transaction and make one group; the server refuses the text of one of them.
        var commits = Enumerable.Range(0, 50).Select(i => store.CommitAsync(i == 20 ? Unit("nul\0nul", 0, 1, new Row(Wire, 9)) : Unit($"d{i}", 0, 1, new Row(Wire, 1)), default).AsTask()).ToArray();
        held.SetResult();
        await Assert.ThrowsAsync<StoreException>(() => commits[20].WaitAsync(Limit));
        for (int i = 0; i < commits.Length; i++)
        {
            if (i != 20) Assert.IsType<CommitResult.Committed>(await commits[i].WaitAsync(Limit));
        }
        Assert.Equal(50, (await RowsOfAsync(store, Wire)).Count);
    }

    [Theory]
    [InlineData("UPDATE relay.conversation SET version = -1")]
    [InlineData("UPDATE relay.conversation SET version = 9223372036854775807")]
    [InlineData("UPDATE relay.conversation SET updated = 9223372036854775807, due = 9223372036854775807")]
    [InlineData("UPDATE relay.conversation SET updated = -9223372036854775808, due = -9223372036854775808")]
    [InlineData("UPDATE relay.conversation SET sealed = ''")]
    [InlineData("UPDATE relay.seen SET version = -5, sealed = ''")]
    public async Task An_altered_conversation_is_read_without_a_fault_and_its_times_can_be_told(string sql)
    {
        var store = await AlteredAsync(sql);
        foreach (var stored in (await store.ListAsync("e", null, 10, default)).Append(await store.LoadAsync("e", "c", default)))
        {
            Assert.InRange(DateTimeOffset.FromUnixTimeMilliseconds(stored!.UpdatedMs), DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue);
            Assert.InRange(DateTimeOffset.FromUnixTimeMilliseconds(stored.DueMs ?? 0), DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue);
        }
        var due = await store.ReadDueAsync(1000, 10, default);
        Assert.True(due.NextMs is null or > 1000);
        Assert.IsType<CommitResult.Conflict>(await store.CommitAsync(Unit("c", 7), default));
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("d", 0), default));
    }

    [Theory]
    [InlineData("ALTER TABLE relay.conversation ALTER COLUMN sealed DROP NOT NULL; UPDATE relay.conversation SET sealed = NULL")]
    [InlineData("ALTER TABLE relay.conversation ALTER COLUMN sealed TYPE integer USING 1")]
    [InlineData("ALTER TABLE relay.conversation RENAME TO something")]
    public async Task A_table_that_is_no_longer_ours_is_a_failure_of_the_store(string sql)
    {
        var store = await AlteredAsync(sql);
        await Assert.ThrowsAsync<StoreException>(() => store.LoadAsync("e", "c", default).AsTask().WaitAsync(Limit));
        await Assert.ThrowsAsync<StoreException>(() => store.ListAsync("e", null, 10, default).AsTask().WaitAsync(Limit));
        Assert.NotNull(await store.LoadEndpointAsync("e", default));
    }

    [Theory]
    [InlineData("UPDATE relay.endpoint_size SET conversations = -7 WHERE endpoint = 'e'", typeof(CommitResult.TooManyConversations))]
    [InlineData("UPDATE relay.endpoint_size SET conversations = 2000000 WHERE endpoint = 'e'", typeof(CommitResult.TooManyConversations))]
    [InlineData("DELETE FROM relay.endpoint_size WHERE endpoint = 'e'", typeof(CommitResult.NoEndpoint))]
    public async Task An_endpoint_at_its_bound_or_with_a_size_that_cannot_be_takes_no_new_conversation(string sql, Type result)
    {
        var store = await AlteredAsync(sql);
        Assert.IsType(result, await store.CommitAsync(Unit("d", 0, 1, new Row(Wire, 1)), default));
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("c", 1, 1, new Row(Wire, 1)), default));
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Other("d"), default));
    }

    [Fact]
    public async Task Ids_of_a_wrong_length_belong_to_nobody()
    {
        var store = await AlteredAsync("UPDATE relay.endpoint SET address = 'x', request = 'y', request_content = '' WHERE id = 'e'");
        Assert.Equal((default, default, default), (await store.LoadEndpointAsync("e", default)) is { } e ? (e.Address, e.Request, e.RequestContent) : (1, 1, 1));
        Assert.Null(await store.FindEndpointByRequestAsync(1, default));
    }

    [Fact]
    public async Task A_negative_or_missing_epoch_lets_nobody_in()
    {
        var store = await AlteredAsync("INSERT INTO relay.shard VALUES (1, -3, gen_random_uuid(), now())");
        Assert.IsType<CommitResult.Fenced>(await store.CommitAsync(Unit("d", 0) with { Fence = new ShardFence(1, 1) }, default));
        Assert.Equal(-2, (await store.ClaimShardAsync(1, Guid.Empty, default)).Epoch);
    }
}
