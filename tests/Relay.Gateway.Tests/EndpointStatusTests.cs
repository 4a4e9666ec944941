using Google.Protobuf;
using Grpc.Core;
using Otr.Core;
using Relay.Actors;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>What an endpoint is like now: whether a bridge carries it, and what somebody should look at.</summary>
public sealed class EndpointStatusTests
{
    private const string Name = "endpoints/e/status";

    private static async Task<EndpointStatus> StatusAsync(RelayClient client, bool counts = false) =>
        await client.Endpoints.GetEndpointStatusAsync(new GetEndpointStatusRequest { Name = Name, CountConversations = counts });

    private static async Task<AsyncDuplexStreamingCall<StreamWireRequest, StreamWireResponse>> ConnectAsync(RelayClient bridge)
    {
        var stream = bridge.BridgeStreams.StreamWire();
        await stream.RequestStream.SayAsync(new StreamWireRequest { Open = new OpenStream { Endpoint = "endpoints/e" } });
        Assert.True(await stream.ResponseStream.MoveNext(Patience.Token));
        return stream;
    }

    [Fact]
    public async Task It_says_since_when_a_bridge_is_connected_and_when_none_is()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var bot = await server.ConnectAsync(Scope.Bot, "endpoints/e");
        Assert.Null((await StatusAsync(bot)).BridgeConnectTime);
        var before = DateTimeOffset.UtcNow;
        using var bridge = await ConnectAsync(await server.ConnectAsync(Scope.Bridge));
        var since = (await StatusAsync(bot)).BridgeConnectTime.ToDateTimeOffset();
        Assert.InRange(since, before, DateTimeOffset.UtcNow);
        // One that takes its place is connected since then.
        using var newer = await ConnectAsync(await server.ConnectAsync(Scope.Bridge));
        Assert.True((await StatusAsync(bot)).BridgeConnectTime.ToDateTimeOffset() > since);
        await newer.RequestStream.CompleteAsync();
        await newer.ResponseStream.EndsAsync();
        Assert.Null((await StatusAsync(bot)).BridgeConnectTime);
    }

    [Fact]
    public async Task Another_node_says_it_too_until_the_stream_ends_or_its_node_is_gone()
    {
        NodeView Node(string name, bool isSelf) => new(name + ":7430", isSelf, NodeMembership.Up, true, 1, 1);
        var nodes = new List<NodeView> { Node("a", true), Node("b", false) };
        var first = new FakeRelay { Documents = new FakeDocuments(), Nodes = nodes };
        // It is never opened: the actors are the test's.
        const string database = "Host=127.0.0.1;Port=1;Database=none;Username=nobody";
        await using var a = await TestServer.StartAsync(first, new() { ["Relay:Cluster:Host"] = "a", ["--database"] = database });
        var settings = new Dictionary<string, string> { ["Relay:Cluster:Host"] = "b", ["--database"] = database, ["--admin-key"] = Path.Combine(a.DataDirectory, "admin.key") };
        await using var b = await TestServer.StartAsync(new FakeRelay(first) { Nodes = nodes }, settings);
        var bot = b.Connect(await b.CreateKeyAsync(Scope.Bot));
        Assert.Null((await StatusAsync(bot)).BridgeConnectTime);
        var bridge = a.Connect(await a.CreateKeyAsync(Scope.Bridge));
        using (var stream = await ConnectAsync(bridge))
        {
            Assert.Equal((await StatusAsync(a.Admin)).BridgeConnectTime.ToDateTimeOffset().ToUnixTimeMilliseconds(), (await StatusAsync(bot)).BridgeConnectTime.ToDateTimeOffset().ToUnixTimeMilliseconds());
            await stream.RequestStream.CompleteAsync();
            await stream.ResponseStream.EndsAsync();
        }
        Assert.Null((await StatusAsync(bot)).BridgeConnectTime);
        using var again = await ConnectAsync(bridge);
        Assert.NotNull((await StatusAsync(bot)).BridgeConnectTime);
        // A node that was killed withdraws nothing.
        nodes.RemoveAt(0);
        Assert.Null((await StatusAsync(bot)).BridgeConnectTime);
    }

    [Fact]
    public async Task It_counts_what_is_held_and_what_is_private_if_it_is_asked_to()
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("e");
        var client = await server.ConnectAsync(Scope.Bot, endpoint);
        foreach (var (peer, count) in new[] { ("alice", 2), ("bob", 1) })
        {
            for (int i = 0; i < count; i++) await client.Messages.SendMessageAsync(new SendMessageRequest { Parent = endpoint, Peer = peer, RequestId = $"r{i}", Text = "held" });
        }
        Assert.Null((await StatusAsync(client)).Conversations);
        Assert.Equal(new ConversationCounts { Counted = 2, HeldMessages = 3 }, (await StatusAsync(client, counts: true)).Conversations);
        using var carol = new Contact("carol");
        await using (var network = new Network(await server.ConnectAsync(Scope.Bridge), endpoint, carol))
        {
            carol.Start();
            await carol.Changes.NextAsync();
            // The relay's side is established a step later.
            var limit = Patience.Token;
            while ((await StatusAsync(client, counts: true)).Conversations.Encrypted == 0) limit.ThrowIfCancellationRequested();
            Assert.Equal(new ConversationCounts { Counted = 3, HeldMessages = 3, Encrypted = 1 }, (await StatusAsync(client, counts: true)).Conversations);
        }
        // What was deleted is not counted.
        var deleted = (await client.Conversations.ResolveConversationAsync(new ResolveConversationRequest { Parent = endpoint, Peer = "alice" })).Name;
        await client.Conversations.DeleteConversationAsync(new DeleteConversationRequest { RequestId = "d", Name = deleted });
        Assert.Equal(new ConversationCounts { Counted = 2, HeldMessages = 1, Encrypted = 1 }, (await StatusAsync(client, counts: true)).Conversations);
    }

    [Fact]
    public async Task It_counts_what_is_quarantined_and_keys_that_are_held()
    {
        var relay = new FakeRelay();
        await using var server = await TestServer.StartAsync(relay);
        var key = new Fingerprint(new byte[20]);
        var session = new SessionInfo(Otr.Core.MessageState.Encrypted, 3, 0x100, 0x101, key, 1, false);
        relay.Conversations.Add(new ConversationView("e", "a", "alice", Otr.Core.MessageState.Encrypted, [session], default)
        {
            Identities = [new IdentityView(key, TrustLevel.Untrusted, "", null, null, null) { Standing = KeyStanding.Held }], HeldMessages = 2,
        });
        relay.Conversations.Add(new ConversationView("e", "b", "", Otr.Core.MessageState.Plaintext, [], default) { IsQuarantined = true });
        Assert.Equal(new ConversationCounts { Counted = 2, Encrypted = 1, HeldMessages = 2, KeysHeld = 1, Quarantined = 1 }, (await StatusAsync(server.Admin, counts: true)).Conversations);
    }
}
