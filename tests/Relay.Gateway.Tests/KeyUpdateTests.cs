using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>Operators change the name, the expiry and the limits of a key whose secret is in use.</summary>
public sealed class KeyUpdateTests
{
    private static UpdateApiKeyRequest Update(ApiKey key, params string[] paths) => new() { ApiKey = key, UpdateMask = new FieldMask { Paths = { paths } } };

    private static async Task<Dictionary<string, long>> LimitsAsync(Relay.Client.RelayClient client) =>
        (await client.Admin.GetCallerAsync(new GetCallerRequest())).Limits.ToDictionary(l => l.Name, l => l.Limit_);

    [Fact]
    public async Task The_holder_of_the_key_has_the_new_limits_with_its_next_call()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var made = await server.Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "1", Scopes = { Scope.Bot }, DisplayName = "first", Limits = new CallerLimits { Streams = 7 } });
        var bot = server.Connect(made.Token);
        var changed = await server.Admin.Admin.UpdateApiKeyAsync(Update(
            new ApiKey { Name = made.ApiKey.Name, DisplayName = "not in the mask", Limits = new CallerLimits { CallsPerSecond = 3 } }, "limits.calls_per_second"));
        Assert.Equal(("first", 3, 7, made.ApiKey.ExpireTime), (changed.DisplayName, changed.Limits.CallsPerSecond, changed.Limits.Streams, changed.ExpireTime));
        var limits = await LimitsAsync(bot);
        Assert.Equal((3L, 7L), (limits["calls_per_second"], limits["streams"]));
        // They are kept, not only told.
        RpcException? refused = null;
        for (int i = 0; i < 100 && refused is null; i++)
        {
            try
            {
                await bot.Endpoints.ListEndpointsAsync(new ListEndpointsRequest());
            }
            catch (RpcException e)
            {
                refused = e;
            }
        }
        Assert.Equal(StatusCode.ResourceExhausted, refused?.StatusCode);
        // All of its own taken away: the server's.
        changed = await server.Admin.Admin.UpdateApiKeyAsync(Update(new ApiKey { Name = made.ApiKey.Name, DisplayName = "second" }, "limits", "display_name"));
        Assert.Equal(("second", null), (changed.DisplayName, changed.Limits));
        limits = await LimitsAsync(bot);
        Assert.Equal((10_000L, 10_000L), (limits["calls_per_second"], limits["streams"]));
        Assert.Equal("second", (await server.Admin.Admin.ListApiKeysAsync(new ListApiKeysRequest())).ApiKeys.Single(k => k.Name == made.ApiKey.Name).DisplayName);
    }

    [Fact]
    public async Task A_stream_ends_with_the_new_expiry()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var made = await server.Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "1", Scopes = { Scope.Bot } });
        using var stream = server.Connect(made.Token).EventStreams.WatchEvents(new WatchEventsRequest { Endpoint = "endpoints/e" });
        Assert.True(await stream.ResponseStream.MoveNext(Patience.Token));
        await server.Admin.Admin.UpdateApiKeyAsync(Update(new ApiKey { Name = made.ApiKey.Name, ExpireTime = DateTimeOffset.UtcNow.AddSeconds(1).ToTimestamp() }, "expire_time"));
        await Expect.RefusedAsync(StatusCode.Unauthenticated, "KEY_INVALID", () => stream.ResponseStream.EndsAsync());
        // What is over does not begin again.
        await Expect.RefusedAsync(StatusCode.FailedPrecondition, "KEY_NOT_VALID", async () =>
            await server.Admin.Admin.UpdateApiKeyAsync(Update(new ApiKey { Name = made.ApiKey.Name, ExpireTime = DateTimeOffset.UtcNow.AddDays(1).ToTimestamp() }, "expire_time")));
        var other = await server.Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "2", Scopes = { Scope.Bot } });
        Assert.Null((await server.Admin.Admin.UpdateApiKeyAsync(Update(new ApiKey { Name = other.ApiKey.Name }, "expire_time"))).ExpireTime);
    }

    [Fact]
    public async Task All_nodes_of_a_cluster_follow()
    {
        var (first, second) = await TestServer.StartTwoAsync();
        await using (first)
        await using (second)
        {
            var made = await first.Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "1", Scopes = { Scope.Bot } });
            var bot = second.Connect(made.Token);
            Assert.Equal(10_000, (await LimitsAsync(bot))["streams"]);
            await first.Admin.Admin.UpdateApiKeyAsync(Update(new ApiKey { Name = made.ApiKey.Name, Limits = new CallerLimits { Streams = 9 } }, "limits"));
            var limit = Patience.Token;
            while ((await LimitsAsync(bot))["streams"] != 9) await Task.Delay(50, limit);
        }
    }

    [Fact]
    public async Task What_cannot_be_changed_is_said()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var api = server.Admin.Admin;
        await Expect.FieldsAsync(async () => await api.UpdateApiKeyAsync(new UpdateApiKeyRequest()), "api_key.name", "update_mask");
        var made = (await api.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "1", Scopes = { Scope.Bot } })).ApiKey;
        foreach (var path in (string[])["scopes", "endpoints", "name", "limits.other", "create_time"])
            await Expect.FieldsAsync(async () => await api.UpdateApiKeyAsync(Update(new ApiKey { Name = made.Name }, path)), "update_mask");
        await Expect.FieldsAsync(async () => await api.UpdateApiKeyAsync(Update(
            new ApiKey { Name = made.Name, DisplayName = new string('x', 101), ExpireTime = new Timestamp { Seconds = 1 }, Limits = new CallerLimits { Streams = 0 } },
            "display_name", "expire_time", "limits")), "api_key.display_name", "api_key.expire_time", "api_key.limits.streams");
        await Expect.RefusedAsync(StatusCode.NotFound, "KEY_NOT_FOUND", async () => await api.UpdateApiKeyAsync(Update(new ApiKey { Name = "apiKeys/aaaaaaaaaaaaaaaa", DisplayName = "x" }, "display_name")));
        await api.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = made.Name });
        await Expect.RefusedAsync(StatusCode.FailedPrecondition, "KEY_NOT_VALID", async () => await api.UpdateApiKeyAsync(Update(new ApiKey { Name = made.Name, DisplayName = "x" }, "display_name")));
    }

    [Fact]
    public async Task The_command_changes_what_it_is_told_and_nothing_else()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var environment = new Dictionary<string, string> { ["RELAY_SERVER"] = server.Address.ToString(), ["RELAY_KEY_FILE"] = Path.Combine(server.DataDirectory, "admin.key") };
        var made = await server.Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "1", Scopes = { Scope.Bot }, DisplayName = "first" });
        var id = made.ApiKey.Name["apiKeys/".Length..];
        var changed = await Terminal.RunAsync(environment, null, "keys", "update", id, "--streams", "4", "--no-expiry", "--json");
        Assert.Equal((0, "first", 4, ""), (changed.Code, changed.Json.GetProperty("displayName").GetString(), changed.Json.GetProperty("limits").GetProperty("streams").GetInt32(), changed.Json.TryGetProperty("expireTime", out var ends) ? ends.ToString() : ""));
        Assert.Equal(0, (await Terminal.RunAsync(environment, null, "keys", "update", id, "--server-limits", "--name", "second")).Code);
        var key = (await server.Admin.Admin.ListApiKeysAsync(new ListApiKeysRequest())).ApiKeys.Single(k => k.Name == made.ApiKey.Name);
        Assert.Equal(("second", null, null), (key.DisplayName, key.Limits, key.ExpireTime));
        foreach (var wrong in new string[][] { [], ["--streams", "0"], ["--expires", "1d", "--no-expiry"], ["--streams", "1", "--server-limits"] })
            Assert.Equal(2, (await Terminal.RunAsync(environment, null, ["keys", "update", id, .. wrong])).Code);
    }
}
