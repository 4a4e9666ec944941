using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Relay.Gateway.Tests.Harness;

namespace Relay.Gateway.Tests;

/// <summary>Callers with client certificates: of which authority, under which names, and for what.</summary>
public sealed class ClientCertificateTests
{
    private const string Client = "1.3.6.1.5.5.7.3.2", Server = "1.3.6.1.5.5.7.3.1";

    private const string Callers = """
        {"callers":[
          {"name":"support","names":["dns:bot.example.org","uri:spiffe://example.org/bot"],"scopes":["bot"],"endpoints":["e","support-*"]},
          {"name":"watch","names":["email:watch@example.org"],"scopes":["monitor"],"endpoints":["*"]}
        ]}
        """;

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-1), DateTimeOffset.UtcNow.AddYears(1));
    }

    private static X509Certificate2 Issue(
        X509Certificate2 authority, Action<SubjectAlternativeNameBuilder>? names, string use = Client, int fromDays = -1, int toDays = 1)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=bot.example.org", key, HashAlgorithmName.SHA256);
        if (names is not null)
        {
            var builder = new SubjectAlternativeNameBuilder();
            names(builder);
            request.CertificateExtensions.Add(builder.Build());
        }
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(use)], true));
        using var issued = request.Create(authority, DateTimeOffset.UtcNow.AddDays(fromDays), DateTimeOffset.UtcNow.AddDays(toDays), RandomNumberGenerator.GetBytes(8));
        using var withKey = issued.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>A server that takes certificates of one authority, and whoever calls it with one.</summary>
    private sealed class Stage : IAsyncDisposable
    {
        private readonly TempDirectory _directory = new();

        public X509Certificate2 Trusted { get; } = Authority("clients");

        public TestServer Running { get; private set; } = null!;

        public static async Task<Stage> StartAsync(string callers = Callers)
        {
            var stage = new Stage();
            var files = stage._directory;
            var (chain, key) = CertificateTests.Make("server");
            await File.WriteAllTextAsync(files.File("server.pem"), chain + "\n" + key);
            await File.WriteAllTextAsync(files.File("clients.pem"), stage.Trusted.ExportCertificatePem());
            await File.WriteAllTextAsync(files.File("callers.json"), callers);
            try
            {
                stage.Running = await TestServer.StartAsync(new FakeRelay(), new()
                {
                    ["--certificate"] = files.File("server.pem"), ["Relay:ClientCertificates:AuthorityPath"] = files.File("clients.pem"),
                    ["Relay:ClientCertificates:CallersPath"] = files.File("callers.json"),
                });
                return stage;
            }
            catch
            {
                files.Dispose();
                throw;
            }
        }

        /// <summary>The status and the body, or null if the handshake fails.</summary>
        public async Task<(HttpStatusCode Status, JsonNode Body)?> CallAsync(X509Certificate2? certificate, string path = "/v1/caller", string? token = null)
        {
            using var handler = new SocketsHttpHandler();
            handler.SslOptions.RemoteCertificateValidationCallback = (_, presented, _, _) => presented!.Subject == "CN=server";
            if (certificate is not null) handler.SslOptions.ClientCertificateContext = System.Net.Security.SslStreamCertificateContext.Create(certificate, null, offline: true);
            using var client = new HttpClient(handler) { BaseAddress = Running.Address };
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            try
            {
                using var response = await client.SendAsync(request);
                return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
            }
            catch (HttpRequestException)
            {
                return null;
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Running.DisposeAsync();
            _directory.Dispose();
            Trusted.Dispose();
        }
    }

    private static string? Reason(JsonNode body) => body["details"]?.AsArray().Select(d => d!["reason"]?.GetValue<string>()).FirstOrDefault(r => r is not null);

    [Fact]
    public async Task A_certificates_name_says_who_calls_and_what_it_may()
    {
        await using var stage = await Stage.StartAsync();
        using var dns = Issue(stage.Trusted, n => n.AddDnsName("bot.example.org"));
        using var uri = Issue(stage.Trusted, n => n.AddUri(new Uri("spiffe://example.org/bot")));
        using var email = Issue(stage.Trusted, n => n.AddEmailAddress("watch@example.org"));
        foreach (var certificate in new[] { dns, uri })
        {
            var (status, body) = (await stage.CallAsync(certificate))!.Value;
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.Equal(("certificates/support", "BOT"), (body["name"]!.GetValue<string>(), body["scopes"]!.AsArray().Single()!.GetValue<string>()));
            Assert.Equal(["endpoints/e", "endpoints/support-*"], body["endpoints"]!.AsArray().Select(e => e!.GetValue<string>()));
        }
        Assert.Equal(HttpStatusCode.OK, (await stage.CallAsync(dns, "/v1/endpoints/support-x/events"))!.Value.Status);
        Assert.Equal((HttpStatusCode.Forbidden, "ENDPOINT_NOT_ALLOWED"), await RefusalAsync(dns, "/v1/endpoints/other/events"));
        Assert.Equal((HttpStatusCode.Forbidden, "SCOPE_MISSING"), await RefusalAsync(dns, "/v1/server"));
        Assert.Equal(HttpStatusCode.OK, (await stage.CallAsync(email, "/v1/server"))!.Value.Status);
        // A key that is sent too decides: it is the narrower or the wider one, but never both.
        var admin = (await stage.CallAsync(dns, token: stage.Running.AdminToken))!.Value.Body;
        Assert.StartsWith("apiKeys/", admin["name"]!.GetValue<string>(), StringComparison.Ordinal);
        // Without a certificate there is the key, and without both nothing.
        Assert.Equal(HttpStatusCode.OK, (await stage.CallAsync(null, token: stage.Running.AdminToken))!.Value.Status);
        Assert.Equal((HttpStatusCode.Unauthorized, "KEY_MISSING"), await RefusalAsync(null, "/v1/caller"));

        async Task<(HttpStatusCode, string?)> RefusalAsync(X509Certificate2? certificate, string path)
        {
            var (status, body) = (await stage.CallAsync(certificate, path))!.Value;
            return (status, Reason(body));
        }
    }

    [Fact]
    public async Task Certificates_that_are_not_for_this_are_refused()
    {
        await using var stage = await Stage.StartAsync();
        using var stranger = Authority("clients");
        Action<SubjectAlternativeNameBuilder> bot = n => n.AddDnsName("bot.example.org");
        Dictionary<string, X509Certificate2> atTheDoor = new()
        {
            ["another authority of the same name"] = Issue(stranger, bot),
            ["expired"] = Issue(stage.Trusted, bot, fromDays: -3, toDays: -1),
            ["not yet valid"] = Issue(stage.Trusted, bot, fromDays: 1, toDays: 3),
            ["for servers"] = Issue(stage.Trusted, bot, use: Server),
        };
        foreach (var (what, certificate) in atTheDoor)
        {
            using (certificate) Assert.True(await stage.CallAsync(certificate) is null, what);
        }
        Dictionary<string, X509Certificate2> inside = new()
        {
            // The common name alone says nothing.
            ["no alternative name"] = Issue(stage.Trusted, null),
            ["another name"] = Issue(stage.Trusted, n => n.AddDnsName("bot.example.com")),
            ["the name of another kind"] = Issue(stage.Trusted, n => n.AddEmailAddress("bot.example.org")),
            ["the names of two callers"] = Issue(stage.Trusted, n => { n.AddDnsName("bot.example.org"); n.AddEmailAddress("watch@example.org"); }),
        };
        foreach (var (what, certificate) in inside)
        {
            using (certificate)
            {
                var (status, body) = (await stage.CallAsync(certificate))!.Value;
                Assert.True(status == HttpStatusCode.Unauthorized && Reason(body) == "TOKEN_INVALID", $"{what}: {status}");
            }
        }
    }

    [Theory]
    [InlineData("{", "callers.json")]
    [InlineData("{}", "has no")]
    [InlineData("""{"callers":[{"name":"Upper","names":["dns:a"],"scopes":["bot"]}]}""", "Upper")]
    [InlineData("""{"callers":[{"name":"a","names":[],"scopes":["bot"]}]}""", "names")]
    [InlineData("""{"callers":[{"name":"a","names":["dns:a"],"scopes":["root"]}]}""", "root")]
    [InlineData("""{"callers":[{"name":"a","names":["dns:a"],"scopes":["bot","bridge"]}]}""", "not both")]
    [InlineData("""{"callers":[{"name":"a","names":["dns:a"],"scopes":["bot"],"endpoints":["A"]}]}""", "endpoints")]
    [InlineData("""{"callers":[{"name":"a","names":["dns:a"],"scopes":["bot"]},{"name":"b","names":["dns:a"],"scopes":["bot"]}]}""", "twice")]
    [InlineData("""{"callers":[{"name":"a","names":["dns:a"],"scopes":["bot"],"endpoint":["e"]}]}""", "endpoint")]
    public async Task A_file_with_a_mistake_is_refused_at_start(string callers, string said)
    {
        var e = await Assert.ThrowsAnyAsync<Exception>(() => Stage.StartAsync(callers));
        Assert.Contains(said, e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task They_need_both_files_and_tls()
    {
        using var directory = new TempDirectory();
        foreach (var name in new[] { "AuthorityPath", "CallersPath" })
        {
            var e = await Assert.ThrowsAnyAsync<Exception>(() => TestServer.StartAsync(new FakeRelay(), new() { ["Relay:ClientCertificates:" + name] = directory.File("x") }));
            Assert.Contains("together", e.Message, StringComparison.Ordinal);
        }
        var both = await Assert.ThrowsAnyAsync<Exception>(() => TestServer.StartAsync(new FakeRelay(), new()
        {
            ["Relay:ClientCertificates:AuthorityPath"] = directory.File("x"), ["Relay:ClientCertificates:CallersPath"] = directory.File("y"),
        }));
        Assert.Contains("TLS", both.Message, StringComparison.Ordinal);
    }
}
