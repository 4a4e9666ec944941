using System.IO.Compression;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcTests.Echo;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcTests;

/// <summary>Message sizes, compressed or not.</summary>
public sealed class LimitTests
{
    private const int Limit = 10_000;

    private static EchoRequest Large => new() { Payload = ByteString.CopyFrom(new byte[Limit + 1]) };

    [Fact]
    public async Task The_server_refuses_a_large_request()
    {
        await using TestHost host = await TestHost.StartAsync(options => options.MaxReceiveMessageSize = Limit);
        await ExhaustsAsync(host.Echo.UnaryAsync(Large).ResponseAsync);
        Assert.Equal("ok", (await host.Echo.UnaryAsync(new EchoRequest { Text = "ok" })).Text);
    }

    [Fact]
    public async Task A_service_may_have_limits_of_its_own()
    {
        await using TestHost host = await TestHost.StartAsync(
            options => options.MaxReceiveMessageSize = Limit,
            services => services.AddGrpc().AddServiceOptions<EchoServer>(options => options.MaxReceiveMessageSize *= 2));
        Assert.Equal(Limit + 1, (await host.Echo.UnaryAsync(Large)).Payload.Length);
        await ExhaustsAsync(host.Echo.UnaryAsync(new EchoRequest { Payload = ByteString.CopyFrom(new byte[(2 * Limit) + 1]) }).ResponseAsync);
    }

    [Fact]
    public async Task The_server_refuses_a_large_message_of_a_stream()
    {
        await using TestHost host = await TestHost.StartAsync(options => options.MaxReceiveMessageSize = Limit);
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> call = host.Echo.ClientStream();
        await call.RequestStream.WriteAsync(new EchoRequest { Text = "small" });
        // The server may have refused before the last byte was written: then the writer is told, as with the official client.
        if (await Record.ExceptionAsync(() => call.RequestStream.WriteAsync(Large)) is { } told) Assert.Equal(StatusCode.ResourceExhausted, Assert.IsType<RpcException>(told).StatusCode);
        await ExhaustsAsync(call.ResponseAsync);
    }

    [Fact]
    public async Task The_server_does_not_send_a_large_response()
    {
        await using TestHost host = await TestHost.StartAsync(options => options.MaxSendMessageSize = Limit);
        await ExhaustsAsync(host.Echo.UnaryAsync(new EchoRequest { Count = Limit + 1 }).ResponseAsync);
    }

    [Fact]
    public async Task The_client_refuses_a_large_response()
    {
        await using TestHost host = await TestHost.StartAsync();
        using GrpcChannel channel = GrpcChannel.ForAddress(host.Address, new GrpcChannelOptions { MaxReceiveMessageSize = Limit });
        await ExhaustsAsync(new EchoService.EchoServiceClient(channel).UnaryAsync(new EchoRequest { Count = Limit + 1 }).ResponseAsync);
    }

    [Fact]
    public async Task The_client_does_not_send_a_large_request()
    {
        await using TestHost host = await TestHost.StartAsync();
        using GrpcChannel channel = GrpcChannel.ForAddress(host.Address, new GrpcChannelOptions { MaxSendMessageSize = Limit });
        var client = new EchoService.EchoServiceClient(channel);
        await ExhaustsAsync(client.UnaryAsync(Large).ResponseAsync);
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> call = client.ClientStream();
        await ExhaustsAsync(call.RequestStream.WriteAsync(Large));
    }

    [Fact]
    public async Task A_message_that_grows_beyond_the_limit_is_refused()
    {
        await using TestHost host = await TestHost.StartAsync(options => options.MaxReceiveMessageSize = Limit);
        using var http = new RawClient(host.Address);
        byte[] bomb = RawClient.Frame(WireFormatTests.Gzip(new byte[50_000_000]), flag: 1);
        Assert.True(bomb.Length < 100_000);
        byte[] small = RawClient.Frame(WireFormatTests.Gzip(new byte[Limit * 2]), flag: 1);
        Assert.True(small.Length < Limit);
        using HttpResponseMessage response = await http.PostAsync("Unary", small, ("grpc-encoding", "gzip"));
        Assert.Equal("8", RawClient.Status(response));
        using HttpResponseMessage bombed = await http.PostAsync("Unary", bomb, ("grpc-encoding", "gzip"));
        Assert.Equal("8", RawClient.Status(bombed));
    }

    [Fact]
    public async Task Gzip_works_both_ways()
    {
        await using TestHost host = await TestHost.StartAsync(options =>
        {
            options.ResponseCompressionAlgorithm = "gzip";
            options.ResponseCompressionLevel = CompressionLevel.SmallestSize;
        });
        var gzip = new Metadata { { "grpc-internal-encoding-request", "gzip" } };
        var payload = ByteString.CopyFrom(new byte[1_000_000]);
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = host.Echo.Duplex(gzip);
        for (int i = 0; i < 3; i++)
        {
            // Every other message goes uncompressed in the same stream.
            call.RequestStream.WriteOptions = new WriteOptions(i == 1 ? WriteFlags.NoCompress : 0);
            await call.RequestStream.WriteAsync(new EchoRequest { Payload = payload });
            Assert.True(await call.ResponseStream.MoveNext(default));
            Assert.Equal(payload, call.ResponseStream.Current.Payload);
        }
        string headers = (await host.Echo.UnaryAsync(new EchoRequest { Text = "headers" }, gzip)).Text;
        Assert.Contains("grpc-encoding: gzip", headers, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("grpc-internal", headers, StringComparison.OrdinalIgnoreCase);
    }

    private static async Task ExhaustsAsync(Task call) =>
        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(() => call)).StatusCode);
}
