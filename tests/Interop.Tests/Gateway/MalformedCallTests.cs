using System.Diagnostics.Metrics;
using System.IO.Compression;
using System.Net;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Relay.Lab.Processes;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Interop.Tests.Gateway;

/// <summary>Requests that no client would send: each ends its own call, is counted as the caller's fault, and is no error in the log.</summary>
public sealed class MalformedCallTests
{
    private const string Send = "MessageService/SendMessage";
    private static readonly byte[] s_hello = RawClient.Frame(Message("hello"));

    /// <summary>A body, and the statuses that may answer it: any but OK where it says so.</summary>
    public static TheoryData<string, byte[]> Bodies => new()
    {
        { "no message", [] },
        { "half a header", [0, 0, 0] },
        { "a truncated message", s_hello[..^1] },
        { "a header without its message", s_hello[..5] },
        { "two messages", [.. s_hello, .. s_hello] },
        { "a message and rubbish", [.. s_hello, 1] },
        { "a flag that does not exist", [2, .. s_hello[1..]] },
        { "a compressed message without an encoding", [1, .. s_hello[1..]] },
        { "no protobuf", RawClient.Frame([0xff, 0xff]) },
        { "text that is no UTF-8", RawClient.Frame([0x1a, 1, 0xff]) },
        { "a length of 4 GiB", [0, 0xff, 0xff, 0xff, 0xff] },
        { "a length over the limit", [0, 0, 4, 0, 1, 0] },
    };

    [Theory, MemberData(nameof(Bodies))]
    public async Task A_malformed_body_ends_its_call_and_nothing_else(string what, byte[] body)
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        using var http = new RawClient(gateway.Address, gateway.Bot);
        foreach (var method in new[] { Send, "EventService/StreamEvents" })
        {
            using var response = await http.PostAsync(method, body);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            // A stream without a message is a stream that ends well.
            if (method == Send || body.Length > 0) Assert.True(RawClient.Status(response) is { } status and not "0", $"{method}, {what}: {RawClient.Status(response)}");
            using var served = await http.PostAsync(Send, s_hello);
            Assert.Equal("0", RawClient.Status(served));
        }
    }

    /// <summary>Which would be UNKNOWN otherwise, and clients would take it for a fault of the server.</summary>
    [Fact]
    public async Task Grpcio_is_told_that_bytes_are_no_message_of_the_method()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        await ForeignProgram.RunPythonAsync(gateway, "malformed");
    }

    [Fact]
    public async Task Every_method_refuses_bytes_that_are_not_its_message()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        var methods = typeof(MessageService).Assembly.GetTypes()
            .Select(t => t.GetProperty("Descriptor", typeof(ServiceDescriptor))?.GetValue(null) as ServiceDescriptor)
            .OfType<ServiceDescriptor>().SelectMany(s => s.Methods).ToList();
        Assert.True(methods.Count > 60, $"{methods.Count}");
        foreach (var method in methods) Assert.Equal($"{method.FullName} 3 MALFORMED_MESSAGE", await AskAsync(method));

        async Task<string> AskAsync(MethodDescriptor method)
        {
            foreach (var key in gateway.Keys.Values)
            {
                using var http = new RawClient(gateway.Address, key);
                using var response = await http.PostAsync($"{method.Service.Name}/{method.Name}", RawClient.Frame([0xff, 0xff]));
                // Each method opens to some of the keys.
                if (RawClient.Status(response) != "7") return $"{method.FullName} {RawClient.Status(response)} {RawClient.Reason(response)}";
            }
            return method.FullName + " opens to no key";
        }
    }

    [Fact]
    public async Task A_message_that_grows_beyond_the_limit_is_refused()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        using var http = new RawClient(gateway.Address, gateway.Bot);
        foreach (int size in new[] { 300_000, 50_000_000 })
        {
            byte[] bomb = RawClient.Frame(Gzip(Message(new string('x', size)).ToByteArray()), flag: 1);
            Assert.True(bomb.Length < 100_000);
            using var response = await http.PostAsync(Send, bomb, ("grpc-encoding", "gzip"));
            Assert.Equal("8", RawClient.Status(response));
        }
        using var damaged = await http.PostAsync(Send, RawClient.Frame([1, 2, 3, 4], flag: 1), ("grpc-encoding", "gzip"));
        Assert.Equal(("3", "MALFORMED_MESSAGE"), (RawClient.Status(damaged), RawClient.Reason(damaged)));
        using var unknown = await http.PostAsync(Send, s_hello, ("grpc-encoding", "lzma"));
        Assert.NotEqual("8", RawClient.Status(unknown));
        using var served = await http.PostAsync(Send, RawClient.Frame(Gzip(Message("x").ToByteArray()), flag: 1), ("grpc-encoding", "gzip"));
        Assert.Equal("0", RawClient.Status(served));
    }

    [Theory]
    [InlineData("x-a-bin", "!!")]
    [InlineData("x-a-bin", "AQ,AgM=")]
    [InlineData("grpc-timeout", "")]
    [InlineData("grpc-timeout", "-1S")]
    [InlineData("grpc-timeout", "1.5S")]
    [InlineData("grpc-timeout", "123456789S")]
    [InlineData("grpc-timeout", "99999999H")]
    [InlineData("grpc-accept-encoding", "\t,,")]
    public async Task Bad_metadata_costs_at_most_its_call(string name, string value)
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        using var http = new RawClient(gateway.Address, gateway.Bot);
        using var response = await http.PostAsync(Send, s_hello, (name, value));
        Assert.NotNull(RawClient.Status(response));
        using var served = await http.PostAsync(Send, s_hello);
        Assert.Equal("0", RawClient.Status(served));
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData(null)]
    public async Task Another_content_type_is_refused(string? contentType)
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        using var http = new RawClient(gateway.Address, gateway.Bot);
        using var response = await http.SendAsync(HttpMethod.Post, "/relay.v1." + Send, s_hello, contentType, ("authorization", "Bearer " + gateway.Bot));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Fact]
    public async Task Faults_of_callers_are_counted()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        long resets = 0, malformed = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Name == "relay.caller.faults") l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            if (Equals(tags[0].Value, "reset")) Interlocked.Add(ref resets, value);
            else Interlocked.Add(ref malformed, value);
        });
        listener.Start();
        using (var http = new RawClient(gateway.Address, gateway.Bot))
        {
            using var response = await http.PostAsync(Send, RawClient.Frame([0xff, 0xff]));
        }
        await Patience.UntilAsync(() => Interlocked.Read(ref malformed) >= 1);
        using (var channel = Grpc.Net.Client.GrpcChannel.ForAddress(gateway.Address))
        {
            using var call = new MessageService.MessageServiceClient(channel).SendMessageAsync(Message("hang"), new Grpc.Core.Metadata { { "authorization", "Bearer " + gateway.Bot } });
            await gateway.Hanging.Task.WaitAsync(Patience.Limit);
        }
        await Patience.UntilAsync(() => Interlocked.Read(ref resets) >= 1);
    }

    [Fact]
    public async Task No_fault_of_a_caller_is_an_error_in_the_log()
    {
        using var directory = new TempDirectory();
        var log = directory.File("log");
        await using (var server = await ServerProcess.StartAsync(directory.File("data"), "127.0.0.1:0", log, null, Patience.Token))
        {
            var admin = File.ReadAllText(Path.Combine(directory.File("data"), "admin.key")).Trim();
            using (var http = new RawClient(server.Address, admin))
            {
                foreach (var (_, body) in Bodies.Select(row => row.Data))
                {
                    using var response = await http.PostAsync("AdminService/CreateApiKey", body);
                }
                // Text that is no UTF-8, and what goes before it.
                using var text = await http.PostAsync("AdminService/CreateApiKey", RawClient.Frame([0x12, 13, .. "marked-text-"u8, 0xff]));
                Assert.Equal("3", RawClient.Status(text));
            }
            await ResetAsync(server.Address);
            Assert.Equal(0, await server.DrainAsync(Patience.Token));
        }
        foreach (var line in await File.ReadAllLinesAsync(log)) Assert.DoesNotMatch("fail:|crit:|warn:|Exception|   at |marked-text", line);
    }

    /// <summary>Resets 400 streams without a key: at once, or a little later, with more to come or without.</summary>
    private static async Task ResetAsync(Uri address)
    {
        using var channel = Grpc.Net.Client.GrpcChannel.ForAddress(address, new Grpc.Net.Client.GrpcChannelOptions { HttpHandler = new SocketsHttpHandler { EnableMultipleHttp2Connections = true }, DisposeHttpClient = true });
        var bridge = new BridgeService.BridgeServiceClient(channel);
        var messages = new MessageService.MessageServiceClient(channel);
        await Parallel.ForAsync(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 20 }, async (i, cancellation) =>
        {
            using var stream = bridge.StreamWire(cancellationToken: cancellation);
            using var unary = messages.SendMessageAsync(Message(new string('x', 10_000)), cancellationToken: cancellation);
            _ = unary.ResponseAsync.ContinueWith(t => t.Exception, TaskScheduler.Default);
            if (i % 3 == 0) await Task.Delay(2, cancellation);
            if (i % 3 == 1)
            {
                try
                {
                    await stream.RequestStream.WriteAsync(new StreamWireRequest { Open = new OpenStream { Endpoint = "endpoints/e" } }, cancellation);
                }
                catch (Grpc.Core.RpcException)
                {
                    // Refused already.
                }
            }
        });
    }

    private static SendMessageRequest Message(string text) => new() { RequestId = "1", Text = text, Parent = "endpoints/e", Peer = "p" };

    private static byte[] Gzip(byte[] data)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.SmallestSize)) gzip.Write(data);
        return output.ToArray();
    }
}
