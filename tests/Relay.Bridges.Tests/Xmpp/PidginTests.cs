namespace Relay.Bridges.Tests.Xmpp;

/// <summary>Pidgin, with the settings of docs/bridges.md.</summary>
public sealed class PidginTests
{
    [Fact]
    public async Task Pidgin_talks_to_the_echo_bot()
    {
        await using var stage = await XmppStage.StartAsync();
        var bridge = await stage.StartBridgeAsync();
        await stage.StartBotAsync();
        await using var pidgin = await Pidgin.StartAsync(stage.PathOf("pidgin"), stage.Xmpp.ClientPort);
        await pidgin.OpenAsync(XmppStage.Bot);
        await pidgin.StartOtrAsync();
        await pidgin.CloseKeyDialogAsync();
        await pidgin.ShowsAsync("/relay started.");
        // Pidgin sends HTML, and the bot gets and answers text.
        await pidgin.SayAsync("<b>first</b> text");
        await pidgin.ShowsAsync("echo: first text");
        await pidgin.AskAsync("What do we share?", "shared secret");
        await pidgin.CloseProgressAsync();
        await pidgin.ShowsAsync("The privacy status of the current conversation is now");
        await stage.StartSmpAsync(XmppStage.Alice, "rabbit", "Which animal?");
        await pidgin.AnswerAsync("rabbit");
        await pidgin.CloseProgressAsync();
        await stage.IsTrustedAsync(XmppStage.Alice);
        await bridge.KillAsync();
        await stage.StartBridgeAsync();
        await pidgin.SayAsync("after the bridge");
        await pidgin.ShowsAsync("echo: after the bridge");
        await pidgin.EndOtrAsync();
        await pidgin.ShowsAsync("lost.");
        await pidgin.StartOtrAsync();
        await pidgin.ShowsAsync("/relay started.", times: 2);
        await pidgin.SayAsync("second session");
        await pidgin.ShowsAsync("echo: second session");
    }
}
