using Google.Protobuf;
using Grpc.Core;
using GrpcTests.Echo;

namespace GrpcTests;

/// <summary>Many calls at once, and streams that are larger than any window.</summary>
public sealed class LoadTests
{
    [Fact]
    public async Task Parallel_calls_keep_apart()
    {
        await using TestHost host = await TestHost.StartAsync();
        string[] texts = [.. Enumerable.Range(0, 300).Select(i => $"call {i}")];
        EchoResponse[] responses = await Task.WhenAll(texts.Select(text => host.Echo.UnaryAsync(new EchoRequest { Text = text }).ResponseAsync));
        Assert.Equal(texts, responses.Select(response => response.Text));
    }

    [Fact]
    public async Task A_stream_may_be_far_larger_than_the_windows()
    {
        await using TestHost host = await TestHost.StartAsync();
        const int Count = 30;
        var payload = ByteString.CopyFrom(new byte[1_000_000]);
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = host.Echo.Duplex();
        Task writing = Task.Run(async () =>
        {
            for (int i = 0; i < Count; i++)
                await call.RequestStream.WriteAsync(new EchoRequest { Text = $"{i}", Payload = payload });
            await call.RequestStream.CompleteAsync();
        });
        int next = 0;
        await foreach (EchoResponse response in call.ResponseStream.ReadAllAsync())
        {
            Assert.Equal($"{next++}", response.Text);
            Assert.Equal(payload.Length, response.Payload.Length);
        }
        await writing;
        Assert.Equal(Count, next);
    }

    [Fact]
    public async Task Buffered_messages_arrive_with_the_next_flush()
    {
        await using TestHost host = await TestHost.StartAsync();
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> call = host.Echo.ClientStream();
        call.RequestStream.WriteOptions = new WriteOptions(WriteFlags.BufferHint);
        for (int i = 0; i < 5; i++)
            await call.RequestStream.WriteAsync(new EchoRequest { Text = $"{i}" });
        await call.RequestStream.CompleteAsync();
        Assert.Equal("0,1,2,3,4:0", (await call).Text);
    }
}
