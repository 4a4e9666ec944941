namespace Relay.Bridges.Tests.Xmpp;

/// <summary>Debian's profanity, which has OTR built in (libotr), with the settings of docs/bridges.md.</summary>
public sealed class ProfanityTests
{
    [Fact]
    public async Task Profanity_talks_to_the_echo_bot()
    {
        await using var stage = await XmppStage.StartAsync(allowV2: true);
        var bridge = await stage.StartBridgeAsync();
        await stage.StartBotAsync();
        await using var profanity = await Terminal.StartAsync(stage.PathOf("profanity"), "/usr/bin/profanity", "", "/quit");
        await profanity.ShowsAsync("Profanity");
        await profanity.TypeAsync($"/connect {XmppStage.Alice} server 127.0.0.1 port {stage.Xmpp.ClientPort} tls disable");
        await profanity.ShowsAsync("Enter password");
        await profanity.TypeAsync("alice-password");
        await profanity.ShowsAsync("logged in successfully");
        await profanity.TypeAsync("/otr gen");
        await profanity.ShowsAsync("key generation complete");
        await profanity.TypeAsync($"/msg {XmppStage.Bot}");
        await profanity.TypeAsync("/otr start");
        await profanity.ShowsAsync("OTR session started (untrusted)");
        await profanity.TypeAsync("first text");
        await profanity.ShowsAsync("echo: first text");
        await profanity.TypeAsync("/otr secret \"shared secret\"");
        await profanity.ShowsAsync("Authentication successful");
        await stage.StartSmpAsync(XmppStage.Alice, "rabbit", "Which animal?");
        await profanity.ShowsAsync("Which animal?");
        await profanity.TypeAsync("/otr answer rabbit");
        await profanity.ShowsAsync("successfully authenticated you");
        await bridge.KillAsync();
        await stage.StartBridgeAsync();
        await profanity.TypeAsync("after the bridge");
        await profanity.ShowsAsync("echo: after the bridge");
        await profanity.TypeAsync("/otr end");
        await profanity.ShowsAsync("OTR session ended");
        await profanity.TypeAsync("/clear");
        await profanity.TypeAsync("/otr start");
        await profanity.ShowsAsync("OTR session started (trusted)");
        await profanity.TypeAsync("second session");
        await profanity.ShowsAsync("echo: second session");
    }

    /// <summary>As profanity asks: for version 2, which an endpoint does not allow unless it is told to.</summary>
    [Fact]
    public async Task Where_version_2_is_not_allowed_the_operator_is_told()
    {
        await using var stage = await XmppStage.StartAsync();
        await stage.StartBridgeAsync();
        var bot = await stage.StartBotAsync();
        await using var bob = await XmppClient.LogInAsync(stage.Xmpp.ClientPort, "bob", "desk");
        await bob.SendMessageAsync(XmppStage.Bot, "?OTRv2?");
        await bot.PrintsAsync("VERSION_NOT_ALLOWED");
    }
}
