using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Akka.Actor;
using Akka.Cluster;
using Relay.Actors;
using Relay.Actors.Cluster;
using Relay.Actors.Conversations;
using Relay.Storage.Sealing;

namespace Relay.Cluster.Tests;

/// <summary>
/// The cluster's port is a wall: who has no certificate of its authority becomes no member, has no effect, and floods no
/// log.
/// </summary>
public sealed class WallTests(ClusterDatabase databases)
{
    private static readonly byte[] OtherKey = [.. Enumerable.Repeat((byte)9, 32)];

    private static ClusterCertificate Issue(byte[] key)
    {
        using var sealing = new SealingKey(key);
        return ClusterCertificate.Issue(sealing, "127.0.0.1");
    }

    /// <returns>Whether the node kept the connection after a handshake with that certificate, or none.</returns>
    private static async Task<bool> IsLetInAsync(TestNode node, X509Certificate2? certificate, byte[]? then = null)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, node.Port);
        using var tls = new SslStream(client.GetStream());
        try
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "relay",
                ClientCertificates = certificate is null ? null : [certificate],
                LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate!,
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
            });
            if (then is not null) await tls.WriteAsync(then);
            // A connection that is refused ends; one that is let in waits for what comes.
            return await tls.ReadAsync(new byte[1]).AsTask().WaitAsync(TimeSpan.FromSeconds(1.5)) > 0;
        }
        catch (TimeoutException)
        {
            return true;
        }
        catch (Exception e) when (e is IOException or AuthenticationException or SocketException)
        {
            return false;
        }
    }

    private static void IsAlone(TestNode node)
    {
        Assert.Single(node.Cluster.State.Members);
        Assert.False(node.Stopped.IsCompleted);
    }

    [Fact]
    public async Task Only_a_certificate_of_the_clusters_authority_is_let_in()
    {
        await using var node = await TestNode.StartAsync(await databases.CreateAsync());
        using var own = Issue(TestNode.Key);
        using var other = Issue(OtherKey);
        Assert.Equal(own.Node.Subject, other.Node.Subject);
        Assert.Equal(own.Node.Issuer, other.Node.Issuer);
        Assert.True(await IsLetInAsync(node, own.Node));
        Assert.False(await IsLetInAsync(node, other.Node));
        Assert.False(await IsLetInAsync(node, null));
        // Also with a certificate of the right authority, a frame that is larger than any is not taken in: its length comes first.
        Assert.False(await IsLetInAsync(node, own.Node, [0xFF, 0xFF, 0xFF, 0x7F, 1, 2, 3, 4]));
        IsAlone(node);
        Assert.Equal(node.Port, await node.AskAsync("c"));
    }

    [Fact]
    public async Task Plain_connections_are_refused_and_a_port_scan_does_not_flood_the_log()
    {
        await using var node = await TestNode.StartAsync(await databases.CreateAsync());
        int before = node.Log.Lines.Count;
        for (int i = 0; i < 150; i++)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, node.Port);
            await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: relay\r\n\r\n"u8.ToArray());
            if (i % 50 == 0)
            {
                try
                {
                    Assert.Equal(0, await client.GetStream().ReadAsync(new byte[64]).AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
                }
                catch (IOException)
                {
                    // Reset: refused as well.
                }
            }
        }
        await Task.Delay(500);
        IsAlone(node);
        int lines = node.Log.Lines.Count - before;
        Assert.True(lines is > 0 and <= RelayLimits.MaxTransportLogLines + 5, $"{lines} lines\n{node.Log}");
        Assert.Equal(node.Port, await node.AskAsync("c"));
    }

    [Fact]
    public async Task A_node_with_another_sealing_key_becomes_no_member()
    {
        var database = await databases.CreateAsync();
        await using var node = await TestNode.StartAsync(database);
        await using var rogue = await TestNode.CreateAsync(database, key: OtherKey);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(4));
        await Assert.ThrowsAnyAsync<Exception>(() => rogue.Cluster.JoinSeedNodesAsync([node.Address], limit.Token));
        IsAlone(node);
        // What it sends to the region does not arrive.
        rogue.System.ActorSelection(node.Address + "/system/sharding/conversation").Tell(TestNode.Command("c"));
        await Task.Delay(500);
        Assert.Equal(0, node.Node.Fences.Count);
    }

    [Fact]
    public async Task A_member_of_the_authority_without_the_sealing_key_commands_nothing()
    {
        var database = await databases.CreateAsync();
        await using var node = await TestNode.StartAsync(database);
        // As with an organisation's own authority: the certificate is right, the cluster's key is not.
        await using var rogue = await TestNode.CreateAsync(database, key: OtherKey, certificate: Issue(TestNode.Key));
        rogue.System.ActorSelection(node.Address + "/system/sharding/conversation").Tell(TestNode.Command("c"));
        await node.UntilAsync(() => node.Log.Lines.Any(l => l.Contains("seal of a message", StringComparison.Ordinal)),
            "the command was refused for its seal");
        Assert.Equal(0, node.Node.Fences.Count);
        Assert.DoesNotContain("text", node.Log.ToString(), StringComparison.Ordinal);
        Assert.Equal(node.Port, await node.AskAsync("c"));
    }

    [Fact]
    public async Task An_oversized_message_is_dropped_and_the_association_goes_on()
    {
        var database = await databases.CreateAsync();
        await using var a = await TestNode.StartAsync(database);
        await using var b = await TestNode.StartAsync(database);
        await a.UntilAsync(() => a.Up.Count() == 2 && b.Up.Count() == 2, "two members");
        var conversation = Enumerable.Range(0, 1000).Select(i => $"c{i}").First(c => a.AskAsync(c).GetAwaiter().GetResult() == b.Port);
        var huge = TestNode.Command(conversation) with { Command = new Command.SendText("huge",
            new byte[RelayLimits.MaxClusterFrameBytes + 1]) };
        await Assert.ThrowsAsync<AskTimeoutException>(() => a.Region.Ask<ConversationAnswer>(huge, TimeSpan.FromSeconds(1)));
        // The largest that there is goes through.
        var large = TestNode.Command(conversation) with { Command = new Command.SendText("large", new byte[512 << 10]) };
        Assert.Equal("large", (await a.Region.Ask<ConversationAnswer>(large, TimeSpan.FromSeconds(10))).RequestId);
        Assert.Equal((2, 2), (a.Up.Count(), b.Up.Count()));
    }

    [Fact]
    public async Task A_recorded_command_carries_its_expiry_and_its_conversation_under_the_seal()
    {
        var database = await databases.CreateAsync();
        await using var node = await TestNode.StartAsync(database);
        await using var recorder = await TestNode.CreateAsync(database);
        var (there, here) = (SerializerOf(recorder), SerializerOf(node));
        var expired = TestNode.Command("c") with { ExpiresAtMs = 1 };
        var (recorded, manifest) = (there.ToBinary(expired), there.Manifest(expired));
        // Played again, it says when it expired; nobody can make it younger or another conversation's.
        var played = (ConversationCommand)here.FromBinary(recorded, manifest);
        Assert.Equal((1, expired.Key, expired.Command.RequestId), (played.ExpiresAtMs, played.Key, played.Command.RequestId));
        for (int i = 0; i < recorded.Length; i++)
        {
            var altered = (byte[])recorded.Clone();
            altered[i] ^= 1;
            Assert.Throws<System.Runtime.Serialization.SerializationException>(() => here.FromBinary(altered, manifest));
        }
    }

    private static Akka.Serialization.SerializerWithStringManifest SerializerOf(TestNode node)
        => (Akka.Serialization.SerializerWithStringManifest)node.System.Serialization.FindSerializerForType(typeof(ConversationCommand));
}
