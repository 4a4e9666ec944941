using Grpc.Core;
using GrpcTests.Echo;

namespace GrpcTests;

/// <summary>Metadata and the errors that carry it, own client against own server.</summary>
public sealed class MetadataTests
{
    [Fact]
    public async Task Metadata_comes_back_in_headers_and_trailers()
    {
        await using TestHost host = await TestHost.StartAsync();
        var sent = new Metadata
        {
            { "X-Text", "a value, with a comma" },
            { "x-bytes-bin", [0, 1, 0xfe, 0xff] },
            { "x-one-bin", [1] },
            { "x-two-bin", [1, 2] },
            { "x-none-bin", [] },
            { "x-many-bin", [1] },
            { "x-many-bin", [2, 3] },
        };
        using AsyncUnaryCall<EchoResponse> call = host.Echo.UnaryAsync(new EchoRequest { Text = "metadata" }, sent);
        await call;
        foreach (Metadata received in new[] { await call.ResponseHeadersAsync, call.GetTrailers() })
        {
            Assert.Equal("a value, with a comma", received.GetValue("x-text"));
            Assert.Equal([0, 1, 0xfe, 0xff], received.GetValueBytes("x-bytes-bin")!);
            Assert.Equal([1], received.GetValueBytes("x-one-bin")!);
            Assert.Equal([1, 2], received.GetValueBytes("x-two-bin")!);
            Assert.Equal([], received.GetValueBytes("x-none-bin")!);
            Assert.Equal([[1], [2, 3]], received.GetAll("x-many-bin").Select(entry => entry.ValueBytes));
        }
    }
}
