using Google.Protobuf.Reflection;
using Grpc.Core;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Grpc.JsonTranscoding;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Relay.Client;
using Relay.Gateway.Auth;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>Who may call what: every method, with every kind of key.</summary>
public sealed class AuthTests
{
    /// <summary>Every file of the API: a new one cannot be forgotten.</summary>
    private static readonly FileDescriptor[] s_files = [.. typeof(EndpointReflection).Assembly.GetTypes()
        .Where(t => t.Namespace == typeof(EndpointReflection).Namespace && t.Name.EndsWith("Reflection", StringComparison.Ordinal))
        .Select(t => (FileDescriptor)t.GetProperty("Descriptor")!.GetValue(null)!)];

    /// <summary>Every scope, by the letter that stands for it below.</summary>
    private static readonly Dictionary<char, Scope> s_letters = new()
    {
        ['a'] = Scope.Admin, ['b'] = Scope.Bot, ['w'] = Scope.Bridge, ['m'] = Scope.Monitor, ['t'] = Scope.Trust, ['k'] = Scope.Keys,
    };

    private const string Any = "abwmtk";

    /// <summary>Said once more, by hand: the table under test must agree. a = admin, b = bot, w = bridge, m = monitor, t = trust, k = keys.</summary>
    private static readonly Dictionary<string, string> s_expected = new()
    {
        ["CreateEndpoint"] = "a", ["GetEndpoint"] = Any, ["ListEndpoints"] = Any, ["UpdateEndpoint"] = "a",
        ["DeleteEndpoint"] = "a", ["UndeleteEndpoint"] = "a", ["GetEndpointStatus"] = Any,
        ["ListIdentities"] = "abt", ["GetIdentity"] = "abt", ["UpdateIdentity"] = "bt", ["ImportIdentities"] = "t",
        ["AcceptIdentity"] = "bt", ["RefuseIdentity"] = "bt", ["SetAnswerSecret"] = "bt", ["ClearAnswerSecret"] = "bt",
        ["RotateIdentity"] = "k", ["ExportIdentity"] = "k", ["ImportIdentity"] = "k",
        ["CreateVerification"] = "bt", ["GetVerification"] = "bt", ["ListVerifications"] = "bt", ["AnswerVerification"] = "bt", ["CancelVerification"] = "bt",
        ["GetConversation"] = "abt", ["ListConversations"] = "abt", ["ResolveConversation"] = "abt", ["StartSession"] = "ab", ["EndSession"] = "ab",
        ["UpdateConversation"] = "ab", ["DeleteConversation"] = "ab",
        ["SendMessage"] = "b", ["GetMessage"] = "b", ["ListMessages"] = "b", ["CancelMessage"] = "b",
        ["CreateSubscription"] = "ab", ["GetSubscription"] = "abm", ["ListSubscriptions"] = "abm", ["UpdateSubscription"] = "ab", ["DeleteSubscription"] = "ab",
        ["PullSubscription"] = "b", ["WatchSubscription"] = "b", ["Subscribe"] = "b",
        ["AckSubscription"] = "b", ["NackSubscription"] = "b", ["SeekSubscription"] = "ab",
        ["ListDeadLetters"] = "b", ["RetryDeadLetters"] = "ab", ["DropDeadLetters"] = "ab",
        ["CreateFile"] = "b", ["GetFile"] = "b", ["ListFiles"] = "b", ["UploadFile"] = "b", ["CompleteFile"] = "b", ["DownloadFile"] = "b",
        ["DeleteFile"] = "b", ["DownloadBlob"] = "w", ["UploadBlob"] = "bw",
        ["StreamEvents"] = "b", ["WatchEvents"] = "b", ["PullEvents"] = "b", ["AckEvents"] = "b",
        ["StreamWire"] = "w", ["PushWire"] = "w", ["PullWire"] = "w", ["AckWire"] = "w", ["SettleWire"] = "w",
        ["CreateApiKey"] = "k", ["ListApiKeys"] = "mk", ["RevokeApiKey"] = "k", ["DeleteApiKey"] = "k", ["RotateApiKey"] = "k", ["UpdateApiKey"] = "k", ["GetCaller"] = Any,
        ["GetServer"] = "am", ["ListNodes"] = "am", ["ListAuditEntries"] = "am",
    };

    public static TheoryData<string> Methods => [.. Descriptors.Select(m => $"/{m.Service.FullName}/{m.Name}")];

    private static IEnumerable<MethodDescriptor> Descriptors => s_files.SelectMany(f => f.Services).SelectMany(s => s.Methods);

    [Fact]
    public async Task Every_method_of_the_descriptors_has_its_scopes_and_nothing_else_is_open()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var scopes = Scopes(server);
        var described = Descriptors.Select(m => $"/{m.Service.FullName}/{m.Name}").ToList();
        Assert.Equal(s_expected.Count, described.Count);
        foreach (var method in described) AssertScopes(s_expected[method.Split('/')[2]], scopes[method]);
        Dictionary<string, string> standard = new()
        {
            ["/grpc.health.v1.Health/Check"] = "public", ["/grpc.health.v1.Health/Watch"] = "public",
            ["/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"] = Any, ["/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"] = Any,
            // What the API looks like is no secret; a key is asked for by the calls that the page makes.
            ["/openapi/v1.json"] = "public", ["/docs/{documentName?}"] = "public",
            ["/docs/favicon.svg"] = "public", ["/docs/scalar.js"] = "public", ["/docs/scalar.aspnetcore.js"] = "public",
            // On the probes' port only.
            ["/livez"] = "public", ["/readyz"] = "public",
        };
        foreach (var (route, expected) in standard) AssertScopes(expected, scopes[route]);
        // The HTTP/JSON routes of a method are open to the same scopes.
        var transcoded = server.Host.Services.GetServices<EndpointDataSource>().SelectMany(s => s.Endpoints).OfType<RouteEndpoint>()
            .Where(e => e.Metadata.GetMetadata<GrpcJsonTranscodingMetadata>() is not null).ToList();
        Assert.All(transcoded, e => AssertScopes(s_expected[e.Metadata.GetMetadata<GrpcJsonTranscodingMetadata>()!.MethodDescriptor.Name], scopes[Name(e)]));
        var transcodable = Descriptors.Where(m => !m.IsClientStreaming).Select(m => m.FullName);
        Assert.Equal(transcodable.Order(), transcoded.Select(e => e.Metadata.GetMetadata<GrpcJsonTranscodingMetadata>()!.MethodDescriptor.FullName).Distinct().Order());
        Assert.Equal(described.Concat(standard.Keys).Concat(transcoded.Select(Name)).Order(), scopes.Keys.Order());
    }

    [Fact]
    public async Task What_has_no_policy_may_be_called_by_nobody()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay(), map: app => app.MapGrpcService<Forgotten>());
        Assert.Equal("", Scopes(server)["/relay.test.Forgotten/Call"]);
        foreach (var token in new[] { server.AdminToken, await server.CreateKeyAsync(Scope.Bot), await server.CreateKeyAsync(Scope.Bridge) })
            Assert.Equal(StatusCode.PermissionDenied, await CallAsync(server, "/relay.test.Forgotten/Call", token));
        Assert.Equal(StatusCode.Unauthenticated, await CallAsync(server, "/relay.test.Forgotten/Call", null));
        // That there is no such method is no secret, and what it is called in another case is the same method.
        Assert.Equal(StatusCode.Unimplemented, await CallAsync(server, "/relay.v1.AdminService/Nothing", null));
        Assert.Equal(StatusCode.Unimplemented, await CallAsync(server, "/relay.v1.Nobody/Nothing", server.AdminToken));
        Assert.Equal(StatusCode.Unauthenticated, await CallAsync(server, "/relay.v1.AdminService/listapikeys", null));
        Assert.Equal(StatusCode.PermissionDenied, await CallAsync(server, "/RELAY.V1.AdminService/ListApiKeys", await server.CreateKeyAsync(Scope.Bot)));
    }

    [Fact]
    public async Task No_scope_opens_both_plaintext_and_wire_text()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var scopes = Scopes(server);
        string[] plaintext = ["SendMessage", "UploadFile", "DownloadFile", "StreamEvents", "WatchEvents", "PullEvents"];
        string[] wire = ["StreamWire", "PushWire", "PullWire", "DownloadBlob"];
        foreach (char scope in Any)
        {
            bool Opens(string method) => scopes.Single(m => m.Key.EndsWith("/" + method, StringComparison.Ordinal)).Value.Contains(scope);
            Assert.False(plaintext.Any(Opens) && wire.Any(Opens), scope.ToString());
        }
    }

    private static void AssertScopes(string expected, string actual) => Assert.Equal(string.Concat(expected.Order()), string.Concat(actual.Order()));

    /// <summary>Of every route that leads to something: the scopes that may call it, as in <see cref="s_expected"/>.</summary>
    private static Dictionary<string, string> Scopes(TestServer server)
    {
        var routes = server.Host.Services.GetServices<EndpointDataSource>().SelectMany(s => s.Endpoints).OfType<RouteEndpoint>()
            .Where(e => e.DisplayName?.StartsWith("gRPC - Unimplemented", StringComparison.Ordinal) != true);
        return routes.ToDictionary(Name, e =>
        {
            // A policy of its own would take the place of the one by the table.
            Assert.Null(e.Metadata.GetMetadata<IAuthorizeData>());
            if (e.Metadata.GetMetadata<IAllowAnonymous>() is not null) return "public";
            var scopes = MethodRules.Of(e.Metadata)?.Scopes ?? [];
            return string.Concat(s_letters.Where(l => scopes.Any(s => s.ToString() == l.Value.ToString())).Select(l => l.Key));
        });
    }

    /// <summary>The route; of an HTTP/JSON call with its verb before it.</summary>
    private static string Name(RouteEndpoint e) => e.Metadata.GetMetadata<GrpcJsonTranscodingMetadata>() is { } json
        ? $"{json.HttpRule.PatternCase} {e.RoutePattern.RawText}" : e.RoutePattern.RawText!;

    /// <summary>A service whose author forgot the attribute.</summary>
    private sealed class Forgotten : ForgottenBase
    {
        public override Task<byte[]> Call(byte[] request, ServerCallContext context) => Task.FromResult(request);
    }

    [BindServiceMethod(typeof(ForgottenBase), nameof(Bind))]
    private abstract class ForgottenBase
    {
        private static readonly Marshaller<byte[]> s_bytes = Marshallers.Create<byte[]>(m => m, m => m);

        public static void Bind(ServiceBinderBase binder, ForgottenBase? service) =>
            binder.AddMethod(new Method<byte[], byte[]>(MethodType.Unary, "relay.test.Forgotten", "Call", s_bytes, s_bytes), service is null ? null : service.Call);

        public abstract Task<byte[]> Call(byte[] request, ServerCallContext context);
    }

    [Theory, MemberData(nameof(Methods))]
    public async Task A_method_opens_to_its_scopes_only(string method)
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var name = method.Split('/')[2];
        var keys = new Dictionary<char, string>();
        foreach (var (letter, scope) in s_letters) keys.Add(letter, await server.CreateKeyAsync(scope));
        foreach (var (scope, token) in keys)
        {
            var status = await CallAsync(server, method, token);
            if (s_expected[name].Contains(scope)) Assert.False(status is StatusCode.PermissionDenied or StatusCode.Unauthenticated, $"{method} is closed to {scope}: {status}");
            else Assert.Equal(StatusCode.PermissionDenied, status);
        }
        Assert.Equal(StatusCode.Unauthenticated, await CallAsync(server, method, null));
        var wrong = keys['a'][..^1] + (keys['a'][^1] == '0' ? '1' : '0');
        Assert.Equal(StatusCode.Unauthenticated, await CallAsync(server, method, wrong));
    }

    [Fact]
    public async Task An_expired_or_revoked_key_opens_nothing()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        const string method = "/relay.v1.EventService/PullEvents";

        var soon = await server.CreateKeyAsync(Scope.Bot, DateTimeOffset.UtcNow.AddSeconds(2));
        Assert.True(ApiKeyToken.TryParse(soon, out var token));
        var file = ApiKeyFile.Open(server.DataDirectory);
        var stored = file.List().Single(k => k.Id == token.Id);
        Assert.NotNull(await file.AuthenticateAsync(token, stored.Expires!.Value.AddTicks(-1), CancellationToken.None));
        Assert.Null(await file.AuthenticateAsync(token, stored.Expires!.Value, CancellationToken.None));

        var revoked = await server.CreateKeyAsync(Scope.Bot);
        Assert.NotEqual(StatusCode.Unauthenticated, await CallAsync(server, method, revoked));
        var list = await server.Admin.Admin.ListApiKeysAsync(new ListApiKeysRequest());
        ApiKeyToken.TryParse(revoked, out var parsed);
        var name = list.ApiKeys.Single(k => k.Name.EndsWith(parsed!.Id, StringComparison.Ordinal)).Name;
        var first = await server.Admin.Admin.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = name });
        var second = await server.Admin.Admin.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = name });
        Assert.Equal(first.RevokeTime, second.RevokeTime);
        Assert.Equal(StatusCode.Unauthenticated, await CallAsync(server, method, revoked));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stream_does_not_outlive_its_key(bool revoked)
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var tokens = new[] { Scope.Bot, Scope.Bridge }.Select(s => server.CreateKeyAsync(s, revoked ? null : DateTimeOffset.UtcNow.AddSeconds(5))).ToList();
        using var events = server.Connect(await tokens[0]).EventStreams.StreamEvents();
        using var wire = server.Connect(await tokens[1]).BridgeStreams.StreamWire();
        await events.RequestStream.SayAsync(new StreamEventsRequest { Open = new OpenStream { Endpoint = "endpoints/e" } });
        await wire.RequestStream.SayAsync(new StreamWireRequest { Open = new OpenStream { Endpoint = "endpoints/e" } });
        // Both stand: each has said that it caught up.
        Assert.True(await events.ResponseStream.MoveNext(Patience.Token));
        Assert.True(await wire.ResponseStream.MoveNext(Patience.Token));
        if (revoked)
        {
            foreach (var key in (await server.Admin.Admin.ListApiKeysAsync(new ListApiKeysRequest())).ApiKeys.Where(k => !k.Scopes.Contains(Scope.Admin)))
                await server.Admin.Admin.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = key.Name });
        }
        await Expect.RefusedAsync(StatusCode.Unauthenticated, "KEY_INVALID", () => events.ResponseStream.EndsAsync());
        await Expect.RefusedAsync(StatusCode.Unauthenticated, "KEY_INVALID", () => wire.ResponseStream.EndsAsync());
    }

    [Fact]
    public async Task A_stream_with_its_hands_full_does_not_outlive_its_key()
    {
        var relay = new FakeRelay
        {
            OnAsk = async (_, _, cancellation) =>
            {
                await Task.Delay(Timeout.Infinite, cancellation);
                throw new System.Diagnostics.UnreachableException();
            },
        };
        await using var server = await TestServer.StartAsync(relay);
        using var wire = server.Connect(await server.CreateKeyAsync(Scope.Bridge)).BridgeStreams.StreamWire();
        // More than may be in work: the server waits with one of them in its hand and reads no further.
        for (int i = 0; i < 300; i++)
        {
            await wire.RequestStream.SayAsync(new StreamWireRequest
            {
                Inbound = new InboundWire { Endpoint = "endpoints/e", Peer = $"p{i}", MessageId = "1", Text = Google.Protobuf.ByteString.CopyFromUtf8("x") },
            });
        }
        var key = (await server.Admin.Admin.ListApiKeysAsync(new ListApiKeysRequest())).ApiKeys.Single(k => k.Scopes.Contains(Scope.Bridge));
        await server.Admin.Admin.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = key.Name });
        await Expect.RefusedAsync(StatusCode.Unauthenticated, "KEY_INVALID", () => wire.ResponseStream.EndsAsync());
    }

    [Fact]
    public async Task A_limited_key_opens_its_endpoints_only()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var bot = await server.ConnectAsync(Scope.Bot, "endpoints/mine");
        var bridge = await server.ConnectAsync(Scope.Bridge, "endpoints/mine");
        await bot.EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = "endpoints/mine" });
        const string reason = "ENDPOINT_NOT_ALLOWED";
        await Expect.RefusedAsync(StatusCode.PermissionDenied, reason, async () => await bot.EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = "endpoints/other" }));
        await Expect.RefusedAsync(StatusCode.PermissionDenied, reason, async () => await bot.Endpoints.GetEndpointAsync(new GetEndpointRequest { Name = "endpoints/other" }));
        await Expect.RefusedAsync(StatusCode.PermissionDenied, reason, async () => await bot.Messages.SendMessageAsync(new SendMessageRequest
        {
            RequestId = "1", Text = "x", Parent = "endpoints/other", Peer = "p",
        }));
        await Expect.RefusedAsync(StatusCode.PermissionDenied, reason, async () => await bridge.BridgeStreams.PushWireAsync(new PushWireRequest
        {
            Message = new InboundWire { Endpoint = "endpoints/other", Peer = "p", MessageId = "1", Text = Google.Protobuf.ByteString.CopyFromUtf8("x") },
        }));
        using var stream = bot.EventStreams.StreamEvents();
        await stream.RequestStream.SayAsync(new StreamEventsRequest { Open = new OpenStream { Endpoint = "endpoints/other" } });
        await Expect.RefusedAsync(StatusCode.PermissionDenied, reason, () => stream.ResponseStream.MoveNext(CancellationToken.None));

        var seen = await bot.Endpoints.ListEndpointsAsync(new ListEndpointsRequest());
        Assert.Equal("endpoints/mine", Assert.Single(seen.Endpoints).Name);
    }

    [Fact]
    public async Task A_stranger_learns_the_same_of_an_unknown_and_a_wrong_key()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var unknown = await StatusAsync(server, "/relay.v1.EventService/PullEvents", "relay_aaaaaaaaaaaaaaaa_" + new string('0', 64));
        var admin = server.AdminToken;
        var wrong = await StatusAsync(server, "/relay.v1.EventService/PullEvents", admin[..^64] + new string('0', 64));
        Assert.Equal(unknown.Detail, wrong.Detail);
        Assert.Equal(unknown.StatusCode, wrong.StatusCode);
    }

    private static async Task<StatusCode> CallAsync(TestServer server, string method, string? token) => (await StatusAsync(server, method, token)).StatusCode;

    /// <summary>Calls any method with an empty request, as bytes.</summary>
    private static async Task<Status> StatusAsync(TestServer server, string method, string? token)
    {
        var parts = method.Split('/');
        var bytes = Marshallers.Create<byte[]>(m => m, m => m);
        var duplex = parts[2].StartsWith("Stream", StringComparison.Ordinal);
        var client = server.Connect(token);
        var options = new CallOptions(deadline: DateTime.UtcNow.AddSeconds(60));
        try
        {
            if (duplex)
            {
                using var call = client.Invoker.AsyncDuplexStreamingCall(new Method<byte[], byte[]>(MethodType.DuplexStreaming, parts[1], parts[2], bytes, bytes), null, options);
                await call.RequestStream.CompleteAsync();
                await call.ResponseStream.MoveNext(CancellationToken.None);
            }
            else
            {
                await client.Invoker.AsyncUnaryCall(new Method<byte[], byte[]>(MethodType.Unary, parts[1], parts[2], bytes, bytes), null, options, []);
            }
            return Status.DefaultSuccess;
        }
        catch (RpcException e)
        {
            return e.Status;
        }
    }
}
