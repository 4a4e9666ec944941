namespace Relay.Bridges.Tests.Irc;

/// <summary>Debian's WeeChat with the script otr.py (potr, which has version 2 of OTR only), with the settings of docs/irc.md.</summary>
public sealed class WeechatTests
{
    private const string Script = "/usr/share/weechat/python/otr.py";

    [Fact]
    public async Task WeeChat_talks_to_the_bot()
    {
        Assert.SkipUnless(File.Exists(Script), "WeeChat's script is missing: apt-get install weechat-scripts");
        Assert.SkipUnless(Directory.Exists("/usr/lib/python3/dist-packages/potr"), "potr is missing: apt-get install python3-potr");
        await using var stage = await IrcStage.StartAsync(new V1.Policy { AllowV2 = true });
        await stage.StartBridgeAsync();
        // By itself it sends a line each two seconds, and SMP is a dozen.
        var commands = string.Join(';', "/set weechat.look.paste_max_lines -1",
            "/set irc.server_default.anti_flood_prio_high 0", "/set irc.server_default.anti_flood_prio_low 0",
            $"/script load {Path.Combine(Repository.Root, "tests", "Relay.Bridges.Tests", "Irc", "weechat-otr.py")}",
            $"/server add net 127.0.0.1/{stage.Irc.Port} -nicks=person", "/connect net");
        await using var weechat = await Terminal.StartAsync(
            stage.PathOf("weechat"), "/usr/bin/weechat", $"-d {stage.PathOf("weechat")}/settings -r '{commands}'", "/quit");
        await weechat.ShowsAsync("End of MOTD");
        await weechat.TypeAsync("/query bot");
        await weechat.TypeAsync("/otr start");
        await weechat.ShowsAsync("Unauthenticated secured OTR conversation started");
        await weechat.TypeAsync("first text");
        await weechat.ShowsAsync("echo: first text");
        await weechat.TypeAsync("/otr smp ask swordfish");
        await weechat.ShowsAsync("SMP verification succeeded");
        var conversation = await stage.Bot.FindConversationAsync("bot", "person");
        _ = (await stage.Bot.VerifyAsync(conversation!.Name, "rabbit", "Which animal?")).Response;
        await weechat.ShowsAsync("Which animal?");
        await weechat.TypeAsync("/otr smp respond rabbit");
        await stage.UntilAsync(() => stage.Events.Count(e => e.VerificationChanged?.Verification?.State == V1.Verification.Types.State.Succeeded) == 2);
        // Longer than a line of IRC: it is cut by the script, which says how long a line may be.
        await weechat.TypeAsync(string.Concat(Enumerable.Repeat("0123456789", 60)) + " the end");
        await stage.UntilAsync(() => stage.Events.Any(e => e.TextReceived?.Text.EndsWith("6789 the end", StringComparison.Ordinal) == true));
        await weechat.TypeAsync("/otr finish");
        await stage.UntilAsync(() => stage.Events.Any(e => e.SessionChanged?.Cause == V1.SessionChanged.Types.Cause.EndedByPeer));
        await weechat.TypeAsync("/buffer clear");
        await weechat.TypeAsync("/otr start");
        await weechat.ShowsAsync("secured OTR conversation started");
        await weechat.TypeAsync("second session");
        await weechat.ShowsAsync("echo: second session");
    }
}
