using System.Text;
using Otr.Core;
using Relay.Actors.Tests.Harness;

namespace Relay.Actors.Tests;

/// <summary>Contacts who come back after they, or the relay, have lost their sessions: nobody is locked out, and both sides are told.</summary>
public sealed class LockOutTests
{
    [Fact]
    public async Task A_client_that_restarts_again_and_again_gets_a_session_each_time_also_when_the_relay_restarts()
    {
        const int restarts = 16;
        await using var relay = await TestRelay.StartAsync();
        for (var i = 0; i < restarts; i++)
        {
            using var world = new World(name: $"c{i}-", tag: 0x2000 + (uint)i);
            await world.JoinAsync(relay);
            world.Contact(new OtrInput.StartRequested());
            await world.PumpAsync(relay);
            world.ContactSays($"hello {i}");
            await world.PumpAsync(relay);
            Assert.Equal([$"hello {i}"], world.BotReceived);
            var sent = Assert.IsType<ConversationReply.Done>(await relay.SendAsync($"r{i}", $"welcome {i}"));
            Assert.Equal(SendDisposition.Encrypted, sent.Disposition);
            await world.PumpAsync(relay);
            Assert.Equal([$"welcome {i}"], world.ContactReceived);
            // Which session has made room is told as such, and no key is called new or changed that is neither.
            var changes = world.BotEvents.OfType<OutboxBody.SessionChanged>().ToList();
            Assert.Equal(i < OtrLimits.MaxInstances ? [] : [SessionCause.MadeRoom], changes.Select(c => c.Cause).Except([SessionCause.KeyExchange]));
            Assert.All(changes.Where(c => c.Cause == SessionCause.KeyExchange), c => Assert.Equal((i == 0, false), (c.FingerprintIsNew, c.FingerprintIsChanged)));
            if (i % 3 == 0) await relay.ReopenAsync();
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(350)]
    public async Task An_endpoint_that_is_set_up_anew_tells_its_bot_and_the_contact_s_client_which_starts_again(int wireLimit)
    {
        await using var former = await TestRelay.StartAsync();
        using var world = new World(policy: OtrPolicy.Managed | OtrPolicy.ErrorStartAke, wireLimit: wireLimit);
        await former.AskAsync(new Command.StartSession("s"));
        await world.PumpAsync(former);
        Assert.Equal(MessageState.Encrypted, world.ContactState);
        await former.CloseAsync();
        // The same key on a new server: no session, and another instance tag.
        await using var anew = await TestRelay.StartAsync();
        await world.JoinAsync(anew);
        world.BotEvents.Clear();
        world.ContactSays("are you there?");
        await world.PumpAsync(anew);
        Assert.Equal(["OTHER_INSTANCE"], world.BotEvents.OfType<OutboxBody.Notice>().Select(n => n.Code));
        Assert.Single(world.WireFromRelay, w => Encoding.UTF8.GetString(w).StartsWith("?OTR Error:", StringComparison.Ordinal));
        world.ContactSays("there you are");
        await world.PumpAsync(anew);
        Assert.Equal(["there you are"], world.BotReceived);
    }
}
