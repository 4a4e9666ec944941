using Google.Protobuf;
using Grpc.Core;
using GrpcTests.Echo;

namespace GrpcTests;

/// <summary>The four kinds of call, own client against own server.</summary>
public sealed class CallKindTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Unary_answers()
    {
        await using TestHost host = await TestHost.StartAsync();
        using AsyncUnaryCall<EchoResponse> call = host.Echo.UnaryAsync(new EchoRequest { Text = "hello" }, cancellationToken: Token);
        Assert.Equal("hello", (await call).Text);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        Assert.Empty(call.GetTrailers());
    }

    [Fact]
    public async Task Blocking_unary_answers()
    {
        await using TestHost host = await TestHost.StartAsync();
        EchoResponse response = await Task.Run(() => host.Echo.Unary(new EchoRequest { Text = "hello" }, cancellationToken: Token), Token);
        Assert.Equal("hello", response.Text);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Client_stream_answers_once(int count)
    {
        await using TestHost host = await TestHost.StartAsync();
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> call = host.Echo.ClientStream(cancellationToken: Token);
        for (int i = 0; i < count; i++)
            await call.RequestStream.WriteAsync(new EchoRequest { Text = $"t{i}", Payload = ByteString.CopyFrom(new byte[10]) }, Token);
        await call.RequestStream.CompleteAsync();
        Assert.Equal(string.Join(',', Enumerable.Range(0, count).Select(i => $"t{i}")) + ":" + (count * 10), (await call).Text);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100)]
    public async Task Server_stream_answers_in_order(int count)
    {
        await using TestHost host = await TestHost.StartAsync();
        using AsyncServerStreamingCall<EchoResponse> call = host.Echo.ServerStream(new EchoRequest { Text = "n", Count = count }, cancellationToken: Token);
        var texts = new List<string>();
        await foreach (EchoResponse response in call.ResponseStream.ReadAllAsync(Token))
            texts.Add(response.Text);
        Assert.Equal(Enumerable.Range(0, count).Select(i => $"n {i}"), texts);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Duplex_alternates()
    {
        await using TestHost host = await TestHost.StartAsync();
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = host.Echo.Duplex(cancellationToken: Token);
        for (int i = 0; i < 50; i++)
        {
            await call.RequestStream.WriteAsync(new EchoRequest { Text = $"m{i}" }, Token);
            Assert.True(await call.ResponseStream.MoveNext(Token));
            Assert.Equal($"m{i}", call.ResponseStream.Current.Text);
        }
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(Token));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }
}
