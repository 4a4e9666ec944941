using Relay.Bridges.Tests.Xmpp;

namespace Relay.Proxy.Tests.Xmpp;

/// <summary>Programs that people use, with the settings of docs/proxy.md, in front of the proxy; libotr behind it.</summary>
public sealed class ClientProgramTests
{
    private const string Bob = XmppProxyStage.Bob, Service = XmppProxyStage.Service;

    [Fact]
    public async Task Mcabber_has_a_private_conversation()
    {
        await using var stage = await XmppProxyStage.StartAsync("--marks", "ascii");
        var bob = await stage.StartBobAsync();
        await using var mcabber = await Mcabber.StartAsync(stage.PathOf("m"), stage.Port);
        await mcabber.ShowsAsync("Your status has been set");
        await mcabber.TypeAsync($"/say_to {Service} start {Bob}");
        await bob.SeesAsync(e => OtrContact.Kind(e) == "state");
        await mcabber.TypeAsync($"/say_to {Bob} from mcabber");
        await bob.HearsAsync("from mcabber");
        await bob.SayAsync("to mcabber");
        await mcabber.TypeAsync($"/roster search {Bob}");
        await mcabber.TypeAsync("");
        await mcabber.ShowsAsync("[U] to mcabber");
    }

    [Fact]
    public async Task Profanity_has_a_private_conversation()
    {
        await using var stage = await XmppProxyStage.StartAsync("--marks", "ascii");
        var bob = await stage.StartBobAsync();
        await using var profanity = await Terminal.StartAsync(stage.PathOf("profanity"), "/usr/bin/profanity", "", "/quit");
        await profanity.ShowsAsync("Profanity");
        await profanity.TypeAsync($"/connect {XmppProxyStage.Alice} server 127.0.0.1 port {stage.Port} tls disable");
        await profanity.ShowsAsync("Enter password");
        await profanity.TypeAsync("alice-password");
        await profanity.ShowsAsync("logged in successfully");
        await profanity.TypeAsync($"/msg {Service} start {Bob}");
        await profanity.ShowsAsync($"The conversation with {Bob} is private");
        await profanity.TypeAsync($"/msg {Bob} from profanity");
        await bob.HearsAsync("from profanity");
        await bob.SayAsync("to profanity");
        await profanity.ShowsAsync("[U] to profanity");
    }
}
