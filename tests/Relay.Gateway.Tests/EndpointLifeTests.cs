using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Relay.Cli;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>Endpoints that are deleted, taken back, filtered, and asked what waits in them.</summary>
public sealed class EndpointLifeTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Deleting_ends_the_streams_and_hides_the_endpoint_until_it_is_undeleted()
    {
        await using var server = await TestServer.StartAsync();
        var name = await server.CreateEndpointAsync("e");
        await server.CreateEndpointAsync("other");
        var bot = await server.ConnectAsync(Scope.Bot, name);
        var bridge = await server.ConnectAsync(Scope.Bridge);
        using var events = bot.EventStreams.StreamEvents();
        await events.RequestStream.WriteAsync(new StreamEventsRequest { Open = new OpenStream { Endpoint = name } });
        Assert.True(await events.ResponseStream.MoveNext().WaitAsync(s_limit));
        using var watch = bot.EventStreams.WatchEvents(new WatchEventsRequest { Endpoint = name });
        Assert.True(await watch.ResponseStream.MoveNext().WaitAsync(s_limit));
        using var wire = bridge.BridgeStreams.StreamWire();
        await wire.RequestStream.WriteAsync(new StreamWireRequest { Open = new OpenStream { Endpoint = name } });
        Assert.True(await wire.ResponseStream.MoveNext().WaitAsync(s_limit));

        var api = server.Admin.Endpoints;
        await Expect.RefusedAsync(StatusCode.Aborted, "ETAG_MISMATCH", async () => await api.DeleteEndpointAsync(new DeleteEndpointRequest { Name = name, Etag = "9" }));
        var deleted = await api.DeleteEndpointAsync(new DeleteEndpointRequest { Name = name, Etag = "1" });
        Assert.Equal(TimeSpan.FromDays(30), deleted.PurgeTime.ToDateTimeOffset() - deleted.DeleteTime.ToDateTimeOffset());
        foreach (var next in (Func<Task<bool>>[])[() => events.ResponseStream.MoveNext(), () => watch.ResponseStream.MoveNext(), () => wire.ResponseStream.MoveNext()])
            await Expect.RefusedAsync(StatusCode.NotFound, "ENDPOINT_NOT_FOUND", () => next().WaitAsync(s_limit));
        Func<Task>[] calls =
        [
            async () => await bot.Messages.SendMessageAsync(new SendMessageRequest { Parent = name, Peer = "p", RequestId = "r", Text = "x" }),
            async () => await bot.EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = name }),
            async () => await bot.EventStreams.AckEventsAsync(new AckEventsRequest { Endpoint = name }),
            async () => await bot.Conversations.ListConversationsAsync(new ListConversationsRequest { Parent = name }),
            async () => await bridge.BridgeStreams.PullWireAsync(new PullWireRequest { Endpoint = name }),
            async () => await bridge.BridgeStreams.PushWireAsync(new PushWireRequest { Message = new InboundWire { Endpoint = name, Peer = "p", MessageId = "m", Text = Google.Protobuf.ByteString.CopyFromUtf8("?OTRv3?") } }),
        ];
        foreach (var call in calls) await Expect.RefusedAsync(StatusCode.NotFound, "ENDPOINT_NOT_FOUND", call);

        Assert.Equal(deleted, await api.GetEndpointAsync(new GetEndpointRequest { Name = name }));
        Assert.Equal(["endpoints/other"], (await api.ListEndpointsAsync(new ListEndpointsRequest())).Endpoints.Select(e => e.Name));
        Assert.Equal(["endpoints/e", "endpoints/other"], (await api.ListEndpointsAsync(new ListEndpointsRequest { ShowDeleted = true })).Endpoints.Select(e => e.Name));
        Assert.Empty((await bot.Endpoints.ListEndpointsAsync(new ListEndpointsRequest())).Endpoints);
        var mask = new FieldMask { Paths = { "display_name" } };
        await Expect.RefusedAsync(StatusCode.FailedPrecondition, "ENDPOINT_DELETED", async () => await api.UpdateEndpointAsync(new UpdateEndpointRequest { Endpoint = new Endpoint { Name = name }, UpdateMask = mask }));

        var back = await api.UndeleteEndpointAsync(new UndeleteEndpointRequest { Name = name });
        Assert.Null(back.DeleteTime);
        await bot.Messages.SendMessageAsync(new SendMessageRequest { Parent = name, Peer = "p", RequestId = "r", Text = "x" });
    }

    [Fact]
    public async Task A_burner_has_an_end_and_its_life_is_checked()
    {
        await using var server = await TestServer.StartAsync();
        CreateEndpointRequest Request(string id, Duration life) => new() { RequestId = id, EndpointId = id, Network = "test", Account = id, Dsa = TestKeys.Endpoint, Life = life };
        var made = await server.Admin.Endpoints.CreateEndpointAsync(Request("b", Duration.FromTimeSpan(TimeSpan.FromHours(12))));
        Assert.Equal((TimeSpan.FromHours(12), made.ExpireTime), (made.ExpireTime.ToDateTimeOffset() - made.CreateTime.ToDateTimeOffset(), made.PurgeTime));
        foreach (var life in (Duration[])[new Duration(), new Duration { Seconds = 59 }, new Duration { Seconds = -1 }, new Duration { Seconds = 365 * 86_400 + 1 }, new Duration { Seconds = long.MaxValue }, new Duration { Nanos = -1 }])
            await Expect.FieldsAsync(async () => await server.Admin.Endpoints.CreateEndpointAsync(Request("wrong", life)), "life");
    }

    [Fact]
    public async Task A_burner_gets_an_address_that_nobody_can_guess()
    {
        await using var server = await TestServer.StartAsync();
        var api = server.Admin.Endpoints;
        CreateEndpointRequest Request(string requestId, string id = "") => new()
        {
            RequestId = requestId, EndpointId = id, Network = "xmpp", BurnerDomain = "otr.example.org", Dsa = TestKeys.Endpoint,
            Life = Duration.FromTimeSpan(TimeSpan.FromHours(12)),
        };
        var one = await api.CreateEndpointAsync(Request("one"));
        var other = await api.CreateEndpointAsync(Request("other", "burner-*"));
        Assert.All([one, other], e => Assert.Matches("^[a-z2-7]{26}@otr\\.example\\.org$", e.Account));
        Assert.NotEqual(one.Account, other.Account);
        Assert.Matches("^endpoints/burner-[a-z2-7]{16}$", other.Name);
        Assert.Equal(TimeSpan.FromHours(12), other.PurgeTime.ToDateTimeOffset() - other.CreateTime.ToDateTimeOffset());
        // A retry is no second one.
        Assert.Equal(other, await api.CreateEndpointAsync(Request("other", "burner-*")));
        await Expect.RefusedAsync(StatusCode.InvalidArgument, "REQUEST_ID_REUSED", async () => await api.CreateEndpointAsync(Request("other")));

        async Task RefusedAsync(Action<CreateEndpointRequest> change, params string[] fields)
        {
            var request = Request("wrong", "wrong-*");
            change(request);
            await Expect.FieldsAsync(async () => await api.CreateEndpointAsync(request), fields);
        }
        await RefusedAsync(r => r.Life = null, "life");
        await RefusedAsync(r => r.Account = "me@otr.example.org", "account");
        await RefusedAsync(r => r.BurnerDomain = "me@otr.example.org", "burner_domain");
        await RefusedAsync(r => r.BurnerDomain = "otr.example.org/phone", "burner_domain");
        await RefusedAsync(r => r.BurnerDomain = "otr example.org", "burner_domain");
        await RefusedAsync(r => r.BurnerDomain = new string('x', 1000), "burner_domain");
        await RefusedAsync(r => r.EndpointId = "*", "endpoint_id");
        await RefusedAsync(r => r.EndpointId = "bur*ner-*", "endpoint_id");
        await RefusedAsync(r => r.EndpointId = new string('x', 48) + "*", "endpoint_id");
        Assert.Equal(2, (await api.ListEndpointsAsync(new ListEndpointsRequest())).Endpoints.Count);
    }

    [Fact]
    public async Task A_bridge_with_a_key_for_a_pattern_carries_burners_that_are_made_later()
    {
        await using var server = await TestServer.StartAsync();
        var bridge = await server.ConnectAsync(Scope.Bridge, "endpoints/burner-*");
        async Task<Endpoint> CreateAsync(string id) => await server.Admin.Endpoints.CreateEndpointAsync(new CreateEndpointRequest
        {
            RequestId = "r" + id, EndpointId = id, Network = "xmpp", BurnerDomain = "otr.example.org", Dsa = TestKeys.Endpoint,
            Life = Duration.FromTimeSpan(TimeSpan.FromHours(12)),
        });
        var burner = await CreateAsync("burner-*");
        Assert.StartsWith("endpoints/burner-x", (await CreateAsync("burner-x*")).Name, StringComparison.Ordinal);
        await CreateAsync("b*");
        await CreateAsync("");
        await server.CreateEndpointAsync("other");
        var listed = (await bridge.Endpoints.ListEndpointsAsync(new ListEndpointsRequest())).Endpoints;
        Assert.Contains(burner, listed);
        Assert.Equal(2, listed.Count);
    }

    [Theory]
    [InlineData("", "a1,a2,b1")]
    [InlineData("account = a1@test.example", "a1")]
    [InlineData("account=\"a1@test.example\"", "a1")]
    [InlineData("account : A", "a1,a2,b1")]
    [InlineData("account:a1 AND network = test", "a1")]
    [InlineData("network = irc", "")]
    [InlineData("display_name = \"Support, Berlin\"", "a2")]
    [InlineData("display_name : berlin AND account : a2", "a2")]
    [InlineData("  account : b  ", "b1")]
    public async Task Lists_are_filtered(string filter, string expected)
    {
        await using var server = await TestServer.StartAsync();
        foreach (var id in (string[])["a1", "a2", "b1"]) await server.CreateEndpointAsync(id);
        await server.Admin.Endpoints.UpdateEndpointAsync(new UpdateEndpointRequest
        {
            Endpoint = new Endpoint { Name = "endpoints/a2", DisplayName = "Support, Berlin" }, UpdateMask = new FieldMask { Paths = { "display_name" } },
        });
        var found = new List<string>();
        var request = new ListEndpointsRequest { Filter = filter, PageSize = 1 };
        do
        {
            var page = await server.Admin.Endpoints.ListEndpointsAsync(request);
            found.AddRange(page.Endpoints.Select(e => e.Name["endpoints/".Length..]));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        Assert.Equal(expected, string.Join(',', found));
        // A key that is limited to endpoints sees the same of its own.
        var limited = await server.ConnectAsync(Scope.Bot, "endpoints/a1", "endpoints/b1");
        var own = await limited.Endpoints.ListEndpointsAsync(new ListEndpointsRequest { Filter = filter });
        Assert.Equal(expected.Split(',').Where(id => id is "a1" or "b1"), own.Endpoints.Select(e => e.Name["endpoints/".Length..]));
    }

    [Theory]
    [InlineData("nothing = x")]
    [InlineData("account")]
    [InlineData("account =")]
    [InlineData("account = \"open")]
    [InlineData("account = x y")]
    [InlineData("account = x OR account = y")]
    [InlineData("account = x AND")]
    [InlineData("AND account = x")]
    [InlineData("fingerprint = x")]
    [InlineData("account=1 AND account=1 AND account=1 AND account=1 AND account=1 AND account=1 AND account=1 AND account=1 AND account=1")]
    public async Task Wrong_filters_are_named(string filter)
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        await Expect.FieldsAsync(async () => await server.Admin.Endpoints.ListEndpointsAsync(new ListEndpointsRequest { Filter = filter }), "filter");
    }

    [Fact]
    public async Task The_status_says_what_waits_and_since_when()
    {
        await using var server = await TestServer.StartAsync();
        var name = await server.CreateEndpointAsync("e");
        var bot = await server.ConnectAsync(Scope.Bot, name);
        var request = new GetEndpointStatusRequest { Name = name + "/status" };
        var idle = await bot.Endpoints.GetEndpointStatusAsync(request);
        Assert.Equal((name + "/status", 0UL, 0UL, (Duration?)null), (idle.Name, idle.Events.Backlog, idle.Wire.Backlog, idle.Wire.OldestAge));
        for (int i = 0; i < 3; i++) await bot.Messages.SendMessageAsync(new SendMessageRequest { Parent = name, Peer = $"p{i}", RequestId = "r", Text = "held" });
        await Task.Delay(50);
        var busy = await bot.Endpoints.GetEndpointStatusAsync(request);
        Assert.Equal((0UL, 3UL), (busy.Events.Backlog, busy.Wire.Backlog));
        Assert.InRange(busy.Wire.OldestAge.ToTimeSpan(), TimeSpan.FromMilliseconds(50), s_limit);
        var bridge = await server.ConnectAsync(Scope.Bridge);
        await bridge.BridgeStreams.AckWireAsync(new AckWireRequest { Endpoint = name, Sequence = 2 });
        Assert.Equal(1UL, (await bridge.Endpoints.GetEndpointStatusAsync(request)).Wire.Backlog);

        await Expect.FieldsAsync(async () => await bot.Endpoints.GetEndpointStatusAsync(new GetEndpointStatusRequest { Name = name }), "name");
        var foreign = await server.ConnectAsync(Scope.Bot, "endpoints/other");
        await Expect.RefusedAsync(StatusCode.PermissionDenied, "ENDPOINT_NOT_ALLOWED", async () => await foreign.Endpoints.GetEndpointStatusAsync(request));
        await Expect.RefusedAsync(StatusCode.NotFound, "ENDPOINT_NOT_FOUND", async () => await server.Admin.Endpoints.GetEndpointStatusAsync(new GetEndpointStatusRequest { Name = "endpoints/none/status" }));
    }

    [Fact]
    public async Task Wrong_requests_are_refused()
    {
        await using var server = await TestServer.StartAsync();
        var name = await server.CreateEndpointAsync("e");
        var api = server.Admin.Endpoints;
        await Expect.FieldsAsync(async () => await api.DeleteEndpointAsync(new DeleteEndpointRequest { Etag = "x" }), "name", "etag");
        await Expect.FieldsAsync(async () => await api.UndeleteEndpointAsync(new UndeleteEndpointRequest { Name = "endpoints/A" }), "name");
        await Expect.RefusedAsync(StatusCode.NotFound, "ENDPOINT_NOT_FOUND", async () => await api.DeleteEndpointAsync(new DeleteEndpointRequest { Name = "endpoints/none" }));
        await Expect.RefusedAsync(StatusCode.NotFound, "ENDPOINT_NOT_FOUND", async () => await api.UndeleteEndpointAsync(new UndeleteEndpointRequest { Name = "endpoints/none" }));
        // Undeleting what is not deleted changes nothing.
        Assert.Equal("1", (await api.UndeleteEndpointAsync(new UndeleteEndpointRequest { Name = name })).Etag);
        var bot = await server.ConnectAsync(Scope.Bot, name);
        await Expect.RefusedAsync(StatusCode.PermissionDenied, "SCOPE_MISSING", async () => await bot.Endpoints.DeleteEndpointAsync(new DeleteEndpointRequest { Name = name }));
        Assert.Equal("1", (await api.GetEndpointAsync(new GetEndpointRequest { Name = name })).Etag);
    }

    [Fact]
    public async Task The_command_deletes_asks_before_it_purges_and_undeletes()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateEndpointAsync("e");
        var environment = new Dictionary<string, string> { ["RELAY_SERVER"] = server.Address.ToString(), ["RELAY_KEY_FILE"] = Path.Combine(server.DataDirectory, "admin.key") };
        var made = await Terminal.RunAsync(environment, null, "endpoints", "create", "--network", "test", "--account", "x", "--id", "burner", "--life", "12h", "--json");
        Assert.Equal(ExitCode.Ok, made.Code);
        Assert.NotEmpty(made.Json.GetProperty("expireTime").GetString()!);
        Assert.Equal(ExitCode.Usage, (await Terminal.RunAsync(environment, null, "endpoints", "create", "--network", "test", "--account", "y", "--life", "soon")).Code);

        var deleted = await Terminal.RunAsync(environment, null, "endpoints", "delete", "e");
        Assert.Equal(ExitCode.Ok, deleted.Code);
        Assert.Matches(@"deleted +\d{4}-", deleted.Out);
        Assert.Contains("keys and conversations are destroyed", deleted.Out, StringComparison.Ordinal);
        var listed = await Terminal.RunAsync(environment, null, "endpoints", "list", "--filter", "network = test");
        Assert.DoesNotContain("e@test.example", listed.Out, StringComparison.Ordinal);
        Assert.Contains(", deleted", (await Terminal.RunAsync(environment, null, "endpoints", "list", "--deleted")).Out, StringComparison.Ordinal);
        Assert.Contains("No endpoint matches", (await Terminal.RunAsync(environment, null, "endpoints", "list", "--filter", "network = none")).Out + listed.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, (await Terminal.RunAsync(environment, null, "endpoints", "undelete", "e")).Code);

        var asked = await Terminal.RunAsync(environment, null, "endpoints", "delete", "e", "--purge");
        Assert.Equal(ExitCode.Usage, asked.Code);
        Assert.Contains("--yes", asked.Error, StringComparison.Ordinal);
        Assert.Equal("3", (await server.Admin.Endpoints.GetEndpointAsync(new GetEndpointRequest { Name = "endpoints/e" })).Etag);
        Assert.Equal(ExitCode.Ok, (await Terminal.RunAsync(environment, null, "endpoints", "delete", "e", "--purge", "--yes")).Code);
        using var limit = new CancellationTokenSource(s_limit);
        while ((await Terminal.RunAsync(environment, null, "endpoints", "show", "e")).Code != ExitCode.NotFound) await Task.Delay(200, limit.Token);
    }
}
