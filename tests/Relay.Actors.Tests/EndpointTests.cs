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
        Assert.Equal(("xmpp", "bot@example.net", OtrPolicy.Managed), (made.Network, made.Account, made.Settings.Policy));
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
        Assert.Equal([TestRelay.Endpoint, "x"], (await relay.Relay.Endpoints.ListAsync(new EndpointQuery(null, 10, _ => true), default)).Endpoints.Select(e => e.Id));
        Assert.Equal(["x"], (await relay.Relay.Endpoints.ListAsync(new EndpointQuery(TestRelay.Endpoint, 10, _ => true), default)).Endpoints.Select(e => e.Id));
        Assert.Null(await relay.Relay.Endpoints.GetAsync("none", default));
    }

    [Fact]
    public async Task Id_and_key_are_made_up_if_not_given_and_two_at_once_are_one()
    {
        await using var relay = await TestRelay.StartAsync();
        var request = new CreateEndpoint("made-up", null, "irc", "nick", new EndpointSettings { MaxWireBytes = 400 }, null);
        var replies = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => relay.Relay.Endpoints.CreateAsync(request, default).AsTask()));
        var made = Assert.IsType<CreateEndpointReply.Created>(replies[0]).Endpoint;
        Assert.All(replies, r => Assert.Equal(made, Assert.IsType<CreateEndpointReply.Created>(r).Endpoint));
        Assert.Matches("^[a-z][a-z0-9-]{0,62}$", made.Id);
        Assert.Equal(400, made.Settings.MaxWireBytes);
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.StartSession("s"), new ConversationAddress.ByPeer(made.Id, "peer")));
    }

    [Fact]
    public async Task An_update_is_followed_by_conversations_in_memory_and_after_a_restart()
    {
        await using var relay = await TestRelay.StartAsync();
        using var world = new World();
        var made = (await relay.Relay.Endpoints.GetAsync(TestRelay.Endpoint, default))!;
        // A session in memory, with the settings of before.
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        Assert.Equal(SendDisposition.Encrypted, Assert.IsType<ConversationReply.Done>(await relay.SendAsync("r1", "to whoever it is")).Disposition);

        var strict = made.Settings with { TrustRequirement = TrustRequirement.Always, DisplayName = "Support", QueryText = "Bitte verschlüsseln.", VerificationAnswerTime = TimeSpan.Zero };
        var updated = Assert.IsType<UpdateEndpointReply.Updated>(await relay.Relay.Endpoints.UpdateAsync(TestRelay.Endpoint, _ => strict, 1, default)).Endpoint;
        Assert.Equal((2UL, strict, made.Fingerprint, made.InstanceTag), (updated.Revision, updated.Settings, updated.Fingerprint, updated.InstanceTag));
        Assert.IsType<UpdateEndpointReply.Conflict>(await relay.Relay.Endpoints.UpdateAsync(TestRelay.Endpoint, _ => made.Settings, 1, default));
        Assert.IsType<UpdateEndpointReply.NotFound>(await relay.Relay.Endpoints.UpdateAsync("none", _ => strict, null, default));

        Assert.Equal(RefusalReason.NotTrusted, Assert.IsType<ConversationReply.Refused>(await relay.SendAsync("r2", "to nobody unknown")).Reason);
        await relay.AskAsync(new Command.SetTrust("t1", TestKeys.Shared.PublicKey.Fingerprint, TrustLevel.Verified, null));
        Assert.IsType<ConversationReply.Done>(await relay.SendAsync("r3", "to Alice"));
        // No time to answer: declined at once.
        world.ContactVerifies("x", null);
        await world.PumpAsync(relay);
        Assert.Equal(SmpOutcome.Aborted, world.ContactSmp[^1]);
        Assert.Equal(["to whoever it is", "to Alice"], world.ContactReceived);

        await relay.ReopenAsync();
        Assert.Equal(updated, await relay.Relay.Endpoints.GetAsync(TestRelay.Endpoint, default));
        var stranger = new ConversationAddress.ByPeer(TestRelay.Endpoint, "stranger@example.net");
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.StartSession("s1"), stranger));
        var query = (await relay.ReadAsync(TestRelay.Wire)).Last(i => i.Peer == stranger.Peer);
        Assert.Contains("Bitte verschlüsseln.", System.Text.Encoding.UTF8.GetString(Assert.IsType<OutboxBody.WireText>(query.Body).Text.Span), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_update_that_was_done_and_reported_as_failed_is_followed_too()
    {
        await using var relay = await TestRelay.StartAsync();
        using var world = new World();
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        Assert.IsType<ConversationReply.Done>(await relay.SendAsync("r1", "to whoever it is"));
        relay.Store.LosesNextUpdate = true;
        Assert.IsType<UpdateEndpointReply.Unavailable>(await relay.Relay.Endpoints.UpdateAsync(TestRelay.Endpoint,
            e => e.Settings with { TrustRequirement = TrustRequirement.Always }, null, default));
        Assert.Equal(RefusalReason.NotTrusted, Assert.IsType<ConversationReply.Refused>(await relay.SendAsync("r2", "to nobody unknown")).Reason);
    }

    [Fact]
    public async Task Updates_at_once_lose_none_of_them()
    {
        await using var relay = await TestRelay.StartAsync();
        var replies = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => relay.Relay.Endpoints.UpdateAsync(TestRelay.Endpoint,
            view => view.Settings with { DisplayName = view.Settings.DisplayName + i }, null, default).AsTask()));
        Assert.All(replies, r => Assert.IsType<UpdateEndpointReply.Updated>(r));
        var last = (await relay.Relay.Endpoints.GetAsync(TestRelay.Endpoint, default))!;
        Assert.Equal((5UL, "0123"), (last.Revision, string.Concat(last.Settings.DisplayName.Order())));
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
