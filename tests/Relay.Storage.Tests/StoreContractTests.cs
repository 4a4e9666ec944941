using Microsoft.Extensions.Logging.Abstractions;
using Relay.Storage.Tests.Harness;
using static Relay.Storage.Tests.Harness.StoreUnits;

namespace Relay.Storage.Tests;

/// <summary>What every store must do; each implementation derives a class from it.</summary>
public abstract partial class StoreContractTests
{
    /// <summary>An empty store; the same one opened again after the last was disposed of.</summary>
    private protected abstract Task<IRelayStore> OpenAsync(FileQuota? quota = null);

    private async Task<IRelayStore> WithEndpointAsync(FileQuota? quota = null)
    {
        var store = await OpenAsync(quota);
        Assert.Equal(InsertEndpointResult.Inserted, await store.InsertEndpointAsync(Endpoint("e", 1, 1), default));
        return store;
    }

    [Fact]
    public async Task State_is_swapped_only_on_the_expected_version()
    {
        await using var store = await WithEndpointAsync();
        Assert.Null(await store.LoadAsync("e", "c", default));
        Assert.IsType<CommitResult.Conflict>(await store.CommitAsync(Unit("c", 1), default));
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("c", 0, 5) with { DueMs = 99 }, default));
        Assert.IsType<CommitResult.Conflict>(await store.CommitAsync(Unit("c", 0, 6, new Row(Wire, 1)), default));
        var stored = (await store.LoadAsync("e", "c", default))!;
        Assert.Equal(("e", "c", 1UL, 1005L, (long?)99), (stored.EndpointId, stored.Id, stored.Version, stored.UpdatedMs, stored.DueMs));
        Assert.Equal([5], stored.Sealed);
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("c", 1, 7), default));
        Assert.IsType<CommitResult.Conflict>(await store.CommitAsync(Unit("c", 1, 8, new Row(Wire, 1)), default));
        Assert.Equal((2UL, (byte)7), (await store.LoadAsync("e", "c", default)) is { } s ? (s.Version, s.Sealed[0]) : default);
        // A refused unit wrote nothing.
        Assert.Empty(await store.ReadAsync(Wire, 0, 10, default));
        Assert.IsType<CommitResult.NoEndpoint>(await store.CommitAsync(Unit("c", 0) with { EndpointId = "none" }, default));
    }

    [Fact]
    public async Task Identities_are_swapped_with_the_state_and_read_apart_from_it()
    {
        await using var store = await WithEndpointAsync();
        Assert.Null((await store.LoadConversationAsync("e", "c", default)).Identities);
        await store.CommitAsync(Unit("c", 0) with { SealedIdentities = [1] }, default);
        // A unit without any leaves them, and a refused one does not touch them.
        await store.CommitAsync(Unit("c", 1), default);
        Assert.IsType<CommitResult.Conflict>(await store.CommitAsync(Unit("c", 1) with { SealedIdentities = [9] }, default));
        Assert.Equal([1], (await store.LoadConversationAsync("e", "c", default)).Identities);
        // Of many in one transaction, each has its own.
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => store.CommitAsync(
            Unit($"d{i:d2}", 0) with { SealedIdentities = i % 2 == 0 ? [(byte)i] : null }, default).AsTask()));
        await store.CommitAsync(Unit("c", 2) with { SealedIdentities = [2, 3] }, default);
        Assert.Equal([2, 3], (await store.LoadConversationAsync("e", "c", default)).Identities);
        Assert.Equal([38], (await store.LoadConversationAsync("e", "d38", default)).Identities);
        Assert.Null((await store.LoadConversationAsync("e", "d39", default)).Identities);
        Assert.Null((await store.LoadConversationAsync("other", "c", default)).Identities);
    }

    [Fact]
    public async Task Figures_and_the_first_rows_of_streams()
    {
        await using var store = await WithEndpointAsync();
        var none = await store.ReadFiguresAsync(default);
        Assert.Equal(new StoreFigures { Endpoints = 1, SizeBytes = none.SizeBytes }, none);
        Assert.Empty(await store.ReadHeadsAsync(null, 10, default));
        await store.InsertEndpointAsync(Endpoint("gone", 2, 2), default);
        await store.UpdateEndpointAsync("gone", 1, [1], 5000, default);
        var own = StreamKey.OfSubscription("e", "s");
        await store.OpenStreamAsync(own, default);
        await store.CommitAsync(Unit("c", 0, 0, new Row(Wire, 1), new Row(Wire, 2), new Row(Events, 3), new Row(own, 4)) with { DueMs = 90_001 }, default);
        await store.CommitAsync(Unit("d", 0, 0, new Row(Wire, 5), new Row(own, 6)) with { DueMs = 90_000 }, default);
        await store.CommitAsync(Unit("f", 0), default);
        await store.AcknowledgeAsync(Wire, 1, default);
        await store.AcknowledgeAsync(Events, 1, default);
        var figures = await store.ReadFiguresAsync(default);
        Assert.Equal(new StoreFigures
        {
            Endpoints = 1, Conversations = 3, EarliestDueMs = 90_000, WireBacklog = 2, SubscriptionBacklog = 2, SizeBytes = figures.SizeBytes,
        }, figures);
        var first = Assert.Single(await store.ReadHeadsAsync(null, 1, default));
        Assert.Equal((Wire, 2UL, (byte)2), (first.Stream, first.Sequence, first.Sealed[1]));
        var second = Assert.Single(await store.ReadHeadsAsync(first.Stream, 10, default));
        Assert.Equal((own, 1UL, (byte)4), (second.Stream, second.Sequence, second.Sealed[1]));
        Assert.Empty(await store.ReadHeadsAsync(second.Stream, 10, default));
    }

    [Fact]
    public async Task Many_at_once_one_wins_each_version_and_the_others_conflict()
    {
        await using var store = await WithEndpointAsync();
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => store.CommitAsync(Unit("c", 0, (byte)i, new Row(Wire, (byte)i)), default).AsTask()));
        Assert.Equal(99, results.Count(r => r is CommitResult.Conflict));
        Assert.Equal((await store.LoadAsync("e", "c", default))!.Sealed[0], Assert.Single(await store.ReadAsync(Wire, 0, 10, default)).Sealed[1]);
    }

    [Fact]
    public async Task Sequences_have_no_gaps_whatever_fails_beside_them()
    {
        await using var store = await WithEndpointAsync();
        var commits = new List<Task<CommitResult>>();
        int broken = 0;
        for (int i = 0; i < 200; i++)
        {
            StreamRow[] rows = i % 7 == 3 ? [new Row(Wire, 0), new BrokenRow()] : [new Row(Wire, 1), new Row(Events, 1)];
            if (i % 7 == 3) broken++;
            // Every fifth conflicts.
            commits.Add(store.CommitAsync(Unit($"c{i:d3}", i % 5 == 4 ? 3UL : 0UL, 0, rows), default).AsTask());
        }
        int committed = 0;
        for (int i = 0; i < commits.Count; i++)
        {
            if (i % 5 != 4 && i % 7 == 3) await Assert.ThrowsAsync<StoreException>(() => commits[i]);
            else if (await commits[i] is CommitResult.Committed) committed++;
        }
        Assert.True(broken > 10 && committed > 100);
        foreach (var stream in new[] { Wire, Events })
        {
            var items = await store.ReadAsync(stream, 0, 1000, default);
            Assert.Equal(Enumerable.Range(1, committed).Select(i => (ulong)i), items.Select(i => i.Sequence));
            Assert.All(items, i => Assert.Equal(((byte)i.Sequence, (byte)1), (i.Sealed[0], i.Sealed[1])));
            Assert.Equal((0UL, (ulong)committed), await store.PositionAsync(stream, default));
        }
        Assert.Null(await store.LoadAsync("e", "c003", default));
    }

    [Fact]
    public async Task Seen_ids_come_with_the_state_and_are_forgotten_with_it()
    {
        await using var store = await WithEndpointAsync();
        for (ulong v = 0; v < 4; v++) await store.CommitAsync(Unit("c", v) with { SealedSeen = v == 1 ? null : [(byte)v] }, default);
        await store.CommitAsync(Unit("d", 0) with { SealedSeen = [9] }, default);
        Assert.Equal([(1UL, (byte)0), (3UL, (byte)2), (4UL, (byte)3)], (await store.LoadAsync("e", "c", default))!.Seen.Select(s => (s.Version, s.Sealed[0])));
        await store.CommitAsync(Unit("c", 4) with { ForgetSeenThrough = 3 }, default);
        Assert.Equal([4UL], (await store.LoadAsync("e", "c", default))!.Seen.Select(s => s.Version));
        Assert.Single((await store.LoadAsync("e", "d", default))!.Seen);
        // A unit that conflicts leaves no id behind.
        Assert.IsType<CommitResult.Conflict>(await store.CommitAsync(Unit("c", 3) with { SealedSeen = [1], ForgetSeenThrough = 4 }, default));
        Assert.Equal([4UL], (await store.LoadAsync("e", "c", default))!.Seen.Select(s => s.Version));
    }

    [Fact]
    public async Task Seen_ids_know_where_the_wire_text_of_their_commit_begins()
    {
        await using var store = await WithEndpointAsync();
        async Task<ulong> CommitAsync(ulong version, params StreamRow[] rows) =>
            Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("c", version, 0, rows) with { SealedSeen = [1] }, default)).WireBefore;
        Assert.Equal(0UL, await CommitAsync(0, new Row(Wire, 1), new Row(Events, 1), new Row(Wire, 2)));
        Assert.Equal(2UL, await CommitAsync(1, new Row(Wire, 3)));
        Assert.Equal(0UL, await CommitAsync(2, new Row(Events, 4)));
        await store.AcknowledgeAsync(Wire, 3, default);
        Assert.Equal(3UL, await CommitAsync(3, new Row(Events, 5), new Row(Wire, 6)));
        var stored = (await store.LoadAsync("e", "c", default))!;
        Assert.Equal([0UL, 2, 0, 3], stored.Seen.Select(s => s.WireBefore));
        Assert.Equal(3UL, stored.WireBefore);
        Assert.Equal(0UL, await CommitAsync(4, new Row(Events, 7)));
        Assert.Equal(0UL, (await store.LoadAsync("e", "c", default))!.WireBefore);
        // Of many in one transaction, each has its own.
        var many = await Task.WhenAll(Enumerable.Range(0, 40).Select(async i => (Id: $"d{i:d2}", Result: Assert.IsType<CommitResult.Committed>(
            await store.CommitAsync(Unit($"d{i:d2}", 0, 0, new Row(Wire, (byte)i)) with { SealedSeen = [1] }, default)))));
        Assert.Equal(Enumerable.Range(4, 40).Select(i => (ulong)i), many.Select(m => m.Result.WireBefore).Order());
        foreach (var (id, result) in many)
        {
            var one = (await store.LoadAsync("e", id, default))!;
            Assert.Equal((result.WireBefore, result.WireBefore), (one.WireBefore, Assert.Single(one.Seen).WireBefore));
            Assert.Equal(byte.Parse(id[1..], System.Globalization.CultureInfo.InvariantCulture), (await store.ReadAsync(Wire, result.WireBefore, 1, default))[0].Sealed[1]);
        }
    }

    [Fact]
    public async Task A_unit_that_needs_wire_text_unacknowledged_is_refused_once_it_is_acknowledged()
    {
        await using var store = await WithEndpointAsync();
        await store.CommitAsync(Unit("c", 0, 0, new Row(Wire, 1), new Row(Wire, 2), new Row(Wire, 3)), default);
        await store.AcknowledgeAsync(Wire, 2, default);
        Assert.IsType<CommitResult.AlreadyAcknowledged>(await store.CommitAsync(Unit("c", 1, 9, new Row(Events, 1)) with { UnacknowledgedWire = 2, SealedSeen = [1] }, default));
        // It wrote nothing.
        Assert.Equal((1UL, 0), (await store.LoadAsync("e", "c", default)) is { } s ? (s.Version, s.Seen.Count) : default);
        Assert.Empty(await store.ReadAsync(Events, 0, 1, default));
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("c", 1, 9, new Row(Events, 1)) with { UnacknowledgedWire = 3 }, default));
        // Acknowledged and committed at once: whichever is first.
        var (acknowledging, committing) = (store.AcknowledgeAsync(Wire, 3, default).AsTask(), store.CommitAsync(Unit("c", 2) with { UnacknowledgedWire = 3 }, default).AsTask());
        await acknowledging;
        Assert.True(await committing is CommitResult.Committed or CommitResult.AlreadyAcknowledged);
        Assert.IsType<CommitResult.AlreadyAcknowledged>(await store.CommitAsync(Unit("c", (await store.LoadAsync("e", "c", default))!.Version) with { UnacknowledgedWire = 3 }, default));
    }

    [Fact]
    public async Task A_read_keeps_to_its_number_and_its_bytes()
    {
        await using var store = await WithEndpointAsync();
        int[] sizes = [100, 200, 300, 5000, 10, 10];
        StreamRow[] rows = [.. sizes.Select(s => new Row(Wire, 1, s))];
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("c", 0, 0, rows), default));
        async Task<List<ulong>> ReadAsync(ulong after, int max, long bytes) => [.. (await store.ReadAsync(Wire, after, max, bytes, default)).Select(r => r.Sequence)];

        Assert.Equal([1UL, 2, 3, 4, 5, 6], await ReadAsync(0, 1000, long.MaxValue));
        Assert.Equal([1UL, 2, 3], await ReadAsync(0, 1000, 600));
        Assert.Equal([1UL, 2], await ReadAsync(0, 1000, 599));
        Assert.Equal([1UL, 2], await ReadAsync(0, 2, 600));
        // One in any case, or the reader would never get past it; and nothing small behind it in its place.
        Assert.Equal([4UL], await ReadAsync(3, 1000, 600));
        Assert.Equal([4UL], await ReadAsync(3, 1000, 0));
        Assert.Equal([3UL], await ReadAsync(2, 1000, 1000));
        Assert.Equal([5UL, 6], await ReadAsync(4, 1000, 20));
        Assert.Empty(await ReadAsync(6, 1000, 0));
        Assert.Empty(await ReadAsync(0, 0, long.MaxValue));
    }

    [Fact]
    public async Task Acknowledged_rows_are_gone_and_the_sequence_goes_on()
    {
        await using var store = await WithEndpointAsync();
        await store.CommitAsync(Unit("c", 0, 0, new Row(Wire, 1), new Row(Wire, 2), new Row(Wire, 3), new Row(Events, 4)), default);
        Assert.Equal([2UL], (await store.ReadAsync(Wire, 1, 1, default)).Select(i => i.Sequence));
        await store.AcknowledgeAsync(Wire, 2, default);
        Assert.Equal([3UL], (await store.ReadAsync(Wire, 0, 10, default)).Select(i => i.Sequence));
        await store.AcknowledgeAsync(Wire, 1, default);
        Assert.Equal((2UL, 3UL), await store.PositionAsync(Wire, default));
        await store.AcknowledgeAsync(Wire, ulong.MaxValue, default);
        Assert.Equal((3UL, 3UL), await store.PositionAsync(Wire, default));
        Assert.Empty(await store.ReadAsync(Wire, 0, 10, default));
        Assert.Single(await store.ReadAsync(Events, 0, 10, default));
        await store.CommitAsync(Unit("c", 1, 0, new Row(Wire, 5)), default);
        Assert.Equal([(4UL, (byte)5)], (await store.ReadAsync(Wire, 0, 10, default)).Select(i => (i.Sequence, i.Sealed[1])));
        Assert.Empty(await store.ReadAsync(Wire, ulong.MaxValue, 10, default));
    }

    [Fact]
    public async Task A_full_stream_refuses_the_whole_unit_until_there_is_room()
    {
        await using var store = await WithEndpointAsync();
        const int megabyte = 1 << 20;
        ulong version = 0;
        for (; version < (ulong)(StorageLimits.MaxStreamBytes / megabyte); version++)
            Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("c", version, 0, new Row(Wire, 1, megabyte)), default));
        Assert.Equal(Wire, Assert.IsType<CommitResult.StreamFull>(await store.CommitAsync(Unit("c", version, 1, new Row(Events, 1), new Row(Wire, 1)), default)).Stream);
        Assert.Empty(await store.ReadAsync(Events, 0, 1, default));
        Assert.Equal(version, (await store.LoadAsync("e", "c", default))!.Version);
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("c", version, 1, new Row(Events, 1)), default));
        await store.AcknowledgeAsync(Wire, 1, default);
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("c", version + 1, 1, new Row(Wire, 1)), default));
    }

    [Fact]
    public async Task Appends_and_acknowledgements_are_told_once_durable()
    {
        await using var store = await WithEndpointAsync();
        var told = new List<(StreamKey, ulong)>();
        var acknowledged = new List<StreamKey>();
        store.Appended += (stream, last) => { lock (told) told.Add((stream, last)); };
        store.Acknowledged += stream => { lock (told) acknowledged.Add(stream); };
        await store.CommitAsync(Unit("c", 0, 0, new Row(Wire, 1), new Row(Wire, 1), new Row(Events, 1)), default);
        await store.CommitAsync(Unit("c", 0, 0, new Row(Wire, 1)), default);
        await store.AcknowledgeAsync(Wire, 1, default);
        lock (told)
        {
            Assert.Equal([(Wire, 2UL), (Events, 1UL)], told.OrderByDescending(t => t.Item2));
            Assert.Equal([Wire], acknowledged);
        }
    }

    [Fact]
    public async Task Deadlines_are_read_in_order_and_suspended()
    {
        await using var store = await WithEndpointAsync();
        foreach (var (id, due) in new (string, long?)[] { ("a", 30), ("b", 10), ("c", null), ("d", 20), ("f", 50) }) await store.CommitAsync(Unit(id, 0) with { DueMs = due }, default);
        var due20 = await store.ReadDueAsync(20, 10, default);
        Assert.Equal(["b", "d"], due20.Due.Select(d => d.ConversationId));
        Assert.Equal(30, due20.NextMs);
        Assert.Equal(["b"], (await store.ReadDueAsync(20, 1, default)).Due.Select(d => d.ConversationId));
        await store.SuspendAsync("e", "b", default);
        await store.CommitAsync(Unit("d", 1), default);
        Assert.Empty((await store.ReadDueAsync(20, 10, default)).Due);
        Assert.Null((await store.ReadDueAsync(50, 10, default)).NextMs);
    }

    [Fact]
    public async Task A_deadline_that_has_come_is_put_off_and_no_other()
    {
        await using var store = await WithEndpointAsync();
        foreach (var (id, due) in new (string, long?)[] { ("a", 10), ("b", 30), ("c", null) }) await store.CommitAsync(Unit(id, 0) with { DueMs = due }, default);
        foreach (var id in new[] { "a", "b", "c", "none" }) await store.PostponeAsync("e", id, 20, 90, default);
        var due99 = await store.ReadDueAsync(99, 10, default);
        Assert.Equal(["b", "a"], due99.Due.Select(d => d.ConversationId));
        Assert.Equal(90, (await store.ReadDueAsync(30, 10, default)).NextMs);
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("a", 1), default));
    }

    [Fact]
    public async Task Postponed_conversations_leave_room_for_the_others_in_a_bounded_read()
    {
        await using var store = await WithEndpointAsync();
        const int stuck = 5;
        for (int i = 0; i < stuck; i++) await store.CommitAsync(Unit($"stuck{i}", 0) with { DueMs = i }, default);
        await store.CommitAsync(Unit("free", 0) with { DueMs = stuck }, default);
        var first = await store.ReadDueAsync(99, stuck, default);
        Assert.DoesNotContain("free", first.Due.Select(d => d.ConversationId));
        foreach (var (endpoint, id) in first.Due) await store.PostponeAsync(endpoint, id, 99, 200, default);
        var second = await store.ReadDueAsync(99, stuck, default);
        Assert.Equal(("e", "free"), Assert.Single(second.Due));
        Assert.Equal(200, second.NextMs);
    }

    [Fact]
    public async Task Lists_are_in_order_of_id_after_a_given_one()
    {
        await using var store = await WithEndpointAsync();
        await store.InsertEndpointAsync(Endpoint("z", 2, 2), default);
        foreach (var id in new[] { "c3", "c1", "c2" }) await store.CommitAsync(Unit(id, 0), default);
        await store.CommitAsync(Unit("c0", 0) with { EndpointId = "z" }, default);
        Assert.Equal(["c1", "c2"], (await store.ListAsync("e", null, 2, default)).Select(c => c.Id));
        Assert.Equal(["c3"], (await store.ListAsync("e", "c2", 2, default)).Select(c => c.Id));
        Assert.Equal(["e", "z"], (await store.ListEndpointsAsync(null, 9, default)).Select(e => e.Id));
        Assert.Equal(["z"], (await store.ListEndpointsAsync("e", 9, default)).Select(e => e.Id));
    }

    [Fact]
    public async Task An_endpoint_is_unique_in_id_address_and_request()
    {
        await using var store = await WithEndpointAsync();
        Assert.Equal(InsertEndpointResult.RequestSeen, await store.InsertEndpointAsync(Endpoint("e", 1, 1), default));
        Assert.Equal(InsertEndpointResult.IdTaken, await store.InsertEndpointAsync(Endpoint("e", 2, 2), default));
        Assert.Equal(InsertEndpointResult.AddressTaken, await store.InsertEndpointAsync(Endpoint("f", 1, 2), default));
        var loaded = (await store.LoadEndpointAsync("e", default))!;
        Assert.Equal((UInt128.One, (UInt128)77), (loaded.Address, loaded.RequestContent));
        Assert.Equal([1, 2, 3], loaded.Sealed);
        Assert.Equal("e", (await store.FindEndpointByRequestAsync(1, default))!.Id);
        Assert.Null(await store.FindEndpointByRequestAsync(2, default));
        Assert.Null(await store.LoadEndpointAsync("f", default));
    }

    [Fact]
    public async Task Everything_is_there_after_it_was_opened_again()
    {
        await using (var store = await WithEndpointAsync())
        {
            Assert.Equal([1], await store.GetOrAddMetaAsync("m", [1], default));
            await store.CommitAsync(Unit("c", 0, 3, new Row(Wire, 1), new Row(Wire, 2)) with { SealedSeen = [4], DueMs = 5 }, default);
            await store.AcknowledgeAsync(Wire, 1, default);
        }
        await using var again = await OpenAsync();
        Assert.Equal([1], await again.GetOrAddMetaAsync("m", [2], default));
        var stored = (await again.LoadAsync("e", "c", default))!;
        Assert.Equal((1UL, (byte)3, (long?)5, (byte)4), (stored.Version, stored.Sealed[0], stored.DueMs, Assert.Single(stored.Seen).Sealed[0]));
        Assert.Equal((1UL, 2UL), await again.PositionAsync(Wire, default));
        Assert.Equal(2UL, Assert.Single(await again.ReadAsync(Wire, 0, 10, default)).Sequence);
    }

    [Fact]
    public async Task A_closed_store_refuses()
    {
        var store = await WithEndpointAsync();
        await store.DisposeAsync();
        await Assert.ThrowsAsync<StoreException>(async () => await store.CommitAsync(Unit("c", 0), default));
        await Assert.ThrowsAsync<StoreException>(async () => await store.LoadAsync("e", "c", default));
    }
}
