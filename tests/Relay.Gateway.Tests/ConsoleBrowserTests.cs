using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Relay.Actors;
using Relay.Gateway.Hosting;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>
/// The console in Chromium: accessible by axe-core's rules in light and dark, on a desk and on a phone, by keyboard, and without a script.
/// With <c>RELAY_ACCEPT_DOCS=1</c> its pictures in docs/pictures are made anew.
/// </summary>
public sealed class ConsoleBrowserTests
{
    private static readonly string s_folder = Path.Combine(MetricsTests.Repository(), "tests", "console-browser");
    private static readonly string[] s_browsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    [Fact]
    public async Task Pages_are_accessible_and_need_no_script()
    {
        var chromium = s_browsers.FirstOrDefault(File.Exists);
        Assert.SkipUnless(chromium is not null && Directory.Exists(Path.Combine(s_folder, "node_modules")), "Chromium or its driver is not installed (tests/setup/console.sh).");
        var time = new StagedTime();
        await using var stage = await StageAsync(time);
        var url = "http://localhost:" + stage.Server.Host.ConsoleAddress!.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        string[] pages = ["/endpoints", "/endpoints/support", "/conversations?endpoint=support", "/" + stage.Conversation, "/trust", "/streams", "/nodes", "/keys", "/keys/new", "/audit"];
        var pictures = Path.Combine(MetricsTests.Repository(), "docs", "pictures");
        bool isAccepting = Environment.GetEnvironmentVariable("RELAY_ACCEPT_DOCS") == "1";
        var plan = new JsonObject
        {
            ["chromium"] = chromium, ["url"] = url, ["key"] = stage.Server.AdminToken, ["pages"] = new JsonArray([.. pages.Select(p => (JsonNode)p)]),
            ["directory"] = pictures,
            ["pictures"] = isAccepting ? new JsonObject
            {
                ["console-light"] = Picture("/", "light", 1280), ["console-dark"] = Picture("/", "dark", 1280), ["console-phone"] = Picture("/", "light", 390),
                ["console-trust"] = Picture("/" + stage.Conversation, "light", 1280), ["console-keys"] = Picture("/keys", "dark", 1280),
            } : null,
        };
        if (isAccepting) Directory.CreateDirectory(pictures);
        var found = await BrowseAsync(plan);
        Assert.Empty(Texts(found["axe"]));
        Assert.Empty(Texts(found["blocked"]));
        Assert.Empty(Texts(found["failed"]));
        Assert.Empty(Texts(found["widths"]));
        Assert.Equal(["Overview", "Endpoints", "support", "Conversations", "anna@example.org", "Trust", "Streams", "Nodes", "Keys", "New key", "Audit"], Texts(found["withoutScript"]));
        var keyboard = found["keyboard"]!;
        Assert.Equal(("key", "Skip to content", "main", true), (keyboard["field"]!.GetValue<string>(), keyboard["first"]!.GetValue<string>(), keyboard["after"]!.GetValue<string>(), keyboard["visible"]!.GetValue<bool>()));
        var reached = Texts(keyboard["reached"]);
        Assert.DoesNotContain("", reached);
        Assert.Contains(reached, r => r.StartsWith("I have verified it", StringComparison.Ordinal));
        var cookie = Assert.Single(found["cookies"]!.AsArray())!;
        Assert.Equal(("__Host-relay", true, true, "Strict", "/"), (cookie["name"]!.GetValue<string>(), cookie["httpOnly"]!.GetValue<bool>(), cookie["secure"]!.GetValue<bool>(), cookie["sameSite"]!.GetValue<string>(), cookie["path"]!.GetValue<string>()));
        foreach (var name in (string[])["console-light", "console-dark", "console-phone"]) Assert.True(File.Exists(Path.Combine(pictures, name + ".png")), name);
    }

    private static JsonObject Picture(string path, string theme, int width) => new() { ["path"] = path, ["theme"] = theme, ["width"] = width };

    private static List<string> Texts(JsonNode? texts) => [.. texts!.AsArray().Select(t => t!.GetValue<string>())];

    private static async Task<JsonNode> BrowseAsync(JsonObject plan)
    {
        using var node = Process.Start(new ProcessStartInfo("node", ["browse.mjs"])
        {
            WorkingDirectory = s_folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5)).Token;
        await node.StandardInput.WriteAsync(plan.ToJsonString());
        node.StandardInput.Close();
        var (said, failed) = (node.StandardOutput.ReadToEndAsync(limit), node.StandardError.ReadToEndAsync(limit));
        await node.WaitForExitAsync(limit);
        Assert.True(node.ExitCode == 0, await failed);
        return JsonNode.Parse(await said)!;
    }

    /// <summary>A server as an operator finds it in the morning: an hour of traffic, two changed keys, an archive that nobody reads, a key that ends.</summary>
    private static async Task<Stage> StageAsync(StagedTime time)
    {
        var nodes = new List<NodeView>
        {
            new("relay-1:7430", true, NodeMembership.Up, true, 22, 1672), new("relay-2:7430", false, NodeMembership.Up, true, 21, 1640),
            new("relay-3:7430", false, NodeMembership.Up, true, 21, 1619),
        };
        var server = await TestServer.StartAsync(settings: new() { ["--console-listen"] = "127.0.0.1:0", ["--shards"] = "64" }, time: time,
            wrap: relay => WithNodes.Around(relay, nodes));
        var stage = new Stage(server);
        foreach (var id in (string[])["support", "billing-bot", "returns"])
            await server.CreateEndpointAsync(id, policy: new Policy { KeyChange = Policy.Types.KeyChange.Hold });
        await server.Admin.Subscriptions.CreateSubscriptionAsync(new CreateSubscriptionRequest { Parent = "endpoints/support", SubscriptionId = "archive", Subscription = new Subscription() });
        await server.Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "k", Scopes = { Scope.Bot }, DisplayName = "archive", ExpireTime = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow.AddDays(12)) });
        await server.Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "k2", Scopes = { Scope.Bridge }, DisplayName = "xmpp bridge" });
        string[] peers = ["anna@example.org", "m.keller@example.net", "joe@example.com"];
        await server.Admin.Identities.ImportIdentitiesAsync(new ImportIdentitiesRequest
        {
            RequestId = "import", Parent = "endpoints/support",
            Peers = { peers.Take(2).Select((p, i) => new PeerIdentities { Peer = p, Identities = { new KnownIdentity { Fingerprint = i == 0 ? "7f1c09b24d1a88e0536bd2c90ee14f7ac1b2d3e4" : "19aa04d3f05c7718e2b1a96c004dd2e8f7a6b5c4", TrustSource = i == 0 ? "verified" : "" } } }) },
        });
        var contacts = peers.Select(p => new Contact(p)).ToArray();
        var network = new Network(await server.ConnectAsync(Scope.Bridge), "endpoints/support", contacts);
        stage.Owned.Add(network);
        foreach (var contact in contacts) contact.Start();
        var list = new ListConversationsRequest { Parent = "endpoints/support", Filter = "key_held = true" };
        await Patience.UntilAsync(() => server.Admin.Conversations.ListConversations(list).Conversations.Count == 2);
        stage.Conversation = server.Admin.Conversations.ListConversations(list).Conversations.Single(c => c.Peer == peers[0]).Name;
        await server.Admin.Conversations.UpdateConversationAsync(new UpdateConversationRequest
        {
            RequestId = "l", UpdateMask = new() { Paths = { "labels" } }, Conversation = new Conversation { Name = stage.Conversation, Labels = { ["team"] = "sales" } },
        });
        using var meter = new Meter("Relay.Gateway");
        time.AnHourPasses(meter);
        time.Offset = TimeSpan.FromMinutes(41);
        return stage;
    }

    private sealed class Stage(TestServer server) : IAsyncDisposable
    {
        public TestServer Server => server;
        public string Conversation { get; set; } = "";
        public List<IAsyncDisposable> Owned { get; } = [];

        public async ValueTask DisposeAsync()
        {
            foreach (var owned in Owned) await owned.DisposeAsync();
            await server.DisposeAsync();
        }
    }

    /// <summary>The machine's clock, moved on; and the console's ring of figures turned by hand.</summary>
    private sealed class StagedTime : TimeProvider
    {
        private TimerCallback? _turn;

        public TimeSpan Offset { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (period != GatewayLimits.ConsoleFigureSlot) return base.CreateTimer(callback, state, dueTime, period);
            _turn = callback;
            return base.CreateTimer(_ => { }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public void AnHourPasses(Meter meter)
        {
            var received = meter.CreateCounter<long>("relay.wire.received");
            var sent = meter.CreateCounter<long>("relay.message.sends");
            var delivered = meter.CreateHistogram<double>("relay.delivery.duration");
            var random = new Random(7);
            for (int slot = 0; slot < 240; slot++)
            {
                int rate = (int)(1500 + 350 * Math.Sin(slot / 38.0) + random.Next(-180, 180));
                received.Add(rate, new KeyValuePair<string, object?>("outcome", "accepted"));
                received.Add(random.Next(0, 12), new KeyValuePair<string, object?>("outcome", "rejected"));
                sent.Add(rate * 4 / 5 + random.Next(-90, 90), new KeyValuePair<string, object?>("outcome", "encrypted"));
                if (slot == 120) sent.Add(11, new KeyValuePair<string, object?>("outcome", "held"));
                for (int i = 0; i < 400; i++)
                {
                    double seconds = i < 396 ? 0.002 + 0.02 * random.NextDouble() : i < 399 ? 0.03 + 0.05 * random.NextDouble() : slot % 9 == 0 ? 0.7 : 0.2;
                    delivered.Record(seconds, new("direction", i % 2 == 0 ? "inbound" : "outbound"), new("attended", "true"));
                }
                _turn!(null);
            }
        }
    }
}

/// <summary>A relay that tells of nodes that it does not have; all else is done by the one inside.</summary>
public class WithNodes : DispatchProxy
{
    private IRelay _inner = null!;
    private IReadOnlyList<NodeView> _nodes = [];

    public static IRelay Around(IRelay inner, IReadOnlyList<NodeView> nodes)
    {
        var proxy = Create<IRelay, WithNodes>();
        ((WithNodes)proxy)._inner = inner;
        ((WithNodes)proxy)._nodes = nodes;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name == nameof(IRelay.ListNodesAsync)
        ? new ValueTask<IReadOnlyList<NodeView>>(_nodes)
        : targetMethod.Invoke(_inner, args);
}
