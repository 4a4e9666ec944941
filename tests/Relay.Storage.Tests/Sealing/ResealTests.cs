using System.Security.Cryptography;
using Relay.Storage.Sealing;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Relay.Storage.Postgres;
using Relay.Storage.Sqlite;
using Relay.Storage.Telemetry;
using Relay.Storage.Tests.Postgres;
using Relay.Storage.Tests.Harness;
using static Relay.Storage.Tests.Harness.StoreUnits;

namespace Relay.Storage.Tests.Sealing;

/// <summary>What a store must do that is sealed again while it is used.</summary>
public abstract class ResealTests : IDisposable
{
    private protected Meter Meter { get; } = new("Relay.Storage.Tests");

    private protected abstract Task<IRelayStore> OpenAsync();

    private async Task<IRelayStore> WithEndpointAsync()
    {
        var store = await OpenAsync();
        Assert.Equal(InsertEndpointResult.Inserted, await store.InsertEndpointAsync(Endpoint("e", 1, 1), default));
        return store;
    }

    private static readonly SealedTable[] s_epochTables = [.. Enum.GetValues<SealedTable>().Where(Sealer.IsOfEpoch)];

    private sealed class SealedRow(Sealer sealer, StreamKey stream, byte mark) : StreamRow
    {
        public override StreamKey Stream => stream;

        public override byte[] Seal(ulong sequence)
            => sealer.Seal(SealedTable.Outbox, new RowKey(stream.EndpointId, stream.Kind.ToString(), sequence), [mark]);
    }

    /// <summary>Everything of every table of epochs, with the content that it should have.</summary>
    private static async Task FillAsync(IRelayStore store, Sealer sealer, int conversations)
    {
        var own = StreamKey.OfSubscription("e", "s");
        await store.OpenStreamAsync(own, default);
        for (int i = 0; i < conversations; i++)
        {
            var row = new RowKey("e", $"c{i:d4}", 1);
            Assert.IsType<CommitResult.Committed>(await store.CommitAsync(new CommitUnit
            {
                EndpointId = "e", ConversationId = row.Id, ExpectedVersion = 0, UpdatedMs = 1,
                Sealed = sealer.Seal(SealedTable.Conversation, row, [1]), SealedSeen = sealer.Seal(SealedTable.Seen, row, [2]),
                Outbox = [new SealedRow(sealer, Wire, 3), new SealedRow(sealer, Events, 4), new SealedRow(sealer, own, 5)],
                Files = i < 3 ? [new FileRow("e", $"f{i}", row.Id, 1, 9000, 1, sealer.Seal(SealedTable.File, new RowKey("e", $"f{i}", 1), [6]))] : [],
            }, default));
        }
        for (uint n = 0; n < 40; n++)
            Assert.True(await store.AppendPortionAsync("e", "f0", n, sealer.Seal(SealedTable.FilePortion, new RowKey("e", "f0", n), [7]), default));
        foreach (var part in Enum.GetValues<SubscriptionPart>())
            Assert.True(await store.SaveSubscriptionAsync("e", "s", part, 0, sealer.Seal(SealedTable.Subscription, new RowKey("e", $"s/{part}", 1), [8]), default));
    }

    private static async Task<List<byte[]>> AllSealedAsync(IResealStore store)
    {
        var all = new List<byte[]>();
        foreach (var table in s_epochTables)
        {
            for (SealedPlace? after = null; ;)
            {
                var portion = await store.ReadStaleAsync(table, after, new byte[5], 7, default);
                all.AddRange(portion.Rows.Select(r => r.Sealed));
                if ((after = portion.Last) is null) break;
            }
        }
        return all;
    }

    [Fact]
    public async Task One_pass_seals_everything_again_and_the_old_key_is_of_no_use()
    {
        await using var store = await WithEndpointAsync();
        var reseal = (IResealStore)store;
        using var key = new SealingKey(new byte[32]);
        using var epochs = new SealingEpochs(key, new byte[32], 100, 100);
        using Sealer sealer = new(key, RandomNumberGenerator.Fill, epochs), before = new(key, RandomNumberGenerator.Fill);
        // From before there were epochs; two rows are damaged.
        await FillAsync(store, before, 300);
        await store.CommitAsync(Unit("damaged", 0) with { Sealed = before.Seal(SealedTable.Conversation, new RowKey("e", "other", 1), [1]) }, default);
        await reseal.RaiseEpochFloorAsync(100, default);
        var all = await AllSealedAsync(reseal);
        Assert.Equal(300 * 5 + 3 + 40 + 2 + 1, all.Count);
        Assert.Equal(new ResealedCount(all.Count - 1, 1), await new Resealer(reseal, sealer, TimeProvider.System).PassAsync(default));
        Assert.Equal(new ResealedCount(0, 1), await new Resealer(reseal, sealer, TimeProvider.System).PassAsync(default));

        epochs.Advance(101);
        await reseal.RaiseEpochFloorAsync(101, default);
        Assert.Equal(all.Count - 1, (await new Resealer(reseal, sealer, TimeProvider.System).PassAsync(default)).Replaced);
        epochs.Destroy(101);
        Assert.All((await AllSealedAsync(reseal)).Where(v => v[0] == 2), v => Assert.Equal(101u, Sealer.EpochOf(v)));
        Assert.Single(await AllSealedAsync(reseal), v => v[0] == 1);

        // Content, versions and positions are what they were.
        var stored = (await store.LoadAsync("e", "c0007", default))!;
        Assert.Equal((byte[])[1], sealer.TryOpen(SealedTable.Conversation, new RowKey("e", "c0007", stored.Version), stored.Sealed));
        Assert.Equal((byte[])[2], sealer.TryOpen(SealedTable.Seen, new RowKey("e", "c0007", 1), stored.Seen[0].Sealed));
        foreach (var (stream, mark) in new[] { (Wire, (byte)3), (Events, (byte)4), (StreamKey.OfSubscription("e", "s"), (byte)5) })
        {
            Assert.Equal((0UL, 300UL), await store.PositionAsync(stream, default));
            var rows = await store.ReadAsync(stream, 0, 1000, default);
            Assert.Equal(300, rows.Count);
            Assert.All(rows, r => Assert.Equal(new[] { mark }, sealer.TryOpen(SealedTable.Outbox, new RowKey(stream.EndpointId, stream.Kind.ToString(), r.Sequence), r.Sealed)!));
        }
        var file = (await store.LoadFileAsync("e", "f0", default))!;
        Assert.Equal((byte[])[6], sealer.TryOpen(SealedTable.File, new RowKey("e", "f0", 1), file.Row.Sealed));
        Assert.Equal(40u, file.Portions);
        Assert.Equal((byte[])[7], sealer.TryOpen(SealedTable.FilePortion, new RowKey("e", "f0", 39), (await store.ReadPortionsAsync("e", "f0", 39, 1, default))[0]));
        Assert.Equal((byte[])[8], sealer.TryOpen(SealedTable.Subscription, new RowKey("e", "s/Progress", 1), (await store.LoadSubscriptionAsync("e", "s", SubscriptionPart.Progress, default))!.Sealed));
        // And whoever had the state goes on.
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("c0007", 1) with { Sealed = sealer.Seal(SealedTable.Conversation, new RowKey("e", "c0007", 2), [9]) }, default));
    }

    /// <summary>A commit between the pass's look and its write: the commit's value stays.</summary>
    [Fact]
    public async Task A_commit_wins_over_the_pass()
    {
        await using var store = await WithEndpointAsync();
        var reseal = (IResealStore)store;
        await store.CommitAsync(Unit("c", 0, 1), default);
        await store.CommitAsync(Unit("d", 0, 2), default);
        var stale = await reseal.ReadStaleAsync(SealedTable.Conversation, null, new byte[5], 10, default);
        Assert.Equal(2, stale.Rows.Count);
        Assert.Null(stale.Last);
        await store.CommitAsync(Unit("c", 1, 3), default);
        Assert.Equal(1, await reseal.ReplaceSealedAsync(SealedTable.Conversation, [.. stale.Rows.Select(r => new ResealedRow(r.Place, r.Sealed, [77]))], default));
        Assert.Equal((2UL, (byte)3), (await store.LoadAsync("e", "c", default)) is { } c ? (c.Version, c.Sealed[0]) : default);
        Assert.Equal((1UL, (byte)77), (await store.LoadAsync("e", "d", default)) is { } d ? (d.Version, d.Sealed[0]) : default);
    }

    [Fact]
    public async Task Nothing_of_an_ended_epoch_is_stored()
    {
        await using var store = await WithEndpointAsync();
        var reseal = (IResealStore)store;
        using var key = new SealingKey(new byte[32]);
        using SealingEpochs old = new(key, new byte[32], 100, 100), now = new(key, new byte[32], 100, 101);
        using Sealer late = new(key, RandomNumberGenerator.Fill, old), sealer = new(key, RandomNumberGenerator.Fill, now);
        var row = new RowKey("e", "c", 1);
        var unit = Unit("c", 0) with { Sealed = sealer.Seal(SealedTable.Conversation, row, [1]) };
        await reseal.RaiseEpochFloorAsync(101, default);
        await reseal.RaiseEpochFloorAsync(100, default);
        byte[] value = late.Seal(SealedTable.Conversation, row, [1]), file = late.Seal(SealedTable.File, new RowKey("e", "f", 1), [1]);
        CommitUnit[] refused =
        [
            unit with { Sealed = value },
            unit with { SealedSeen = late.Seal(SealedTable.Seen, row, [1]) },
            unit with { Outbox = [new SealedRow(late, Wire, 1)] },
            unit with { Files = [new FileRow("e", "f", "c", 1, 9000, 1, file)] },
        ];
        foreach (var one in refused) await Assert.ThrowsAsync<StoreException>(async () => await store.CommitAsync(one, default));
        await Assert.ThrowsAsync<StoreException>(async () => await store.SaveFileAsync(new FileRow("e", "f", "c", 1, 9000, 1, file), default));
        await Assert.ThrowsAsync<StoreException>(async () => await store.SaveSubscriptionAsync("e", "s", SubscriptionPart.Progress, 0, value, default));
        Assert.Equal(SaveFileResult.Saved, await store.SaveFileAsync(new FileRow("e", "f", "c", 1, 9000, 1, sealer.Seal(SealedTable.File, new RowKey("e", "f", 1), [1])), default));
        await Assert.ThrowsAsync<StoreException>(async () => await store.AppendPortionAsync("e", "f", 0, value, default));
        await Assert.ThrowsAsync<StoreException>(async () => await reseal.ReplaceSealedAsync(SealedTable.File, [new ResealedRow(new SealedPlace("e", "f", 1, 0), [1], file)], default));
        // In one transaction with refused ones, an accepted one is committed.
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            var mine = i % 2 == 0 ? sealer : late;
            try
            {
                return await store.CommitAsync(Unit($"d{i}", 0) with { Sealed = mine.Seal(SealedTable.Conversation, row, [1]) }, default) is CommitResult.Committed;
            }
            catch (StoreException)
            {
                return false;
            }
        }));
        Assert.All(results, (isDone, i) => Assert.Equal(i % 2 == 0, isDone));
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(unit, default));
        Assert.Equal(1UL, (await store.LoadAsync("e", "c", default))!.Version);
        Assert.Empty(await store.ReadAsync(Wire, 0, 10, default));
    }

    public virtual void Dispose() => Meter.Dispose();
}

public sealed class SqliteResealTests : ResealTests
{
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-test-").FullName;

    private protected override Task<IRelayStore> OpenAsync()
        => Task.FromResult<IRelayStore>(SqliteStore.Open(Path.Combine(_directory, "relay.db"), new StorageTelemetry(Meter), NullLogger.Instance));

    public override void Dispose()
    {
        base.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}

public sealed class PostgresResealTests(PostgresFixture postgres) : ResealTests
{
    private protected override async Task<IRelayStore> OpenAsync()
        => await PostgresStore.OpenAsync(await postgres.CreateDatabaseAsync(), new StorageTelemetry(Meter), NullLogger.Instance, TimeProvider.System, default);
}
