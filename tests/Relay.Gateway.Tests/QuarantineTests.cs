using Relay.Actors;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>A conversation that does not open is shown as that, not left out.</summary>
public sealed class QuarantineTests
{
    [Fact]
    public async Task A_quarantined_conversation_is_shown_and_is_in_no_state()
    {
        var relay = new FakeRelay();
        relay.Conversations.Add(new ConversationView("e", FakeRelay.ConversationId, "", Otr.Core.MessageState.Plaintext, [], DateTimeOffset.UnixEpoch) { IsQuarantined = true });
        relay.Conversations.Add(new ConversationView("e", "z" + FakeRelay.ConversationId[1..], "peer", Otr.Core.MessageState.Plaintext, [], DateTimeOffset.UnixEpoch));
        await using var server = await TestServer.StartAsync(relay);
        var listed = (await server.Admin.Conversations.ListConversationsAsync(new ListConversationsRequest { Parent = "endpoints/e" })).Conversations;
        Assert.Equal([(true, V1.MessageState.Unspecified, ""), (false, V1.MessageState.Plaintext, "peer")], listed.Select(c => (c.Quarantined, c.State, c.Peer)));
        var shown = await server.Admin.Conversations.GetConversationAsync(new GetConversationRequest { Name = listed[0].Name });
        Assert.True(shown.Quarantined);
    }
}
