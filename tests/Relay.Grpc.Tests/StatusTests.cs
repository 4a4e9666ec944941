using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using GrpcTests.Echo;
using Status = Grpc.Core.Status;

namespace GrpcTests;

/// <summary>How handlers end calls, as the client sees it.</summary>
public sealed class StatusTests
{
    [Fact]
    public async Task An_rpc_exception_is_the_status_with_its_trailers()
    {
        RpcException exception = await FailAsync("fail");
        Assert.Equal(new Status(StatusCode.FailedPrecondition, "nicht möglich: 100 %\n☃"), exception.Status);
        Assert.Equal("test", exception.Trailers.GetValue("reason"));
        Assert.Equal([0, 1, 0xfe, 0xff], exception.Trailers.GetValueBytes("reason-bin")!);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Another_exception_is_unknown_and_tells_only_what_was_allowed(bool detailed)
    {
        await using TestHost host = await TestHost.StartAsync(options => options.EnableDetailedErrors = detailed);
        RpcException exception = await Assert.ThrowsAsync<RpcException>(() => host.Echo.UnaryAsync(new EchoRequest { Text = "throw" }).ResponseAsync);
        Assert.Equal(StatusCode.Unknown, exception.StatusCode);
        Assert.Equal(detailed, exception.Status.Detail.Contains("a secret of the server", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_status_that_was_set_counts() => Assert.Equal(new Status(StatusCode.DataLoss, "set"), (await FailAsync("set-status")).Status);

    [Fact]
    public async Task No_message_is_an_error() => Assert.Equal(StatusCode.Cancelled, (await FailAsync("null")).StatusCode);

    [Fact]
    public async Task A_stream_that_fails_gives_its_messages_first()
    {
        await using TestHost host = await TestHost.StartAsync();
        using AsyncServerStreamingCall<EchoResponse> call = host.Echo.ServerStream(new EchoRequest { Text = "fail", Count = 2 });
        Assert.True(await call.ResponseStream.MoveNext(default));
        Assert.True(await call.ResponseStream.MoveNext(default));
        RpcException exception = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(default));
        Assert.Equal(new Status(StatusCode.OutOfRange, "no more"), exception.Status);
        Assert.Equal("end", exception.Trailers.GetValue("reason"));
        Assert.Equal("end", call.GetTrailers().GetValue("reason"));
    }

    [Fact]
    public async Task Details_come_back()
    {
        RpcException exception = await FailAsync("details");
        Google.Rpc.Status? status = exception.GetRpcStatus();
        Assert.NotNull(status);
        Assert.Equal("FIELD_INVALID", status.GetDetail<ErrorInfo>()?.Reason);
        Assert.Equal("text", Assert.Single(status.GetDetail<BadRequest>()!.FieldViolations).Field);
        Assert.Null(status.GetDetail<RetryInfo>());
    }

    [Fact]
    public void Details_that_are_damaged_are_none()
    {
        var exception = new RpcException(new Status(StatusCode.Internal, ""), new Metadata { { "grpc-status-details-bin", [0xff] } });
        Assert.Null(exception.GetRpcStatus());
        Assert.Throws<Google.Protobuf.InvalidProtocolBufferException>(() => exception.Trailers.GetRpcStatus());
    }

    [Fact]
    public void A_new_status_takes_the_place_of_the_old()
    {
        var metadata = new Metadata();
        metadata.SetRpcStatus(new Google.Rpc.Status { Code = 1 });
        metadata.SetRpcStatus(new Google.Rpc.Status { Code = 9, Details = { Any.Pack(new ResourceInfo { ResourceName = "r" }) } });
        Assert.Equal("r", metadata.GetRpcStatus()?.GetDetail<ResourceInfo>()?.ResourceName);
        Assert.Single(metadata);
    }

    private static async Task<RpcException> FailAsync(string text)
    {
        await using TestHost host = await TestHost.StartAsync();
        return await Assert.ThrowsAsync<RpcException>(() => host.Echo.UnaryAsync(new EchoRequest { Text = text }).ResponseAsync);
    }
}
