using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Otr.Core;
using Relay.Actors;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;
using Relay.Gateway.Tests.Harness;
using Relay.Storage;
using Relay.V1;
using ApiKey = Relay.Gateway.Auth.ApiKey;

namespace Relay.Gateway.Tests;

/// <summary>One list of API keys for all nodes of a cluster.</summary>
public sealed class SharedKeysTests
{
    private const string Method = "endpoints/e";

    [Fact]
    public async Task A_key_made_at_one_node_opens_the_others_and_a_revoked_one_closes_them_and_its_streams()
    {
        var (first, second) = await TestServer.StartTwoAsync();
        await using var _ = first;
        await using var __ = second;
        var token = await first.CreateKeyAsync(Scope.Bot);
        var bot = second.Connect(token);
        // At once, without waiting for the second node's next look.
        Assert.Equal(StatusCode.OK, await StatusAsync(bot));
        using var stream = bot.EventStreams.StreamEvents();
        await stream.RequestStream.SayAsync(new StreamEventsRequest { Open = new OpenStream { Endpoint = Method } });
        Assert.True(await stream.ResponseStream.MoveNext(Patience.Token));

        ApiKeyToken.TryParse(token, out var parsed);
        await first.Admin.Admin.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = "apiKeys/" + parsed!.Id });
        Assert.Equal(StatusCode.Unauthenticated, await StatusAsync(first.Connect(token)));
        await Expect.RefusedAsync(StatusCode.Unauthenticated, "KEY_INVALID", () => stream.ResponseStream.EndsAsync());
        Assert.Equal(StatusCode.Unauthenticated, await StatusAsync(bot));
    }

    [Fact]
    public async Task A_nodes_own_keys_open_it_at_once_and_no_file_of_keys_is_left()
    {
        var (first, second) = await TestServer.StartTwoAsync();
        await using var _ = first;
        await using var __ = second;
        Assert.Equal(StatusCode.OK, await StatusAsync(second.Connect(await second.CreateKeyAsync(Scope.Bot))));
        Assert.False(File.Exists(Path.Combine(first.DataDirectory, ApiKeyFile.FileName)));
        Assert.False(File.Exists(Path.Combine(second.DataDirectory, AdminKey.FileName)));
    }

    [Fact]
    public async Task Of_nodes_that_start_at_once_one_makes_the_admin_key()
    {
        var documents = new FakeDocuments();
        using TempDirectory a = new(), b = new();
        await using var one = await OpenAsync(documents, a);
        await using var other = await OpenAsync(documents, b);
        // The other comes in between the look and the write.
        documents.BeforeWrite.Enqueue(async () => Assert.True(await EnsureAsync(b, null, other)));
        Assert.False(await EnsureAsync(a, null, one));
        Assert.False(File.Exists(a.File(AdminKey.FileName)));
        var key = Assert.Single(one.List());
        ApiKeyToken.TryParse(File.ReadAllText(b.File(AdminKey.FileName)), out var token);
        Assert.Equal(key, (await one.AuthenticateAsync(token!, DateTimeOffset.UtcNow, CancellationToken.None)));
    }

    [Fact]
    public async Task An_admin_key_that_is_given_is_taken_up_by_every_node_and_a_revoked_one_stays_revoked()
    {
        var documents = new FakeDocuments();
        using TempDirectory a = new(), b = new();
        await using var one = await OpenAsync(documents, a);
        Assert.True(await EnsureAsync(a, null, one));
        var token = ApiKeyToken.Create(SystemRandom.Instance);
        PrivateFile.Write(b.File("given"), System.Text.Encoding.ASCII.GetBytes(token.Reveal()));
        await using var other = await OpenAsync(documents, b);
        Assert.False(await EnsureAsync(b, b.File("given"), other));
        Assert.False(await EnsureAsync(b, b.File("given"), other));
        Assert.Equal(2, other.List().Count);
        Assert.Contains(KeyScope.Admin, (await other.AuthenticateAsync(token, DateTimeOffset.UtcNow, CancellationToken.None))!.Scopes);
        Assert.NotNull(await other.RevokeAsync(token.Id, DateTimeOffset.UtcNow, CancellationToken.None));
        Assert.False(await EnsureAsync(b, b.File("given"), other));
        Assert.Null((await other.AuthenticateAsync(token, DateTimeOffset.UtcNow, CancellationToken.None)));
        // Moved away after the first start, as operators do: no reason to refuse.
        Assert.False(await EnsureAsync(b, b.File("absent"), other));
        Assert.False(File.Exists(b.File("absent")));
    }

    [Fact]
    public async Task The_same_request_makes_one_key_also_when_it_comes_to_two_nodes_at_once()
    {
        var documents = new FakeDocuments();
        using TempDirectory a = new(), b = new();
        await using var one = await OpenAsync(documents, a);
        await using var other = await OpenAsync(documents, b);
        ApiKey mine = NewKey("request"), theirs = NewKey("request");
        documents.BeforeWrite.Enqueue(async () => Assert.IsType<AddKeyResult.Added>(await other.AddAsync(theirs, CancellationToken.None)));
        var before = Assert.IsType<AddKeyResult.MadeBefore>(await one.AddAsync(mine, CancellationToken.None));
        Assert.Equal(theirs.Id, before.Key.Id);
        Assert.Single(one.List());
    }

    [Fact]
    public async Task A_write_whose_answer_was_lost_is_found_to_be_done()
    {
        int writes = 0;
        var documents = new FakeDocuments { LosesAnswer = () => Interlocked.Increment(ref writes) == 1 };
        using TempDirectory a = new();
        await using var keys = await OpenAsync(documents, a);
        Assert.IsType<AddKeyResult.Added>(await keys.AddAsync(NewKey("request"), CancellationToken.None));
        Assert.Equal((1, 1), (writes, keys.List().Count));
    }

    [Fact]
    public async Task While_the_store_is_down_the_known_keys_decide_but_not_for_long()
    {
        var documents = new FakeDocuments();
        var time = new JumpingTime();
        using TempDirectory a = new();
        await using var keys = await OpenAsync(documents, a, time);
        await EnsureAsync(a, null, keys);
        ApiKeyToken.TryParse(File.ReadAllText(a.File(AdminKey.FileName)), out var token);
        documents.IsDown = true;
        time.Jump(GatewayLimits.MaxKeyAge / 2);
        Assert.NotNull((await keys.AuthenticateAsync(token!, DateTimeOffset.UtcNow, CancellationToken.None)));
        await Assert.ThrowsAsync<StoreException>(async () => await keys.RevokeAsync(token!.Id, DateTimeOffset.UtcNow, CancellationToken.None));
        var stream = keys.WhenInvalidAsync(token!.Id, token.Hash(), time, Patience.Token);
        // As after a machine's sleep: the first call finds it out, before any timer.
        time.Jump(GatewayLimits.MaxKeyAge);
        await Assert.ThrowsAsync<StoreException>(async () => await keys.AuthenticateAsync(token, DateTimeOffset.UtcNow, CancellationToken.None));
        await Assert.ThrowsAsync<StoreException>(() => stream);
        documents.IsDown = false;
        await UntilAsync(async () =>
        {
            try { return ((await keys.AuthenticateAsync(token, DateTimeOffset.UtcNow, CancellationToken.None)) is not null); }
            catch (StoreException) { return false; }
        });
    }

    [Fact]
    public async Task A_stale_node_tells_callers_to_come_back_and_not_that_their_key_is_wrong()
    {
        var documents = new FakeDocuments();
        var relay = new FakeRelay { Documents = documents };
        await using var server = await TestServer.StartAsync(relay);
        documents.IsDown = true;
        await Expect.RefusedAsync(StatusCode.Unavailable, "UNAVAILABLE", async () => await server.Admin.Admin.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = "apiKeys/aaaaaaaaaaaaaaaa" }));
        Assert.NotEmpty((await server.Admin.Admin.GetServerAsync(new GetServerRequest())).Version);
    }

    [Fact]
    public async Task Keys_that_were_rolled_back_are_never_taken()
    {
        var documents = new FakeDocuments();
        using TempDirectory a = new();
        var token = ApiKeyToken.Create(SystemRandom.Instance);
        await using (var keys = await OpenAsync(documents, a))
        {
            await EnsureAsync(a, null, keys);
            await keys.AddAsync(NewKey(null, token), CancellationToken.None);
            await keys.RevokeAsync(token.Id, DateTimeOffset.UtcNow, CancellationToken.None);
            documents.RollBack(SharedApiKeys.DocumentName, 1);
            await Assert.ThrowsAsync<StoreException>(async () => await keys.AddAsync(NewKey(null), CancellationToken.None));
            Assert.Null((await keys.AuthenticateAsync(token, DateTimeOffset.UtcNow, CancellationToken.None)));
        }
        // A restart has not forgotten it.
        var e = await Assert.ThrowsAsync<RelayStartException>(() => OpenAsync(documents, a));
        Assert.Contains(a.File("api-keys.seen"), e.Message, StringComparison.Ordinal);
        File.Delete(a.File("api-keys.seen"));
        await using var accepted = await OpenAsync(documents, a);
        Assert.NotNull((await accepted.AuthenticateAsync(token, DateTimeOffset.UtcNow, CancellationToken.None)));
    }

    [Fact]
    public async Task A_store_that_is_down_at_the_start_is_a_clear_refusal()
    {
        using var directory = new TempDirectory();
        var e = await Assert.ThrowsAsync<RelayStartException>(() => OpenAsync(new FakeDocuments { IsDown = true }, directory));
        Assert.Contains("API keys", e.Message, StringComparison.Ordinal);
    }

    private static Task<SharedApiKeys> OpenAsync(FakeDocuments documents, TempDirectory directory, TimeProvider? time = null) =>
        SharedApiKeys.OpenAsync(documents, directory.Path, time ?? TimeProvider.System, NullLogger.Instance, CancellationToken.None);

    private static Task<bool> EnsureAsync(TempDirectory directory, string? file, IApiKeyStore keys) =>
        AdminKey.EnsureAsync(directory.Path, file, keys, SystemRandom.Instance, TimeProvider.System, CancellationToken.None);

    private static ApiKey NewKey(string? requestId, ApiKeyToken? token = null)
    {
        token ??= ApiKeyToken.Create(SystemRandom.Instance);
        return new ApiKey(token.Id, [KeyScope.Bot], Convert.ToHexStringLower(token.Hash()), [], "", DateTimeOffset.UtcNow, null, null, requestId);
    }

    private static async Task<StatusCode> StatusAsync(Client.RelayClient bot)
    {
        try
        {
            await bot.EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = Method });
            return StatusCode.OK;
        }
        catch (RpcException e)
        {
            return e.StatusCode;
        }
    }

    /// <summary>What another node does is seen within its interval of looking; nothing tells when.</summary>
    private static async Task UntilAsync(Func<Task<bool>> isTrue)
    {
        var limit = Patience.Token;
        while (!await isTrue()) await Task.Delay(50, limit);
    }

    /// <summary>A clock whose timestamps can leap, as after a machine's sleep; timers run as ever.</summary>
    private sealed class JumpingTime : TimeProvider
    {
        private long _ahead;

        public void Jump(TimeSpan by) => Interlocked.Add(ref _ahead, (long)(by.TotalSeconds * TimestampFrequency));

        public override long GetTimestamp() => System.GetTimestamp() + Interlocked.Read(ref _ahead);
    }
}
