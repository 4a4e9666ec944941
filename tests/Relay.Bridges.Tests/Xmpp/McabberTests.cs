namespace Relay.Bridges.Tests.Xmpp;

/// <summary>A client that people use, on a real server, with the echo bot: the whole life of a conversation.</summary>
public sealed class McabberTests
{
    [Theory]
    [InlineData(XmppStage.Bot)]
    [InlineData(XmppStage.Helper)]
    public async Task Mcabber_talks_to_the_echo_bot(string address)
    {
        bool isAccount = address == XmppStage.Helper;
        await using var stage = await XmppStage.StartAsync();
        var bridge = isAccount ? await stage.StartAccountBridgeAsync() : await stage.StartBridgeAsync();
        await stage.StartBotAsync(isAccount ? "helper" : "bot");
        await using var mcabber = await Mcabber.StartAsync(stage.PathOf("m"), stage.Xmpp.ClientPort);
        await mcabber.ShowsAsync("Your status has been set");
        await mcabber.TypeAsync($"/add {address}");
        await mcabber.TypeAsync($"/say_to {address} hello in the clear");
        // An empty line opens the chat's window.
        await mcabber.TypeAsync("");
        // Encryption is required: the answer is an offer, which mcabber takes by itself.
        await mcabber.ShowsAsync("OTR: channel established");
        await mcabber.TypeAsync("first text");
        await mcabber.ShowsAsync("echo: first text");
        await mcabber.TypeAsync("/otr smpq . shared secret");
        await mcabber.ShowsAsync("Protocol: Success!");
        await stage.StartSmpAsync(XmppStage.Alice, "rabbit", "Which animal?", isAccount ? "helper" : "bot");
        await mcabber.ShowsAsync("Which animal?");
        await mcabber.TypeAsync("/clear");
        await mcabber.TypeAsync("/otr smpr . rabbit");
        await mcabber.ShowsAsync("Protocol: Success!");
        await bridge.KillAsync();
        _ = isAccount ? await stage.StartAccountBridgeAsync(createsEndpoint: false) : await stage.StartBridgeAsync();
        await mcabber.TypeAsync("after the bridge");
        await mcabber.ShowsAsync("echo: after the bridge");
        await mcabber.TypeAsync("/otr stop .");
        await mcabber.ShowsAsync("OTR: channel closed");
        await mcabber.TypeAsync("/clear");
        await mcabber.TypeAsync("/otr start .");
        await mcabber.ShowsAsync("OTR: channel");
        await mcabber.TypeAsync("second session");
        await mcabber.ShowsAsync("echo: second session");
    }
}
