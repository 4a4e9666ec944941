using Relay.Cli.Bots;
using Relay.V1;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>The bridge and the echo bot with real XMPP servers, configured as docs/bridges.md says, and real OTR.</summary>
public sealed class RealServerTests
{
    [Theory]
    [InlineData("prosody", "libotr")]
    [InlineData("prosody", "relay")]
    [InlineData("ejabberd", "libotr")]
    [InlineData("secure-ejabberd", "relay")]
    public async Task A_whole_conversation_crosses_the_server(string server, string implementation)
    {
        await using var stage = await XmppStage.StartAsync(server: server);
        await stage.StartBridgeAsync();
        await stage.StartBotAsync();
        // A second device without OTR, which must not see a copy.
        await using var desk = await XmppClient.LogInAsync(stage.Xmpp.ClientPort, "alice", "desk", priority: -1);
        await desk.SendAsync("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>");
        var alice = await stage.StartContactAsync(implementation);

        await alice.DoAsync("start");
        await Wait.UntilAsync(() => alice.TimesSecure == 1);
        await alice.EchoAsync("Gr\u00fc\u00dfe \ud83d\ude00");
        await alice.EchoAsync(new string('x', 20_000));
        await alice.DoAsync("smp-start " + Base64("shared secret"));
        await alice.SeesAsync(e => OtrContact.Kind(e) == "smp" && e.GetProperty("what").GetString() == "success");
        await alice.DoAsync("end");
        await alice.DoAsync("start");
        await Wait.UntilAsync(() => alice.TimesSecure == 2);
        await alice.EchoAsync("again");
        await alice.DoAsync("smp-start " + Base64("another secret"));
        await alice.SeesAsync(e => OtrContact.Kind(e) == "smp" && e.GetProperty("what").GetString() is "failure");
        Assert.Equal(1, alice.TimesHeard("echo: again"));
        // What alice's own client sent it sees as carbons unless that said otherwise; nothing of the bot's.
        while (desk.Messages.TryRead(out var copy)) Assert.DoesNotContain("received", copy.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("prosody")]
    [InlineData("ejabberd")]
    public async Task The_session_goes_on_whatever_is_killed(string server)
    {
        await using var stage = await XmppStage.StartAsync(server: server);
        var bridge = await stage.StartBridgeAsync();
        await stage.StartBotAsync();
        var alice = await stage.StartContactAsync();
        await alice.DoAsync("start");
        await Wait.UntilAsync(() => alice.TimesSecure == 1);
        await alice.EchoAsync("before");

        await bridge.KillAsync();
        // What the bot says meanwhile waits.
        var bot = stage.Connect(stage.PathOf("bot.key")).Bot("endpoints/bot");
        Assert.True((await bot.SendToAsync("endpoints/bot", "alice@example.org", "while nobody carried")).IsAccepted);
        bridge = await stage.StartBridgeAsync();
        await alice.HearsAsync("while nobody carried");
        await alice.EchoAsync("another bridge");

        var listen = stage.Relay.Address.Authority;
        await stage.Relay.KillAsync();
        // The bridge keeps it.
        await alice.SayAsync("while no server was there");
        await stage.StartRelayAsync(listen);
        await alice.HearsAsync("echo: while no server was there");

        await stage.Xmpp.KillAsync();
        Assert.True((await bot.SendToAsync("endpoints/bot", "alice@example.org", "while the network was gone")).IsAccepted);
        await bridge.PrintsAsync("\"disconnected\"");
        await stage.Xmpp.RunAsync();
        await bridge.PrintsAsync("\"connected\"", times: 2);
        await alice.MoveToAsync(await XmppClient.LogInAsync(stage.Xmpp.ClientPort, "alice", "another-resource"));
        await alice.EchoAsync("after all");
        // Alice logs in after the bridge has come back: Prosody keeps OTR text for contacts who are offline, ejabberd bounces it.
        if (server == "prosody") await alice.HearsAsync("while the network was gone");

        Assert.Equal(1, alice.TimesSecure);
        foreach (var text in new[] { "echo: before", "while nobody carried", "echo: another bridge", "echo: while no server was there", "echo: after all" })
            Assert.Equal(1, alice.TimesHeard(text));
        Assert.InRange(alice.TimesHeard("while the network was gone"), server == "prosody" ? 1 : 0, 1);
        Assert.Equal(0, await bridge.StopAsync());
    }

    [Fact]
    public async Task In_the_clear_the_bot_says_so_and_offers_a_session_when_it_is_asked()
    {
        await using var stage = await XmppStage.StartAsync(allowClear: true);
        await stage.StartBridgeAsync();
        await stage.StartBotAsync();
        var alice = await stage.StartContactAsync();
        await alice.DoAsync("policy manual");
        await alice.SayAsync("hello");
        await alice.HearsAsync("echo: hello", encrypted: false);
        await alice.HearsAsync(EchoBot.NotPrivate, encrypted: false);
        await alice.SayAsync(EchoBot.Request);
        await Wait.UntilAsync(() => alice.TimesSecure == 1);
        await alice.SayAsync(EchoBot.Request);
        await alice.HearsAsync(EchoBot.IsPrivate);
        // Its own answers are not answered: two echoes come to an end.
        await alice.SayAsync("echo: hello");
        await alice.EchoAsync("done");
        Assert.Equal(0, alice.TimesHeard("echo: echo: hello"));
        Assert.Equal(1, alice.TimesHeard(EchoBot.NotPrivate));
    }

    [Fact]
    public async Task Where_encryption_is_required_the_bot_offers_a_session_instead_of_an_answer()
    {
        await using var stage = await XmppStage.StartAsync();
        await stage.StartBridgeAsync();
        await stage.StartBotAsync();
        await using var alice = await XmppClient.LogInAsync(stage.Xmpp.ClientPort, "alice", "phone");
        await alice.SendMessageAsync(XmppStage.Bot, "hello");
        var offer = await alice.NextMessageAsync();
        Assert.StartsWith("?OTRv3?", XmppClient.Body(offer), StringComparison.Ordinal);
        Assert.Equal("bot@otr.example.org/relay", offer.Attribute("from")!.Value);
    }

    [Fact]
    public async Task A_wrong_secret_and_an_unknown_domain_are_named()
    {
        await using var stage = await XmppStage.StartAsync();
        await File.WriteAllTextAsync(stage.PathOf("wrong.secret"), "not this one");
        var wrong = stage.StartBridge(stage.Xmpp.ComponentPort, XmppServer.ComponentDomain, "wrong.secret");
        await wrong.PrintsAsync("(not-authorized)");
        var unknown = stage.StartBridge(stage.Xmpp.ComponentPort, "elsewhere.example.org", "component.secret");
        await unknown.PrintsAsync("(host-unknown)");
        // Refused, it waits.
        await Task.Delay(500);
        Assert.Equal(2, wrong.Printed.Split("not-authorized").Length);
        Assert.Equal(0, await wrong.StopAsync());
    }

    [Fact]
    public async Task Ejabberd_refuses_a_wrong_secret_by_the_same_name()
    {
        await using var stage = await XmppStage.StartAsync(server: "ejabberd");
        await File.WriteAllTextAsync(stage.PathOf("wrong.secret"), "not this one");
        await stage.StartBridge(stage.Xmpp.ComponentPort, XmppServer.ComponentDomain, "wrong.secret").PrintsAsync("(not-authorized)");
        await stage.StartBridge(stage.Xmpp.ComponentPort, "elsewhere.example.org", "component.secret").PrintsAsync("ejabberd says the same of a domain");
    }

    [Fact]
    public async Task A_certificate_that_nobody_vouches_for_gets_no_secret()
    {
        await using var stage = await XmppStage.StartAsync(server: "secure-ejabberd");
        var bridge = stage.StartBridge(stage.Xmpp.ComponentPort, XmppServer.ComponentDomain, "component.secret", isTrusted: false);
        await bridge.PrintsAsync("--xmpp-ca names one of your own");
        Assert.DoesNotContain("\"connected\"", bridge.Printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_bridge_takes_over_and_the_first_does_not_fight()
    {
        await using var stage = await XmppStage.StartAsync();
        var first = await stage.StartBridgeAsync();
        var second = await stage.StartBridgeAsync();
        Assert.Equal(7, await first.EndsAsync());
        Assert.Contains("Another bridge has taken over", first.Printed, StringComparison.Ordinal);
        await stage.StartBotAsync();
        var alice = await stage.StartContactAsync("relay");
        await alice.DoAsync("start");
        await alice.EchoAsync("through the second");
        Assert.DoesNotContain("disconnected", second.Printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_endpoint_is_noticed_and_seen_by_who_subscribes()
    {
        await using var stage = await XmppStage.StartAsync();
        await stage.StartBridgeAsync();
        await using var alice = await XmppClient.LogInAsync(stage.Xmpp.ClientPort, "alice", "phone");
        Assert.Equal("error", await PingAsync(alice, "second@otr.example.org"));
        await stage.CreateEndpointAsync("second", "second@otr.example.org");
        using var limit = new CancellationTokenSource(Wait.Limit);
        while (await PingAsync(alice, "second@otr.example.org") != "result") await Task.Delay(300, limit.Token);
        await alice.SendAsync("<presence type='subscribe' to='Second@otr.example.org'/>");
        while ((await alice.Presences.ReadAsync(limit.Token)).Attribute("from")!.Value != "second@otr.example.org/relay") { }
        // One that goes takes nobody with it.
        await stage.Admin.CallAsync(o => stage.Admin.Endpoints.DeleteEndpointAsync(new DeleteEndpointRequest { Name = "endpoints/second" }, o));
        while (await PingAsync(alice, "second@otr.example.org") != "error") await Task.Delay(300, limit.Token);
        Assert.Equal("result", await PingAsync(alice, XmppStage.Bot));
        await stage.StartBotAsync();
        await alice.SendMessageAsync(XmppStage.Bot, "still there?");
        Assert.StartsWith("?OTRv3?", XmppClient.Body(await alice.NextMessageAsync()), StringComparison.Ordinal);
    }

    private static async Task<string> PingAsync(XmppClient client, string to)
    {
        var id = Guid.NewGuid().ToString("N");
        await client.SendAsync($"<iq type='get' id='{id}' to='{to}'><ping xmlns='urn:xmpp:ping'/></iq>");
        while (true)
        {
            var answer = await client.Iqs.ReadAsync().AsTask().InTime();
            if (answer.Attribute("id")?.Value == id) return answer.Attribute("type")!.Value;
        }
    }

    private static string Base64(string text) => "b64:" + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text));
}
