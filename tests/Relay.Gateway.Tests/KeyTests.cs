using Grpc.Core;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>What a key may have: several scopes, endpoints by pattern, an end, limits of its own; and when it was used last.</summary>
public sealed class KeyTests
{
    [Fact]
    public async Task A_key_ends_in_a_year_unless_it_is_said_expressly_that_it_does_not()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var api = server.Admin.Admin;
        var made = (await api.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "1", Scopes = { Scope.Bot } })).ApiKey;
        Assert.Equal(TimeSpan.FromDays(365), made.ExpireTime.ToDateTimeOffset() - made.CreateTime.ToDateTimeOffset());
        Assert.Null((await api.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "2", Scopes = { Scope.Bot }, NoExpiry = true })).ApiKey.ExpireTime);
        await Expect.FieldsAsync(async () => await api.CreateApiKeyAsync(new CreateApiKeyRequest
        {
            RequestId = "3", Scopes = { Scope.Bot }, NoExpiry = true, ExpireTime = made.ExpireTime,
        }), "no_expiry");
        // The operator's own key has no end: nobody is to be locked out.
        Assert.Null((await api.GetCallerAsync(new GetCallerRequest())).ExpireTime);
    }

    [Fact]
    public async Task A_key_may_have_several_scopes_but_never_both_plaintext_and_wire_text()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var api = server.Admin.Admin;
        var made = await api.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "1", Scopes = { Scope.Monitor, Scope.Trust } });
        Assert.Equal([Scope.Monitor, Scope.Trust], made.ApiKey.Scopes);
        var client = server.Connect(made.Token);
        Assert.Equal([Scope.Monitor, Scope.Trust], (await client.Admin.GetCallerAsync(new GetCallerRequest())).Scopes);
        await client.Admin.GetServerAsync(new GetServerRequest());
        await Expect.RefusedAsync(StatusCode.PermissionDenied, "SCOPE_MISSING", async () => await client.Admin.CreateApiKeyAsync(new CreateApiKeyRequest()));
        await Expect.FieldsAsync(async () => await api.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "2", Scopes = { Scope.Bot, Scope.Bridge } }), "scopes");
        await Expect.FieldsAsync(async () => await api.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "2", Scopes = { Scope.Bot, Scope.Bot } }), "scopes");
        await Expect.FieldsAsync(async () => await api.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "2", Scopes = { Scope.Bot, (Scope)99 } }), "scopes");
        await Expect.FieldsAsync(async () => await api.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "2", Scopes = { Scope.Trust, Scope.Keys }, Endpoints = { "endpoints/e" } }), "endpoints");
    }

    [Fact]
    public async Task A_pattern_stands_for_endpoints_that_begin_so_later_ones_too()
    {
        await using var server = await TestServer.StartAsync();
        var bot = await server.ConnectAsync(Scope.Bot, "endpoints/support-*", "endpoints/sales");
        foreach (var id in new[] { "support-a", "support-b", "support", "sales", "sales-x" }) await server.CreateEndpointAsync(id);
        var seen = await bot.Endpoints.ListEndpointsAsync(new ListEndpointsRequest());
        Assert.Equal(["endpoints/sales", "endpoints/support-a", "endpoints/support-b"], seen.Endpoints.Select(e => e.Name));
        await bot.Endpoints.GetEndpointAsync(new GetEndpointRequest { Name = "endpoints/support-b" });
        foreach (var other in new[] { "endpoints/support", "endpoints/sales-x" })
            await Expect.RefusedAsync(StatusCode.PermissionDenied, "ENDPOINT_NOT_ALLOWED", async () => await bot.Endpoints.GetEndpointAsync(new GetEndpointRequest { Name = other }));
        Assert.Equal(["endpoints/support-*", "endpoints/sales"], (await bot.Admin.GetCallerAsync(new GetCallerRequest())).Endpoints);
        foreach (var wrong in new[] { "endpoints/*", "endpoints/a*b", "*", "endpoints/a**", "support-*" })
            await Expect.FieldsAsync(async () => await server.CreateKeyAsync(Scope.Bot, null, wrong), "endpoints[0]");
    }

    [Fact]
    public async Task The_hour_of_last_use_is_told_and_outlives_a_restart()
    {
        using var directory = new TempDirectory();
        string name;
        var hour = DateTimeOffset.UtcNow.ToUnixTimeSeconds() / 3600;
        await using (var server = await TestServer.StartAsync(new FakeRelay(), dataDirectory: directory.Path))
        {
            var made = await server.Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "1", Scopes = { Scope.Bot } });
            name = made.ApiKey.Name;
            Assert.Null((await KeyAsync(server, name)).LastUseTime);
            await server.Connect(made.Token).Admin.GetCallerAsync(new GetCallerRequest());
            var used = (await KeyAsync(server, name)).LastUseTime.ToDateTimeOffset().ToUnixTimeSeconds();
            Assert.Equal(0, used % 3600);
            Assert.InRange(used / 3600, hour, hour + 1);
            await server.Host.DrainAsync(CancellationToken.None);
        }
        await using var again = await TestServer.StartAsync(new FakeRelay(), dataDirectory: directory.Path);
        await Patience.UntilAsync(() => KeyAsync(again, name).GetAwaiter().GetResult().LastUseTime is not null);
        Assert.InRange((await KeyAsync(again, name)).LastUseTime.ToDateTimeOffset().ToUnixTimeSeconds() / 3600, hour, hour + 1);
    }

    [Fact]
    public async Task Nodes_of_a_cluster_tell_each_other_of_last_uses()
    {
        var documents = new FakeDocuments();
        await using var one = await TestServer.StartAsync(new FakeRelay { Documents = documents });
        var made = await one.Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "1", Scopes = { Scope.Bot } });
        await one.Connect(made.Token).Admin.GetCallerAsync(new GetCallerRequest());
        await one.Host.DrainAsync(CancellationToken.None);
        await using var two = await TestServer.StartAsync(new FakeRelay { Documents = documents }, new() { ["--admin-key"] = Path.Combine(one.DataDirectory, "admin.key") });
        await Patience.UntilAsync(() => KeyAsync(two, made.ApiKey.Name).GetAwaiter().GetResult().LastUseTime is not null);
    }

    private static async Task<ApiKey> KeyAsync(TestServer server, string name) =>
        (await server.Admin.Admin.ListApiKeysAsync(new ListApiKeysRequest())).ApiKeys.Single(k => k.Name == name);
}
