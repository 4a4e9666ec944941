using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>The API over HTTP/JSON: the same calls, errors, scopes and limits as over gRPC.</summary>
public sealed class HttpTests
{
    /// <summary>One caller, as curl would be.</summary>
    private sealed class Http(Uri server, string? token) : IDisposable
    {
        private readonly HttpClient _client = new() { BaseAddress = server, Timeout = TimeSpan.FromMinutes(1) };

        public async Task<(HttpStatusCode Status, JsonNode Body)> CallAsync(HttpMethod method, string path, string? json = null, string? type = "application/json")
        {
            using var request = new HttpRequestMessage(method, path);
            // The answer to a body that is too large comes before it is sent.
            request.Headers.ExpectContinue = json?.Length > 100_000;
            if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            if (json is not null)
            {
                request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(json));
                if (type is not null) request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
            }
            using var response = await _client.SendAsync(request);
            Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
            return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
        }

        public async Task<JsonNode> GetAsync(string path) => Ok(await CallAsync(HttpMethod.Get, path));

        public async Task<JsonNode> PostAsync(string path, string json) => Ok(await CallAsync(HttpMethod.Post, path, json));

        public async Task<JsonNode> PatchAsync(string path, string json) => Ok(await CallAsync(HttpMethod.Patch, path, json));

        public void Dispose() => _client.Dispose();

        private static JsonNode Ok((HttpStatusCode Status, JsonNode Body) answer)
        {
            Assert.True(answer.Status == HttpStatusCode.OK, $"{(int)answer.Status}: {answer.Body}");
            return answer.Body;
        }
    }

    private static Task<TestServer> StartAsync() => TestServer.StartAsync(settings: new() { ["--http-listen"] = "127.0.0.1:0" });

    private static string Reason(JsonNode error) =>
        error["details"]!.AsArray().Single(d => d!["@type"]!.GetValue<string>().EndsWith("ErrorInfo", StringComparison.Ordinal))!["reason"]!.GetValue<string>();

    [Fact]
    public async Task A_whole_conversation_by_http()
    {
        await using var server = await StartAsync();
        using var admin = new Http(server.Host.HttpAddress!, server.AdminToken);
        var made = await admin.PostAsync("/v1/endpoints", """{"requestId":"1","endpointId":"support","network":"xmpp","account":"support@example.org"}""");
        Assert.Equal(("endpoints/support", 40), (made["name"]!.GetValue<string>(), made["fingerprint"]!.GetValue<string>().Length));
        Assert.Equal(made.ToJsonString(), (await admin.GetAsync("/v1/endpoints/support")).ToJsonString());
        Assert.Single((await admin.GetAsync("/v1/endpoints?pageSize=1"))["endpoints"]!.AsArray());
        var updated = await admin.PatchAsync("/v1/endpoints/support?updateMask=displayName,policy.keyChange,sessionIdleLife",
            """{"displayName":"Support","policy":{"keyChange":"REFUSE"},"sessionIdleLife":"3600s"}""");
        Assert.Equal(("Support", "REFUSE", "3600s", "2", true), (updated["displayName"]!.GetValue<string>(), updated["policy"]!["keyChange"]!.GetValue<string>(),
            updated["sessionIdleLife"]!.GetValue<string>(), updated["etag"]!.GetValue<string>(), updated["policy"]!["allowV3"]!.GetValue<bool>()));
        var key = await admin.PostAsync("/v1/apiKeys", """{"requestId":"k","scopes":["BOT"],"endpoints":["endpoints/support"]}""");
        using var bot = new Http(server.Host.HttpAddress!, key["token"]!.GetValue<string>());

        // Long poll: nothing yet, and then the first event as soon as it is there.
        var begun = System.Diagnostics.Stopwatch.StartNew();
        Assert.Empty((await bot.GetAsync("/v1/endpoints/support/events?wait=0.3s"))["events"]!.AsArray());
        Assert.InRange(begun.ElapsedMilliseconds, 250, 20_000);
        var polling = bot.GetAsync("/v1/endpoints/support/events?wait=60s");
        using var alice = new Contact("alice@example.org");
        await using var network = new Network(await server.ConnectAsync(Scope.Bridge), "endpoints/support", alice);
        begun.Restart();
        alice.Start();
        var first = Assert.Single((await polling)["events"]!.AsArray())!;
        Assert.True(begun.Elapsed < TimeSpan.FromSeconds(30));
        Assert.Equal(("1", "KEY_EXCHANGE"), (first["sequence"]!.GetValue<string>(), first["sessionChanged"]!["cause"]!.GetValue<string>()));
        var conversation = first["conversation"]!.GetValue<string>();

        var sent = await bot.PostAsync("/v1/endpoints/support/messages", """{"requestId":"m1","peer":"alice@example.org","text":"grüße 🦊"}""");
        Assert.Equal((conversation, "ENCRYPTED"), (sent["conversation"]!.GetValue<string>(), sent["disposition"]!.GetValue<string>()));
        Assert.Equal(("grüße 🦊", true), await alice.Texts.NextAsync());
        await bot.PostAsync($"/v1/{conversation}/messages", """{"requestId":"m2","text":"by name"}""");
        Assert.Equal(("by name", true), await alice.Texts.NextAsync());
        Assert.Equal("{}", (await bot.PostAsync("/v1/endpoints/support/events:ack", """{"sequence":"1"}""")).ToJsonString());
        alice.Send("hello");
        var text = Assert.Single((await bot.GetAsync("/v1/endpoints/support/events?wait=60s&maxEvents=5"))["events"]!.AsArray())!;
        Assert.Equal(("hello", false), (text["textReceived"]!["text"]!.GetValue<string>(), text["textReceived"]!["peerVerified"]!.GetValue<bool>()));

        // Alice is verified, and every list shows it.
        var verification = await bot.PostAsync($"/v1/{conversation}/verifications", """{"requestId":"v1","secret":"4711","question":"Your number?"}""");
        alice.Answer((await alice.Questions.NextAsync()).Token, "4711");
        await alice.Verifications.NextAsync();
        var name = verification["name"]!.GetValue<string>();
        // Alice's program knows it with her last message, which is still on its way.
        var limit = Patience.Token;
        while ((await bot.GetAsync($"/v1/{name}"))["state"]!.GetValue<string>() is var state && state != "SUCCEEDED")
        {
            Assert.Equal("RUNNING", state);
            await Task.Delay(20, limit);
        }
        Assert.Single((await bot.GetAsync($"/v1/{conversation}/verifications"))["verifications"]!.AsArray());
        var identity = Assert.Single((await bot.GetAsync($"/v1/{conversation}/identities"))["identities"]!.AsArray())!;
        Assert.Equal(("TRUST_VERIFIED", "smp"), (identity["trust"]!.GetValue<string>(), identity["trustSource"]!.GetValue<string>()));
        var noted = await bot.PatchAsync($"/v1/{identity["name"]}?requestId=n1&updateMask=note", """{"note":"by her number"}""");
        Assert.Equal("by her number", noted["note"]!.GetValue<string>());
        Assert.Equal(conversation, (await bot.GetAsync("/v1/endpoints/support/conversations:resolve?peer=alice@example.org"))["name"]!.GetValue<string>());
        await bot.PostAsync($"/v1/{conversation}:endSession", """{"requestId":"e1"}""");
        Assert.Equal("PLAINTEXT", (await bot.GetAsync($"/v1/{conversation}"))["state"]!.GetValue<string>());
    }

    /// <summary>What the README says to type, as it stands there.</summary>
    [Fact]
    public async Task The_curl_calls_of_the_README_do_what_it_says()
    {
        await using var server = await StartAsync();
        await server.CreateEndpointAsync("support");
        using var alice = new Contact("alice@example.org");
        await using var network = new Network(await server.ConnectAsync(Scope.Bridge), "endpoints/support", alice);
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("bot.key"), await server.CreateKeyAsync(Scope.Bot, null, "endpoints/support"));
        var readme = await File.ReadAllTextAsync(Path.Combine(ExampleTests.Root, "README.md"));
        var block = System.Text.RegularExpressions.Regex.Matches(readme, "```sh\n(.*?)```", System.Text.RegularExpressions.RegexOptions.Singleline)
            .Single(m => m.Value.Contains("RELAY_HTTP", StringComparison.Ordinal)).Groups[1].Value;
        var info = new System.Diagnostics.ProcessStartInfo("bash", ["-euo", "pipefail", "-c", block]) { WorkingDirectory = Path.GetDirectoryName(directory.File("bot.key"))! };
        info.Environment["RELAY_HTTP"] = server.Host.HttpAddress!.GetLeftPart(UriPartial.Authority);
        var ran = await Terminal.RunAsync(info, null);
        Assert.True(ran.Code == 0, $"{ran.Code}: {ran.Out}\n{ran.Error}");
        Assert.Contains("KEY_EXCHANGE", ran.Out, StringComparison.Ordinal);
        while (await alice.Texts.NextAsync() is var (text, encrypted))
        {
            // What comes before it in the clear is the query's explanation.
            if (!encrypted) continue;
            Assert.Equal("hello", text);
            break;
        }
        Assert.Equal("Your customer number?", (await alice.Questions.NextAsync()).Question);
    }

    [Fact]
    public async Task Errors_are_those_of_grpc()
    {
        await using var server = await StartAsync();
        await server.CreateEndpointAsync("e");
        using var admin = new Http(server.Host.HttpAddress!, server.AdminToken);
        using var bridge = new Http(server.Host.HttpAddress!, await server.CreateKeyAsync(Scope.Bridge));
        using var nobody = new Http(server.Host.HttpAddress!, null);
        using var forged = new Http(server.Host.HttpAddress!, server.AdminToken[..^1] + (server.AdminToken[^1] == '0' ? '1' : '0'));
        async Task ExpectAsync(HttpStatusCode status, string reason, int code, Task<(HttpStatusCode Status, JsonNode Body)> call)
        {
            var (given, body) = await call;
            Assert.Equal((status, reason, code), (given, Reason(body), body["code"]!.GetValue<int>()));
            Assert.DoesNotContain("   at ", body.ToJsonString(), StringComparison.Ordinal);
        }
        await ExpectAsync(HttpStatusCode.Unauthorized, "KEY_MISSING", 16, nobody.CallAsync(HttpMethod.Get, "/v1/endpoints"));
        await ExpectAsync(HttpStatusCode.Unauthorized, "KEY_INVALID", 16, forged.CallAsync(HttpMethod.Get, "/v1/endpoints"));
        await ExpectAsync(HttpStatusCode.Forbidden, "SCOPE_MISSING", 7, bridge.CallAsync(HttpMethod.Get, "/v1/endpoints/e/events"));
        await ExpectAsync(HttpStatusCode.NotFound, "ENDPOINT_NOT_FOUND", 5, admin.CallAsync(HttpMethod.Get, "/v1/endpoints/none"));
        await ExpectAsync(HttpStatusCode.BadRequest, "INVALID_ARGUMENT", 3, admin.CallAsync(HttpMethod.Get, "/v1/endpoints/Not-a-name"));
        await ExpectAsync(HttpStatusCode.Conflict, "ETAG_MISMATCH", 10, admin.CallAsync(HttpMethod.Patch, "/v1/endpoints/e?updateMask=displayName", """{"etag":"9","displayName":"x"}"""));
        await ExpectAsync(HttpStatusCode.Conflict, "ENDPOINT_EXISTS", 6, admin.CallAsync(HttpMethod.Post, "/v1/endpoints", """{"requestId":"1","endpointId":"e","network":"n","account":"a"}"""));
        await ExpectAsync(HttpStatusCode.BadRequest, "CURSOR_BEYOND_END", 11, bridge.CallAsync(HttpMethod.Post, "/v1/endpoints/e/wire:ack", """{"sequence":"5"}"""));
        await ExpectAsync(HttpStatusCode.NotFound, "ROUTE_NOT_FOUND", 5, admin.CallAsync(HttpMethod.Get, "/v1/nothing"));
        await ExpectAsync(HttpStatusCode.NotFound, "ROUTE_NOT_FOUND", 5, admin.CallAsync(HttpMethod.Delete, "/v1/endpoints"));
        // Every wrong field by name.
        var (_, wrong) = await admin.CallAsync(HttpMethod.Post, "/v1/endpoints", "{}");
        Assert.Equal(["request_id", "network", "account"],
            wrong["details"]!.AsArray().Single(d => d!["fieldViolations"] is not null)!["fieldViolations"]!.AsArray().Select(v => v!["field"]!.GetValue<string>()));
        foreach (var json in new[] { "", "{", "[]", "null", "\"x\"", """{"requestId":7}""", """{"scopes":["ROOT"]}""", new string('[', 100_000) })
        {
            var (status, _) = await admin.CallAsync(HttpMethod.Post, "/v1/apiKeys", json);
            Assert.Equal(HttpStatusCode.BadRequest, status);
        }
        var (large, _) = await admin.CallAsync(HttpMethod.Post, "/v1/endpoints", $$"""{"account":"{{new string('x', 3_000_000)}}"}""");
        Assert.Equal(HttpStatusCode.BadRequest, large);
        // What curl says by default, and a client that says nothing.
        foreach (var type in new[] { "application/x-www-form-urlencoded", null })
            Assert.Equal(HttpStatusCode.OK, (await admin.CallAsync(HttpMethod.Post, "/v1/apiKeys", $$"""{"requestId":"{{type}}-","scopes":["BRIDGE"]}""", type)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await admin.CallAsync(HttpMethod.Post, "/v1/apiKeys", "<x/>", "application/xml")).Status);
        foreach (var charset in new[] { "utf-16", "no-such-charset" })
            await ExpectAsync(HttpStatusCode.BadRequest, "INVALID_ARGUMENT", 3, admin.CallAsync(HttpMethod.Post, "/v1/apiKeys", "{}", "application/json; charset=" + charset));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Events_are_watched_as_lines_of_JSON_or_as_server_sent_events(bool sse)
    {
        var relay = new FakeRelay();
        await using var server = await TestServer.StartAsync(relay, new() { ["--http-listen"] = "127.0.0.1:0", ["Relay:Streams:KeepAlive"] = "00:00:00.3" });
        var stream = relay.Stream("e", Relay.Storage.StreamKind.Events);
        stream.Add(Text("one\nline"), Text("two"));
        var bot = await server.CreateKeyAsync(Scope.Bot);
        using var client = new HttpClient { BaseAddress = server.Host.HttpAddress };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", bot);
        async Task<(HttpResponseMessage Response, StreamReader Lines)> WatchAsync(string query = "", string? lastId = null)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/endpoints/e/events:watch" + query);
            if (sse) request.Headers.Accept.ParseAdd("text/event-stream");
            if (lastId is not null) request.Headers.Add("Last-Event-ID", lastId);
            var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Patience.Token);
            return (response, new StreamReader(await response.Content.ReadAsStreamAsync()));
        }
        async Task<(string? Id, JsonNode Message)> NextAsync(StreamReader lines)
        {
            string? id = null;
            while (await lines.ReadLineAsync(Patience.Token) is { } line)
            {
                if (line.Length == 0) continue;
                if (!sse) return (null, JsonNode.Parse(line)!);
                if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
                else return (id, JsonNode.Parse(Data(line))!);
            }
            throw new InvalidOperationException("The stream has ended.");
        }
        var (response, lines) = await WatchAsync();
        using (response)
        {
            Assert.Equal(sse ? "text/event-stream" : "application/json", response.Content.Headers.ContentType!.MediaType);
            var first = await NextAsync(lines);
            Assert.Equal(("one\nline", sse ? "1" : null), (first.Message["event"]!["textReceived"]!["text"]!.GetValue<string>(), first.Id));
            Assert.Equal("2", (await NextAsync(lines)).Message["event"]!["sequence"]!.GetValue<string>());
            Assert.Equal("2", (await NextAsync(lines)).Message["caughtUp"]!["sequence"]!.GetValue<string>());
            Assert.NotNull((await NextAsync(lines)).Message["keepAlive"]);
            stream.Add(Text("three"));
            JsonNode? third = null;
            while (third is null) third = (await NextAsync(lines)).Message["event"];
            Assert.Equal("three", third["textReceived"]!["text"]!.GetValue<string>());
        }
        // Where it was: by the parameter, or as a browser asks.
        var (again, rest) = await WatchAsync("?afterSequence=" + (sse ? "1" : "2"), sse ? "2" : null);
        using (again) Assert.Equal("3", (await NextAsync(rest)).Message["event"]!["sequence"]!.GetValue<string>());
        // Errors are errors in both.
        var (beyond, error) = await WatchAsync("?afterSequence=9");
        using (beyond)
        {
            Assert.Equal((HttpStatusCode.BadRequest, "application/json"), (beyond.StatusCode, beyond.Content.Headers.ContentType!.MediaType));
            Assert.Equal("CURSOR_BEYOND_END", Reason(JsonNode.Parse(await error.ReadToEndAsync())!));
        }
        // The end says that it is one, so that the caller goes to another node.
        var (last, tail) = await WatchAsync("?afterSequence=3");
        using (last)
        {
            Assert.NotNull((await NextAsync(tail)).Message["caughtUp"]);
            var draining = server.Host.DrainAsync(CancellationToken.None);
            JsonNode? said = null;
            while (said is null) said = (await NextAsync(tail)).Message["draining"];
            Assert.True(await draining);
        }
    }

    [Fact]
    public async Task A_watch_stops_at_the_window_and_goes_on_when_events_are_acknowledged_by_another_call()
    {
        var relay = new FakeRelay();
        await using var server = await TestServer.StartAsync(relay);
        var stream = relay.Stream("e", Relay.Storage.StreamKind.Events);
        stream.Add([.. Enumerable.Range(1, 1200).Select(i => Text($"{i}"))]);
        var bot = await server.ConnectAsync(Scope.Bot);
        using var call = bot.EventStreams.WatchEvents(new WatchEventsRequest { Endpoint = "endpoints/e" });
        async Task<ulong> ReadAsync(int count)
        {
            ulong sequence = 0;
            while (count > 0 && await call.ResponseStream.MoveNext(Patience.Token))
            {
                if (call.ResponseStream.Current.Event is not { } e) continue;
                sequence = e.Sequence;
                count--;
            }
            return sequence;
        }
        Assert.Equal(1000UL, await ReadAsync(1000));
        Assert.Equal(1000UL, stream.HighestRead);
        await bot.EventStreams.AckEventsAsync(new AckEventsRequest { Endpoint = "endpoints/e", Sequence = 900 });
        Assert.Equal(1200UL, await ReadAsync(200));
    }

    private static string Data(string line)
    {
        Assert.StartsWith("data: ", line, StringComparison.Ordinal);
        return line["data: ".Length..];
    }

    private static Relay.Actors.OutboxBody Text(string text) => new Relay.Actors.OutboxBody.TextReceived(Encoding.UTF8.GetBytes(text), true, false, null);

    [Fact]
    public async Task A_long_poll_does_not_delay_the_drain()
    {
        await using var server = await StartAsync();
        await server.CreateEndpointAsync("e");
        using var bot = new Http(server.Host.HttpAddress!, await server.CreateKeyAsync(Scope.Bot));
        var polling = bot.GetAsync("/v1/endpoints/e/events?wait=60s");
        await Task.Delay(300);
        var begun = System.Diagnostics.Stopwatch.StartNew();
        var stopping = server.Host.DrainAsync(CancellationToken.None);
        Assert.Empty((await polling)["events"]!.AsArray());
        Assert.True(await stopping);
        Assert.True(begun.Elapsed < TimeSpan.FromSeconds(20), $"It took {begun.Elapsed}.");
    }

    [Fact]
    public async Task A_long_poll_ends_with_its_key()
    {
        await using var server = await StartAsync();
        await server.CreateEndpointAsync("e");
        var key = await server.Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "k", Scopes = { Scope.Bot } });
        using var bot = new Http(server.Host.HttpAddress!, key.Token);
        var polling = bot.CallAsync(HttpMethod.Get, "/v1/endpoints/e/events?wait=60s");
        await Task.Delay(200);
        await server.Admin.Admin.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = key.ApiKey.Name });
        var (status, error) = await polling.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal((HttpStatusCode.Unauthorized, "KEY_INVALID"), (status, Reason(error)));
    }

    [Fact]
    public async Task Waits_out_of_range_are_refused()
    {
        await using var server = await StartAsync();
        await server.CreateEndpointAsync("e");
        var bot = await server.ConnectAsync(Scope.Bot);
        foreach (long seconds in new[] { -1L, 61L, long.MaxValue })
        {
            var request = new PullEventsRequest { Endpoint = "endpoints/e", Wait = new Google.Protobuf.WellKnownTypes.Duration { Seconds = seconds } };
            await Expect.FieldsAsync(async () => await bot.EventStreams.PullEventsAsync(request), "wait");
        }
    }

    [Fact]
    public async Task With_tls_both_protocols_share_the_port()
    {
        using var directory = new TempDirectory();
        var (chain, key) = CertificateTests.Make("http");
        var certificate = directory.File("both.pem");
        await File.WriteAllTextAsync(certificate, chain + "\n" + key);
        await using var server = await ServerHost.StartAsync(new()
        {
            ["--data"] = directory.File("data"), ["--certificate"] = certificate,
        });
        Assert.Equal(server.Address, server.HttpAddress);
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, presented, _, _) => presented!.Subject == "CN=http";
        using var client = new HttpClient(handler);
        foreach (var version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server.Address, "/v1/server")) { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            using var response = await client.SendAsync(request);
            Assert.Equal((HttpStatusCode.Unauthorized, version), (response.StatusCode, response.Version));
        }
    }

    [Theory]
    [InlineData("0.0.0.0:7422", "loopback")]
    [InlineData("nowhere", "ADDRESS:PORT")]
    public async Task Without_tls_it_stays_on_loopback(string address, string said)
    {
        using var directory = new TempDirectory();
        var refused = await Terminal.RunAsync("serve", "--data", directory.File("data"), "--listen", "127.0.0.1:0", "--http-listen", address);
        Assert.Equal(2, refused.Code);
        Assert.Contains(said, refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory.File("data")));
    }
}
