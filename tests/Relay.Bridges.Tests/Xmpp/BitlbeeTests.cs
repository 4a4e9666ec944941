namespace Relay.Bridges.Tests.Xmpp;

/// <summary>BitlBee, with the settings of docs/bridges.md.</summary>
public sealed class BitlbeeTests
{
    [Fact]
    public async Task BitlBee_talks_to_the_echo_bot()
    {
        await using var stage = await XmppStage.StartAsync();
        var bridge = await stage.StartBridgeAsync();
        await stage.StartBotAsync();
        await using var bitlbee = await Bitlbee.StartAsync(stage.PathOf("bitlbee"), stage.Xmpp.ClientPort);
        await bitlbee.CommandAsync("register a-password");
        await bitlbee.ShowsAsync("Account successfully created");
        await bitlbee.CommandAsync($"account add jabber {XmppStage.Alice} alice-password");
        await bitlbee.CommandAsync($"account 0 set server {bitlbee.Server}");
        await bitlbee.CommandAsync("account 0 set tls false");
        await bitlbee.CommandAsync("account 0 on");
        await bitlbee.ShowsAsync("Logged in");
        await bitlbee.CommandAsync($"add 0 {XmppStage.Bot}");
        await bitlbee.ShowsAsync("bot!bot@otr.example.org JOIN");
        // Without a key it makes one in the middle of the exchange, and forgets that.
        await bitlbee.CommandAsync("otr keygen 0");
        await bitlbee.ShowsAsync("otr keygen for alice@example.org/jabber complete");
        await bitlbee.CommandAsync("otr connect bot");
        await bitlbee.ShowsAsync("conversation is now off the record (untrusted!)");
        await bitlbee.SayAsync("bot", "first text");
        await bitlbee.ShowsAsync("echo: first text");
        await bitlbee.CommandAsync("otr smp bot \"shared secret\"");
        await bitlbee.ShowsAsync("smp bot: secrets proved equal");
        await stage.StartSmpAsync(XmppStage.Alice, "rabbit");
        await bitlbee.ShowsAsync("smp: initiated by bot");
        await bitlbee.CommandAsync("otr smp bot rabbit");
        await bitlbee.ShowsAsync("smp bot: secrets proved equal", times: 2);
        await bridge.KillAsync();
        await stage.StartBridgeAsync();
        await bitlbee.SayAsync("bot", "after the bridge");
        await bitlbee.ShowsAsync("echo: after the bridge");
        await bitlbee.CommandAsync("otr disconnect bot");
        await bitlbee.ShowsAsync("conversation is now in cleartext");
        await bitlbee.CommandAsync("otr connect bot");
        await bitlbee.ShowsAsync("conversation is now off the record (trusted)");
        await bitlbee.SayAsync("bot", "second session");
        await bitlbee.ShowsAsync("echo: second session");
    }
}
