using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>Access tokens of an issuer on loopback: what opens, what does not, and keys that change.</summary>
public sealed class TokenTests
{
    private static async Task<(TestServer Server, HttpClient Http)> StartAsync(LocalIssuer issuer, TimeProvider? time = null)
    {
        var server = await TestServer.StartAsync(new FakeRelay(), new()
        {
            ["--http-listen"] = "127.0.0.1:0", ["Relay:Tokens:Issuer"] = issuer.Url, ["Relay:Tokens:Audience"] = LocalIssuer.Audience,
        }, time: time);
        return (server, new HttpClient { BaseAddress = server.Host.HttpAddress });
    }

    private static async Task<(HttpStatusCode Status, JsonNode Body)> CallAsync(HttpClient http, string token, string path = "/v1/caller")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await http.SendAsync(request);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    private static string? Reason(JsonNode body) => body["details"]?.AsArray().Select(d => d!["reason"]?.GetValue<string>()).FirstOrDefault(r => r is not null);

    [Fact]
    public async Task A_token_opens_what_its_claims_say_and_no_more()
    {
        await using var issuer = await LocalIssuer.StartAsync();
        var (server, http) = await StartAsync(issuer);
        await using var _ = server;
        using var __ = http;
        var (status, caller) = await CallAsync(http, issuer.Token());
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(("tokens/support-bot", "BOT", "endpoints/e"), (caller["name"]!.GetValue<string>(), caller["scopes"]!.AsArray().Single()!.GetValue<string>(), caller["endpoints"]!.AsArray().Single()!.GetValue<string>()));
        Assert.Null(caller["apiKey"]);
        Assert.InRange(DateTimeOffset.Parse(caller["expireTime"]!.GetValue<string>(), null) - DateTimeOffset.UtcNow, TimeSpan.FromMinutes(9), TimeSpan.FromMinutes(10));
        Assert.Equal(HttpStatusCode.OK, (await CallAsync(http, issuer.Token(), "/v1/endpoints/e/events")).Status);
        Assert.Equal((HttpStatusCode.Forbidden, "ENDPOINT_NOT_ALLOWED"), await RefusalAsync("/v1/endpoints/other/events", issuer.Token()));
        Assert.Equal((HttpStatusCode.Forbidden, "SCOPE_MISSING"), await RefusalAsync("/v1/server", issuer.Token()));
        Assert.Equal(HttpStatusCode.OK, (await CallAsync(http, issuer.Token(c => (c["scope"], c["relay_endpoints"]) = (new[] { "relay:monitor", "relay:admin" }, "*")), "/v1/server")).Status);
        // Who names no endpoint has none, unlike a key: a claim is easily forgotten.
        Assert.Equal((HttpStatusCode.Forbidden, "ENDPOINT_NOT_ALLOWED"), await RefusalAsync("/v1/endpoints/e/events", issuer.Token(c => c.Remove("relay_endpoints"))));
        // API keys go on beside it.
        Assert.Equal(HttpStatusCode.OK, (await CallAsync(http, server.AdminToken)).Status);

        async Task<(HttpStatusCode, string?)> RefusalAsync(string path, string token)
        {
            var (refused, body) = await CallAsync(http, token, path);
            return (refused, Reason(body));
        }
    }

    [Fact]
    public async Task A_token_for_patterns_makes_burners_only_whose_whole_names_it_may_use()
    {
        await using var issuer = await LocalIssuer.StartAsync();
        var (server, http) = await StartAsync(issuer);
        await using var _ = server;
        using var __ = http;
        var token = issuer.Token(c => (c["scope"], c["relay_endpoints"]) = ("relay:admin", "burner-* b other"));
        foreach (var (id, isAllowed) in ((string, bool)[])
            [("burner-*", true), ("burner-x*", true), ("burner*", false), ("b*", false), ("other*", false), ("", false)])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/endpoints")
            {
                Content = JsonContent.Create(new { requestId = "r" + id, endpointId = id, network = "xmpp", burnerDomain = "otr.example.org", life = "3600s" }),
            };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            using var response = await http.SendAsync(request);
            var body = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
            // Where it may, the request comes as far as this server's store, which makes no endpoints.
            var expected = isAllowed ? (HttpStatusCode.ServiceUnavailable, "UNAVAILABLE") : (HttpStatusCode.Forbidden, "ENDPOINT_NOT_ALLOWED");
            Assert.True(expected == (response.StatusCode, Reason(body)), $"'{id}': {body.ToJsonString()}");
        }
    }

    [Fact]
    public async Task What_is_wrong_with_a_token_is_refused_and_never_told()
    {
        await using var issuer = await LocalIssuer.StartAsync();
        var (server, http) = await StartAsync(issuer);
        await using var _ = server;
        using var __ = http;
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var pem = Encoding.UTF8.GetBytes(issuer.PublicKeyPem);
        using var other = RSA.Create(2048);
        var good = issuer.Token();
        Dictionary<string, string> wrong = new()
        {
            ["expired"] = issuer.Token(c => (c["nbf"], c["exp"]) = (now - 7200, now - 3600)),
            ["not yet valid"] = issuer.Token(c => c["nbf"] = now + 3600),
            ["without an end"] = issuer.Token(c => c.Remove("exp")),
            ["another audience"] = issuer.Token(c => c["aud"] = "other"),
            ["no audience"] = issuer.Token(c => c.Remove("aud")),
            ["another issuer"] = issuer.Token(c => c["iss"] = "http://127.0.0.1:1"),
            ["no algorithm"] = issuer.Token(algorithm: "none", sign: _ => []),
            ["no algorithm, but a signature"] = issuer.Token(algorithm: "none"),
            ["the public key as a secret"] = issuer.Token(algorithm: "HS256", sign: bytes => HMACSHA256.HashData(pem, bytes)),
            ["another's key"] = issuer.Token(sign: bytes => other.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)),
            ["an unknown key"] = issuer.Token(keyId: "unknown"),
            ["changed"] = good[..^8] + (good[^8] == 'A' ? 'B' : 'A') + good[^7..],
            ["no subject"] = issuer.Token(c => c.Remove("sub")),
            ["a subject of several lines"] = issuer.Token(c => c["sub"] = "a\nb"),
            ["no scope"] = issuer.Token(c => c.Remove("scope")),
            ["no scope of ours"] = issuer.Token(c => c["scope"] = "bot openid"),
            ["an unknown scope"] = issuer.Token(c => c["scope"] = "relay:bot relay:root"),
            ["plaintext and wire text"] = issuer.Token(c => c["scope"] = "relay:bot relay:bridge"),
            ["an endpoint that is none"] = issuer.Token(c => c["relay_endpoints"] = "e ../f"),
            ["half"] = good[..(good.Length / 2)],
        };
        var told = new HashSet<string>();
        foreach (var (what, token) in wrong)
        {
            var (status, body) = await CallAsync(http, token);
            Assert.True(status == HttpStatusCode.Unauthorized && Reason(body) == "TOKEN_INVALID", $"{what}: {status} {body.ToJsonString()}");
            told.Add(body.ToJsonString());
        }
        Assert.Single(told);
        Assert.Equal(HttpStatusCode.OK, (await CallAsync(http, good)).Status);
    }

    [Fact]
    public async Task New_keys_of_the_issuer_are_found_and_old_ones_end()
    {
        await using var issuer = await LocalIssuer.StartAsync();
        var (server, http) = await StartAsync(issuer);
        await using var _ = server;
        using var __ = http;
        var old = issuer.Token();
        Assert.Equal(HttpStatusCode.OK, (await CallAsync(http, old)).Status);
        issuer.Rotate();
        var limit = Patience.Token;
        while ((await CallAsync(http, issuer.Token())).Status != HttpStatusCode.OK) await Task.Delay(200, limit);
        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync(http, old)).Status);
    }

    [Fact]
    public async Task An_issuer_that_does_not_answer_is_told_and_keys_go_on()
    {
        var issuer = await LocalIssuer.StartAsync();
        var token = issuer.Token();
        var (server, http) = await StartAsync(issuer);
        await using var _ = server;
        using var __ = http;
        await issuer.DisposeAsync();
        var (status, body) = await CallAsync(http, token);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "UNAVAILABLE"), (status, Reason(body)));
        Assert.Equal(HttpStatusCode.OK, (await CallAsync(http, server.AdminToken)).Status);
    }

    [Fact]
    public async Task A_stream_ends_with_its_token()
    {
        await using var issuer = await LocalIssuer.StartAsync();
        var (server, http) = await StartAsync(issuer);
        await using var _ = server;
        using var __ = http;
        // The tolerance for clocks is for the beginning of a call only.
        var token = issuer.Token(c => c["exp"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 3);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/endpoints/e/events:watch");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var said = await response.Content.ReadAsStringAsync().WaitAsync(Patience.Limit);
        Assert.Contains("TOKEN_INVALID", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://issuer.example.org", "a", "https")]
    [InlineData("issuer", "a", "https")]
    [InlineData("https://issuer.example.org", null, "Relay:Tokens:Audience is not")]
    [InlineData(null, "a", "Relay:Tokens:Issuer is not")]
    public async Task Mistakes_in_the_settings_are_told(string? issuer, string? audience, string said)
    {
        var settings = new Dictionary<string, string>();
        if (issuer is not null) settings["Relay:Tokens:Issuer"] = issuer;
        if (audience is not null) settings["Relay:Tokens:Audience"] = audience;
        var e = await Assert.ThrowsAnyAsync<Exception>(() => TestServer.StartAsync(new FakeRelay(), settings));
        Assert.Contains(said, e.Message, StringComparison.Ordinal);
    }
}
