using Grpc.Core;
using Grpc.Net.Client;
using GrpcTests.Echo;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcTests;

/// <summary>Deadlines on both sides, each by a clock that the test moves.</summary>
public sealed class DeadlineTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task The_clients_deadline_ends_the_call_and_cancels_the_handler()
    {
        var clock = new ManualClock();
        await using TestHost host = await TestHost.StartAsync();
        using GrpcChannel channel = Channel(host, clock);
        using AsyncUnaryCall<EchoResponse> call = new EchoService.EchoServiceClient(channel).UnaryAsync(new EchoRequest { Text = "hang" }, deadline: clock.UtcNow + Timeout);
        await host.Log.Entered.Task.WaitAsync(Soon);
        clock.Advance(Timeout - TimeSpan.FromSeconds(1));
        Assert.False(call.ResponseAsync.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));
        RpcException exception = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.DeadlineExceeded, exception.StatusCode);
        Assert.Equal(StatusCode.DeadlineExceeded, call.GetStatus().StatusCode);
        await host.Log.Cancelled.Task.WaitAsync(Soon);
    }

    [Fact]
    public async Task The_clients_deadline_ends_a_stream_that_nobody_reads()
    {
        var clock = new ManualClock();
        await using TestHost host = await TestHost.StartAsync();
        using GrpcChannel channel = Channel(host, clock);
        using AsyncServerStreamingCall<EchoResponse> call = new EchoService.EchoServiceClient(channel).ServerStream(new EchoRequest { Text = "hang", Count = 1 }, deadline: clock.UtcNow + Timeout);
        await host.Log.Entered.Task.WaitAsync(Soon);
        clock.Advance(Timeout);
        await host.Log.Cancelled.Task.WaitAsync(Soon);
        RpcException exception = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(default));
        Assert.Equal(StatusCode.DeadlineExceeded, exception.StatusCode);
    }

    [Fact]
    public async Task A_deadline_in_the_past_sends_nothing()
    {
        await using TestHost host = await TestHost.StartAsync();
        RpcException exception = await Assert.ThrowsAsync<RpcException>(() =>
            host.Echo.UnaryAsync(new EchoRequest { Text = "hang" }, deadline: DateTime.UtcNow.AddSeconds(-1)).ResponseAsync);
        Assert.Equal(StatusCode.DeadlineExceeded, exception.StatusCode);
        Assert.False(host.Log.Entered.Task.IsCompleted);
    }

    [Fact]
    public async Task The_handler_sees_the_deadline_and_can_pass_it_on()
    {
        await using TestHost host = await TestHost.StartAsync();
        DateTime deadline = DateTime.UtcNow.AddHours(1);
        foreach (string how in new[] { "deadline", "forward" })
        {
            string text = (await host.Echo.UnaryAsync(new EchoRequest { Text = how }, deadline: deadline)).Text;
            DateTime seen = DateTime.Parse(text, null, System.Globalization.DateTimeStyles.RoundtripKind);
            Assert.InRange(seen, deadline.AddMinutes(-1), deadline.AddMinutes(1));
            Assert.Equal("none", (await host.Echo.UnaryAsync(new EchoRequest { Text = how })).Text);
            Assert.Equal("none", (await host.Echo.UnaryAsync(new EchoRequest { Text = how }, deadline: DateTime.MaxValue)).Text);
        }
    }

    [Fact]
    public async Task The_servers_deadline_cancels_the_handler()
    {
        var clock = new ManualClock();
        await using TestHost host = await TestHost.StartAsync(services: services => services.AddSingleton<TimeProvider>(clock));
        using var http = new RawClient(host.Address);
        Task<HttpResponseMessage> call = http.PostAsync("Unary", RawClient.Frame(new EchoRequest { Text = "hang" }), ("grpc-timeout", "10M"));
        await host.Log.Entered.Task.WaitAsync(Soon);
        clock.Advance(Timeout);
        await host.Log.Cancelled.Task.WaitAsync(Soon);
        using HttpResponseMessage response = await call;
        Assert.Equal("4", RawClient.Status(response));
    }

    [Fact]
    public async Task The_server_answers_at_the_deadline_even_if_the_handler_does_not_stop()
    {
        var clock = new ManualClock();
        await using TestHost host = await TestHost.StartAsync(services: services => services.AddSingleton<TimeProvider>(clock));
        using var http = new RawClient(host.Address);
        Task<HttpResponseMessage> call = http.PostAsync("Unary", RawClient.Frame(new EchoRequest { Text = "ignore-token" }), ("grpc-timeout", "10M"));
        await host.Log.Entered.Task.WaitAsync(Soon);
        clock.Advance(Timeout);
        using HttpResponseMessage response = await call.WaitAsync(Soon);
        Assert.Equal("4", RawClient.Status(response));
        Assert.False(host.Log.Release.Task.IsCompleted);
    }

    private static GrpcChannel Channel(TestHost host, ManualClock clock) =>
        GrpcChannel.ForAddress(host.Address, new GrpcChannelOptions { ServiceProvider = clock });
}
