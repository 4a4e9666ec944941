namespace Relay.Bridges.Tests.Irc;

/// <summary>A client that people use, on a real server, with a bot: the whole life of a conversation.</summary>
public sealed class IrssiTests
{
    [Fact]
    public async Task IrssiTalksToTheBot()
    {
        await using var stage = await IrcStage.StartAsync();
        await stage.StartBridgeAsync();
        await using var irssi = await Irssi.StartAsync(stage.PathOf("irssi"), "person", stage.Irc.Port);
        await irssi.ShowsAsync("End of MOTD");
        // Under the name that it gives this connection; without a key it makes one in the middle of the exchange, and forgets that.
        await irssi.TypeAsync("/otr genkey 127");
        await irssi.ShowsAsync("completed");
        await irssi.TypeAsync("/query bot");
        await irssi.TypeAsync("/otr init");
        await irssi.ShowsAsync("Session secured");
        await irssi.TypeAsync("first text");
        await irssi.ShowsAsync("echo: first text");
        await irssi.TypeAsync("/otr auth swordfish");
        await irssi.ShowsAsync("successful", 3 * Wait.Limit);
        // Longer than a line of IRC.
        await irssi.TypeAsync(string.Concat(Enumerable.Repeat("0123456789", 60)) + " the end");
        await stage.UntilAsync(() =>
            stage.Events.Any(e => e.TextReceived?.Text.EndsWith("6789 the end", StringComparison.Ordinal) == true));
        await irssi.TypeAsync("/otr finish");
        await stage.UntilAsync(() => stage.Events.Any(e => e.SessionChanged?.Cause == V1.SessionChanged.Types.Cause.EndedByPeer));
        await irssi.TypeAsync("/clear");
        await irssi.TypeAsync("/otr init");
        await irssi.ShowsAsync("Session secured");
        await irssi.TypeAsync("second session");
        await irssi.ShowsAsync("echo: second session");
    }
}
