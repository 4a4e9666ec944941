using Akka.Actor;
using Akka.Serialization;
using Microsoft.Extensions.Logging.Abstractions;
using Otr.Core;
using Relay.Actors;
using Relay.Actors.Cluster;
using Relay.Actors.Files;
using Relay.Actors.Conversations;
using Relay.Storage;

namespace Relay.Cluster.Tests;

/// <summary>Whole nodes with real entities over one database, in this process.</summary>
public sealed class ClusterRelayTests(ClusterDatabase databases) : IDisposable
{
    private const string Endpoint = "bot", Peer = "contact@example.net";
    private static readonly StreamKey s_wire = new(Endpoint, StreamKind.Wire);
    private static readonly ConversationAddress s_address = new ConversationAddress.ByPeer(Endpoint, Peer);

    private readonly string _directory = Directory.CreateTempSubdirectory("relay-test-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private async Task<IRelay> OpenAsync(string database, string name, int shards = 8, string version = "1.0.0")
    {
        var options = new ClusterRelayOptions(database, new ClusterOptions { Host = "127.0.0.1", Port = TestNode.FreePort() })
        {
            DataDirectory = Path.Combine(_directory, name), SealingKeyFile = Path.Combine(_directory, "sealing.key"), Shards = shards,
            Version = version, Files = new FileSettings { PublicUrl = "https://files.example.org" },
        };
        return await ClusterRelay.OpenAsync(options, NullLoggerFactory.Instance, TimeProvider.System, SystemRandom.Instance, default);
    }

    private static async Task CreateEndpointAsync(IRelay relay)
    {
        var request = new CreateEndpoint("create", Endpoint, "xmpp", "bot@example.net", new EndpointSettings(), null);
        Assert.IsType<CreateEndpointReply.Created>(await relay.Endpoints.CreateAsync(request, default));
    }

    private static async Task<int> SentAsync(IRelay relay)
        => (await relay.Outbox.ReadAsync(s_wire, 0, 100, long.MaxValue, default)).Count;

    /// <summary>Tells the region what came over the wire, as Akka's remoting does.</summary>
    private static async Task<ConversationReply> PlayAsync(RelayNode node, SerializerWithStringManifest form, byte[] recorded,
        string manifest)
        => (await node.Actors.Region.Ask<ConversationAnswer>(form.FromBinary(recorded, manifest), TestNode.Limit)).Reply;

    [Fact]
    public async Task A_recorded_command_that_is_played_again_has_no_second_effect()
    {
        await using var relay = await OpenAsync(await databases.CreateAsync(), "a");
        await CreateEndpointAsync(relay);
        var node = (RelayNode)relay;
        var form = (SerializerWithStringManifest)node.Actors.System.Serialization.FindSerializerForType(typeof(ConversationCommand));
        var first = Assert.IsType<ConversationReply.Done>(await relay.AskAsync(s_address, new Command.StartSession("first"), default));
        int sent = await SentAsync(relay);
        long expiresAtMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() + 2_000;
        var key = new ConversationKey(Endpoint, first.ConversationId);
        var command = new ConversationCommand(key, Peer, new Command.StartSession("recorded"), expiresAtMs, default);
        var (recorded, manifest) = (form.ToBinary(command), form.Manifest(command));

        Assert.IsType<ConversationReply.Done>(await PlayAsync(node, form, recorded, manifest));
        int once = await SentAsync(relay);
        Assert.True(once > sent);
        // While it lives it is answered from the request log, and afterwards as well.
        for (int i = 0; i < 3; i++) Assert.IsType<ConversationReply.Done>(await PlayAsync(node, form, recorded, manifest));
        Assert.Equal(once, await SentAsync(relay));

        // One that was caught before it arrived is expired when it is played.
        var caught = new ConversationCommand(key, Peer, new Command.StartSession("caught"), expiresAtMs, default);
        var caughtBytes = form.ToBinary(caught);
        while (DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() <= expiresAtMs) await Task.Delay(50);
        var late = Assert.IsType<ConversationReply.Unavailable>(await PlayAsync(node, form, caughtBytes, manifest));
        Assert.Equal(ConversationReply.Expired, late.Reason);
        Assert.Equal(once, await SentAsync(relay));
    }

    [Fact]
    public async Task Conversations_are_spread_and_every_node_reaches_each_of_them()
    {
        var database = await databases.CreateAsync();
        await using var a = await OpenAsync(database, "a");
        await using var b = await OpenAsync(database, "b");
        await CreateEndpointAsync(a);
        foreach (var relay in new[] { a, b })
        {
            for (int i = 0; i < 24; i++)
            {
                var address = new ConversationAddress.ByPeer(Endpoint, $"contact{i}@example.net");
                Assert.IsType<ConversationReply.Done>(await relay.AskAsync(address, new Command.StartSession($"{i}"), default));
            }
        }
        // The second node's commands were repetitions: one row for each conversation, one query each.
        Assert.Equal(24, (await a.ListConversationsAsync(Endpoint, null, 100, default)).Count);
        Assert.Equal(24, await SentAsync(b));
        var nodes = await a.ListNodesAsync(default);
        Assert.Equal([NodeMembership.Up, NodeMembership.Up], nodes.Select(n => n.State));
        Assert.Equal(24, nodes.Sum(n => n.Conversations));
        // Those that some of the conversations are in.
        Assert.InRange(nodes.Sum(n => n.Shards!.Value), 2, 8);
        Assert.All(nodes, n => Assert.InRange(n.Conversations!.Value, 1, 23));
    }

    [Fact]
    public async Task An_endpoint_that_one_node_updates_is_followed_by_conversations_of_the_other()
    {
        var database = await databases.CreateAsync();
        await using var a = await OpenAsync(database, "a");
        await using var b = await OpenAsync(database, "b");
        await CreateEndpointAsync(a);
        async Task<int> CountRefusedAsync(IRelay relay, string round)
        {
            int refused = 0;
            for (int i = 0; i < 16; i++)
            {
                var address = new ConversationAddress.ByPeer(Endpoint, $"contact{i}@example.net");
                var reply = await relay.AskAsync(address, new Command.StartSession($"{round}-{i}"), default);
                refused += reply is ConversationReply.Refused { Reason: RefusalReason.NotAllowed } ? 1 : 0;
            }
            return refused;
        }
        Assert.Equal(0, await CountRefusedAsync(b, "before"));
        Assert.All((await a.ListNodesAsync(default)).Select(n => n.Conversations!.Value), n => Assert.InRange(n, 1, 15));
        Assert.IsType<UpdateEndpointReply.Updated>(await b.Endpoints.UpdateAsync(Endpoint, view => view.Settings with { Policy = OtrPolicy.Never }, null, default));
        using var patience = new CancellationTokenSource(TestNode.Limit);
        for (int round = 0; await CountRefusedAsync(a, $"after{round}") < 16; round++) await Task.Delay(200, patience.Token);
    }

    [Fact]
    public async Task A_link_that_one_node_has_made_is_opened_by_the_other()
    {
        var database = await databases.CreateAsync();
        await using var a = await OpenAsync(database, "a");
        await using var b = await OpenAsync(database, "b");
        await CreateEndpointAsync(a);
        var create = new CreateFile("r", Endpoint, a.ConversationId(Endpoint, "alice"), "alice", "n", "", 1);
        var file = Assert.IsType<FileReply.Done>(await a.Files.CreateAsync(create, default)).File;
        var link = a.Files.Link(Endpoint, file.Id)!;
        Assert.Equal(link, b.Files.Link(Endpoint, file.Id));
        var opened = b.Files.TryOpenLink(link[(link.LastIndexOf('/') + 1)..]);
        Assert.Equal((Endpoint, file.Id), opened);
        Assert.Equal(file.Id, Assert.IsType<FileReply.Done>(await b.Files.GetAsync(Endpoint, file.Id, default)).File.Id);
    }

    [Fact]
    public async Task A_node_that_is_refused_gives_its_address_back()
    {
        var database = await databases.CreateAsync();
        await using var a = await OpenAsync(database, "a");
        var refused = await Assert.ThrowsAsync<RelayStartException>(() => OpenAsync(database, "b", version: "2.0.0"));
        Assert.Contains("major version", refused.Message, StringComparison.Ordinal);
        // Only the first node's row and lock are left: the address can be used again at once.
        Assert.Equal(1, await ClusterDatabase.AskAsync<long>(database, "SELECT count(*) FROM relay.cluster_node"));
        Assert.Equal(1, await ClusterDatabase.AskAsync<long>(database,
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1380735236::oid AND granted"));
        await using var b = await OpenAsync(database, "b");
    }

    [Fact]
    public async Task A_port_that_is_taken_is_told_in_one_sentence()
    {
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        int port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;
        var options = new ClusterRelayOptions(await databases.CreateAsync(), new ClusterOptions { Host = "127.0.0.1", Port = port })
        {
            DataDirectory = Path.Combine(_directory, "a"), Version = "1.0.0",
        };
        var refused = await Assert.ThrowsAsync<RelayStartException>(()
            => ClusterRelay.OpenAsync(options, NullLoggerFactory.Instance, TimeProvider.System, SystemRandom.Instance, default));
        Assert.Contains($"127.0.0.1:{port}", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Relay:Cluster:Port", refused.Message, StringComparison.Ordinal);
    }
}
