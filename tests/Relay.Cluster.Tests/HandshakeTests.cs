using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Relay.Actors.Cluster;

namespace Relay.Cluster.Tests;

/// <summary>A peer that ends while a node is shaking hands with it. Akka takes that for a mistake of the node's, and would end it.</summary>
public sealed class HandshakeTests(ClusterDatabase databases)
{
    [Fact]
    public async Task A_node_goes_on_when_a_peer_ends_during_the_handshake_and_leaves_in_order_later()
    {
        var database = await databases.CreateAsync();
        await using var other = await TestNode.StartAsync(database);
        var node = await TestNode.StartAsync(database);
        using var dying = new TcpListener(IPAddress.Loopback, 0);
        dying.Start();
        int port = ((IPEndPoint)dying.LocalEndpoint).Port;
        node.System.ActorSelection($"akka.ssl.tcp://relay@127.0.0.1:{port}/user/nobody").Tell(new Identify(1));
        using (var connection = await dying.AcceptSocketAsync(TestContext.Current.CancellationToken))
        {
            // Its first words; then a reset, as of a process that is killed.
            await connection.ReceiveAsync(new byte[1], TestContext.Current.CancellationToken);
            connection.Close(0);
        }
        await node.UntilAsync(() => node.Log.ToString().Contains("handshake that this node began has failed", StringComparison.Ordinal), "held");
        for (int i = 0; i < TestNode.Shards; i++) await node.AskAsync($"c{i}");
        Assert.False(node.Stopped.IsCompleted, node.Log.ToString());
        Assert.False(node.System.WhenTerminated.IsCompleted);
        await node.DisposeAsync();
        Assert.False(node.Stopped.IsCompleted, node.Log.ToString());
        await other.UntilAsync(() => other.Up.Count() == 1, "left");
    }

    [Fact]
    public async Task A_node_whose_actor_system_ends_by_itself_stops()
    {
        await using var node = await TestNode.StartAsync(await databases.CreateAsync());
        _ = CoordinatedShutdown.Get(node.System).Run(CoordinatedShutdown.UnknownReason.Instance);
        Assert.Equal(StopReason.ActorsEnded, await node.Stopped.WaitAsync(TestNode.Limit, TestContext.Current.CancellationToken));
    }
}
