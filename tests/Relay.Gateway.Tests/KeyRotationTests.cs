using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>A key gets another secret without an outage, and the one before it ends when it was said to.</summary>
public sealed class KeyRotationTests
{
    private static RotateApiKeyRequest Rotate(string name, string requestId, TimeSpan? overlap) => new()
    {
        RequestId = requestId, Name = name, Overlap = overlap?.ToDuration(),
    };

    private static async Task<bool> IsValidAsync(TestServer server, string token)
    {
        try
        {
            await server.Connect(token).Admin.GetCallerAsync(new GetCallerRequest());
            return true;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Unauthenticated)
        {
            return false;
        }
    }

    [Fact]
    public async Task Keys_that_are_over_are_deleted_and_valid_ones_are_not()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var api = server.Admin.Admin;
        async Task<CreateApiKeyResponse> MakeAsync(string id, DateTimeOffset? expires = null) => await api.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = id, Scopes = { Scope.Bot }, ExpireTime = expires?.ToTimestamp() });
        var (valid, revoked, expired) = (await MakeAsync("1"), await MakeAsync("2"), await MakeAsync("3", DateTimeOffset.UtcNow.AddSeconds(1)));
        await api.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = revoked.ApiKey.Name });
        await Expect.RefusedAsync(StatusCode.FailedPrecondition, "KEY_STILL_VALID", async () => await api.DeleteApiKeyAsync(new DeleteApiKeyRequest { Name = valid.ApiKey.Name }));
        Assert.True(await IsValidAsync(server, valid.Token));
        await api.DeleteApiKeyAsync(new DeleteApiKeyRequest { Name = revoked.ApiKey.Name });
        await Expect.RefusedAsync(StatusCode.NotFound, "KEY_NOT_FOUND", async () => await api.DeleteApiKeyAsync(new DeleteApiKeyRequest { Name = revoked.ApiKey.Name }));
        await Expect.FieldsAsync(async () => await api.DeleteApiKeyAsync(new DeleteApiKeyRequest { Name = "x" }), "name");
        Assert.False(await IsValidAsync(server, revoked.Token));
        var limit = Patience.Token;
        while (await IsValidAsync(server, expired.Token)) await Task.Delay(100, limit);
        // It is over for those who change it, too.
        await Expect.RefusedAsync(StatusCode.FailedPrecondition, "KEY_NOT_VALID", async () => await api.RotateApiKeyAsync(Rotate(expired.ApiKey.Name, "over", null)));
        var environment = new Dictionary<string, string> { ["RELAY_SERVER"] = server.Address.ToString(), ["RELAY_KEY_FILE"] = Path.Combine(server.DataDirectory, "admin.key") };
        Assert.Equal("1 key is deleted.", (await Terminal.RunAsync(environment, null, "keys", "delete")).Out.Trim());
        var left = (await api.ListApiKeysAsync(new ListApiKeysRequest())).ApiKeys.Select(k => k.Name).ToList();
        Assert.Equal((2, true), (left.Count, left.Contains(valid.ApiKey.Name)));
    }

    [Fact]
    public async Task Both_secrets_are_valid_for_the_overlap_and_streams_end_with_theirs()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var api = server.Admin.Admin;
        var made = await api.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "1", Scopes = { Scope.Bot }, Endpoints = { "endpoints/e" } });
        using var old = server.Connect(made.Token).EventStreams.WatchEvents(new WatchEventsRequest { Endpoint = "endpoints/e" });
        Assert.True(await old.ResponseStream.MoveNext(Patience.Token));

        var rotated = await api.RotateApiKeyAsync(Rotate(made.ApiKey.Name, "r1", TimeSpan.FromSeconds(2)));
        Assert.Equal((made.ApiKey.Name, Scope.Bot, "endpoints/e"), (rotated.ApiKey.Name, rotated.ApiKey.Scopes.Single(), rotated.ApiKey.Endpoints.Single()));
        Assert.NotEqual(made.Token, rotated.Token);
        Assert.NotNull(rotated.ApiKey.PreviousSecretExpireTime);
        Assert.Equal((true, true), (await IsValidAsync(server, made.Token), await IsValidAsync(server, rotated.Token)));
        using var stream = server.Connect(rotated.Token).EventStreams.WatchEvents(new WatchEventsRequest { Endpoint = "endpoints/e" });
        Assert.True(await stream.ResponseStream.MoveNext(Patience.Token));

        // The one that was opened with the old secret ends with it; the other goes on.
        await Expect.RefusedAsync(StatusCode.Unauthenticated, "KEY_INVALID", () => old.ResponseStream.EndsAsync());
        Assert.Equal((false, true), (await IsValidAsync(server, made.Token), await IsValidAsync(server, rotated.Token)));
        var next = stream.ResponseStream.MoveNext(Patience.Token);
        await Task.Delay(200);
        Assert.False(next.IsFaulted);
        // Only the last secret but one is kept.
        var again = await api.RotateApiKeyAsync(Rotate(made.ApiKey.Name, "r2", TimeSpan.Zero));
        Assert.Equal((false, false, true), (await IsValidAsync(server, made.Token), await IsValidAsync(server, rotated.Token), await IsValidAsync(server, again.Token)));
    }

    [Fact]
    public async Task What_cannot_be_rotated_is_said()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var api = server.Admin.Admin;
        var made = await api.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "1", Scopes = { Scope.Bridge } });
        await api.RotateApiKeyAsync(Rotate(made.ApiKey.Name, "r1", null));
        await Expect.RefusedAsync(StatusCode.AlreadyExists, "KEY_EXISTS", async () => await api.RotateApiKeyAsync(Rotate(made.ApiKey.Name, "r1", null)));
        await Expect.RefusedAsync(StatusCode.NotFound, "KEY_NOT_FOUND", async () => await api.RotateApiKeyAsync(Rotate("apiKeys/aaaaaaaaaaaaaaaa", "r2", null)));
        await Expect.FieldsAsync(async () => await api.RotateApiKeyAsync(new RotateApiKeyRequest
        {
            Name = "x", Overlap = new Duration { Seconds = 31 * 86_400 }, ExpireTime = new Timestamp { Seconds = 1 },
        }), "request_id", "name", "overlap", "expire_time");
        await api.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = made.ApiKey.Name });
        await Expect.RefusedAsync(StatusCode.FailedPrecondition, "KEY_NOT_VALID", async () => await api.RotateApiKeyAsync(Rotate(made.ApiKey.Name, "r3", null)));
        // An expiry ends both secrets.
        var brief = await api.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "2", Scopes = { Scope.Bot } });
        var request = Rotate(brief.ApiKey.Name, "r4", TimeSpan.FromDays(1));
        request.ExpireTime = DateTimeOffset.UtcNow.AddSeconds(1).ToTimestamp();
        var rotated = await api.RotateApiKeyAsync(request);
        // Rotated again without an expiry: it has the one that it had.
        var last = await api.RotateApiKeyAsync(Rotate(brief.ApiKey.Name, "r5", TimeSpan.FromDays(1)));
        Assert.Equal(rotated.ApiKey.ExpireTime, last.ApiKey.ExpireTime);
        await Task.Delay(1200);
        Assert.Equal((false, false), (await IsValidAsync(server, rotated.Token), await IsValidAsync(server, last.Token)));
    }

    [Fact]
    public async Task A_caller_sees_its_own_key()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        foreach (var scope in new[] { Scope.Bot, Scope.Bridge })
        {
            var token = await server.CreateKeyAsync(scope, null, "endpoints/e");
            var caller = await server.Connect(token).Admin.GetCallerAsync(new GetCallerRequest());
            Assert.Equal((scope, "endpoints/e", $"apiKeys/{token.Split('_')[1]}"), (caller.Scopes.Single(), caller.Endpoints.Single(), caller.Name));
        }
        Assert.Equal([Scope.Admin, Scope.Monitor, Scope.Trust, Scope.Keys], (await server.Admin.Admin.GetCallerAsync(new GetCallerRequest())).Scopes);
    }

    [Fact]
    public async Task All_nodes_of_a_cluster_take_the_new_secret()
    {
        var (first, second) = await TestServer.StartTwoAsync();
        await using (first)
        await using (second)
        {
            var made = await first.Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "1", Scopes = { Scope.Bot } });
            var rotated = await first.Admin.Admin.RotateApiKeyAsync(Rotate(made.ApiKey.Name, "r1", TimeSpan.Zero));
            var limit = Patience.Token;
            while (!await IsValidAsync(second, rotated.Token) || await IsValidAsync(second, made.Token)) await Task.Delay(100, limit);
        }
    }

    [Fact]
    public async Task The_command_rotates_into_a_file()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        using var directory = new TempDirectory();
        var environment = new Dictionary<string, string> { ["RELAY_SERVER"] = server.Address.ToString(), ["RELAY_KEY_FILE"] = Path.Combine(server.DataDirectory, "admin.key") };
        var made = await server.Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "1", Scopes = { Scope.Bot } });
        var rotated = await Terminal.RunAsync(environment, null, "keys", "rotate", made.ApiKey.Name, "--overlap", "0", "--out", directory.File("new.key"));
        Assert.Equal((0, ""), (rotated.Code, rotated.Error));
        var token = (await File.ReadAllTextAsync(directory.File("new.key"))).Trim();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(directory.File("new.key")));
        Assert.Equal((false, true), (await IsValidAsync(server, made.Token), await IsValidAsync(server, token)));
        Assert.Equal(2, (await Terminal.RunAsync(environment, null, "keys", "rotate", made.ApiKey.Name, "--overlap", "soon")).Code);
        Assert.Equal(5, (await Terminal.RunAsync(environment, null, "keys", "rotate", "aaaaaaaaaaaaaaaa", "--overlap", "0")).Code);
    }
}
