using System.Net;
using System.Text.RegularExpressions;
using Otr.Core;
using Relay.Actors;
using Relay.Gateway.Hosting;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>The operators' console: what it shows, to whom, and that its forms do what the API does.</summary>
public sealed class ConsoleTests
{
    private static readonly string s_otherKey = new('1', 40);

    private static Task<TestServer> StartAsync(IRelay? relay = null, TimeProvider? time = null) =>
        TestServer.StartAsync(relay, new() { ["--console-listen"] = "127.0.0.1:0", ["--http-listen"] = "127.0.0.1:0", ["--health-listen"] = "127.0.0.1:0" }, time: time);

    private static async Task<ConsoleVisitor> VisitAsync(TestServer server, string? key = null)
    {
        var visitor = new ConsoleVisitor(server.Host.ConsoleAddress!);
        Assert.Equal(HttpStatusCode.SeeOther, (await visitor.SignInAsync(key ?? server.AdminToken)).Status);
        return visitor;
    }

    /// <summary>A peer who is known by one key, and shows another.</summary>
    private static async Task<(string Conversation, IDisposable Peer, IAsyncDisposable Network)> HoldKeyAsync(TestServer server, string peer)
    {
        var endpoint = await server.CreateEndpointAsync("support", policy: new Policy { KeyChange = Policy.Types.KeyChange.Hold });
        await server.Admin.Identities.ImportIdentitiesAsync(new ImportIdentitiesRequest
        {
            RequestId = "import", Parent = endpoint,
            Peers = { new PeerIdentities { Peer = peer, Identities = { new KnownIdentity { Fingerprint = s_otherKey, TrustSource = "verified" } } } },
        });
        var contact = new Contact(peer);
        var network = new Network(await server.ConnectAsync(Scope.Bridge), endpoint, contact);
        contact.Start();
        Conversation? held = null;
        while (held is null)
        {
            var list = new ListConversationsRequest { Parent = endpoint, Filter = "key_held = true" };
            held = (await server.Admin.Conversations.ListConversationsAsync(list)).Conversations.SingleOrDefault();
            Patience.Token.ThrowIfCancellationRequested();
            await Task.Delay(20, Patience.Token);
        }
        return (held.Name, contact, network);
    }

    [Fact]
    public async Task Every_page_can_be_read_and_is_small()
    {
        await using var server = await StartAsync();
        var (conversation, peer, network) = await HoldKeyAsync(server, "anna@example.org");
        using var _ = peer;
        await using var __ = network;
        await server.Admin.Subscriptions.CreateSubscriptionAsync(new CreateSubscriptionRequest { Parent = "endpoints/support", SubscriptionId = "archive", Subscription = new Subscription() });
        using var visitor = await VisitAsync(server);
        var key = (await server.Admin.Admin.ListApiKeysAsync(new ListApiKeysRequest())).ApiKeys[0].Name["apiKeys/".Length..];
        foreach (var path in (string[])["/", "/endpoints", "/endpoints/support", "/conversations", "/conversations?endpoint=support", "/conversations?quarantined=1", "/" + conversation,
            $"/{conversation}/end", $"/{conversation}/delete", "/trust", "/streams", "/streams/support/archive/drop", "/nodes", "/keys", "/keys/new", $"/keys/{key}/rotate", $"/keys/{key}/revoke", $"/keys/{key}/delete", "/audit"])
        {
            var page = await visitor.ReadAsync(path);
            Assert.Contains("<h1>", page, StringComparison.Ordinal);
            Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotMatch(new Regex("\\s(style|on[a-z]+)=\"", RegexOptions.IgnoreCase), page);
            using var packed = new MemoryStream();
            await using (var gzip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionLevel.Optimal, leaveOpen: true)) await gzip.WriteAsync(System.Text.Encoding.UTF8.GetBytes(page));
            Assert.InRange(packed.Length, 200, 15_000);
        }
        Assert.Equal(HttpStatusCode.NotFound, await visitor.StatusAsync("/nothing"));
        Assert.Equal(HttpStatusCode.NotFound, await visitor.StatusAsync("/endpoints/nobody"));
        Assert.Equal(HttpStatusCode.BadRequest, await visitor.StatusAsync("/endpoints/NOT-an-id"));
        var overview = await visitor.ReadAsync("/");
        Assert.Contains("1 peer of <b>support</b> has a new key", overview, StringComparison.Ordinal);
        Assert.Contains("<bdi>anna@example.org</bdi>", overview, StringComparison.Ordinal);
        Assert.Contains("11111111 11111111", overview, StringComparison.Ordinal);
        Assert.Contains("The old key was verified.", overview, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("accept", Identity.Types.Standing.Accepted, Trust.Unverified)]
    [InlineData("verify", Identity.Types.Standing.Accepted, Trust.Verified)]
    [InlineData("refuse", Identity.Types.Standing.Refused, Trust.Unverified)]
    public async Task A_held_key_is_decided_about_and_the_audit_log_says_by_whom(string decision, Identity.Types.Standing standing, Trust trust)
    {
        await using var server = await StartAsync();
        var (conversation, peer, network) = await HoldKeyAsync(server, "anna@example.org");
        using var _ = peer;
        await using var __ = network;
        using var visitor = await VisitAsync(server);
        var page = await visitor.ReadAsync("/trust");
        var action = Regex.Match(page, "action=\"(/endpoints/[^\"]*/identities/[0-9a-f]{40})\"").Groups[1].Value;
        Assert.Equal(TestKeys.ContactFingerprint, action[^40..]);
        Assert.Equal(HttpStatusCode.SeeOther, (await visitor.SubmitAsync(page, action, ("decision", decision))).Status);
        var known = (await server.Admin.Identities.ListIdentitiesAsync(new ListIdentitiesRequest { Parent = conversation })).Identities.Single(i => i.Fingerprint == TestKeys.ContactFingerprint);
        Assert.Equal((standing, trust), (known.Standing, known.Trust));
        Assert.DoesNotContain(action, await visitor.ReadAsync("/trust"), StringComparison.Ordinal);
        var entries = (await server.Admin.Admin.ListAuditEntriesAsync(new ListAuditEntriesRequest())).AuditEntries;
        var caller = (await server.Admin.Admin.GetCallerAsync(new GetCallerRequest())).Name;
        Assert.Contains(entries, e => (e.Caller, e.Method, e.Resource) == (caller, $"IdentityService/{(decision == "verify" ? "Update" : decision == "accept" ? "Accept" : "Refuse")}Identity", "endpoints/support"));
        Assert.Contains(entries, e => (e.Caller, e.Method) == (caller, "Console/SignIn"));
    }

    [Fact]
    public async Task A_key_is_made_rotated_revoked_and_deleted()
    {
        await using var server = await StartAsync();
        using var visitor = await VisitAsync(server);
        var made = await visitor.SubmitAsync(await visitor.ReadAsync("/keys/new"), "/keys/new", ("name", "<b>night</b>"), ("scope", "monitor"), ("scope", "trust"), ("endpoints", "support billing-*"), ("days", "30"));
        Assert.Equal(HttpStatusCode.OK, made.Status);
        var token = Regex.Match(made.Page, "relay_[a-z2-7]{16}_[0-9a-f]{64}").Value;
        var key = (await server.Admin.Admin.ListApiKeysAsync(new ListApiKeysRequest())).ApiKeys.Single(k => k.DisplayName == "<b>night</b>");
        Assert.Equal([Scope.Monitor, Scope.Trust], key.Scopes);
        Assert.Equal(["endpoints/support", "endpoints/billing-*"], key.Endpoints);
        Assert.InRange(key.ExpireTime.ToDateTimeOffset() - DateTimeOffset.UtcNow, TimeSpan.FromDays(29.9), TimeSpan.FromDays(30));
        Assert.Equal(key.Name, (await server.Connect(token).Admin.GetCallerAsync(new GetCallerRequest())).Name);
        var id = key.Name["apiKeys/".Length..];

        var rotated = await visitor.SubmitAsync(await visitor.ReadAsync($"/keys/{id}/rotate"), $"/keys/{id}/rotate", ("hours", "0"));
        var second = Regex.Match(rotated.Page, "relay_[a-z2-7]{16}_[0-9a-f]{64}").Value;
        Assert.Equal(key.Name, (await server.Connect(second).Admin.GetCallerAsync(new GetCallerRequest())).Name);
        await Assert.ThrowsAsync<Grpc.Core.RpcException>(async () => await server.Connect(token).Admin.GetCallerAsync(new GetCallerRequest()));
        var list = await visitor.ReadAsync("/keys");
        Assert.Contains("&lt;b&gt;night&lt;/b&gt;", list, StringComparison.Ordinal);
        Assert.DoesNotContain(second, list, StringComparison.Ordinal);
        // A key that is valid cannot be deleted.
        Assert.Equal(HttpStatusCode.Conflict, (await visitor.SubmitAsync(await visitor.ReadAsync($"/keys/{id}/delete"), $"/keys/{id}/delete")).Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await visitor.SubmitAsync(await visitor.ReadAsync($"/keys/{id}/revoke"), $"/keys/{id}/revoke")).Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await visitor.SubmitAsync(await visitor.ReadAsync($"/keys/{id}/delete"), $"/keys/{id}/delete")).Status);
        Assert.DoesNotContain((await server.Admin.Admin.ListApiKeysAsync(new ListApiKeysRequest())).ApiKeys, k => k.Name == key.Name);
        var wrong = await visitor.SubmitAsync(await visitor.ReadAsync("/keys/new"), "/keys/new", ("name", "both"), ("scope", "bot"), ("scope", "bridge"));
        Assert.Equal(HttpStatusCode.BadRequest, wrong.Status);
    }

    [Fact]
    public async Task The_worst_comes_first_in_a_sentence()
    {
        var relay = new FakeRelay
        {
            Documents = new FakeDocuments(),
            Nodes = [new NodeView("relay-1:7430", true, NodeMembership.Up, true, 2, 10), new NodeView("relay-2:7430", false, NodeMembership.Up, false, null, null)],
        };
        await using var server = await StartAsync(relay);
        using var visitor = await VisitAsync(server);
        var page = await visitor.ReadAsync("/");
        Assert.Contains("<h2>One thing is wrong.</h2>", page, StringComparison.Ordinal);
        Assert.Contains("<b>relay-2:7430</b> does not answer the other nodes", page, StringComparison.Ordinal);
        Assert.Contains("2 of 4 shards owned", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_waits_and_what_is_quarantined_is_pointed_out()
    {
        await using var server = await StartAsync();
        await server.CreateEndpointAsync("quiet");
        using var visitor = await VisitAsync(server);
        Assert.Contains("Everything is being delivered.", await visitor.ReadAsync("/"), StringComparison.Ordinal);
        await server.Admin.Subscriptions.CreateSubscriptionAsync(new CreateSubscriptionRequest { Parent = "endpoints/quiet", SubscriptionId = "archive", Subscription = new Subscription() });
        var bot = await server.ConnectAsync(Scope.Bot);
        await bot.Messages.SendMessageAsync(new SendMessageRequest { Parent = "endpoints/quiet", Peer = "p", RequestId = "r", Text = "marked text of a bot" });
        using var contact = new Contact("anna");
        await using var network = new Network(await server.ConnectAsync(Scope.Bridge), "endpoints/quiet", contact);
        contact.Start();
        using var later = await VisitAsync(server);
        var page = "";
        await Patience.UntilAsync(() => (page = later.ReadAsync("/streams").Result).Contains("events · archive", StringComparison.Ordinal));
        Assert.Contains("Nobody reads", page, StringComparison.Ordinal);
        foreach (var path in (string[])["/", "/streams", "/conversations?endpoint=quiet", "/endpoints/quiet", "/audit"])
            Assert.DoesNotContain("marked text", await later.ReadAsync(path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_scopes_that_may_decide_see_the_decisions()
    {
        await using var server = await StartAsync();
        var (conversation, peer, network) = await HoldKeyAsync(server, "anna@example.org");
        using var _ = peer;
        await using var __ = network;
        using var monitor = await VisitAsync(server, await server.CreateKeyAsync(Scope.Monitor));
        var page = await monitor.ReadAsync("/");
        Assert.DoesNotContain("anna@example.org", page, StringComparison.Ordinal);
        Assert.DoesNotContain("href=\"/trust\"", page, StringComparison.Ordinal);
        Assert.DoesNotContain("/keys/new", await monitor.ReadAsync("/keys"), StringComparison.Ordinal);
        // The forms of others, sent by this session: its own code does not fit, and its scope would not.
        foreach (var path in (string[])[$"/{conversation}", "/conversations?endpoint=support"]) Assert.Equal(HttpStatusCode.Forbidden, await monitor.StatusAsync(path));
        var out_ = ConsoleVisitor.FieldsOf(page, "/sign-out");
        Assert.Equal(HttpStatusCode.Conflict, (await monitor.SubmitAsync("/keys/new", out_)).Status);
        using var admin = await VisitAsync(server, await server.CreateKeyAsync(Scope.Admin));
        Assert.Contains("A key of scope trust decides.", await admin.ReadAsync("/trust"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, await admin.StatusAsync("/keys"));
        using var bot = new ConsoleVisitor(server.Host.ConsoleAddress!);
        Assert.Equal(HttpStatusCode.Forbidden, (await bot.SignInAsync(await server.CreateKeyAsync(Scope.Bot))).Status);
        Assert.Null(bot.Cookie);
        using var limited = await VisitAsync(server, await server.CreateKeyAsync(Scope.Trust, null, "endpoints/other"));
        Assert.DoesNotContain("anna@example.org", await limited.ReadAsync("/"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, await limited.StatusAsync("/conversations?endpoint=support"));
    }
}
