using System.Text;
using Google.Protobuf;
using Otr.Core;
using Relay.Client;
using Relay.Gateway.Hosting;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>Whatever Relay sends, it accepts; what is too large is rejected alike by streams and calls, and both people hear of it.</summary>
public sealed class WireSizeTests
{
    [Fact]
    public async Task The_longest_text_of_a_bot_arrives_whole_in_both_directions()
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("e");
        using var alice = new Contact("alice");
        await using var network = new Network(await server.ConnectAsync(Scope.Bridge), endpoint, alice);
        var bot = (await server.ConnectAsync(Scope.Bot)).Bot(endpoint);
        await using var events = bot.Events(Patience.Token).GetAsyncEnumerator();
        alice.Start();
        Assert.True(await events.MoveNextAsync());
        var longest = new string('x', GatewayLimits.MaxTextBytes);
        Assert.True((await bot.SendToAsync(endpoint, "alice", longest)).IsAccepted);
        Assert.Equal((longest, true), await alice.Texts.NextAsync());
        alice.Send(longest);
        Assert.True(await events.MoveNextAsync());
        Assert.Equal((longest, true), (events.Current.Text, events.Current.IsPrivate));
        // Such a message takes more than the 64 KiB at which many networks stop, and Relay once did.
        lock (network.Carried) Assert.InRange(network.Carried.Max(w => w.Length), 65_537, GatewayLimits.MaxWireBytes);
    }

    [Theory]
    [InlineData(GatewayLimits.MaxWireBytes + 1)]
    [InlineData(GatewayLimits.MaxReceiveMessageBytes - 1000)]
    [InlineData(GatewayLimits.MaxReceiveMessageBytes + 1)]
    public async Task What_is_too_large_is_rejected_and_both_people_hear_of_it(int length)
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("e");
        var bridge = (await server.ConnectAsync(Scope.Bridge)).Bridge(endpoint);
        // A data message by its header: version 2, type 3, no flags.
        var data = Encoding.ASCII.GetBytes("?OTR:" + Convert.ToBase64String([0, 2, 3, 0, 0, 0]) + new string('A', length - 14) + ".");
        Assert.Equal(length, data.Length);
        Assert.Equal("TOO_LARGE", (await bridge.DeliverAsync("alice", "1", data)).RejectReason);
        await using (var outbound = bridge.Outbound(Patience.Token).GetAsyncEnumerator())
        {
            Assert.True(await outbound.MoveNextAsync());
            Assert.StartsWith("?OTR Error: ", Encoding.UTF8.GetString(outbound.Current.Text.Span), StringComparison.Ordinal);
        }
        var notice = await (await server.ConnectAsync(Scope.Bot)).Bot(endpoint).Events(Patience.Token).FirstAsync(_ => true);
        Assert.Equal("TOO_LARGE", notice.Message.Notice?.Code);

        if (length > GatewayLimits.MaxReceiveMessageBytes) return;
        var wire = await server.ConnectAsync(Scope.Bridge);
        var message = new InboundWire { Endpoint = endpoint, Peer = "bob", MessageId = "1", Text = ByteString.CopyFrom(data) };
        Assert.Equal("TOO_LARGE", (await wire.BridgeStreams.PushWireAsync(new PushWireRequest { Message = message })).Result.RejectReason);
    }

    [Theory]
    [InlineData("p\nq", "1", "x", "INVALID_PEER")]
    [InlineData("", "2", "x", "INVALID_PEER")]
    [InlineData("p", "", "x", "INVALID_MESSAGE_ID")]
    [InlineData("p", "4", "", "EMPTY")]
    [InlineData("p", "5", "x", "")]
    public async Task Streams_and_calls_answer_alike(string peer, string id, string text, string reason)
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("e");
        await using var bridge = (await server.ConnectAsync(Scope.Bridge)).Bridge(endpoint);
        var client = await server.ConnectAsync(Scope.Bridge);
        var message = new InboundWire { Endpoint = endpoint, Peer = peer, MessageId = id, Text = ByteString.CopyFromUtf8(text) };
        Assert.Equal(reason, (await client.BridgeStreams.PushWireAsync(new PushWireRequest { Message = message })).Result.RejectReason);
        Assert.Equal(reason, (await bridge.DeliverAsync(peer, id, Encoding.UTF8.GetBytes(text))).RejectReason);
    }
}
