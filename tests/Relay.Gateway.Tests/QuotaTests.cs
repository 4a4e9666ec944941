using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using Google.Rpc;
using Grpc.Core;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>The limits of each caller: told, kept, and nobody else's.</summary>
public sealed class QuotaTests
{
    private static async Task<RpcException> RefusedAsync(Func<Task> call)
    {
        RpcException? refused = null;
        // Twice the rate may come at once.
        for (int i = 0; i < 200 && refused is null; i++)
        {
            try
            {
                await call();
            }
            catch (RpcException e)
            {
                refused = e;
            }
        }
        return refused ?? throw new InvalidOperationException("Nothing was refused.");
    }

    private static async Task<string> KeyAsync(TestServer server, CallerLimits limits, Scope scope = Scope.Bot) =>
        (await server.Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = Guid.NewGuid().ToString("N"), Scopes = { scope }, Limits = limits })).Token;

    private static void AssertQuota(RpcException refused, string limit)
    {
        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        var status = refused.GetRpcStatus()!;
        Assert.Equal("QUOTA_EXCEEDED", status.GetDetail<ErrorInfo>()!.Reason);
        Assert.True(status.GetDetail<RetryInfo>()!.RetryDelay.ToTimeSpan() > TimeSpan.Zero);
        var violation = Assert.Single(status.GetDetail<QuotaFailure>()!.Violations);
        Assert.StartsWith(limit + ":", violation.Description, StringComparison.Ordinal);
        Assert.StartsWith("apiKeys/", violation.Subject, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Calls_beyond_the_rate_are_refused_with_the_time_to_wait()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay(), new() { ["--http-listen"] = "127.0.0.1:0" });
        var token = await KeyAsync(server, new CallerLimits { CallsPerSecond = 5 });
        var bot = server.Connect(token);
        async Task CallAsync() => await bot.Endpoints.ListEndpointsAsync(new ListEndpointsRequest());
        AssertQuota(await RefusedAsync(CallAsync), "calls_per_second");
        // GetCaller tells why, beyond the limit too.
        var told = (await bot.Admin.GetCallerAsync(new GetCallerRequest())).Limits.Single(l => l.Name == "calls_per_second");
        Assert.Equal(5, told.Limit_);
        Assert.InRange(told.Used, 5, 10);
        using var http = new HttpClient { BaseAddress = server.Host.HttpAddress };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        HttpResponseMessage response;
        do response = await http.GetAsync(new Uri("/v1/endpoints", UriKind.Relative));
        while (response.StatusCode == HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Contains("QUOTA_EXCEEDED", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        // And it passes.
        await Task.Delay(TimeSpan.FromSeconds(1));
        await CallAsync();
    }

    [Fact]
    public async Task The_server_has_a_rate_for_those_without_their_own_and_one_for_an_endpoint()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay(), new() { ["Relay:Limits:CallsPerSecondAndEndpoint"] = "5", ["Relay:Limits:CallsPerSecond"] = "2000" });
        var bot = await server.ConnectAsync(Scope.Bot);
        AssertQuota(await RefusedAsync(async () => await bot.Endpoints.GetEndpointAsync(new GetEndpointRequest { Name = "endpoints/a" })), "calls_per_second_and_endpoint");
        await bot.Endpoints.GetEndpointAsync(new GetEndpointRequest { Name = "endpoints/b" });
        var limits = (await bot.Admin.GetCallerAsync(new GetCallerRequest())).Limits;
        Assert.Equal([("calls_per_second", 2000L), ("calls_per_second_and_endpoint", 5L), ("streams", 10_000L), ("endpoints_per_day", 10_000L), ("conversations_per_endpoint", 2_000_000L)], limits.Select(l => (l.Name, l.Limit_)));
    }

    private static async Task<long> StreamsAsync(Relay.Client.RelayClient client) =>
        (await client.Admin.GetCallerAsync(new GetCallerRequest())).Limits.Single(l => l.Name == "streams").Used;

    [Fact]
    public async Task Streams_are_counted_while_they_are_open()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var bot = server.Connect(await KeyAsync(server, new CallerLimits { Streams = 2 }));
        using var first = bot.EventStreams.StreamEvents();
        await first.RequestStream.SayAsync(new StreamEventsRequest { Open = new OpenStream { Endpoint = "endpoints/e" } });
        Assert.True(await first.ResponseStream.MoveNext(Patience.Token));
        var second = bot.EventStreams.WatchEvents(new WatchEventsRequest { Endpoint = "endpoints/e" });
        Assert.True(await second.ResponseStream.MoveNext(Patience.Token));
        using (var third = bot.EventStreams.WatchEvents(new WatchEventsRequest { Endpoint = "endpoints/e" }))
            AssertQuota(await Assert.ThrowsAsync<RpcException>(() => third.ResponseStream.MoveNext(Patience.Token)), "streams");
        Assert.Equal(2, await StreamsAsync(bot));
        second.Dispose();
        await Patience.UntilAsync(() => StreamsAsync(bot).GetAwaiter().GetResult() == 1);
        using var fourth = bot.EventStreams.WatchEvents(new WatchEventsRequest { Endpoint = "endpoints/e" });
        Assert.True(await fourth.ResponseStream.MoveNext(Patience.Token));
    }

    /// <summary>A server that does not notice that a caller has gone keeps its streams, and what they hold, for ever.</summary>
    [Fact]
    public async Task A_subscriptions_stream_ends_when_its_reader_has_gone()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateEndpointAsync("e");
        var bot = await server.ConnectAsync(Scope.Bot);
        await bot.Subscriptions.CreateSubscriptionAsync(new CreateSubscriptionRequest { Parent = "endpoints/e", SubscriptionId = "s" });
        var watch = bot.Subscriptions.WatchSubscription(new WatchSubscriptionRequest { Name = "endpoints/e/subscriptions/s" });
        Assert.True(await watch.ResponseStream.MoveNext(Patience.Token));
        Assert.Equal(1, await StreamsAsync(bot));
        watch.Dispose();
        await Patience.UntilAsync(() => StreamsAsync(bot).GetAwaiter().GetResult() == 0);
    }

    [Fact]
    public async Task Endpoints_made_in_a_day_are_counted()
    {
        await using var server = await TestServer.StartAsync();
        var admin = server.Connect(await KeyAsync(server, new CallerLimits { EndpointsPerDay = 2 }, Scope.Admin));
        async Task MakeAsync(string id) => await admin.Endpoints.CreateEndpointAsync(new CreateEndpointRequest { RequestId = id, EndpointId = id, Network = "n", Account = id, Dsa = TestKeys.Endpoint });
        await MakeAsync("a");
        await MakeAsync("b");
        AssertQuota(await Assert.ThrowsAsync<RpcException>(() => MakeAsync("c")), "endpoints_per_day");
        await Expect.RefusedAsync(StatusCode.NotFound, "ENDPOINT_NOT_FOUND", async () => await server.Admin.Endpoints.GetEndpointAsync(new GetEndpointRequest { Name = "endpoints/c" }));
        // It is that key's alone.
        await server.CreateEndpointAsync("c");
    }

    /// <summary>A caller that floods the server is refused, and another, meanwhile, is not, nor made to wait.</summary>
    [Fact]
    public async Task One_callers_flood_does_not_slow_another()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var flooding = server.Connect(await KeyAsync(server, new CallerLimits { CallsPerSecond = 20 }));
        var calm = await server.ConnectAsync(Scope.Bot);
        using var stop = new CancellationTokenSource();
        long refused = 0;
        var floods = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    await flooding.Endpoints.ListEndpointsAsync(new ListEndpointsRequest());
                }
                catch (RpcException e) when (e.StatusCode == StatusCode.ResourceExhausted)
                {
                    Interlocked.Increment(ref refused);
                }
            }
        })).ToList();
        await Patience.UntilAsync(() => Interlocked.Read(ref refused) > 100);
        var times = new List<TimeSpan>();
        for (int i = 0; i < 100; i++)
        {
            var watch = Stopwatch.StartNew();
            await calm.Endpoints.ListEndpointsAsync(new ListEndpointsRequest());
            times.Add(watch.Elapsed);
        }
        await stop.CancelAsync();
        await Task.WhenAll(floods);
        // Half of them; a busy machine may be slow now and then.
        Assert.InRange(times.Order().ElementAt(50), TimeSpan.Zero, TimeSpan.FromMilliseconds(250));
    }

    [Fact]
    public async Task Limits_are_checked()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        await Expect.FieldsAsync(() => KeyAsync(server, new CallerLimits { CallsPerSecond = 0, CallsPerSecondAndEndpoint = -1, Streams = 100_001, EndpointsPerDay = 1_000_001 }),
            "limits.calls_per_second", "limits.calls_per_second_and_endpoint", "limits.streams", "limits.endpoints_per_day");
        await KeyAsync(server, new CallerLimits { CallsPerSecond = 1, CallsPerSecondAndEndpoint = 1_000_000, Streams = 100_000, EndpointsPerDay = 1 });
    }
}
