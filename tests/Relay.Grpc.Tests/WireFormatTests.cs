using System.IO.Compression;
using System.Net;
using System.Text;
using Google.Protobuf;
using GrpcTests.Echo;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace GrpcTests;

/// <summary>The server's bytes and headers, and what it makes of requests that no client would send (PROTOCOL-HTTP2).</summary>
public sealed class WireFormatTests
{
    private static readonly byte[] Hello = RawClient.Frame(new EchoRequest { Text = "hello" });

    internal static byte[] Gzip(byte[] data)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.SmallestSize))
            gzip.Write(data);
        return output.ToArray();
    }

    [Fact]
    public async Task A_response_is_a_frame_and_trailers()
    {
        using HttpResponseMessage response = await PostAsync(Hello);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/grpc", RawClient.Value(response.Content.Headers, "content-type"));
        Assert.Equal("identity,gzip", RawClient.Value(response.Headers, "grpc-accept-encoding"));
        Assert.Null(RawClient.Value(response.Headers, "grpc-status"));
        Assert.Equal("0", RawClient.Value(response.TrailingHeaders, "grpc-status"));
        // Field 1, length-delimited, five bytes.
        Assert.Equal([0, 0, 0, 0, 7, 0x0a, 5, .. "hello"u8], await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_failure_without_messages_is_trailers_only()
    {
        using HttpResponseMessage response = await PostAsync(RawClient.Frame(new EchoRequest { Text = "fail" }));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("9", RawClient.Value(response.Headers, "grpc-status"));
        Assert.Equal("nicht m%C3%B6glich: 100 %25%0A%E2%98%83", RawClient.Value(response.Headers, "grpc-message"));
        // 00 01 fe ff in base64, without padding.
        Assert.Equal("AAH+/w", RawClient.Value(response.Headers, "reason-bin"));
        Assert.Empty(response.TrailingHeaders);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Padded_and_joined_binary_metadata_is_understood()
    {
        using HttpResponseMessage response = await PostAsync(
            RawClient.Frame(new EchoRequest { Text = "metadata" }), ("x-a-bin", "AQ=="), ("x-b-bin", "AQ,AgM="));
        Assert.Equal("0", RawClient.Status(response));
        Assert.Equal("AQ", RawClient.Value(response.Headers, "x-a-bin"));
        Assert.Equal("AQ|AgM", RawClient.Value(response.Headers, "x-b-bin")?.Replace(", ", "|", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Malformed_binary_metadata_is_an_internal_error() =>
        await ExpectAsync("13", RawClient.Frame(new EchoRequest { Text = "metadata" }), ("x-a-bin", "!!"));

    [Fact]
    public async Task A_compressed_response_says_so()
    {
        await using TestHost host = await TestHost.StartAsync(options => options.ResponseCompressionAlgorithm = "gzip");
        using var http = new RawClient(host.Address);
        using HttpResponseMessage response = await http.PostAsync("Unary", Hello, ("grpc-accept-encoding", "deflate, gzip"));
        Assert.Equal("gzip", RawClient.Value(response.Headers, "grpc-encoding"));
        byte[] body = await response.Content.ReadAsByteArrayAsync();
        Assert.Equal(1, body[0]);
        using var gzip = new GZipStream(new MemoryStream(body, 5, body.Length - 5), CompressionMode.Decompress);
        Assert.Equal("hello", EchoResponse.Parser.ParseFrom(gzip).Text);
        using HttpResponseMessage plain = await http.PostAsync("Unary", Hello, ("grpc-accept-encoding", "identity,deflate"));
        Assert.Null(RawClient.Value(plain.Headers, "grpc-encoding"));
        Assert.Equal(0, (await plain.Content.ReadAsByteArrayAsync())[0]);
    }

    [Fact]
    public async Task A_compressed_request_is_understood()
    {
        using HttpResponseMessage response = await PostAsync(RawClient.Frame(Gzip(new EchoRequest { Text = "hello" }.ToByteArray()), flag: 1), ("grpc-encoding", "gzip"));
        Assert.Equal("0", RawClient.Status(response));
    }

    public static TheoryData<string, string, byte[]> MalformedBodies => new()
    {
        { "no message", "13", [] },
        { "half a header", "13", [0, 0, 0] },
        { "a truncated message", "13", Hello[..^1] },
        { "a header without its message", "13", Hello[..5] },
        { "two messages", "13", [.. Hello, .. Hello] },
        { "a message and rubbish", "13", [.. Hello, 1] },
        { "a flag that does not exist", "13", [2, .. Hello[1..]] },
        { "a compressed message without an encoding", "13", [1, .. Hello[1..]] },
        { "no protobuf", "13", RawClient.Frame([0xff, 0xff]) },
        { "a length of 4 GiB", "8", [0, 0xff, 0xff, 0xff, 0xff] },
        { "a length over the limit", "8", [0, 0, 0x40, 0, 1, 0] },
    };

    [Theory]
    [MemberData(nameof(MalformedBodies))]
    public async Task A_malformed_body_ends_the_call(string what, string status, byte[] body)
    {
        using HttpResponseMessage response = await PostAsync(body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.True(RawClient.Status(response) == status, $"{what}: {RawClient.Status(response)}");
    }

    [Fact]
    public async Task A_damaged_gzip_message_is_an_internal_error() =>
        await ExpectAsync("13", RawClient.Frame([1, 2, 3, 4], flag: 1), ("grpc-encoding", "gzip"));

    [Fact]
    public async Task An_unknown_encoding_is_unimplemented()
    {
        using HttpResponseMessage response = await PostAsync(Hello, ("grpc-encoding", "lzma"));
        Assert.Equal("12", RawClient.Status(response));
        Assert.Equal("identity,gzip", RawClient.Value(response.Headers, "grpc-accept-encoding"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("S")]
    [InlineData("-1S")]
    [InlineData("1.5S")]
    [InlineData("123456789S")]
    [InlineData("1s")]
    public async Task A_malformed_timeout_is_an_internal_error(string timeout) => await ExpectAsync("13", Hello, ("grpc-timeout", timeout));

    [Theory]
    [InlineData("99999999H")]
    [InlineData("99999999n")]
    [InlineData("20S")]
    public async Task A_timeout_is_understood(string timeout) => await ExpectAsync(timeout.EndsWith('n') ? "4|0" : "0", Hello, ("grpc-timeout", timeout));

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/grpc-web")]
    [InlineData(null)]
    public async Task Another_content_type_is_refused(string? contentType)
    {
        await using TestHost host = await TestHost.StartAsync();
        using var http = new RawClient(host.Address);
        using HttpResponseMessage response = await http.SendAsync(HttpMethod.Post, "/relay.grpc.test.EchoService/Unary", Hello, contentType, []);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Theory]
    [InlineData("application/grpc+proto")]
    [InlineData("application/grpc;charset=utf-8")]
    public async Task The_content_type_may_say_more(string contentType)
    {
        await using TestHost host = await TestHost.StartAsync();
        using var http = new RawClient(host.Address);
        using HttpResponseMessage response = await http.SendAsync(HttpMethod.Post, "/relay.grpc.test.EchoService/Unary", Hello, contentType, []);
        Assert.Equal("0", RawClient.Status(response));
    }

    [Fact]
    public async Task Only_post_is_allowed()
    {
        await using TestHost host = await TestHost.StartAsync();
        using var http = new RawClient(host.Address);
        using HttpResponseMessage response = await http.SendAsync(HttpMethod.Get, "/relay.grpc.test.EchoService/Unary", [], null, []);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
    }

    [Fact]
    public async Task Http1_is_told_to_upgrade()
    {
        await using TestHost host = await TestHost.StartAsync(listen: endpoint => endpoint.Protocols = HttpProtocols.Http1);
        using var http = new RawClient(host.Address);
        using HttpResponseMessage response = await http.SendAsync(HttpMethod.Post, "/relay.grpc.test.EchoService/Unary", Hello, "application/grpc", [], HttpVersion.Version11);
        Assert.Equal(HttpStatusCode.UpgradeRequired, response.StatusCode);
    }

    [Theory]
    [InlineData("/relay.grpc.test.EchoService/Nothing")]
    [InlineData("/relay.grpc.test.NoService/Unary")]
    [InlineData("/relay.grpc.test.EchoService/unary")]
    public async Task An_unknown_method_is_unimplemented(string path)
    {
        await using TestHost host = await TestHost.StartAsync();
        using var http = new RawClient(host.Address);
        using HttpResponseMessage response = await http.SendAsync(HttpMethod.Post, path, Hello, "application/grpc", []);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("12", RawClient.Status(response));
    }

    [Fact]
    public async Task The_server_goes_on_after_all_of_this()
    {
        await using TestHost host = await TestHost.StartAsync();
        using var http = new RawClient(host.Address);
        foreach (byte[] body in new byte[][] { [], [0, 0xff, 0xff, 0xff, 0xff], [2, 0, 0, 0, 0], Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n\r\n") })
        {
            using HttpResponseMessage refused = await http.PostAsync("Duplex", body);
            using HttpResponseMessage served = await http.PostAsync("Unary", Hello);
            Assert.Equal("0", RawClient.Status(served));
        }
    }

    private static async Task<HttpResponseMessage> PostAsync(byte[] body, params (string Name, string Value)[] headers)
    {
        await using TestHost host = await TestHost.StartAsync();
        using var http = new RawClient(host.Address);
        return await http.PostAsync("Unary", body, headers);
    }

    private static async Task ExpectAsync(string statuses, byte[] body, params (string Name, string Value)[] headers)
    {
        using HttpResponseMessage response = await PostAsync(body, headers);
        Assert.Contains(RawClient.Status(response), statuses.Split('|'));
    }
}
