using Otr.Core;
using Relay.Actors.Tests.Harness;
using Relay.Storage;

namespace Relay.Actors.Tests;

/// <summary>The ends of endpoints: deleted and taken back, expired, purged.</summary>
public class EndpointLifeTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_deleted_endpoint_answers_nothing_and_goes_on_where_it_was_when_it_is_undeleted()
    {
        await using var relay = await TestRelay.StartAsync();
        using var world = new World();
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        var endpoints = relay.Relay.Endpoints;
        var gone = endpoints.WhenInactiveAsync(TestRelay.Endpoint, default);
        Assert.False(gone.IsCompleted);

        var deleted = Assert.IsType<UpdateEndpointReply.Updated>(await endpoints.DeleteAsync(TestRelay.Endpoint, false, 1, default)).Endpoint;
        Assert.Equal(deleted.Deleted + RelayLimits.DeletedEndpointLife, deleted.Purges);
        await gone.WaitAsync(s_limit);
        // Also what is in memory.
        Assert.Equal("endpoint", Assert.IsType<ConversationReply.NotFound>(await relay.SendAsync("r1", "nobody reads this")).What);
        Assert.Null(await endpoints.FindActiveAsync(TestRelay.Endpoint, default));
        Assert.Equal(deleted, await endpoints.GetAsync(TestRelay.Endpoint, default));
        // Deleting it again changes nothing, and neither settings nor account are to be had meanwhile.
        Assert.Equal(deleted, Assert.IsType<UpdateEndpointReply.Updated>(await endpoints.DeleteAsync(TestRelay.Endpoint, false, null, default)).Endpoint);
        Assert.IsType<UpdateEndpointReply.Deleted>(await endpoints.UpdateAsync(TestRelay.Endpoint, e => e.Settings, null, default));
        Assert.Equal("account", Assert.IsType<CreateEndpointReply.AlreadyExists>(await relay.CreateEndpointAsync("r2", "other")).Field);

        await relay.ReopenAsync();
        endpoints = relay.Relay.Endpoints;
        Assert.IsType<ConversationReply.NotFound>(await relay.SendAsync("r3", "nobody reads this"));
        Assert.IsType<UpdateEndpointReply.Conflict>(await endpoints.UndeleteAsync(TestRelay.Endpoint, 1, default));
        var back = Assert.IsType<UpdateEndpointReply.Updated>(await endpoints.UndeleteAsync(TestRelay.Endpoint, 2, default)).Endpoint;
        Assert.Equal(((DateTimeOffset?)null, (DateTimeOffset?)null, 3UL), (back.Deleted, back.Purges, back.Revision));
        // The session is the one of before.
        Assert.Equal(SendDisposition.Encrypted, Assert.IsType<ConversationReply.Done>(await relay.SendAsync("r4", "here again")).Disposition);
        await world.PumpAsync(relay);
        Assert.Equal(["here again"], world.ContactReceived);
        Assert.Equal(1, world.KeyExchanges);
        Assert.IsType<UpdateEndpointReply.NotFound>(await endpoints.DeleteAsync("none", false, null, default));
    }

    [Fact]
    public async Task One_that_cannot_be_purged_does_not_keep_the_others()
    {
        await using var relay = await TestRelay.StartAsync(new TestRelay { Options = new RelayNodeOptions { PurgeInterval = TimeSpan.FromMilliseconds(50) } });
        Assert.IsType<CreateEndpointReply.Created>(await relay.CreateEndpointAsync("neighbour", "neighbour", "other@example.net"));
        relay.Store.FailsPurgeOf = TestRelay.Endpoint;
        // The first one is due first.
        foreach (var id in new[] { TestRelay.Endpoint, "neighbour" })
            Assert.IsType<UpdateEndpointReply.Updated>(await relay.Relay.Endpoints.DeleteAsync(id, true, null, default));
        await UntilAsync(async () => await relay.Store.LoadEndpointAsync("neighbour", default) is null);
        Assert.NotNull(await relay.Store.LoadEndpointAsync(TestRelay.Endpoint, default));
        relay.Store.FailsPurgeOf = null;
        await UntilAsync(async () => await relay.Store.LoadEndpointAsync(TestRelay.Endpoint, default) is null);
    }

    /// <summary>The proof that keys are destroyed: none of what was sealed is left in the files, which are still in use.</summary>
    [Fact]
    public async Task A_purge_leaves_nothing_of_the_endpoint_in_the_files()
    {
        await using var relay = await TestRelay.StartAsync(new TestRelay { Options = new RelayNodeOptions { PurgeInterval = TimeSpan.FromMilliseconds(50) } });
        Assert.IsType<CreateEndpointReply.Created>(await relay.CreateEndpointAsync("neighbour", "neighbour", "other@example.net"));
        using var world = new World();
        var sealedRows = new List<byte[]>();
        await NoteAsync();
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        await NoteAsync();
        await relay.SendAsync("r1", "a secret");
        await relay.Relay.Endpoints.UpdateAsync(TestRelay.Endpoint, e => e.Settings with { DisplayName = "Gone soon" }, null, default);
        await NoteAsync();
        Assert.True(sealedRows.Count >= 7);
        Assert.All(sealedRows, row => Assert.True(IsInFiles(row)));
        var kept = (await relay.Store.LoadEndpointAsync("neighbour", default))!.Sealed;

        var gone = relay.Relay.Endpoints.WhenInactiveAsync(TestRelay.Endpoint, default);
        var deleted = Assert.IsType<UpdateEndpointReply.Updated>(await relay.Relay.Endpoints.DeleteAsync(TestRelay.Endpoint, true, null, default)).Endpoint;
        await NoteAsync();
        Assert.True(deleted.Purges - deleted.Deleted <= RelayLimits.PurgeDelay);
        await gone.WaitAsync(s_limit);
        await UntilAsync(async () => await relay.Store.LoadEndpointAsync(TestRelay.Endpoint, default) is null);

        Assert.All(sealedRows, row => Assert.False(IsInFiles(row)));
        Assert.True(IsInFiles(kept));
        Assert.Null(await relay.Relay.GetConversationAsync(TestRelay.Endpoint, relay.Relay.ConversationId(TestRelay.Endpoint, TestRelay.Peer), default));
        Assert.Equal((0UL, 0UL), await relay.Relay.Outbox.PositionAsync(TestRelay.Events, default));
        Assert.IsType<ConversationReply.NotFound>(await relay.SendAsync("r2", "too late"));
        Assert.IsType<UpdateEndpointReply.NotFound>(await relay.Relay.Endpoints.UndeleteAsync(TestRelay.Endpoint, null, default));
        Assert.Equal(0, relay.Local.ResidentKeys);
        // The name is free, and who comes under it has nothing of its predecessor.
        var anew = Assert.IsType<CreateEndpointReply.Created>(await relay.CreateEndpointAsync("create")).Endpoint;
        Assert.Equal(1UL, anew.Revision);
        Assert.Equal(SendDisposition.Held, Assert.IsType<ConversationReply.Done>(await relay.SendAsync("r1", "a stranger")).Disposition);

        async Task NoteAsync()
        {
            sealedRows.Add((await relay.Store.LoadEndpointAsync(TestRelay.Endpoint, default))!.Sealed);
            foreach (var row in await relay.Store.ListAsync(TestRelay.Endpoint, null, 9, default))
            {
                sealedRows.Add(row.Sealed);
                var stored = await relay.Store.LoadConversationAsync(TestRelay.Endpoint, row.Id, default);
                if (stored.Identities is not null) sealedRows.Add(stored.Identities);
            }
            foreach (var stream in (StreamKey[])[TestRelay.Events, TestRelay.Wire])
                sealedRows.AddRange((await ((IStreamStore)relay.Store).ReadAsync(stream, 0, 99, 1 << 20, default)).Select(r => r.Sealed));
        }

        // A slice that no other row has: rows begin with what is the same for all. The end of a long row is in one page, too.
        bool IsInFiles(byte[] row) => Directory.GetFiles(relay.Directory, "relay.db*")
            .Any(f => Read(f).AsSpan().IndexOf(row.AsSpan(row.Length - 24)) >= 0);

        static byte[] Read(string path)
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            return bytes;
        }
    }

    [Fact]
    public async Task A_burner_answers_until_its_end_and_is_purged_then()
    {
        var time = new ManualTime();
        await using var relay = await TestRelay.StartAsync(new TestRelay { Time = time });
        var request = new CreateEndpoint("burn", "burner", "xmpp", "x7@example.net", new EndpointSettings(), TestKeys.Copy(1)) { Life = TimeSpan.FromHours(1) };
        var burner = Assert.IsType<CreateEndpointReply.Created>(await relay.Relay.Endpoints.CreateAsync(request with { Key = TestKeys.Copy(1) }, default)).Endpoint;
        Assert.Equal((burner.Created + TimeSpan.FromHours(1), burner.Expires), (burner.Expires!.Value, burner.Purges));
        Assert.Equal(burner, Assert.IsType<CreateEndpointReply.Created>(await relay.Relay.Endpoints.CreateAsync(request, default)).Endpoint);
        Assert.IsType<CreateEndpointReply.RequestIdReused>(await relay.Relay.Endpoints.CreateAsync(request with { Key = TestKeys.Copy(1), Life = TimeSpan.FromHours(2) }, default));
        var address = new ConversationAddress.ByPeer("burner", "peer");
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.StartSession("s1"), address));
        var gone = relay.Relay.Endpoints.WhenInactiveAsync("burner", default);

        time.Advance(TimeSpan.FromHours(1) - TimeSpan.FromMilliseconds(1));
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.StartSession("s2"), address));
        Assert.False(gone.IsCompleted);
        // It ends to the millisecond, whether it has been purged or not.
        time.Advance(TimeSpan.FromMilliseconds(1));
        await gone.WaitAsync(s_limit);
        Assert.IsType<ConversationReply.NotFound>(await relay.AskAsync(new Command.StartSession("s3"), address));
        await UntilAsync(async () =>
        {
            time.Advance(RelayLimits.PurgeInterval);
            return await relay.Relay.Endpoints.GetAsync("burner", default) is null;
        });
        // Nobody else was hurt.
        Assert.NotNull(await relay.Relay.Endpoints.FindActiveAsync(TestRelay.Endpoint, default));
    }

    /// <summary>A life cannot be prolonged by deleting and undeleting.</summary>
    [Fact]
    public async Task A_deleted_burner_ends_no_later_than_it_would_have()
    {
        await using var relay = await TestRelay.StartAsync();
        var endpoints = relay.Relay.Endpoints;
        var request = new CreateEndpoint("burn", "burner", "xmpp", "x7@example.net", new EndpointSettings(), TestKeys.Copy(1)) { Life = TimeSpan.FromHours(1) };
        var burner = Assert.IsType<CreateEndpointReply.Created>(await endpoints.CreateAsync(request, default)).Endpoint;
        Assert.Equal(burner.Expires, Assert.IsType<UpdateEndpointReply.Updated>(await endpoints.DeleteAsync("burner", false, null, default)).Endpoint.Purges);
        var back = Assert.IsType<UpdateEndpointReply.Updated>(await endpoints.UndeleteAsync("burner", null, default)).Endpoint;
        Assert.Equal((burner.Expires, burner.Expires), (back.Expires, back.Purges));
        var soon = Assert.IsType<UpdateEndpointReply.Updated>(await endpoints.DeleteAsync("burner", true, null, default)).Endpoint;
        Assert.True(soon.Purges < burner.Expires);
    }

    /// <summary>Whoever can write into the database must not be able to make Relay destroy keys by one number.</summary>
    [Fact]
    public async Task The_sealed_row_decides_whether_an_endpoint_is_due()
    {
        await using var relay = await TestRelay.StartAsync(new TestRelay { Options = new RelayNodeOptions { PurgeInterval = TimeSpan.FromMilliseconds(20) } });
        var row = (await relay.Store.LoadEndpointAsync(TestRelay.Endpoint, default))!;
        await relay.CloseAsync();
        using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={relay.Database};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE endpoint SET purge = 1";
            Assert.Equal(1, command.ExecuteNonQuery());
        }
        await relay.OpenAsync();
        await Task.Delay(200);
        Assert.Equal(row.Sealed, (await relay.Store.LoadEndpointAsync(TestRelay.Endpoint, default))!.Sealed);
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.StartSession("s")));
    }

    /// <summary>A crash in the middle: the row says that the purge has begun, and the next process goes on.</summary>
    [Fact]
    public async Task An_interrupted_purge_goes_on_after_a_restart()
    {
        await using var relay = await TestRelay.StartAsync(new TestRelay { Options = new RelayNodeOptions { PurgeInterval = TimeSpan.FromMilliseconds(20) } });
        await relay.AskAsync(new Command.StartSession("s"));
        await relay.CloseAsync();
        using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={relay.Database};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE endpoint SET purge = 0, sealed = x'', revision = revision + 1";
            Assert.Equal(1, command.ExecuteNonQuery());
        }
        await relay.OpenAsync();
        Assert.IsType<ConversationReply.NotFound>(await relay.AskAsync(new Command.StartSession("s")));
        Assert.Empty((await relay.Relay.Endpoints.ListAsync(new EndpointQuery(null, 10, _ => true), default)).Endpoints);
        await UntilAsync(async () => await relay.Store.LoadEndpointAsync(TestRelay.Endpoint, default) is null);
        Assert.Empty(await relay.Store.ListAsync(TestRelay.Endpoint, null, 9, default));
    }

    [Fact]
    public async Task A_filtered_list_has_whole_pages_and_says_where_the_next_begins()
    {
        await using var relay = await TestRelay.StartAsync();
        for (int i = 0; i < 9; i++) await relay.CreateEndpointAsync($"c{i}", $"e{i}", i % 2 == 0 ? $"even{i}" : $"odd{i}");
        var seen = new List<string>();
        string? after = null;
        do
        {
            var page = await relay.Relay.Endpoints.ListAsync(new EndpointQuery(after, 2, e => e.Account.StartsWith("even", StringComparison.Ordinal)), default);
            Assert.True(page.NextAfterId is null || page.Endpoints.Count == 2);
            seen.AddRange(page.Endpoints.Select(e => e.Id));
            after = page.NextAfterId;
        }
        while (after is not null);
        Assert.Equal(["e0", "e2", "e4", "e6", "e8"], seen);
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(s_limit);
        while (!await condition()) await Task.Delay(20, limit.Token);
    }
}
