using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcTests.Echo;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcTests;

/// <summary>What the client makes of responses that no gRPC server should send ("HTTP to gRPC Status Code Mapping").</summary>
public sealed class ClientResponseTests
{
    private static readonly byte[] Hello = RawClient.Frame(new EchoResponse { Text = "hello" });

    [Theory]
    [InlineData(400, StatusCode.Internal)]
    [InlineData(401, StatusCode.Unauthenticated)]
    [InlineData(403, StatusCode.PermissionDenied)]
    [InlineData(404, StatusCode.Unimplemented)]
    [InlineData(429, StatusCode.Unavailable)]
    [InlineData(500, StatusCode.Unknown)]
    [InlineData(502, StatusCode.Unavailable)]
    [InlineData(503, StatusCode.Unavailable)]
    [InlineData(504, StatusCode.Unavailable)]
    public async Task An_http_error_has_a_status(int httpStatus, StatusCode expected) =>
        Assert.Equal(expected, (await FailAsync(response =>
        {
            response.StatusCode = httpStatus;
            return Task.CompletedTask;
        })).StatusCode);

    [Theory]
    [InlineData(0x1, StatusCode.Internal)]
    [InlineData(0x2, StatusCode.Internal)]
    [InlineData(0x8, StatusCode.Cancelled)]
    [InlineData(0xb, StatusCode.ResourceExhausted)]
    [InlineData(0xc, StatusCode.PermissionDenied)]
    public async Task A_reset_has_a_status(int errorCode, StatusCode expected)
    {
        Assert.Equal(expected, (await FailAsync(response => Reset(response))).StatusCode);
        Assert.Equal(expected, (await FailAsync(async response =>
        {
            await GrpcAsync(response, Hello[..3], status: null);
            await Reset(response);
        })).StatusCode);

        Task Reset(HttpResponse response)
        {
            response.HttpContext.Features.GetRequiredFeature<IHttpResetFeature>().Reset(errorCode);
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task Another_content_type_is_unknown() => Assert.Equal(StatusCode.Unknown, (await FailAsync(response => response.WriteAsync("hello"))).StatusCode);

    public static TheoryData<string, byte[], string?, StatusCode> Responses => new()
    {
        { "no status", Hello, null, StatusCode.Unknown },
        { "a status that is no number", Hello, "x", StatusCode.Unknown },
        { "a status that is not defined", Hello, "99", StatusCode.Unknown },
        { "no message", [], "0", StatusCode.Internal },
        { "two messages", [.. Hello, .. Hello], "0", StatusCode.Internal },
        { "a truncated message", Hello[..^1], "0", StatusCode.Internal },
        { "a compressed message without an encoding", [1, .. Hello[1..]], "0", StatusCode.Internal },
        { "a flag that does not exist", [9, .. Hello[1..]], "0", StatusCode.Internal },
        { "no protobuf", RawClient.Frame([0xff, 0xff]), "0", StatusCode.Internal },
        { "a length of 4 GiB", [0, 0xff, 0xff, 0xff, 0xff], "0", StatusCode.ResourceExhausted },
        { "a message and a failure", Hello, "10", StatusCode.Aborted },
    };

    [Theory]
    [MemberData(nameof(Responses))]
    public async Task A_malformed_response_fails_the_call(string what, byte[] body, string? status, StatusCode expected)
    {
        RpcException exception = await FailAsync(response => GrpcAsync(response, body, status));
        Assert.True(exception.StatusCode == expected, $"{what}: {exception.Status}");
    }

    [Fact]
    public async Task An_unknown_encoding_is_an_internal_error() =>
        Assert.Equal(StatusCode.Internal, (await FailAsync(response =>
        {
            response.Headers["grpc-encoding"] = "lzma";
            return GrpcAsync(response, Hello, "0");
        })).StatusCode);

    [Fact]
    public async Task A_message_with_bad_escapes_is_kept()
    {
        RpcException exception = await FailAsync(response =>
        {
            response.ContentType = "application/grpc";
            response.Headers["grpc-status"] = "3";
            response.Headers["grpc-message"] = "50% of %zz and %C3%A9%";
            return Task.CompletedTask;
        });
        Assert.Equal(new Status(StatusCode.InvalidArgument, "50% of %zz and é%"), exception.Status);
    }

    [Fact]
    public async Task No_server_is_unavailable()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        using GrpcChannel channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}");
        var client = new EchoService.EchoServiceClient(channel);
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => client.UnaryAsync(new EchoRequest()).ResponseAsync)).StatusCode);
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> duplex = client.Duplex();
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => duplex.RequestStream.WriteAsync(new EchoRequest()))).StatusCode);
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => duplex.ResponseStream.MoveNext(default))).StatusCode);
    }

    [Fact]
    public async Task A_server_that_goes_away_is_unavailable()
    {
        RpcException exception = await FailAsync(async response =>
        {
            await GrpcAsync(response, Hello[..3], status: null);
            response.HttpContext.Features.GetRequiredFeature<Microsoft.AspNetCore.Connections.Features.IConnectionLifetimeFeature>().Abort();
        });
        Assert.Equal(StatusCode.Unavailable, exception.StatusCode);
    }

    [Fact]
    public async Task The_request_has_the_headers_of_the_protocol()
    {
        IHeaderDictionary? seen = null;
        string? path = null;
        await FailAsync(
            response =>
            {
                seen = response.HttpContext.Request.Headers;
                path = response.HttpContext.Request.Path;
                response.StatusCode = 503;
                return Task.CompletedTask;
            },
            new CallOptions(new Metadata { { "x-y", "z" } }, DateTime.UtcNow.AddSeconds(30)));
        Assert.NotNull(seen);
        Assert.Equal("/relay.grpc.test.EchoService/Unary", path);
        Assert.Equal("application/grpc", seen["content-type"]);
        Assert.Equal("trailers", seen["te"]);
        Assert.Equal("identity,gzip", seen["grpc-accept-encoding"]);
        Assert.Matches("^grpc-dotnet-relay/", seen["user-agent"].ToString());
        Assert.Matches("^[0-9]{1,8}u$", seen["grpc-timeout"].ToString());
        Assert.Equal("z", seen["x-y"]);
    }

    private static async Task GrpcAsync(HttpResponse response, byte[] body, string? status)
    {
        response.ContentType = "application/grpc";
        await response.Body.WriteAsync(body);
        await response.Body.FlushAsync();
        if (status is not null)
            response.AppendTrailer("grpc-status", status);
    }

    private static async Task<RpcException> FailAsync(Func<HttpResponse, Task> respond, CallOptions options = default)
    {
        await using TestHost host = await TestHost.StartAsync(map: app => app.Use((HttpContext context, RequestDelegate _) => respond(context.Response)));
        return await Assert.ThrowsAsync<RpcException>(() => host.Echo.UnaryAsync(new EchoRequest { Text = "hello" }, options).ResponseAsync);
    }
}
