using Relay.Storage.Tests.Harness;
using static Relay.Storage.Tests.Harness.StoreUnits;

namespace Relay.Storage.Tests;

/// <summary>What every store must do for endpoints and their subscriptions.</summary>
public abstract partial class StoreContractTests
{
    [Fact]
    public async Task Endpoints_are_updated_on_the_expected_revision_and_the_changes_are_told()
    {
        await using var store = await WithEndpointAsync();
        await store.InsertEndpointAsync(Endpoint("f", 2, 2), default);
        var none = await store.ReadChangesAsync(0, default);
        Assert.Equal((0, 0UL), (none.Updated.Count, none.Last));
        Assert.True(await store.UpdateEndpointAsync("e", 1, [7], null, default));
        Assert.False(await store.UpdateEndpointAsync("e", 1, [8], null, default));
        Assert.False(await store.UpdateEndpointAsync("none", 1, [8], null, default));
        var updated = (await store.LoadEndpointAsync("e", default))!;
        Assert.Equal((2UL, (byte)7, (UInt128)1, (UInt128)1), (updated.Revision, Assert.Single(updated.Sealed), updated.Address, updated.Request));
        var first = await store.ReadChangesAsync(0, default);
        Assert.Equal([("e", 2UL)], first.Updated);
        // Many at once: one wins each revision, and each change is told once.
        var won = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => store.UpdateEndpointAsync("f", 1, [(byte)i], null, default).AsTask()));
        Assert.Single(won, w => w);
        var second = await store.ReadChangesAsync(first.Last, default);
        Assert.Equal([("f", 2UL)], second.Updated);
        Assert.True(second.Last > first.Last);
        Assert.Empty((await store.ReadChangesAsync(second.Last, default)).Updated);
        Assert.Equal(["e", "f"], (await store.ReadChangesAsync(0, default)).Updated.Select(u => u.Id));
    }

    [Fact]
    public async Task Endpoints_that_are_due_are_found_the_earliest_first()
    {
        await using var store = await WithEndpointAsync();
        await store.InsertEndpointAsync(Endpoint("f", 2, 2) with { PurgeMs = 50 }, default);
        await store.InsertEndpointAsync(Endpoint("g", 3, 3) with { PurgeMs = 40 }, default);
        await store.InsertEndpointAsync(Endpoint("h", 4, 4) with { PurgeMs = 60 }, default);
        Assert.Equal([("g", 40L), ("f", 50L)], (await store.ReadPurgeDueAsync(50, 9, default)).Select(e => (e.Id, e.PurgeMs!.Value)));
        Assert.Equal(["g"], (await store.ReadPurgeDueAsync(50, 1, default)).Select(e => e.Id));
        Assert.True(await store.UpdateEndpointAsync("g", 1, [1], null, default));
        Assert.True(await store.UpdateEndpointAsync("e", 1, [1], 10, default));
        Assert.Equal(["e", "f", "h"], (await store.ReadPurgeDueAsync(long.MaxValue, 9, default)).Select(e => e.Id));
        Assert.Equal((10L, (long?)null), ((await store.LoadEndpointAsync("e", default))!.PurgeMs!.Value, (await store.LoadEndpointAsync("g", default))!.PurgeMs));
    }

    [Fact]
    public async Task A_purged_endpoint_leaves_nothing_behind_and_its_neighbour_everything()
    {
        await using var store = await WithEndpointAsync();
        await store.InsertEndpointAsync(Endpoint("f", 2, 2), default);
        // More than one portion, in each table.
        const int many = StorageLimits.PurgedRowsPerTransaction + 10;
        foreach (var endpoint in (string[])["e", "f"])
        {
            var row = new Row(new StreamKey(endpoint, StreamKind.Wire), 1);
            await Task.WhenAll(Enumerable.Range(0, many).Select(i => store.CommitAsync(
                Unit($"c{i:d4}", 0, 1, row) with { EndpointId = endpoint, SealedIdentities = [1], SealedSeen = [1], DueMs = i }, default).AsTask()));
        }
        Assert.False(await store.PurgeEndpointAsync("e", 2, default));
        Assert.False(await store.PurgeEndpointAsync("none", 1, default));
        Assert.True(await store.PurgeEndpointAsync("e", 1, default));
        Assert.Null(await store.LoadEndpointAsync("e", default));
        Assert.Equal(["f"], (await store.ListEndpointsAsync(null, 9, default)).Select(e => e.Id));
        Assert.Empty(await store.ListAsync("e", null, 9, default));
        Assert.Equal(default, await store.LoadConversationAsync("e", "c0000", default));
        Assert.Equal((0UL, 0UL), await store.PositionAsync(Wire, default));
        Assert.Empty(await store.ReadAsync(Wire, 0, 10, default));
        Assert.All((await store.ReadDueAsync(long.MaxValue, 2 * many, default)).Due, d => Assert.Equal("f", d.EndpointId));
        var other = await store.LoadConversationAsync("f", "c0000", default);
        Assert.Equal((1, 1), (other.Identities!.Length, other.Row!.Seen.Count));
        Assert.Equal((0UL, (ulong)many), await store.PositionAsync(new StreamKey("f", StreamKind.Wire), default));
        // A late command of a conversation that was in memory finds nothing, and makes nothing.
        Assert.IsType<CommitResult.Conflict>(await store.CommitAsync(Unit("c0000", 1, 2, new Row(Wire, 1)), default));
        Assert.IsType<CommitResult.NoEndpoint>(await store.CommitAsync(Unit("new", 0, 2), default));
        // The id, the account and the request are free again, and what is made anew begins anew.
        Assert.Equal(InsertEndpointResult.Inserted, await store.InsertEndpointAsync(Endpoint("e", 1, 1), default));
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("c0000", 0, 2, new Row(Wire, 1)), default));
        Assert.Equal((0UL, 1UL), await store.PositionAsync(Wire, default));
        Assert.Empty((await store.LoadAsync("e", "c0000", default))!.Seen);
    }

    [Fact]
    public async Task A_subscription_has_a_stream_and_rows_of_its_own_and_leaves_nothing()
    {
        await using var store = await WithEndpointAsync();
        var stream = StreamKey.OfSubscription("e", "audit");
        await store.OpenStreamAsync(stream, default);
        await store.OpenStreamAsync(stream, default);
        await store.CommitAsync(Unit("c", 0, 1, new Row(Events, 1), new Row(stream, 2), new Row(stream, 3)), default);
        Assert.Equal((0UL, 2UL), await store.PositionAsync(stream, default));
        await store.AcknowledgeAsync(stream, 1, default);
        Assert.Equal((0UL, 1UL), await store.PositionAsync(Events, default));
        Assert.Equal([3], (await store.ReadAsync(stream, 0, 9, default)).Select(r => r.Sealed[1]));

        var (progress, dead) = (SubscriptionPart.Progress, SubscriptionPart.DeadLetters);
        Assert.Null(await store.LoadSubscriptionAsync("e", "audit", progress, default));
        Assert.True(await store.SaveSubscriptionAsync("e", "audit", progress, 0, [1], default));
        Assert.False(await store.SaveSubscriptionAsync("e", "audit", progress, 0, [9], default));
        Assert.True(await store.SaveSubscriptionAsync("e", "audit", dead, 0, [5], default));
        Assert.True(await store.SaveSubscriptionAsync("e", "audit", progress, 1, [2], default));
        Assert.False(await store.SaveSubscriptionAsync("e", "audit", progress, 1, [9], default));
        Assert.True(await store.SaveSubscriptionAsync("e", "other", progress, 0, [7], default));
        var row = (await store.LoadSubscriptionAsync("e", "audit", progress, default))!;
        Assert.Equal((2UL, (byte)2), (row.Revision, Assert.Single(row.Sealed)));
        // Of many at once one wins.
        var won = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => store.SaveSubscriptionAsync("e", "audit", progress, 2, [(byte)i], default).AsTask()));
        Assert.Single(won, w => w);

        await store.DeleteSubscriptionAsync("e", "audit", default);
        Assert.Equal((0UL, 0UL), await store.PositionAsync(stream, default));
        Assert.Empty(await store.ReadAsync(stream, 0, 9, default));
        Assert.Null(await store.LoadSubscriptionAsync("e", "audit", progress, default));
        Assert.Null(await store.LoadSubscriptionAsync("e", "audit", dead, default));
        Assert.NotNull(await store.LoadSubscriptionAsync("e", "other", progress, default));
        Assert.Single(await store.ReadAsync(Events, 0, 9, default));
        // With the endpoint go all of its subscriptions, and of a neighbour whose name begins the same, none.
        await store.InsertEndpointAsync(Endpoint("e2", 5, 5), default);
        var (own, neighbours) = (StreamKey.OfSubscription("e", "other"), StreamKey.OfSubscription("e2", "other"));
        foreach (var s in (StreamKey[])[own, neighbours]) await store.OpenStreamAsync(s, default);
        await store.CommitAsync(Unit("c", 1, 1, new Row(own, 1), new Row(neighbours, 1)), default);
        await store.SaveSubscriptionAsync("e2", "other", progress, 0, [1], default);
        Assert.True(await store.PurgeEndpointAsync("e", 1, default));
        Assert.Empty(await store.ReadAsync(own, 0, 9, default));
        Assert.Single(await store.ReadAsync(neighbours, 0, 9, default));
        Assert.Null(await store.LoadSubscriptionAsync("e", "other", progress, default));
        Assert.NotNull(await store.LoadSubscriptionAsync("e2", "other", progress, default));
    }

    [Fact]
    public async Task The_audit_log_is_a_gap_free_sequence_that_only_grows_and_is_trimmed_from_the_front()
    {
        await using var store = await OpenAsync();
        Assert.Equal((0UL, 0UL), await store.AuditBoundsAsync(default));
        Assert.False(await store.AppendAuditAsync(2, [9], default));
        for (ulong i = 1; i <= 5; i++) Assert.True(await store.AppendAuditAsync(i, [(byte)i], default));
        Assert.False(await store.AppendAuditAsync(5, [9], default));
        Assert.False(await store.AppendAuditAsync(7, [9], default));
        Assert.Equal((1UL, 5UL), await store.AuditBoundsAsync(default));
        Assert.Equal([3, 4], (await store.ReadAuditAsync(2, 2, default)).Select(r => r.Sealed.Single()));
        // Of many at once one wins.
        var won = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => store.AppendAuditAsync(6, [(byte)(10 + i)], default).AsTask()));
        Assert.Single(won, w => w);
        await store.TrimAuditAsync(4, default);
        Assert.Equal((5UL, 6UL), await store.AuditBoundsAsync(default));
        // The last row stays, so that the sequence goes on.
        await store.TrimAuditAsync(99, default);
        Assert.Equal((6UL, 6UL), await store.AuditBoundsAsync(default));
        Assert.True(await store.AppendAuditAsync(7, [7], default));
        Assert.Equal([6UL, 7UL], (await store.ReadAuditAsync(0, 9, default)).Select(r => r.Sequence));
    }

    /// <summary>A reader of changes that has seen the last one must also see the next, although the endpoint that changed last is gone.</summary>
    [Fact]
    public async Task Changes_after_a_purge_are_told()
    {
        await using var store = await WithEndpointAsync();
        await store.InsertEndpointAsync(Endpoint("f", 2, 2), default);
        await store.UpdateEndpointAsync("e", 1, [7], null, default);
        var seen = await store.ReadChangesAsync(0, default);
        await store.PurgeEndpointAsync("e", 2, default);
        await store.UpdateEndpointAsync("f", 1, [7], null, default);
        Assert.Equal([("f", 2UL)], (await store.ReadChangesAsync(seen.Last, default)).Updated);
    }
}
