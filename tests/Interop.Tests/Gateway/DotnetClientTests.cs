using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Interop.Tests.Gateway;

/// <summary>grpc-dotnet's own client, without the SDK: deadlines, cancellation, sizes, TLS.</summary>
public sealed class DotnetClientTests
{
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Parallel_calls_keep_apart_and_streams_may_be_larger_than_the_windows()
    {
        await using var gateway = await GatewayUnderTest.StartAsync(tls: true);
        using var client = new DotnetClient(gateway);
        var replies = await Task.WhenAll(Enumerable.Range(0, 300).Select(i => client.Messages.SendMessageAsync(ToSend($"{i}"), client.As("BOT")).ResponseAsync));
        Assert.All(replies, r => Assert.Equal(SendMessageResponse.Types.Disposition.Encrypted, r.Disposition));

        using var call = client.Bridge.StreamWire(client.As("BRIDGE"));
        var writing = Task.Run(async () =>
        {
            for (int i = 0; i < 100; i++) await call.RequestStream.WriteAsync(Inbound(i, ByteString.CopyFrom(new byte[65_536])));
            await call.RequestStream.CompleteAsync();
        });
        int answered = 0;
        await foreach (var response in call.ResponseStream.ReadAllAsync()) Assert.Equal($"{answered++}", response.InboundResult.MessageId);
        await writing;
        Assert.Equal(100, answered);
    }

    [Fact]
    public async Task The_servers_deadline_cancels_the_work_and_answers()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        // Raw, so that nobody but the server watches the time.
        using var http = new RawClient(gateway.Address, gateway.Bot);
        using var response = await http.PostAsync("MessageService/SendMessage", RawClient.Frame(ToSend("hang")), ("grpc-timeout", "300m"));
        Assert.Equal("4", RawClient.Status(response));
        await gateway.Cancelled.Task.WaitAsync(s_soon);
    }

    [Fact]
    public async Task A_deadline_that_comes_with_the_answer_ends_neither_the_process_nor_the_connection()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        using var http = new RawClient(gateway.Address, gateway.Bot);
        var body = RawClient.Frame(ToSend("slow"));
        var statuses = await Task.WhenAll(Enumerable.Range(0, 600).Select(async i =>
        {
            using var response = await http.PostAsync("MessageService/SendMessage", body, ("grpc-timeout", $"{15 + i % 30}m"));
            return RawClient.Status(response);
        }));
        Assert.All(statuses, s => Assert.Contains(s, new[] { "0", "4" }));
        using var served = await http.PostAsync("MessageService/SendMessage", RawClient.Frame(ToSend("x")));
        Assert.Equal("0", RawClient.Status(served));
    }

    [Fact]
    public async Task Cancelling_and_disposing_cancel_the_work()
    {
        foreach (bool dispose in new[] { true, false })
        {
            await using var gateway = await GatewayUnderTest.StartAsync();
            using var client = new DotnetClient(gateway);
            using var source = new CancellationTokenSource();
            var call = client.Messages.SendMessageAsync(ToSend("hang"), client.As("BOT"), cancellationToken: source.Token);
            await gateway.Hanging.Task.WaitAsync(s_soon);
            if (dispose) call.Dispose();
            else await source.CancelAsync();
            Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync)).StatusCode);
            await gateway.Cancelled.Task.WaitAsync(s_soon);
        }
    }

    [Fact]
    public async Task A_message_over_the_limit_is_refused_on_a_stream_as_well()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        using var client = new DotnetClient(gateway);
        var large = ByteString.CopyFrom(new byte[256 * 1024]);
        using var call = client.Bridge.StreamWire(client.As("BRIDGE"));
        await call.RequestStream.WriteAsync(Inbound(1, ByteString.CopyFromUtf8("small")));
        Assert.True(await call.ResponseStream.MoveNext(Patience.Token));
        // The server may have refused before the last byte was written: then the writer fails, too. The reader knows why.
        if (await Record.ExceptionAsync(() => call.RequestStream.WriteAsync(Inbound(2, large))) is { } told) Assert.IsType<RpcException>(told);
        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(Patience.Token))).StatusCode);
    }

    [Fact]
    public async Task A_status_whose_details_are_damaged_is_still_a_status()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        using var client = new DotnetClient(gateway);
        var e = await Assert.ThrowsAsync<RpcException>(async () => await client.Messages.SendMessageAsync(ToSend("overloaded"), client.As("BOT")));
        var read = RelayException.From(e);
        Assert.Equal(("OVERLOADED", TimeSpan.FromMilliseconds(1500)), (read.Reason, read.RetryAfter));
        var damaged = RelayException.From(new RpcException(e.Status, new Metadata { { "grpc-status-details-bin", [0xff] } }));
        Assert.Equal((e.StatusCode, "", null), (damaged.Code, damaged.Reason, damaged.RetryAfter));
    }

    private static SendMessageRequest ToSend(string text) => new() { RequestId = "1", Text = text, Parent = "endpoints/e", Peer = "p" };

    private static StreamWireRequest Inbound(int id, ByteString text) =>
        new() { Inbound = new InboundWire { Endpoint = "endpoints/e", Peer = "p", MessageId = $"{id}", Text = text } };

    private sealed class DotnetClient : IDisposable
    {
        private readonly GatewayUnderTest _gateway;
        private readonly GrpcChannel _channel;

        public DotnetClient(GatewayUnderTest gateway)
        {
            _gateway = gateway;
            _channel = GrpcChannel.ForAddress(gateway.Address, new GrpcChannelOptions { HttpHandler = gateway.NewHandler(), DisposeHttpClient = true });
            Messages = new MessageService.MessageServiceClient(_channel);
            Bridge = new BridgeService.BridgeServiceClient(_channel);
        }

        public MessageService.MessageServiceClient Messages { get; }

        public BridgeService.BridgeServiceClient Bridge { get; }

        public Metadata As(string scope) => new() { { "authorization", "Bearer " + _gateway.Keys["RELAY_TEST_" + scope] } };

        public void Dispose() => _channel.Dispose();
    }
}
