using Otr.Core;
using Relay.Actors.Tests.Harness;

namespace Relay.Actors.Tests;

public class EndpointTests
{
    [Fact]
    public async Task An_endpoint_is_made_once_per_request()
    {
        await using var relay = await TestRelay.StartAsync();
        var made = (await relay.Relay.Endpoints.GetAsync(TestRelay.Endpoint, default))!;
        Assert.Equal(("xmpp", "bot@example.net", OtrPolicy.Managed), (made.Network, made.Account, made.Policy));
        Assert.Equal(TestKeys.Copy(0).PublicKey.Fingerprint, made.Fingerprint);
        Assert.True(made.InstanceTag >= 0x100);

        Assert.Equal(made, Assert.IsType<CreateEndpointReply.Created>(await relay.CreateEndpointAsync("create")).Endpoint);
        Assert.IsType<CreateEndpointReply.RequestIdReused>(await relay.CreateEndpointAsync("create", "other"));
        Assert.IsType<CreateEndpointReply.RequestIdReused>(await relay.CreateEndpointAsync("create", key: 2));
        Assert.Equal("endpoint_id", Assert.IsType<CreateEndpointReply.AlreadyExists>(await relay.CreateEndpointAsync("r2", account: "x@example.net")).Field);
        Assert.Equal("account", Assert.IsType<CreateEndpointReply.AlreadyExists>(await relay.CreateEndpointAsync("r3", id: "x")).Field);
        // What was refused was not done, so the id is free.
        Assert.IsType<CreateEndpointReply.Created>(await relay.CreateEndpointAsync("r3", "x", "x@example.net"));

        await relay.ReopenAsync();
        Assert.Equal(made, await relay.Relay.Endpoints.GetAsync(TestRelay.Endpoint, default));
        Assert.Equal(made, Assert.IsType<CreateEndpointReply.Created>(await relay.CreateEndpointAsync("create")).Endpoint);
        Assert.Equal([TestRelay.Endpoint, "x"], (await relay.Relay.Endpoints.ListAsync(null, 10, default)).Select(e => e.Id));
        Assert.Equal(["x"], (await relay.Relay.Endpoints.ListAsync(TestRelay.Endpoint, 10, default)).Select(e => e.Id));
        Assert.Null(await relay.Relay.Endpoints.GetAsync("none", default));
    }

    [Fact]
    public async Task Id_and_key_are_made_up_if_not_given_and_two_at_once_are_one()
    {
        await using var relay = await TestRelay.StartAsync();
        var request = new CreateEndpoint("made-up", null, "irc", "nick", OtrPolicy.Managed, 400, null);
        var replies = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => relay.Relay.Endpoints.CreateAsync(request, default).AsTask()));
        var made = Assert.IsType<CreateEndpointReply.Created>(replies[0]).Endpoint;
        Assert.All(replies, r => Assert.Equal(made, Assert.IsType<CreateEndpointReply.Created>(r).Endpoint));
        Assert.Matches("^[a-z][a-z0-9-]{0,62}$", made.Id);
        Assert.Equal(400, made.MaxWireBytes);
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.StartSession("s"), new ConversationAddress.ByPeer(made.Id, "peer")));
    }

    [Fact]
    public async Task Keys_are_wiped_when_nobody_uses_them_and_too_many_are_there()
    {
        await using var relay = await TestRelay.StartAsync(new TestRelay { Options = new RelayNodeOptions { MaxResidentConversations = 1, MaxCachedAccounts = 1 } });
        for (int i = 0; i < 5; i++)
        {
            Assert.IsType<CreateEndpointReply.Created>(await relay.CreateEndpointAsync($"c{i}", $"e{i}", $"{i}@example.net"));
            Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.StartSession("s"), new ConversationAddress.ByPeer($"e{i}", "peer")));
        }
        // One in use by the one resident conversation (a second while it gives way), one kept.
        Assert.InRange(relay.Local.ResidentKeys, 1, 3);
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.StartSession("s2"), new ConversationAddress.ByPeer("e0", "peer")));
    }
}
