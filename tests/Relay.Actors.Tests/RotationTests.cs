using Otr.Core;
using Relay.Actors.Tests.Harness;

namespace Relay.Actors.Tests;

/// <summary>An endpoint gets another key while its conversations go on.</summary>
public class RotationTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Sessions_end_without_a_message_and_the_next_text_waits_for_the_new_key()
    {
        await using var relay = await TestRelay.StartAsync(new TestRelay { Policy = OtrPolicy.AllowV3 });
        using var world = new World();
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        var before = (await relay.Relay.Endpoints.GetAsync(TestRelay.Endpoint, default))!;

        var rotated = Assert.IsType<UpdateEndpointReply.Updated>(await relay.Relay.Endpoints.RotateAsync(TestRelay.Endpoint, "r", 1, default)).Endpoint;
        Assert.NotEqual(before.Fingerprint, rotated.Fingerprint);
        Assert.Equal((2UL, before.Fingerprint), (rotated.Revision, Assert.Single(rotated.FormerIdentities).Fingerprint));
        Assert.Equal(rotated, await relay.Relay.Endpoints.GetAsync(TestRelay.Endpoint, default));
        // A repetition, even with the etag of before, changes nothing; another request with that etag is refused.
        Assert.Equal(rotated, Assert.IsType<UpdateEndpointReply.Updated>(await relay.Relay.Endpoints.RotateAsync(TestRelay.Endpoint, "r", 1, default)).Endpoint);
        Assert.IsType<UpdateEndpointReply.Conflict>(await relay.Relay.Endpoints.RotateAsync(TestRelay.Endpoint, "other", 1, default));

        // Nobody sends anything: the contact is told nevertheless.
        await UntilAsync(async () =>
        {
            await world.PumpAsync(relay);
            return world.ContactState == MessageState.Finished;
        });
        Assert.Equal(SessionCause.EndedByUs, world.BotEvents.OfType<OutboxBody.SessionChanged>().Last().Cause);
        // The policy allows text in the clear; this one was meant to be private.
        Assert.Equal(SendDisposition.Held, Assert.IsType<ConversationReply.Done>(await relay.SendAsync("s1", "still private")).Disposition);
        await world.PumpAsync(relay);
        Assert.Equal(["still private"], world.ContactReceived);
        Assert.DoesNotContain(world.WireFromRelay, w => w.AsSpan().IndexOf("still private"u8) >= 0);
        Assert.Equal((rotated.Fingerprint, 2), (world.LatestKeyOfRelay, world.KeyExchanges));
    }

    /// <summary>Nobody has woken the conversation: what the peer sent meanwhile is read, and answered by the end of the session.</summary>
    [Fact]
    public async Task A_message_under_the_former_key_is_still_read()
    {
        await using var relay = await TestRelay.StartAsync();
        using var world = new World();
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        await relay.ReopenAsync();
        world.ContactSays("before I knew");
        var sent = world.TakeOutgoing();
        // In one go with the rotation, so that the message comes before the conversation is woken or while it is.
        await relay.Relay.Endpoints.RotateAsync(TestRelay.Endpoint, "r", null, default);
        await relay.ReopenAsync();
        Assert.IsType<ConversationReply.Done>(await relay.ReceiveAsync("late", sent));
        await world.PumpAsync(relay);
        Assert.Equal(MessageState.Finished, world.ContactState);
        Assert.Contains("before I knew", world.BotReceived);
        // It is done once: what follows is as always.
        world.Contact(new OtrInput.EndRequested());
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        await relay.ReopenAsync();
        Assert.Equal(SendDisposition.Encrypted, Assert.IsType<ConversationReply.Done>(await relay.SendAsync("s1", "again")).Disposition);
        await world.PumpAsync(relay);
        Assert.Equal(["again"], world.ContactReceived);
    }

    [Fact]
    public async Task What_cannot_be_rotated_is_told()
    {
        await using var relay = await TestRelay.StartAsync();
        var endpoints = relay.Relay.Endpoints;
        Assert.IsType<UpdateEndpointReply.NotFound>(await endpoints.RotateAsync("none", "r", null, default));
        await endpoints.DeleteAsync(TestRelay.Endpoint, false, null, default);
        Assert.IsType<UpdateEndpointReply.Deleted>(await endpoints.RotateAsync(TestRelay.Endpoint, "r", null, default));
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(s_limit);
        while (!await condition()) await Task.Delay(20, limit.Token);
    }
}
