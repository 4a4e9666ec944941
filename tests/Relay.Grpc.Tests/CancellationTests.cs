using Grpc.Core;
using Grpc.Net.Client;
using GrpcTests.Echo;

namespace GrpcTests;

/// <summary>Cancellation by the client, as both sides see it.</summary>
public sealed class CancellationTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_token_cancels_a_unary_call()
    {
        await using TestHost host = await TestHost.StartAsync();
        using var source = new CancellationTokenSource();
        using AsyncUnaryCall<EchoResponse> call = host.Echo.UnaryAsync(new EchoRequest { Text = "hang" }, cancellationToken: source.Token);
        await host.Log.Entered.Task.WaitAsync(Soon);
        await source.CancelAsync();
        RpcException exception = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.Cancelled, exception.StatusCode);
        await host.Log.Cancelled.Task.WaitAsync(Soon);
    }

    [Fact]
    public async Task Disposing_a_stream_cancels_the_handler()
    {
        await using TestHost host = await TestHost.StartAsync();
        using (AsyncServerStreamingCall<EchoResponse> call = host.Echo.ServerStream(new EchoRequest { Text = "hang", Count = 1 }))
            Assert.True(await call.ResponseStream.MoveNext(default));
        await host.Log.Cancelled.Task.WaitAsync(Soon);
    }

    [Fact]
    public async Task Disposing_an_open_request_stream_is_no_end_of_requests()
    {
        await using TestHost host = await TestHost.StartAsync();
        using (AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = host.Echo.Duplex())
        {
            await call.RequestStream.WriteAsync(new EchoRequest { Text = "one" });
            Assert.True(await call.ResponseStream.MoveNext(default));
        }
        // The handler of the echo only says so when its read fails; had the stream ended well, it would have returned.
        await host.Log.Cancelled.Task.WaitAsync(Soon);
    }

    [Fact]
    public async Task A_token_of_a_read_cancels_the_call()
    {
        await using TestHost host = await TestHost.StartAsync();
        using var source = new CancellationTokenSource();
        using AsyncServerStreamingCall<EchoResponse> call = host.Echo.ServerStream(new EchoRequest { Text = "hang", Count = 1 });
        Assert.True(await call.ResponseStream.MoveNext(source.Token));
        Task<bool> next = call.ResponseStream.MoveNext(source.Token);
        await source.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => next)).StatusCode);
        await host.Log.Cancelled.Task.WaitAsync(Soon);
    }

    [Fact]
    public async Task A_channel_can_throw_the_exception_of_the_platform()
    {
        await using TestHost host = await TestHost.StartAsync();
        using GrpcChannel channel = GrpcChannel.ForAddress(host.Address, new GrpcChannelOptions { ThrowOperationCanceledOnCancellation = true });
        using var source = new CancellationTokenSource();
        AsyncUnaryCall<EchoResponse> call = new EchoService.EchoServiceClient(channel).UnaryAsync(new EchoRequest { Text = "hang" }, cancellationToken: source.Token);
        await host.Log.Entered.Task.WaitAsync(Soon);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.ResponseAsync);
    }

    [Fact]
    public async Task Disposing_the_channel_ends_its_calls()
    {
        await using TestHost host = await TestHost.StartAsync();
        AsyncUnaryCall<EchoResponse> call = host.Echo.UnaryAsync(new EchoRequest { Text = "hang" });
        await host.Log.Entered.Task.WaitAsync(Soon);
        host.Channel.Dispose();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync)).StatusCode);
        await host.Log.Cancelled.Task.WaitAsync(Soon);
    }

    [Fact]
    public async Task A_write_after_the_servers_answer_throws_its_status()
    {
        await using TestHost host = await TestHost.StartAsync();
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> call = host.Echo.ClientStream();
        await call.RequestStream.WriteAsync(new EchoRequest { Text = "stop" });
        Assert.Equal(StatusCode.Aborted, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync)).StatusCode);
        RpcException onWrite = await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(new EchoRequest()));
        Assert.Equal(StatusCode.Aborted, onWrite.StatusCode);
    }

    [Fact]
    public async Task A_duplex_reader_sees_the_servers_status_while_writes_fail()
    {
        await using TestHost host = await TestHost.StartAsync();
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = host.Echo.Duplex();
        await call.RequestStream.WriteAsync(new EchoRequest { Text = "fail" });
        await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (true)
                await call.RequestStream.WriteAsync(new EchoRequest { Text = "more" });
        });
        RpcException exception = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await call.ResponseStream.MoveNext(default))
            {
            }
        });
        Assert.Equal(StatusCode.Aborted, exception.StatusCode);
    }

    [Fact]
    public async Task Only_one_read_and_one_write_may_be_pending()
    {
        await using TestHost host = await TestHost.StartAsync();
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = host.Echo.Duplex();
        Task<bool> first = call.ResponseStream.MoveNext(default);
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.ResponseStream.MoveNext(default));
        await call.RequestStream.WriteAsync(new EchoRequest { Text = "x" });
        Assert.True(await first);
        await call.RequestStream.CompleteAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync(new EchoRequest()));
        Assert.False(await call.ResponseStream.MoveNext(default));
    }
}
