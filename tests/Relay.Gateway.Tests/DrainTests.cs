using System.Net;
using Grpc.Core;
using Relay.Cli;
using Relay.Gateway.Tests.Harness;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>How a server leaves: it says so first, serves on while others notice, sends callers elsewhere, and ends in time.</summary>
public sealed class DrainTests
{
    private const string Endpoint = "endpoints/e";

    [Fact]
    public async Task It_says_that_it_is_not_ready_before_anything_else_and_serves_on_for_a_while()
    {
        var relay = new FakeRelay();
        await using var server = await TestServer.StartAsync(relay, new() { ["--health-listen"] = "127.0.0.1:0", ["--drain-delay"] = "2" });
        var bot = await server.ConnectAsync(Scope.Bot);
        using var http = new HttpClient { BaseAddress = server.Host.HealthAddress };
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await GetAsync(http, "/readyz"));

        var draining = server.Host.DrainAsync(CancellationToken.None);
        Assert.False(await server.Connect(null).IsServingAsync());
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "not ready\n"), await GetAsync(http, "/readyz"));
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await GetAsync(http, "/livez"));
        await bot.Messages.SendMessageAsync(Send("1"));
        Assert.False(relay.Draining.IsCancellationRequested);
        Assert.True(await draining.WaitAsync(Patience.Limit));
        Assert.True(relay.Draining.IsCancellationRequested);
    }

    [Fact]
    public async Task While_it_drains_new_calls_are_sent_elsewhere_and_streams_are_told()
    {
        var relay = new FakeRelay();
        var gate = new TaskCompletionSource();
        relay.OnDrain = _ => gate.Task;
        await using var server = await TestServer.StartAsync(relay);
        // It connects during the drain: on a connection that is being closed, .NET's client may begin a call before it has read that.
        var bot = await server.ConnectAsync(Scope.Bot);
        var draining = server.Host.DrainAsync(CancellationToken.None);
        foreach (var call in new Func<Task>[]
        {
            async () => await bot.Messages.SendMessageAsync(Send("2")),
            async () => await bot.EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = Endpoint }),
            async () => await bot.Endpoints.ListEndpointsAsync(new ListEndpointsRequest()),
        })
        {
            var e = await Expect.RefusedAsync(StatusCode.Unavailable, "UNAVAILABLE", call);
            Assert.True(e.RetryAfter > TimeSpan.Zero);
        }
        // A stream that is opened now hears it in its own words.
        using var stream = bot.EventStreams.StreamEvents();
        Assert.True(await stream.ResponseStream.MoveNext(Patience.Token));
        Assert.Equal(StreamEventsResponse.MessageOneofCase.Draining, stream.ResponseStream.Current.MessageCase);
        // Who is authorised may look on, and the operator may look in.
        Assert.True((await server.Admin.Admin.GetServerAsync(new GetServerRequest())).Draining);
        gate.SetResult();
        Assert.True(await draining.WaitAsync(Patience.Limit));
    }

    [Fact]
    public async Task A_drain_that_does_not_end_is_ended()
    {
        var relay = new FakeRelay { OnDrain = cancellation => Task.Delay(Timeout.Infinite, cancellation) };
        await using var server = await TestServer.StartAsync(relay, new() { ["--drain-timeout"] = "1" });
        Assert.False(await server.Host.DrainAsync(CancellationToken.None).WaitAsync(Patience.Limit));
    }

    [Fact]
    public async Task The_probes_port_shows_health_and_nothing_else()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay(), new() { ["--health-listen"] = "127.0.0.1:0" });
        using var http = new HttpClient { BaseAddress = server.Host.HealthAddress };
        foreach (var path in new[] { "/", "/readyz/", "/grpc.health.v1.Health/Check", "/relay.v1.AdminService/GetServer" })
            Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(http, path)).Status);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/relay.v1.AdminService/GetServer") { Content = new ByteArrayContent([0, 0, 0, 0, 0]) };
        request.Content.Headers.ContentType = new("application/grpc");
        request.Headers.Authorization = new("Bearer", server.AdminToken);
        Assert.Equal(HttpStatusCode.NotFound, (await http.SendAsync(request, Patience.Token)).StatusCode);
        // A host name that a caller made up opens nothing else, on either port.
        foreach (var (address, path) in new[] { (server.Host.HealthAddress!, "/relay.v1.AdminService/GetServer"), (server.Address, "/readyz") })
        {
            using var forged = new HttpRequestMessage(HttpMethod.Get, new Uri(address, path)) { Headers = { Host = $"127.0.0.1:{(address == server.Address ? server.Host.HealthAddress! : server.Address).Port}" } };
            if (address == server.Address) (forged.Version, forged.VersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
            Assert.Equal(HttpStatusCode.NotFound, (await http.SendAsync(forged, Patience.Token)).StatusCode);
        }
        // And the port of the services has no page of health.
        using var other = new HttpClient { BaseAddress = server.Address, DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        Assert.NotEqual(HttpStatusCode.OK, (await GetAsync(other, "/readyz")).Status);
    }

    [Fact]
    public async Task A_second_signal_ends_the_process_at_once()
    {
        using var directory = new TempDirectory();
        await using var server = await ServerProcess.StartAsync(directory.File("data"), "127.0.0.1:0", directory.File("log"), null, Patience.Token, "--drain-delay", "600");
        var leaving = server.DrainAsync(Patience.Token);
        await using (var client = Client.RelayClient.Connect(server.Address, null))
        {
            // Until the first signal has been taken, the second would be the first.
            while (await client.IsServingAsync(Patience.Token)) await Task.Delay(20);
        }
        Assert.False(leaving.IsCompleted);
        // 128 + SIGTERM.
        Assert.Equal(143, await server.DrainAsync(Patience.Token));
        await leaving;
    }

    [Theory]
    [InlineData("--drain-delay", "-1")]
    [InlineData("--drain-delay", "601")]
    [InlineData("--drain-timeout", "0")]
    [InlineData("--health-listen", "nowhere")]
    public async Task Wrong_values_are_refused_by_the_options_name(string option, string value)
    {
        var refused = await Terminal.RunAsync("serve", option, value);
        Assert.Equal(ExitCode.Usage, refused.Code);
        Assert.Contains(option, refused.Error, StringComparison.Ordinal);
    }

    private static SendMessageRequest Send(string id) => new() { RequestId = id, Text = "x", Parent = Endpoint, Peer = "p" };

    private static async Task<(HttpStatusCode Status, string Body)> GetAsync(HttpClient http, string path)
    {
        using var answer = await http.GetAsync(new Uri(path, UriKind.Relative), Patience.Token);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
