using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Relay.Gateway.Tests.Harness;
using Relay.Gateway.Webhooks;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>Subscriptions that are posted: what the receiver gets, what becomes of what it refuses, and where nothing is sent.</summary>
public sealed class WebhookTests
{
    private const string Name = "endpoints/e/subscriptions/hook";
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    private sealed record Post(string Id, string Timestamp, string Signature, string Body)
    {
        public string Text => JsonDocument.Parse(Body).RootElement.GetProperty("textReceived").GetProperty("text").GetString()!;
    }

    /// <summary>A receiver on loopback that answers as the test says.</summary>
    private sealed class Receiver : IAsyncDisposable
    {
        private readonly WebApplication _app;

        private Receiver(WebApplication app) => _app = app;

        public string Url => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First() + "/hook";

        public BlockingCollection<Post> Posts { get; } = [];

        public Func<Post, HttpResponse, int> Answer { get; set; } = (_, _) => 204;

        public static async Task<Receiver> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var receiver = new Receiver(builder.Build());
            receiver._app.MapPost("/hook", async (HttpContext context) =>
            {
                using var reader = new StreamReader(context.Request.Body);
                var headers = context.Request.Headers;
                var post = new Post(headers["webhook-id"]!, headers["webhook-timestamp"]!, headers["webhook-signature"]!, await reader.ReadToEndAsync());
                context.Response.StatusCode = receiver.Answer(post, context.Response);
                receiver.Posts.Add(post);
            });
            await receiver._app.StartAsync();
            return receiver;
        }

        public Post Next()
        {
            Assert.True(Posts.TryTake(out var post, s_limit), "Nothing was posted.");
            return post;
        }

        public async ValueTask DisposeAsync() => await _app.DisposeAsync();
    }

    private static async Task<(TestServer Server, Func<string, string, Task> Receive)> StartAsync(string? networks = "127.0.0.0/8")
    {
        var server = await TestServer.StartAsync(settings: networks is null ? null : new() { ["Relay:Webhooks:AllowedNetworks"] = networks });
        await server.CreateEndpointAsync("e");
        var bridge = await server.ConnectAsync(Scope.Bridge);
        return (server, async (peer, text) => Assert.Equal("", (await bridge.BridgeStreams.PushWireAsync(new PushWireRequest
        {
            Message = new InboundWire { Endpoint = "endpoints/e", Peer = peer, MessageId = Guid.NewGuid().ToString("N"), Text = ByteString.CopyFromUtf8(text) },
        })).Result.RejectReason));
    }

    private static Task<Subscription> CreateAsync(TestServer server, string url, string secret = "", int deliveries = 3) => server.Admin.Subscriptions.CreateSubscriptionAsync(new CreateSubscriptionRequest
    {
        Parent = "endpoints/e", SubscriptionId = "hook", Subscription = new Subscription { MaxDeliveries = deliveries, Webhook = new Webhook { Url = url, Secret = secret } },
    }).ResponseAsync;

    private static Task<Subscription> GetAsync(TestServer server) => server.Admin.Subscriptions.GetSubscriptionAsync(new GetSubscriptionRequest { Name = Name }).ResponseAsync;

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(s_limit);
        while (!await condition()) await Task.Delay(50, limit.Token);
    }

    /// <summary>The example of the specification's reference libraries (standard-webhooks).</summary>
    [Fact]
    public void Signatures_are_those_of_Standard_Webhooks()
    {
        var secret = WebhookSignature.TryParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")!;
        Assert.Equal("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            WebhookSignature.Sign([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, """{"test": 2432232314}"""u8));
        Assert.Equal(2, WebhookSignature.Sign([secret, secret], "x", 1, "y"u8).Split(' ').Length);
        foreach (var wrong in (string[])["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_!", "whsec_" + new string('A', 200)])
            Assert.Null(WebhookSignature.TryParseSecret(wrong));
        Assert.NotNull(WebhookSignature.TryParseSecret(WebhookSignature.MakeSecret()));
    }

    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("2a00:1450:4001::1", true)]
    [InlineData("::ffff:8.8.8.8", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("::1", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("::", false)]
    [InlineData("10.0.0.1", false)]
    [InlineData("172.31.255.255", false)]
    [InlineData("172.32.0.1", true)]
    [InlineData("192.168.1.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("198.19.0.1", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fc00::1", false)]
    [InlineData("fd12::1", false)]
    [InlineData("ff02::1", false)]
    [InlineData("64:ff9b::7f00:1", false)]
    [InlineData("2002:7f00:1::", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData("10.1.2.3", true, "10.1.0.0/16")]
    [InlineData("::ffff:10.1.2.3", true, "10.1.0.0/16")]
    [InlineData("10.2.0.1", false, "10.1.0.0/16")]
    public void Only_public_and_allowed_addresses_are_called(string address, bool mayConnect, string? allowed = null)
    {
        var networks = new WebhookNetworks(allowed is null ? [] : [IPNetwork.Parse(allowed)]);
        Assert.Equal(mayConnect, networks.MayConnect(IPAddress.Parse(address)));
        Assert.Equal(allowed is not null && mayConnect, networks.IsAllowed(IPAddress.Parse(address)));
    }

    [Fact]
    public async Task Events_are_posted_signed_and_acknowledged_by_the_answer()
    {
        await using var receiver = await Receiver.StartAsync();
        var (server, receive) = await StartAsync();
        await using var _ = server;
        var made = await CreateAsync(server, receiver.Url);
        var secret = WebhookSignature.TryParseSecret(made.Webhook.Secret)!;
        await receive("alice", "hello");
        var post = receiver.Next();
        Assert.Equal("hello", post.Text);
        Assert.Equal(("e.hook.1", Name, "1", "alice"), (post.Id, Json(post, "subscription"), Json(post, "cursor"), Json(post, "peer")));
        Assert.InRange(long.Parse(post.Timestamp, System.Globalization.CultureInfo.InvariantCulture), DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 30, DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 1);
        Assert.Equal("v1," + Convert.ToBase64String(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes($"{post.Id}.{post.Timestamp}.{post.Body}"))), post.Signature);
        await UntilAsync(async () => await GetAsync(server) is { Pending: 0, LastAckTime: not null });
        // The secret is told once, and never again.
        Assert.Equal((receiver.Url, ""), ((await GetAsync(server)).Webhook.Url, (await GetAsync(server)).Webhook.Secret));

        // While a secret is changed both sign: the receiver may know either.
        var changed = await server.Admin.Subscriptions.UpdateSubscriptionAsync(new UpdateSubscriptionRequest { Subscription = new Subscription { Name = Name }, UpdateMask = new FieldMask { Paths = { "webhook.secret" } } });
        var next = WebhookSignature.TryParseSecret(changed.Webhook.Secret)!;
        await receive("alice", "again");
        post = receiver.Next();
        var signed = Encoding.UTF8.GetBytes($"{post.Id}.{post.Timestamp}.{post.Body}");
        Assert.Equal(string.Join(' ', new[] { next, secret }.Select(s => "v1," + Convert.ToBase64String(HMACSHA256.HashData(s, signed)))), post.Signature);

        // Without a webhook its readers take the events.
        await server.Admin.Subscriptions.UpdateSubscriptionAsync(new UpdateSubscriptionRequest { Subscription = new Subscription { Name = Name }, UpdateMask = new FieldMask { Paths = { "webhook" } } });
        await Task.Delay(200);
        await receive("alice", "not posted");
        var bot = await server.ConnectAsync(Scope.Bot);
        var page = await bot.Subscriptions.PullSubscriptionAsync(new PullSubscriptionRequest { Name = Name, Wait = new Duration { Seconds = 30 } });
        Assert.Equal("not posted", Assert.Single(page.Events).TextReceived.Text);
        Assert.Empty(receiver.Posts);

        static string Json(Post post, string field) => JsonDocument.Parse(post.Body).RootElement.GetProperty(field).GetString()!;
    }

    [Fact]
    public async Task What_the_receiver_refuses_comes_again_and_becomes_a_dead_letter_and_the_rest_goes_on()
    {
        await using var receiver = await Receiver.StartAsync();
        var (server, receive) = await StartAsync();
        await using var _ = server;
        receiver.Answer = (post, response) =>
        {
            if (post.Text != "poison") return 200;
            response.Headers.RetryAfter = "0";
            return 500;
        };
        await CreateAsync(server, receiver.Url, deliveries: 2);
        await receive("alice", "poison");
        await receive("alice", "after it");
        await receive("bob", "hello");
        var texts = new List<string>();
        while (texts.Count < 4) texts.Add(receiver.Next().Text);
        Assert.Equal(["after it", "hello", "poison", "poison"], texts.Order());
        Assert.True(texts.IndexOf("after it") > texts.LastIndexOf("poison"), "An event has overtaken one before it.");
        await UntilAsync(async () => await GetAsync(server) is { Pending: 0, DeadLetters: 1 });
        Assert.Equal("The receiver answered 500.", (await GetAsync(server)).LastNackNote);
        // Gone is gone: no second attempt.
        receiver.Answer = (_, _) => 410;
        await receive("carol", "nobody there");
        Assert.Equal("nobody there", receiver.Next().Text);
        await UntilAsync(async () => await GetAsync(server) is { Pending: 0, DeadLetters: 2 });
    }

    [Fact]
    public async Task Redirects_are_not_followed()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var elsewhere = await Receiver.StartAsync();
        var (server, receive) = await StartAsync();
        await using var _ = server;
        receiver.Answer = (_, response) =>
        {
            response.Headers.Location = elsewhere.Url;
            return 307;
        };
        await CreateAsync(server, receiver.Url, deliveries: 1);
        await receive("alice", "hello");
        Assert.Equal("hello", receiver.Next().Text);
        await UntilAsync(async () => await GetAsync(server) is { DeadLetters: 1, LastNackNote: "The receiver answered 307." });
        Assert.Empty(elsewhere.Posts);
    }

    /// <summary>Whoever may create a subscription must not reach what only the server can reach, by whatever name.</summary>
    [Theory]
    [InlineData("http://127.0.0.1:{0}/hook")]
    [InlineData("http://localhost:{0}/hook")]
    [InlineData("http://[::ffff:127.0.0.1]:{0}/hook")]
    [InlineData("http://0x7f.1:{0}/hook")]
    [InlineData("https://127.0.0.1:{0}/hook")]
    [InlineData("https://localhost:{0}/hook")]
    public async Task Addresses_that_are_not_public_are_not_called(string url)
    {
        await using var receiver = await Receiver.StartAsync();
        var (server, receive) = await StartAsync(networks: null);
        await using var _ = server;
        await CreateAsync(server, string.Format(System.Globalization.CultureInfo.InvariantCulture, url, new Uri(receiver.Url).Port), deliveries: 1);
        await receive("alice", "hello");
        await UntilAsync(async () => await GetAsync(server) is { DeadLetters: 1 });
        Assert.Contains("Relay:Webhooks:AllowedNetworks", (await GetAsync(server)).LastNackNote, StringComparison.Ordinal);
        Assert.Empty(receiver.Posts);
    }

    [Theory]
    [InlineData("https://no-such-host.invalid/hook", "cannot be reached")]
    [InlineData("http://127.0.0.1:1/hook", "cannot be reached")]
    [InlineData("https://[::1]:1/hook", "Relay:Webhooks:AllowedNetworks")]
    public async Task A_receiver_that_is_not_there_is_told_as_such(string url, string said)
    {
        var (server, receive) = await StartAsync();
        await using var _ = server;
        await CreateAsync(server, url, deliveries: 1);
        await receive("alice", "one");
        await UntilAsync(async () => await GetAsync(server) is { DeadLetters: 1 });
        await receive("alice", "two");
        await UntilAsync(async () => await GetAsync(server) is { DeadLetters: 2 });
        Assert.Contains(said, (await GetAsync(server)).LastNackNote, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Webhooks_go_on_after_a_restart_and_end_with_their_endpoint()
    {
        await using var receiver = await Receiver.StartAsync();
        using var directory = new TempDirectory();
        var settings = new Dictionary<string, string> { ["Relay:Webhooks:AllowedNetworks"] = "127.0.0.0/8" };
        await using (var first = await TestServer.StartAsync(settings: settings, dataDirectory: directory.File("data")))
        {
            await first.CreateEndpointAsync("e");
            await CreateAsync(first, receiver.Url);
        }
        await using var server = await TestServer.StartAsync(settings: settings, dataDirectory: directory.File("data"));
        var bridge = await server.ConnectAsync(Scope.Bridge);
        async Task ReceiveAsync(string text) => await bridge.BridgeStreams.PushWireAsync(new PushWireRequest { Message = new InboundWire { Endpoint = "endpoints/e", Peer = "alice", MessageId = text, Text = ByteString.CopyFromUtf8(text) } });
        await ReceiveAsync("one");
        Assert.Equal("one", receiver.Next().Text);
        await server.Admin.Endpoints.DeleteEndpointAsync(new DeleteEndpointRequest { Name = "endpoints/e" });
        await server.Admin.Endpoints.UndeleteEndpointAsync(new UndeleteEndpointRequest { Name = "endpoints/e" });
        await ReceiveAsync("two");
        Assert.Equal("two", receiver.Next().Text);
    }

    [Fact]
    public async Task Wrong_webhooks_are_refused()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateEndpointAsync("e");
        foreach (var url in (string[])["", "example.org", "ftp://example.org/", "https://user:secret@example.org/", "https://example.org/#x", "file:///etc/passwd", "https://" + new string('x', 2048)])
            await Expect.FieldsAsync(() => CreateAsync(server, url), "subscription.webhook.url");
        await Expect.FieldsAsync(() => CreateAsync(server, "https://example.org/", "short"), "subscription.webhook.secret");
        var wrong = await Terminal.RunAsync(new Dictionary<string, string> { ["Relay__Webhooks__AllowedNetworks"] = "everything" }, null, "config", "show", "--data", server.DataDirectory);
        Assert.Contains("10.1.0.0/16", wrong.Out + wrong.Error, StringComparison.Ordinal);
    }
}
