using Otr.Core;
using Relay.Actors.Tests.Harness;

namespace Relay.Actors.Tests;

/// <summary>The working path: wire text in, plaintext out, and back.</summary>
public class ConversationTests
{
    [Fact]
    public async Task A_contact_begins_and_both_speak()
    {
        await using var relay = await TestRelay.StartAsync();
        using var world = new World();
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);

        var changed = Assert.Single(world.BotEvents.OfType<OutboxBody.SessionChanged>());
        Assert.Equal((SessionCause.KeyExchange, MessageState.Encrypted, true, false), (changed.Cause, changed.Info.State, changed.FingerprintIsNew, changed.FingerprintIsChanged));
        Assert.Equal(TestKeys.Copy(1).PublicKey.Fingerprint, changed.Info.PeerFingerprint);

        world.ContactSays("hello bot ✓");
        await world.PumpAsync(relay);
        Assert.Equal(["hello bot ✓"], world.BotReceived);

        var sent = Assert.IsType<ConversationReply.Done>(await relay.SendAsync("r1", "hello contact"));
        Assert.Equal((MessageState.Encrypted, SendDisposition.Encrypted), (sent.State, sent.Disposition));
        await world.PumpAsync(relay);
        Assert.Equal(["hello contact"], world.ContactReceived);

        Assert.Equal(MessageState.Plaintext, Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.EndSession("r2"))).State);
        await world.PumpAsync(relay);
        Assert.Equal(MessageState.Finished, world.ContactState);
        Assert.Equal(SessionCause.EndedByUs, world.BotEvents.OfType<OutboxBody.SessionChanged>().Last().Cause);
    }

    [Fact]
    public async Task A_held_message_goes_out_in_the_session_it_asked_for()
    {
        await using var relay = await TestRelay.StartAsync();
        using var world = new World();
        Assert.Equal(SendDisposition.Held, Assert.IsType<ConversationReply.Done>(await relay.SendAsync("r1", "held")).Disposition);
        await world.PumpAsync(relay);
        Assert.Equal(["held"], world.ContactReceived);
        Assert.DoesNotContain(world.BotEvents, e => e is OutboxBody.MessageDropped);
    }

    [Fact]
    public async Task A_conversation_is_found_by_its_id_and_shown()
    {
        await using var relay = await TestRelay.StartAsync();
        using var world = new World();
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);

        var shown = Assert.Single(await relay.Relay.ListConversationsAsync(TestRelay.Endpoint, null, 10, default));
        Assert.Matches("^[a-z2-7]{26}$", shown.Id);
        Assert.Equal((TestRelay.Peer, MessageState.Encrypted), (shown.Peer, shown.State));
        Assert.Equal(3, Assert.Single(shown.Sessions).Version);
        Assert.Equal(shown.Updated, (await relay.Relay.GetConversationAsync(TestRelay.Endpoint, shown.Id, default))!.Updated);
        Assert.Empty(await relay.Relay.ListConversationsAsync(TestRelay.Endpoint, shown.Id, 10, default));

        var byId = new ConversationAddress.ById(TestRelay.Endpoint, shown.Id);
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.SendText("r1", "by id"u8.ToArray()), byId));
        await world.PumpAsync(relay);
        Assert.Equal(["by id"], world.ContactReceived);
    }

    [Fact]
    public async Task What_does_not_exist_is_not_found_and_stays_out_of_memory()
    {
        await using var relay = await TestRelay.StartAsync();
        Assert.Equal("endpoint", Assert.IsType<ConversationReply.NotFound>(await relay.AskAsync(new Command.StartSession("r"), new ConversationAddress.ByPeer("nobody", "x"))).What);
        Assert.Equal("conversation", Assert.IsType<ConversationReply.NotFound>(await relay.AskAsync(new Command.StartSession("r"), new ConversationAddress.ById(TestRelay.Endpoint, new string('a', 26)))).What);
        Assert.Equal("conversation", Assert.IsType<ConversationReply.NotFound>(await relay.AskAsync(new Command.StartSession("r"), new ConversationAddress.ById(TestRelay.Endpoint, "?"))).What);
        Assert.Null(await relay.Relay.GetConversationAsync(TestRelay.Endpoint, new string('a', 26), default));
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.StartSession("r")));
        var (_, id) = (0, Assert.Single(await relay.Relay.ListConversationsAsync(TestRelay.Endpoint, null, 10, default)).Id);
        Assert.IsType<CreateEndpointReply.Created>(await relay.CreateEndpointAsync("second", "other", "other@example.net", 2));
        Assert.IsType<ConversationReply.NotFound>(await relay.AskAsync(new Command.StartSession("r"), new ConversationAddress.ById("other", id)));
    }

    [Fact]
    public async Task A_refusal_and_a_rejection_are_answers()
    {
        await using var relay = await TestRelay.StartAsync(new TestRelay { Policy = OtrPolicy.RequireEncryption });
        Assert.Equal(RefusalReason.NotAllowed, Assert.IsType<ConversationReply.Refused>(await relay.SendAsync("r1", "x")).Reason);
        await using var other = await TestRelay.StartAsync();
        Assert.Equal(RejectReason.Malformed, Assert.IsType<ConversationReply.WireRejected>(await other.ReceiveAsync("m1", "?OTR:===."u8.ToArray())).Reason);
        Assert.Equal("MALFORMED", Assert.IsType<OutboxBody.Notice>((await other.NextAsync(TestRelay.Events)).Body).Code);
        Assert.IsType<ConversationReply.Done>(await other.ReceiveAsync("m2", "?OTR Error: no"u8.ToArray()));
        var notice = Assert.IsType<OutboxBody.Notice>((await other.NextAsync(TestRelay.Events, 1)).Body);
        Assert.Equal(("PEER_ERROR", "no"), (notice.Code, System.Text.Encoding.UTF8.GetString(notice.Utf8.Span)));
    }
}
