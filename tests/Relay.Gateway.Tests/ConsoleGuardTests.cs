using System.Net;
using System.Net.Sockets;
using System.Text;
using Relay.Actors;
using Relay.Gateway.Hosting;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>What the console keeps out: strangers, other sites, forged and repeated forms, text that is markup.</summary>
public sealed class ConsoleGuardTests
{
    private static Task<TestServer> StartAsync(IRelay? relay = null, TimeProvider? time = null) =>
        TestServer.StartAsync(relay ?? new FakeRelay(), new() { ["--console-listen"] = "127.0.0.1:0", ["--http-listen"] = "127.0.0.1:0", ["--health-listen"] = "127.0.0.1:0" }, time: time);

    private static async Task<ConsoleVisitor> VisitAsync(TestServer server, string? key = null)
    {
        var visitor = new ConsoleVisitor(server.Host.ConsoleAddress!);
        Assert.Equal(HttpStatusCode.SeeOther, (await visitor.SignInAsync(key ?? server.AdminToken)).Status);
        return visitor;
    }

    private static async Task<string> NewKeyIdAsync(TestServer server)
    {
        await server.CreateKeyAsync(Scope.Monitor);
        return (await server.Admin.Admin.ListApiKeysAsync(new ListApiKeysRequest())).ApiKeys.Single(k => k.Scopes.Contains(Scope.Monitor) && k.Scopes.Count == 1).Name["apiKeys/".Length..];
    }

    [Fact]
    public async Task Nothing_is_shown_without_a_session()
    {
        await using var server = await StartAsync();
        using var visitor = new ConsoleVisitor(server.Host.ConsoleAddress!);
        foreach (var path in (string[])["/", "/keys", "/endpoints/e", "/nothing"])
        {
            using var response = await visitor.SendAsync(HttpMethod.Get, path);
            Assert.Equal((HttpStatusCode.SeeOther, "/sign-in"), (response.StatusCode, response.Headers.Location?.OriginalString));
        }
        foreach (var cookie in (string[])["__Host-relay=" + new string('0', 64), "__Host-relay=x", "__Host-relay=", "relay=" + new string('0', 64)])
        {
            visitor.Cookie = cookie;
            Assert.Equal(HttpStatusCode.SeeOther, await visitor.StatusAsync("/"));
        }
        // Neither a key in the header nor one in the address opens anything here.
        using var bearer = await visitor.SendAsync(HttpMethod.Get, "/", change: r => r.Headers.Authorization = new("Bearer", server.AdminToken));
        Assert.Equal(HttpStatusCode.SeeOther, bearer.StatusCode);
        Assert.Equal(HttpStatusCode.OK, await visitor.StatusAsync("/sign-in?key=" + server.AdminToken));
        Assert.Null((await visitor.SendAsync(HttpMethod.Get, "/sign-in?key=" + server.AdminToken)).Headers.TryGetValues("Set-Cookie", out var set) ? set : null);
        Assert.Equal(HttpStatusCode.Unauthorized, (await visitor.SubmitAsync("/keys/new", [new("name", "x")])).Status);
    }

    [Fact]
    public async Task The_port_serves_nothing_else_and_no_other_port_serves_the_console()
    {
        await using var server = await StartAsync();
        using var visitor = await VisitAsync(server);
        foreach (var path in (string[])["/livez", "/readyz", "/metrics", "/v1/server", "/openapi/v1.json", "/docs"])
            Assert.Equal(HttpStatusCode.NotFound, await visitor.StatusAsync(path));
        foreach (var other in (Uri[])[server.Host.HttpAddress!, server.Host.HealthAddress!])
        {
            using var http = new ConsoleVisitor(other) { Cookie = visitor.Cookie };
            foreach (var path in (string[])["/", "/sign-in", "/keys"]) Assert.NotEqual(HttpStatusCode.OK, await http.StatusAsync(path));
        }
    }

    [Fact]
    public async Task Headers_keep_scripts_frames_and_caches_away()
    {
        await using var server = await StartAsync();
        using var visitor = await VisitAsync(server);
        foreach (var path in (string[])["/", "/sign-in", "/nothing"])
        {
            using var response = await visitor.SendAsync(HttpMethod.Get, path);
            var headers = response.Headers;
            var policy = headers.GetValues("Content-Security-Policy").Single();
            foreach (var part in (string[])["default-src 'none'", "style-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"]) Assert.Contains(part, policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("script-src", policy, StringComparison.Ordinal);
            Assert.Equal("no-store", headers.CacheControl?.ToString());
            Assert.Equal(("DENY", "nosniff", "same-origin"), (headers.GetValues("X-Frame-Options").Single(), headers.GetValues("X-Content-Type-Options").Single(), headers.GetValues("Referrer-Policy").Single()));
            Assert.Empty(headers.Server);
        }
        using var signedIn = await visitor.SendAsync(HttpMethod.Post, "/sign-in", [new("key", server.AdminToken)]);
        var cookie = signedIn.Headers.GetValues("Set-Cookie").Single();
        foreach (var part in (string[])["__Host-relay=", "path=/", "secure", "samesite=strict", "httponly", "max-age=28800"]) Assert.Contains(part, cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("domain", cookie, StringComparison.OrdinalIgnoreCase);
        using var put = await visitor.SendAsync(HttpMethod.Put, "/keys");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, put.StatusCode);
    }

    /// <summary>A page of somebody else whose name is made to resolve to 127.0.0.1 may not speak to the console with the browser's cookies.</summary>
    [Theory]
    [InlineData("evil.example", 421)]
    [InlineData("evil.example:80", 421)]
    [InlineData("127.0.0.1.evil.example", 421)]
    [InlineData("localhost.evil.example", 421)]
    [InlineData("192.168.1.7", 421)]
    [InlineData("localhost", 200)]
    [InlineData("LOCALHOST:7423", 200)]
    [InlineData("127.0.0.1:9", 200)]
    [InlineData("[::1]:7423", 200)]
    public async Task Only_names_of_this_machine_are_answered_without_TLS(string host, int status)
    {
        await using var server = await StartAsync();
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, server.Host.ConsoleAddress!.Port);
        await using var stream = tcp.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET /sign-in HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(stream);
        Assert.StartsWith($"HTTP/1.1 {status} ", await reader.ReadLineAsync(Patience.Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Forms_of_other_sites_are_not_taken()
    {
        await using var server = await StartAsync();
        using var visitor = await VisitAsync(server);
        var id = await NewKeyIdAsync(server);
        var fields = ConsoleVisitor.FieldsOf(await visitor.ReadAsync($"/keys/{id}/revoke"), $"/keys/{id}/revoke");
        foreach (var origin in (string?[])[null, "null", "https://evil.example", "http://localhost:1", visitor.Origin + ".evil.example", visitor.Origin.Replace("http:", "https:", StringComparison.Ordinal)])
        {
            var (status, _) = await visitor.SubmitAsync($"/keys/{id}/revoke", fields, r =>
            {
                r.Headers.Remove("Origin");
                if (origin is not null) r.Headers.Add("Origin", origin);
            });
            Assert.Equal(HttpStatusCode.Forbidden, status);
        }
        Assert.Equal(HttpStatusCode.Forbidden, (await visitor.SubmitAsync($"/keys/{id}/revoke", fields, r => r.Headers.Add("Sec-Fetch-Site", "same-site"))).Status);
        // Signing in too: or somebody could be made to work in another's session.
        Assert.Equal(HttpStatusCode.Forbidden, (await visitor.SubmitAsync("/sign-in", [new("key", server.AdminToken)], r => r.Headers.Remove("Origin"))).Status);
        Assert.Null((await server.Admin.Admin.ListApiKeysAsync(new ListApiKeysRequest())).ApiKeys.Single(k => k.Name.EndsWith(id, StringComparison.Ordinal)).RevokeTime);
        Assert.Equal(HttpStatusCode.SeeOther, (await visitor.SubmitAsync($"/keys/{id}/revoke", fields)).Status);
    }

    [Fact]
    public async Task Forms_that_are_forged_repeated_or_of_another_page_are_not_taken()
    {
        await using var server = await StartAsync();
        using var visitor = await VisitAsync(server);
        var id = await NewKeyIdAsync(server);
        var (revoke, delete) = ($"/keys/{id}/revoke", $"/keys/{id}/delete");
        var page = await visitor.ReadAsync(revoke);
        var fields = ConsoleVisitor.FieldsOf(page, revoke);
        Assert.Equal(["form", "code"], fields.Select(f => f.Key));
        IEnumerable<KeyValuePair<string, string>> With(string name, string value) => fields.Select(f => f.Key == name ? new(name, value) : f);
        // Without, with another, with that of another form, with that of another session, and with an id that was made up.
        using var other = await VisitAsync(server);
        foreach (var forged in (IEnumerable<KeyValuePair<string, string>>[])
        [
            [], With("code", ""), With("code", new string('0', 64)), With("form", "0-x"), With("form", ""), ConsoleVisitor.FieldsOf(page, "/sign-out"),
            ConsoleVisitor.FieldsOf(await other.ReadAsync(revoke), revoke),
        ])
            Assert.Equal(HttpStatusCode.Conflict, (await visitor.SubmitAsync(revoke, forged)).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await visitor.SubmitAsync(delete, fields)).Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await visitor.SubmitAsync(revoke, fields)).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await visitor.SubmitAsync(revoke, fields)).Status);
        // A form that was not carried out may be sent again.
        var made = ConsoleVisitor.FieldsOf(await visitor.ReadAsync("/keys/new"), "/keys/new");
        Assert.Equal(HttpStatusCode.BadRequest, (await visitor.SubmitAsync("/keys/new", [.. made, new("name", "n")])).Status);
        Assert.Equal(HttpStatusCode.OK, (await visitor.SubmitAsync("/keys/new", [.. made, new("name", "n"), new("scope", "monitor")])).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await visitor.SubmitAsync("/keys/new", [.. made, new("name", "n"), new("scope", "monitor")])).Status);
        // Too large, and not a form.
        Assert.Equal(HttpStatusCode.BadRequest, (await visitor.SubmitAsync("/keys/new", [.. made, new("name", new string('x', GatewayLimits.MaxConsoleFormBytes))])).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await visitor.SubmitAsync("/keys/new", made, r => r.Content = new StringContent("{}", Encoding.UTF8, "application/json"))).Status);
        var signOut = ConsoleVisitor.FieldsOf(await visitor.ReadAsync("/"), "/sign-out");
        Assert.Equal(HttpStatusCode.SeeOther, (await visitor.SubmitAsync("/sign-out", signOut)).Status);
        Assert.Equal(HttpStatusCode.SeeOther, await visitor.StatusAsync("/"));
        Assert.Equal(HttpStatusCode.Unauthorized, (await visitor.SubmitAsync("/sign-out", signOut)).Status);
    }

    [Fact]
    public async Task A_session_ends_with_its_key_and_with_time()
    {
        var time = new SteppedTime();
        await using var server = await StartAsync(time: time);
        var token = await server.CreateKeyAsync(Scope.Monitor);
        using var visitor = await VisitAsync(server, token);
        using var admin = await VisitAsync(server);
        await visitor.ReadAsync("/keys");
        var key = (await server.Connect(token).Admin.GetCallerAsync(new GetCallerRequest())).Name;
        await server.Admin.Admin.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = key });
        await Patience.UntilAsync(() => visitor.StatusAsync("/").Result == HttpStatusCode.SeeOther);

        time.Offset += GatewayLimits.ConsoleSessionIdle - TimeSpan.FromMinutes(1);
        await admin.ReadAsync("/keys");
        time.Offset += GatewayLimits.ConsoleSessionIdle - TimeSpan.FromMinutes(1);
        var page = await admin.ReadAsync("/keys/new");
        time.Offset += GatewayLimits.ConsoleSessionIdle;
        Assert.Equal(HttpStatusCode.SeeOther, await admin.StatusAsync("/keys"));
        Assert.Equal(HttpStatusCode.Unauthorized, (await admin.SubmitAsync(page, "/keys/new", ("name", "n"), ("scope", "monitor"))).Status);

        using var busy = await VisitAsync(server);
        for (var passed = TimeSpan.Zero; passed < GatewayLimits.ConsoleSessionLife; passed += TimeSpan.FromMinutes(20))
        {
            await busy.ReadAsync("/keys");
            time.Offset += TimeSpan.FromMinutes(20);
        }
        Assert.Equal(HttpStatusCode.SeeOther, await busy.StatusAsync("/keys"));

        // A form is good for an hour, however busy its session is.
        using var slow = await VisitAsync(server);
        var old = await slow.ReadAsync("/keys/new");
        for (int i = 0; i < 4; i++)
        {
            time.Offset += TimeSpan.FromMinutes(16);
            await slow.ReadAsync("/keys");
        }
        Assert.Equal(HttpStatusCode.Conflict, (await slow.SubmitAsync(old, "/keys/new", ("name", "n"), ("scope", "monitor"))).Status);
    }

    [Fact]
    public async Task Guessing_is_slowed_down()
    {
        await using var server = await StartAsync();
        using var visitor = new ConsoleVisitor(server.Host.ConsoleAddress!);
        for (int i = 0; i < GatewayLimits.ConsoleSignInsPerMinute; i++)
        {
            var (status, page) = await visitor.SignInAsync(i % 2 == 0 ? "guess" : $"relay_{new string('a', 16)}_{new string('0', 64)}");
            Assert.Equal(HttpStatusCode.Unauthorized, status);
            Assert.Contains("That is not a key of this server", page, StringComparison.Ordinal);
            Assert.DoesNotContain("guess", page, StringComparison.Ordinal);
        }
        Assert.Equal(HttpStatusCode.TooManyRequests, (await visitor.SignInAsync(server.AdminToken)).Status);
        Assert.Null(visitor.Cookie);
    }

    [Fact]
    public async Task Foreign_text_is_shown_as_text_in_its_own_direction()
    {
        var relay = new FakeRelay();
        const string peer = "<img src=x onerror=alert(1)>\u202egnp.exe\"'&\u0007\u200b\ue000";
        relay.Conversations.Add(new ConversationView("e", FakeRelay.ConversationId, peer, Otr.Core.MessageState.Encrypted, [], DateTimeOffset.UnixEpoch)
        {
            Labels = new Dictionary<string, string> { ["team"] = "</span><script>" },
        });
        await using var server = await StartAsync(relay);
        using var visitor = await VisitAsync(server);
        var page = await visitor.ReadAsync("/conversations?endpoint=e");
        Assert.Contains("<bdi>&lt;img src=x onerror=alert(1)&gt;[U+202E]gnp.exe&quot;&#39;&amp;[U+0007][U+200B][U+E000]</bdi>", page, StringComparison.Ordinal);
        Assert.Contains("team=<bdi>&lt;/span&gt;&lt;script&gt;</bdi>", page, StringComparison.Ordinal);
        var one = await visitor.ReadAsync($"/endpoints/e/conversations/{FakeRelay.ConversationId}");
        Assert.DoesNotContain("<img", one, StringComparison.Ordinal);
        Assert.DoesNotContain('\u202e', one);
        // What a link to the console says is shown as text as well, or not at all.
        using var search = await visitor.SendAsync(HttpMethod.Get, "/conversations?endpoint=%22%3E%3Cscript%3E&only=%3Cb%3E&page=%3Cb%3E");
        Assert.DoesNotContain("<script>", await search.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var path = await visitor.SendAsync(HttpMethod.Get, "/keys/%3Cscript%3E/revoke");
        Assert.DoesNotContain("<script>", await path.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        foreach (var far in (string[])["/audit?page=99999999999999999999", "/audit?page=-1", "/keys?page=%00", "/endpoints?page=%FF", "/endpoints//conversations", "/%2e%2e/keys"])
            Assert.True(await visitor.StatusAsync(far) is HttpStatusCode.OK or HttpStatusCode.BadRequest or HttpStatusCode.NotFound, far);
    }

    [Theory]
    [InlineData("http://0.0.0.0:7423", "without TLS")]
    [InlineData("http://relay.example.org:7423", "without TLS")]
    [InlineData("https://127.0.0.1:7423", "no certificate")]
    [InlineData("nowhere", "an address and a port")]
    public async Task Off_loopback_it_needs_TLS(string url, string mistake)
    {
        using var directory = new TempDirectory();
        var wrong = await Assert.ThrowsAsync<RelayConfigurationException>(() => ServerHost.StartAsync(new() { ["--data"] = directory.File("data"), ["Kestrel:Endpoints:Console:Url"] = url }));
        Assert.Contains(wrong.Mistakes, m => m.Contains(mistake, StringComparison.Ordinal) && m.Contains("Console", StringComparison.OrdinalIgnoreCase));
        Assert.False(Directory.Exists(directory.File("data")));
    }

    /// <summary>The machine's clock, moved on by a test.</summary>
    private sealed class SteppedTime : TimeProvider
    {
        public TimeSpan Offset { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset;
    }
}
