using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcTests.Echo;

namespace GrpcTests;

/// <summary>Relay.Grpc's client against a grpcio server.</summary>
public sealed class ForeignServerTests : IAsyncLifetime
{
    private readonly TemporaryFile _descriptors = new(ForeignProgram.Descriptors());
    private Process? _server;
    private GrpcChannel? _channel;

    private EchoService.EchoServiceClient Echo => new(_channel!);

    public async ValueTask InitializeAsync()
    {
        _server = await ForeignProgram.StartPythonServerAsync(_descriptors.Path);
        string? port = await LineAsync();
        _channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}");
    }

    public async ValueTask DisposeAsync()
    {
        _channel?.Dispose();
        if (_server is not null)
        {
            _server.StandardInput.Close();
            await _server.WaitForExitAsync();
            _server.Dispose();
        }
        _descriptors.Dispose();
    }

    [Fact]
    public async Task All_four_kinds_of_call()
    {
        Assert.Equal("héllo", (await Echo.UnaryAsync(new EchoRequest { Text = "héllo" })).Text);

        using AsyncClientStreamingCall<EchoRequest, EchoResponse> client = Echo.ClientStream();
        for (int i = 0; i < 10; i++)
            await client.RequestStream.WriteAsync(new EchoRequest { Text = $"{i}" });
        await client.RequestStream.CompleteAsync();
        Assert.Equal("0,1,2,3,4,5,6,7,8,9", (await client).Text);

        using AsyncServerStreamingCall<EchoResponse> server = Echo.ServerStream(new EchoRequest { Text = "n", Count = 100 });
        Assert.Equal(100, await server.ResponseStream.ReadAllAsync().CountAsync());

        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> duplex = Echo.Duplex();
        for (int i = 0; i < 20; i++)
        {
            await duplex.RequestStream.WriteAsync(new EchoRequest { Text = $"{i}" });
            Assert.True(await duplex.ResponseStream.MoveNext(default));
            Assert.Equal($"{i}", duplex.ResponseStream.Current.Text);
        }
        await duplex.RequestStream.CompleteAsync();
        Assert.False(await duplex.ResponseStream.MoveNext(default));
    }

    [Fact]
    public async Task Errors_and_metadata()
    {
        RpcException exception = await Assert.ThrowsAsync<RpcException>(() => Echo.UnaryAsync(new EchoRequest { Text = "fail" }).ResponseAsync);
        Assert.Equal(new Status(StatusCode.FailedPrecondition, "nicht möglich: 100 %\n☃"), exception.Status);
        Assert.Equal("test", exception.Trailers.GetValue("reason"));
        Assert.Equal([0, 1, 0xfe, 0xff], exception.Trailers.GetValueBytes("reason-bin")!);

        using AsyncUnaryCall<EchoResponse> call = Echo.UnaryAsync(new EchoRequest { Text = "metadata" }, new Metadata { { "x-text", "a b" }, { "x-raw-bin", [9, 0, 0xff] } });
        await call;
        foreach (Metadata received in new[] { await call.ResponseHeadersAsync, call.GetTrailers() })
        {
            Assert.Equal("a b", received.GetValue("x-text"));
            Assert.Equal([9, 0, 0xff], received.GetValueBytes("x-raw-bin")!);
        }

        Assert.Equal(StatusCode.Unimplemented, (await Assert.ThrowsAsync<RpcException>(() => Echo.MissingAsync(new EchoRequest()).ResponseAsync)).StatusCode);
        Assert.StartsWith("grpc-dotnet-relay/", (await Echo.UnaryAsync(new EchoRequest { Text = "user-agent" })).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failures_of_streams()
    {
        using AsyncServerStreamingCall<EchoResponse> server = Echo.ServerStream(new EchoRequest { Text = "fail", Count = 2 });
        Assert.True(await server.ResponseStream.MoveNext(default));
        Assert.True(await server.ResponseStream.MoveNext(default));
        Assert.Equal(StatusCode.OutOfRange, (await Assert.ThrowsAsync<RpcException>(() => server.ResponseStream.MoveNext(default))).StatusCode);

        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> duplex = Echo.Duplex();
        await duplex.RequestStream.WriteAsync(new EchoRequest { Text = "fail" });
        Assert.Equal(StatusCode.Aborted, (await Assert.ThrowsAsync<RpcException>(() => duplex.ResponseStream.MoveNext(default))).StatusCode);
    }

    [Fact]
    public async Task Deadlines_and_cancellation()
    {
        Assert.Equal("none", (await Echo.UnaryAsync(new EchoRequest { Text = "deadline" })).Text);
        string left = (await Echo.UnaryAsync(new EchoRequest { Text = "deadline" }, deadline: DateTime.UtcNow.AddSeconds(100))).Text;
        Assert.InRange(double.Parse(left, CultureInfo.InvariantCulture), 50, 101);

        AsyncUnaryCall<EchoResponse> call = Echo.UnaryAsync(new EchoRequest { Text = "hang" }, deadline: DateTime.UtcNow.AddMilliseconds(500));
        Assert.Equal(StatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync)).StatusCode);
        Assert.Equal("hanging", await LineAsync());
        Assert.Equal("cancelled", await LineAsync());

        using (AsyncServerStreamingCall<EchoResponse> stream = Echo.ServerStream(new EchoRequest { Text = "hang", Count = 1 }))
        {
            Assert.True(await stream.ResponseStream.MoveNext(default));
            Assert.Equal("hanging", await LineAsync());
        }
        Assert.Equal("cancelled", await LineAsync());
    }

    [Fact]
    public async Task Gzip_and_sizes()
    {
        var payload = ByteString.CopyFrom(Enumerable.Range(0, 1_000_000).Select(i => (byte)(i / 100)).ToArray());
        var gzip = new Metadata { { "grpc-internal-encoding-request", "gzip" } };
        Assert.Equal(payload, (await Echo.UnaryAsync(new EchoRequest { Payload = payload }, gzip)).Payload);
        RpcException tooLarge = await Assert.ThrowsAsync<RpcException>(() => Echo.UnaryAsync(new EchoRequest { Payload = ByteString.CopyFrom(new byte[5_000_000]) }).ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, tooLarge.StatusCode);
        RpcException tooMuch = await Assert.ThrowsAsync<RpcException>(() => Echo.UnaryAsync(new EchoRequest { Count = 5_000_000 }).ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, tooMuch.StatusCode);
    }

    private async Task<string?> LineAsync() => await _server!.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30));
}
