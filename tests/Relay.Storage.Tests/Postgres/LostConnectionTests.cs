using Npgsql;
using Relay.Storage.Postgres;
using static Relay.Storage.Tests.Harness.StoreUnits;

namespace Relay.Storage.Tests.Postgres;

/// <summary>Whatever happens to a connection, a unit is committed once and its caller is told so.</summary>
public sealed class LostConnectionTests(PostgresFixture postgres) : PostgresTest(postgres)
{
    [Theory]
    [InlineData(LaneStage.Connected, 1)]
    [InlineData(LaneStage.Decided, 2)]
    [InlineData(LaneStage.Committed, 1)]
    public async Task A_session_ended_by_an_administrator_changes_nothing_for_the_caller(object at, int attempts)
    {
        var store = await WithEndpointAsync();
        int decided = 0, ended = 0;
        var told = new List<(StreamKey, ulong)>();
        store.Appended += (stream, last) => { lock (told) told.Add((stream, last)); };
        store.Reached = async (stage, session) =>
        {
            if (stage == LaneStage.Decided) decided++;
            if (stage != (LaneStage)at || Interlocked.Exchange(ref ended, 1) == 1) return;
            await EndSessionAsync(session);
        };
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("c", 0, 1, new Row(Wire, 1)) with { SealedSeen = [1] }, default).AsTask().WaitAsync(Limit));
        Assert.Equal((attempts, 1), (decided, ended));
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("c", 1, 2, new Row(Wire, 2)), default).AsTask().WaitAsync(Limit));
        await ExpectTwoAsync(store, told);
    }

    [Theory]
    [InlineData(CuttingProxy.Cut.BeforeRequest, 2)]
    [InlineData(CuttingProxy.Cut.BeforeAnswer, 1)]
    [InlineData(CuttingProxy.Cut.StoreSideOnly, 2)]
    public async Task A_connection_cut_around_the_commit_changes_nothing_for_the_caller(object cut, int attempts)
    {
        await using var proxy = new CuttingProxy(Database);
        var store = await WithEndpointAsync(proxy.ConnectionString);
        int decided = 0;
        var told = new List<(StreamKey, ulong)>();
        store.Appended += (stream, last) => { lock (told) told.Add((stream, last)); };
        store.Reached = (stage, _) =>
        {
            if (stage == LaneStage.Decided && decided++ == 0) proxy.Next = (CuttingProxy.Cut)cut;
            return Task.CompletedTask;
        };
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("c", 0, 1, new Row(Wire, 1)) with { SealedSeen = [1] }, default).AsTask().WaitAsync(Limit));
        // A commit that was done is found to be done, not done again.
        Assert.Equal((attempts, 1), (decided, proxy.Cuts));
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("c", 1, 2, new Row(Wire, 2)), default).AsTask().WaitAsync(Limit));
        await ExpectTwoAsync(store, told);
        await store.DisposeAsync();
    }

    [Fact]
    public async Task A_write_or_read_whose_answer_was_lost_has_its_outcome_all_the_same()
    {
        await using var proxy = new CuttingProxy(Database);
        var store = await WithEndpointAsync(proxy.ConnectionString);
        proxy.Next = CuttingProxy.Cut.BeforeAnswer;
        Assert.True(await store.SaveDocumentAsync("keys", 0, [7, 7], default).AsTask().WaitAsync(Limit));
        proxy.Next = CuttingProxy.Cut.BeforeAnswer;
        Assert.True(await store.SaveDocumentAsync("keys", 1, [8, 8], default).AsTask().WaitAsync(Limit));
        Assert.Equal(2UL, (await store.LoadDocumentAsync("keys", default))!.Version);
        proxy.Next = CuttingProxy.Cut.BeforeAnswer;
        Assert.NotNull(await store.LoadEndpointAsync("e", default).AsTask().WaitAsync(Limit));
        Assert.Equal(3, proxy.Cuts);
        await store.DisposeAsync();
    }

    [Fact]
    public async Task Sessions_ended_at_random_lose_nothing_and_repeat_nothing()
    {
        var (a, b) = (await WithEndpointAsync(), await OpenAsync());
        await using var killer = await ConnectAsync();
        using var one = new SemaphoreSlim(1);
        var random = new Random(1);
        int ended = 0;
        a.Reached = b.Reached = async (_, session) =>
        {
            await one.WaitAsync();
            try
            {
                if (random.Next(8) > 0) return;
                // Not waited for: the end comes somewhere in what follows.
                if (await killer.ScalarAsync<bool>("SELECT pg_terminate_backend($1)", default, session)) ended++;
            }
            finally
            {
                one.Release();
            }
        };
        await LoadAsync(a, b, 15);
        await ExpectLoadAsync(a, 15);
        Assert.True(ended > 5);
    }

    private const int Conversations = 20;

    /// <summary>Conversations that two stores each drive a half of; each unit one row for the wire.</summary>
    /// <param name="mayFail">A store may give up: then, as an actor does, what is stored is read before it goes on.</param>
    internal static async Task LoadAsync(IRelayStore a, IRelayStore b, int rounds, bool mayFail = false) => await Task.WhenAll(Enumerable.Range(0, Conversations).Select(async i =>
    {
        var store = i % 2 == 0 ? a : b;
        for (int version = 0; version < rounds;)
        {
            var unit = Unit($"c{i}", (ulong)version, (byte)version, new NumberedRow(i, version)) with { SealedSeen = [(byte)version] };
            try
            {
                Assert.IsType<CommitResult.Committed>(await store.CommitAsync(unit, default).AsTask().WaitAsync(Limit));
                version++;
            }
            catch (StoreException) when (mayFail)
            {
                version = (int)(await store.LoadAsync("e", $"c{i}", default) is { } stored ? stored.Version : 0);
            }
        }
    }));

    /// <summary>Every unit once, those of one conversation in their order.</summary>
    internal static async Task ExpectLoadAsync(IRelayStore store, int rounds)
    {
        var rows = await RowsOfAsync(store, Wire);
        Assert.Equal(Conversations * rounds, rows.Count);
        foreach (var group in rows.GroupBy(r => r[0])) Assert.Equal(Enumerable.Range(0, rounds), group.Select(r => (int)r[1]));
        for (int i = 0; i < Conversations; i++) Assert.Equal(rounds, (await store.LoadAsync("e", $"c{i}", default))!.Seen.Count);
    }

    private sealed class NumberedRow(int conversation, int version) : StreamRow
    {
        public override StreamKey Stream => Wire;

        public override byte[] Seal(ulong sequence) => [(byte)conversation, (byte)version];
    }

    private async Task EndSessionAsync(int session)
    {
        await using var connection = await ConnectAsync();
        Assert.True(await connection.ScalarAsync<bool>("SELECT pg_terminate_backend($1, 10000)", default, session));
    }

    private static async Task ExpectTwoAsync(IRelayStore store, List<(StreamKey, ulong)> told)
    {
        Assert.Equal([(1, 1), (2, 2)], (await RowsOfAsync(store, Wire)).Select(r => ((int)r[0], (int)r[1])));
        var stored = (await store.LoadAsync("e", "c", default))!;
        Assert.Equal((2UL, (byte)2, 1), (stored.Version, stored.Sealed[0], stored.Seen.Count));
        lock (told) Assert.Equal([(Wire, 1UL), (Wire, 2UL)], told);
    }
}
