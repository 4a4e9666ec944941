using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Microsoft.Data.Sqlite;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>
/// Every method of every service with bad input, over gRPC and over HTTP: the same refusal in both, for what is another's the same as for what
/// does not exist, without a trace of the inside, and the store has the bytes that it had. A method without a row fails.
/// </summary>
public sealed class BadInputTests(BadInputTests.Stage stage) : IClassFixture<BadInputTests.Stage>
{
    /// <summary>What an answer said.</summary>
    private sealed record Said(StatusCode Code, string? Reason, string Text);

    private static readonly string[] s_withoutFields = ["ListEndpoints", "ListApiKeys", "GetCaller", "GetServer", "ListNodes", "ListAuditEntries"];

    public static TheoryData<string> Methods => [.. BadInputTable.Methods.Select(m => m.FullName)];

    /// <summary>A server with the endpoints <c>mine</c> and <c>other</c>, and a key of each scope that is limited to <c>mine</c>.</summary>
    public sealed class Stage : IAsyncLifetime
    {
        private readonly Dictionary<Scope, string> _tokens = [];

        public TestServer Running { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Running = await TestServer.StartAsync(settings: new() { ["--http-listen"] = "127.0.0.1:0" });
            foreach (var id in new[] { "mine", "other" })
            {
                await Running.CreateEndpointAsync(id);
                await Running.CreateKeyAsync(Scope.Bot);
            }
            var bot = await Running.ConnectAsync(Scope.Bot);
            foreach (var id in new[] { "mine", "other" })
                await bot.Subscriptions.CreateSubscriptionAsync(new CreateSubscriptionRequest { Parent = "endpoints/" + id, SubscriptionId = "s" });
            foreach (var scope in Enum.GetValues<Scope>().Where(s => s != Scope.Unspecified))
                _tokens[scope] = await Running.CreateKeyAsync(scope, null, scope is Scope.Admin or Scope.Keys ? [] : ["endpoints/mine"]);
        }

        public string Token(Scope scope) => _tokens[scope];

        /// <summary>A digest of every row but those of the audit log, and of the keys.</summary>
        public string State()
        {
            using var connection = new SqliteConnection($"Data Source={Path.Combine(Running.DataDirectory, "relay.db")};Mode=ReadOnly;Pooling=False");
            connection.Open();
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            List<string> Texts(string sql)
            {
                using var command = connection.CreateCommand();
                command.CommandText = sql;
                using var rows = command.ExecuteReader();
                var all = new List<string>();
                while (rows.Read())
                {
                    all.Add(string.Join('|', Enumerable.Range(0, rows.FieldCount)
                        .Select(i => rows.GetValue(i) is byte[] bytes ? Convert.ToHexString(bytes) : rows.GetValue(i).ToString())));
                }
                return all;
            }
            foreach (var table in Texts("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('audit', 'sqlite_sequence') ORDER BY name"))
                foreach (var row in Texts($"SELECT * FROM \"{table}\"").Order(StringComparer.Ordinal)) hash.AppendData(Encoding.UTF8.GetBytes($"{table}|{row}\n"));
            hash.AppendData(File.ReadAllBytes(Path.Combine(Running.DataDirectory, "api-keys.json")));
            return Convert.ToHexString(hash.GetHashAndReset());
        }

        public ValueTask DisposeAsync() => Running.DisposeAsync();
    }

    [Fact]
    public void Every_method_has_a_row_and_every_row_a_method()
    {
        var methods = BadInputTable.Methods.ToList();
        Assert.Equal(BadInputTable.Count, methods.Count);
        foreach (var method in methods) Assert.NotNull(BadInputTable.Request(method));
    }

    /// <summary>The rows are well formed: only then do the tests below say something about what they change.</summary>
    [Theory, MemberData(nameof(Methods))]
    public async Task A_row_is_refused_for_nothing_in_its_form(string name)
    {
        var method = Find(name);
        if (method.Name is "WatchEvents" or "WatchSubscription" or "Subscribe" or "StreamEvents" or "StreamWire") return;
        // Not carried out: the state is that of all tests.
        if (stage.Running is { } && method.Name.StartsWith("Get", StringComparison.Ordinal))
        {
            var said = await GrpcAsync(method, BadInputTable.Request(method).ToByteArray(), stage.Token(BadInputTable.ScopeOf(method)));
            Assert.True(said.Code is StatusCode.OK or StatusCode.NotFound, $"{said.Code} {said.Reason} {said.Text}");
        }
    }

    [Theory, MemberData(nameof(Methods))]
    public async Task What_is_missing_malformed_or_too_large_is_told_alike_and_changes_nothing(string name)
    {
        var method = Find(name);
        var before = stage.State();
        if (!s_withoutFields.Contains(method.Name))
        {
            var missing = method.InputType.Parser.ParseFrom(ByteString.Empty);
            await BothAsync(method, missing, StatusCode.InvalidArgument, "INVALID_ARGUMENT", http: false);
            string[] wrong = ["endpoints/Not_a_name", "endpoints/..", "endpoints/%00", "apiKeys/endpoints"];
            if (Mentions(method)) foreach (var bad in wrong)
                await BothAsync(method, BadInputTable.Request(method, j => j.Replace("endpoints/mine", bad, StringComparison.Ordinal)), StatusCode.InvalidArgument, "INVALID_ARGUMENT", http: bad == wrong[0]);
        }
        foreach (var field in method.InputType.Fields.InFieldNumberOrder().Where(f => f is { FieldType: FieldType.String, IsRepeated: false }))
        {
            var large = BadInputTable.Request(method);
            field.Accessor.SetValue(large, new string('x', 70_000));
            await BothAsync(method, large, StatusCode.InvalidArgument, "INVALID_ARGUMENT", http: false);
            field.Accessor.SetValue(large, new string('x', 300_000));
            var said = await GrpcAsync(method, large.ToByteArray(), stage.Token(BadInputTable.ScopeOf(method)));
            Assert.Equal(StatusCode.ResourceExhausted, said.Code);
        }
        Assert.Equal(before, stage.State());
    }

    [Theory, MemberData(nameof(Methods))]
    public async Task What_is_anothers_is_told_as_what_does_not_exist_and_changes_nothing(string name)
    {
        var method = Find(name);
        if (!Mentions(method) || BadInputTable.ScopeOf(method) is Scope.Admin or Scope.Keys) return;
        var before = stage.State();
        IMessage About(string id) => BadInputTable.Request(method, j => j.Replace("endpoints/mine", "endpoints/" + id, StringComparison.Ordinal));
        var others = await BothAsync(method, About("other"), StatusCode.PermissionDenied, "ENDPOINT_NOT_ALLOWED");
        var none = await BothAsync(method, About("none"), StatusCode.PermissionDenied, "ENDPOINT_NOT_ALLOWED");
        Assert.Equal(others, none);
        Assert.Equal(before, stage.State());
    }

    [Theory, MemberData(nameof(Methods))]
    public async Task Callers_without_a_key_with_a_wrong_one_or_of_another_scope_are_refused_alike(string name)
    {
        var method = Find(name);
        var before = stage.State();
        var request = BadInputTable.Request(method);
        await BothAsync(method, request, StatusCode.Unauthenticated, "KEY_MISSING", token: "");
        await BothAsync(method, request, StatusCode.Unauthenticated, "KEY_INVALID", token: "relay_aaaaaaaaaaaaaaaa_" + new string('0', 64));
        await BothAsync(method, request, StatusCode.Unauthenticated, "KEY_INVALID", token: "eyJhbGciOiJub25lIn0.e30.");
        var allowed = Relay.Gateway.Auth.MethodRules.Of($"/{method.Service.FullName}/{method.Name}")!.Scopes.Select(s => s.ToString()).ToHashSet();
        foreach (var scope in Enum.GetValues<Scope>().Where(s => s != Scope.Unspecified && !allowed.Contains(s.ToString())))
            await BothAsync(method, request, StatusCode.PermissionDenied, "SCOPE_MISSING", token: stage.Token(scope));
        Assert.Equal(before, stage.State());
    }

    [Theory, MemberData(nameof(Methods))]
    public async Task Random_bytes_are_no_fault_of_the_server_and_change_nothing(string name)
    {
        var method = Find(name);
        var before = stage.State();
        var token = stage.Token(BadInputTable.ScopeOf(method));
        var random = new Random(7);
        for (int i = 0; i < 20; i++)
        {
            var bytes = new byte[random.Next(1, 200)];
            random.NextBytes(bytes);
            // A field number of zero is never valid.
            if (i % 2 == 0) bytes[0] = 0;
            var said = await GrpcAsync(method, bytes, token);
            AssertDiscreet(said.Text);
            if (i % 2 == 0) Assert.Equal((StatusCode.InvalidArgument, "MALFORMED_MESSAGE"), (said.Code, said.Reason));
            Assert.False(said.Code is StatusCode.Unknown or StatusCode.Internal or StatusCode.DataLoss, $"{said.Code} {said.Text}");
        }
        if (BadInputTable.Http(method, BadInputTable.Request(method)) is (var verb, var path, { } _))
        {
            foreach (var body in new[] { "", "{", "[]", "null", "\"x\"", "\0\u0001", new string('[', 10_000) })
            {
                var said = await HttpAsync(verb, path, body, token);
                Assert.True(said is { Code: StatusCode.InvalidArgument, Reason: "MALFORMED_MESSAGE" }, $"{body[..Math.Min(20, body.Length)]}: {said}");
            }
            // Missing, and larger than any call may be.
            foreach (var body in new[] { null, $$"""{"x":"{{new string('x', 3_000_000)}}"}""" })
            {
                var said = await HttpAsync(verb, path, body, token);
                Assert.True(said is { Code: StatusCode.InvalidArgument, Reason: "MALFORMED_MESSAGE" }, $"{body?.Length}: {said}");
            }
        }
        Assert.Equal(before, stage.State());
    }

    /// <summary>A token of a page: rubbish, one that nobody has issued, one of another method, and one of another caller's list.</summary>
    [Theory, MemberData(nameof(Methods))]
    public async Task A_page_token_opens_no_more_than_its_caller_may_see_and_changes_nothing(string name)
    {
        var method = Find(name);
        if (method.InputType.FindFieldByName("page_token") is not { } field) return;
        var before = stage.State();
        IMessage With(string token)
        {
            var request = BadInputTable.Request(method);
            field.Accessor.SetValue(request, token);
            return request;
        }
        foreach (var rubbish in new[] { "!", "a", "%00", "AAAA=", new string('A', 300), new string('=', 4) })
            await BothAsync(method, With(rubbish), StatusCode.InvalidArgument, "INVALID_ARGUMENT", http: rubbish == "!");
        var token = stage.Token(BadInputTable.ScopeOf(method));
        // Forged, of another endpoint, of another method, of another form: they say where a page begins, and give no rights.
        foreach (var about in new[] { "endpoints/other", "other", "endpoints/mine", "apiKeys/aaaaaaaaaaaaaaaa", "0", "18446744073709551615", "99999999999999999999", "\0", "\uffff", "a b'--" })
        {
            var said = await GrpcAsync(method, With(Convert.ToBase64String(Encoding.UTF8.GetBytes(about))).ToByteArray(), token);
            AssertDiscreet(said.Text);
            // The key of this scope is limited to an endpoint: it sees no entry of the audit log.
            bool isLimited = method.Name == "ListAuditEntries" && said.Code is StatusCode.PermissionDenied;
            Assert.True(isLimited || said.Code is StatusCode.OK or StatusCode.NotFound or StatusCode.InvalidArgument, $"{about}: {said.Code} {said.Text}");
        }
        Assert.Equal(before, stage.State());
    }

    [Theory]
    [InlineData("UpdateEndpoint")]
    [InlineData("DeleteEndpoint")]
    [InlineData("UndeleteEndpoint")]
    [InlineData("RotateIdentity")]
    public async Task An_etag_that_is_over_is_refused_alike_and_changes_nothing(string name)
    {
        var method = BadInputTable.Methods.Single(m => m.Name == name);
        var before = stage.State();
        var request = BadInputTable.Request(method, j => j.Replace("\"name\"", "\"etag\":\"12345\",\"name\"", StringComparison.Ordinal));
        await BothAsync(method, request, StatusCode.Aborted, "ETAG_MISMATCH");
        Assert.Equal(before, stage.State());
    }

    private static MethodDescriptor Find(string name) => BadInputTable.Methods.Single(m => m.FullName == name);

    private static bool Mentions(MethodDescriptor method) => method.Name != "CreateApiKey"
        && BadInputTable.Request(method).ToString()!.Contains("endpoints/mine", StringComparison.Ordinal);

    /// <summary>Calls over gRPC and, where the method has a route for it, over HTTP; both must say the same.</summary>
    private async Task<Said> BothAsync(MethodDescriptor method, IMessage request, StatusCode code, string reason, string? token = null, bool http = true)
    {
        token ??= stage.Token(BadInputTable.ScopeOf(method));
        var said = await GrpcAsync(method, request.ToByteArray(), token);
        Assert.True((code, reason) == (said.Code, said.Reason), $"{method.Name} over gRPC: {said.Code} {said.Reason} {said.Text}\n{request}");
        AssertDiscreet(said.Text);
        if (!http || BadInputTable.Http(method, request) is not (var verb, var path, var body)) return said;
        var again = await HttpAsync(verb, path, body, token);
        Assert.True(said == again, $"{method.Name} over HTTP, {verb} {path}: {again.Code} {again.Reason} {again.Text}; over gRPC {said.Text}");
        return said;
    }

    private static void AssertDiscreet(string text)
    {
        foreach (var inside in new[] { "   at ", "Exception", ".cs", "SQLite", "relay.db", "Relay.Actors" }) Assert.DoesNotContain(inside, text, StringComparison.Ordinal);
    }

    private async Task<Said> GrpcAsync(MethodDescriptor method, byte[] request, string token)
    {
        var client = stage.Running.Connect(token.Length == 0 || !token.StartsWith("relay_", StringComparison.Ordinal) ? null : token);
        var headers = new Metadata();
        if (token.Length > 0 && !token.StartsWith("relay_", StringComparison.Ordinal)) headers.Add("authorization", "Bearer " + token);
        var bytes = Marshallers.Create<byte[]>(m => m, m => m);
        Method<byte[], byte[]> Make(MethodType type) => new(type, method.Service.FullName, method.Name, bytes, bytes);
        var options = new CallOptions(headers, deadline: DateTime.UtcNow.AddSeconds(30));
        try
        {
            if (method.IsClientStreaming)
            {
                using var call = client.Invoker.AsyncDuplexStreamingCall(Make(MethodType.DuplexStreaming), null, options);
                await call.RequestStream.SayAsync(request);
                await call.RequestStream.CompleteAsync();
                while (await call.ResponseStream.MoveNext(CancellationToken.None)) { }
            }
            else if (method.IsServerStreaming)
            {
                using var call = client.Invoker.AsyncServerStreamingCall(Make(MethodType.ServerStreaming), null, options, request);
                await call.ResponseStream.MoveNext(CancellationToken.None);
            }
            else await client.Invoker.AsyncUnaryCall(Make(MethodType.Unary), null, options, request);
            return new Said(StatusCode.OK, null, "");
        }
        catch (RpcException e)
        {
            return new Said(e.StatusCode, RelayException.From(e).Reason, e.Status.Detail);
        }
        finally
        {
            await client.DisposeAsync();
        }
    }

    private async Task<Said> HttpAsync(HttpMethod verb, string path, string? body, string token)
    {
        using var client = new HttpClient { BaseAddress = stage.Running.Host.HttpAddress };
        using var request = new HttpRequestMessage(verb, path);
        if (token.Length > 0) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        // The answer to a body that is too large comes before it is sent.
        request.Headers.ExpectContinue = body?.Length > 100_000;
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (response.IsSuccessStatusCode) return new Said(StatusCode.OK, null, "");
        var text = await response.Content.ReadAsStringAsync();
        AssertDiscreet(text);
        var json = JsonNode.Parse(text)!;
        var code = (StatusCode)json["code"]!.GetValue<int>();
        Assert.Equal(HttpStatus(code), (int)response.StatusCode);
        return new Said(code, json["details"]?.AsArray().Select(d => d!["reason"]?.GetValue<string>()).FirstOrDefault(r => r is not null), json["message"]!.GetValue<string>());
    }

    /// <summary>As google.rpc.Code has it.</summary>
    private static int HttpStatus(StatusCode code) => code switch
    {
        StatusCode.InvalidArgument or StatusCode.FailedPrecondition or StatusCode.OutOfRange => 400,
        StatusCode.Unauthenticated => 401,
        StatusCode.PermissionDenied => 403,
        StatusCode.NotFound => 404,
        StatusCode.Aborted or StatusCode.AlreadyExists => 409,
        StatusCode.ResourceExhausted => 429,
        StatusCode.Unavailable => 503,
        _ => 500,
    };
}
