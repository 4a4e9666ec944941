using Otr.Core;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Sdk.Tests;

/// <summary>What a bot in Python or for Node.js does with conversations, messages and keys, on a server with a contact.</summary>
public sealed class ConversationMethodTests
{
    [Theory]
    [InlineData("python", "conversations.py")]
    [InlineData("node", "conversations.mjs")]
    public async Task Conversations_messages_and_keys_are_what_the_methods_say(string language, string program)
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateEndpointAsync("e");
        using var directory = new TempDirectory();
        var key = directory.File("bot.key");
        await File.WriteAllTextAsync(key, await server.CreateKeyAsync(Scope.Bot, null, "endpoints/e"));
        using var alice = new Contact("alice");
        await using var network = new Network(await server.ConnectAsync(Scope.Bridge), "endpoints/e", alice);
        alice.Start();
        Assert.Equal(SessionCause.KeyExchange, await alice.Changes.NextAsync());

        using var bot = await BotProcess.StartProgramAsync(
            language, Repository.File("tests", "Relay.Sdk.Tests", "programs", program), server.Address.ToString(), key);
        await bot.WaitForExitAsync();
        Assert.True(bot.ExitCode == 0, bot.Output);
        Assert.Equal(
            [
                "sent CARRIED", "known CARRIED", "carried MESSAGE_NOT_HELD", "label sales", "listed ['alice']", "removed {}", "held HELD",
                "cancelled CANCELLED", "secret True", "cleared False", "accepted ACCEPTED", "refused REFUSED", "deleted None",
            ], bot.Output.Trim().Split('\n'));
        Assert.Equal(("hello", true), await alice.Texts.NextAsync());
        // The server has ended the session with the key that was refused.
        Assert.Equal(SessionCause.EndedByPeer, await alice.Changes.NextAsync());
    }
}
