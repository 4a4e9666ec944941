namespace Relay.Bridges.Tests.Xmpp;

/// <summary>A bridge that logs in to an account of a real server, the echo bot, and real OTR.</summary>
public sealed class RealAccountTests
{
    private const string Helper = XmppStage.Helper;

    [Theory]
    [InlineData("secure-prosody", "libotr")]
    [InlineData("prosody", "relay")]
    [InlineData("secure-ejabberd", "libotr")]
    public async Task A_whole_conversation_crosses_an_account(string server, string implementation)
    {
        await using var stage = await XmppStage.StartAsync(server: server);
        await stage.StartAccountBridgeAsync();
        await stage.StartBotAsync("helper");
        var alice = await stage.StartContactAsync(implementation, to: Helper);
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
        Assert.Equal(1, alice.TimesHeard("echo: again"));
    }

    [Theory]
    [InlineData("prosody")]
    [InlineData("ejabberd")]
    public async Task The_session_goes_on_whatever_is_killed(string server)
    {
        await using var stage = await XmppStage.StartAsync(server: server);
        var bridge = await stage.StartAccountBridgeAsync();
        await stage.StartBotAsync("helper");
        var alice = await stage.StartContactAsync(to: Helper);
        await alice.DoAsync("start");
        await Wait.UntilAsync(() => alice.TimesSecure == 1);
        await alice.EchoAsync("before");

        await bridge.KillAsync();
        var bot = stage.Connect(stage.PathOf("bot.key")).Bot("endpoints/helper");
        Assert.True((await bot.SendToAsync("endpoints/helper", "alice@example.org", "while nobody carried")).IsAccepted);
        // Prosody keeps it for the connection that is gone, and gives it to the one that takes its place.
        if (server == "prosody") await alice.SayAsync("to the dead");
        bridge = await stage.StartAccountBridgeAsync(createsEndpoint: false);
        await alice.HearsAsync("while nobody carried");
        if (server == "prosody") await alice.HearsAsync("echo: to the dead");
        await alice.EchoAsync("another bridge");

        var listen = stage.Relay.Address.Authority;
        await stage.Relay.KillAsync();
        await alice.SayAsync("while no server was there");
        await stage.StartRelayAsync(listen);
        await alice.HearsAsync("echo: while no server was there");

        await stage.Xmpp.KillAsync();
        await bridge.PrintsAsync("\"disconnected\"");
        await stage.Xmpp.RunAsync();
        await bridge.PrintsAsync("\"connected\"", times: 2);
        await alice.MoveToAsync(await XmppClient.LogInAsync(stage.Xmpp.ClientPort, "alice", "another-resource"));
        await alice.EchoAsync("after all");

        Assert.Equal(1, alice.TimesSecure);
        foreach (var text in new[] { "echo: before", "while nobody carried", "echo: another bridge", "echo: while no server was there", "echo: after all" })
            Assert.Equal(1, alice.TimesHeard(text));
        Assert.Equal(0, await bridge.StopAsync());
    }

    /// <summary>Without OTR, which would hide doubles: XEP-0198 alone loses nothing and doubles nothing, in either direction.</summary>
    [Theory]
    [InlineData("secure-prosody")]
    [InlineData("ejabberd")]
    public async Task A_line_that_breaks_loses_and_doubles_nothing(string server)
    {
        await using var stage = await XmppStage.StartAsync(allowClear: true, server: server);
        await using var line = new BreakableLine(stage.Xmpp.ClientPort);
        var bridge = await stage.StartAccountBridgeAsync(line.Port, allowClear: true);
        await stage.StartBotAsync("helper");
        await using var alice = await XmppClient.LogInAsync(stage.Xmpp.ClientPort, "alice", "phone");
        var heard = new List<string>();
        // The echo bot answers one contact 60 times a minute.
        const int Texts = 45;
        for (int sent = 0; sent < Texts; sent++)
        {
            await alice.SendMessageAsync(Helper, $"text {sent}");
            // Texts are under way in both directions when it breaks, and come while it is broken.
            if (sent % 20 == 9) line.Break();
            if (sent % 20 == 14) await bridge.PrintsAsync("\"connected\"", times: sent / 20 + 2);
        }
        while (heard.Count(h => h.StartsWith("echo: ", StringComparison.Ordinal)) < Texts) heard.Add(XmppClient.Body(await alice.NextMessageAsync())!);
        // What is doubled would come behind.
        Assert.Equal(3, line.Connections);
        await alice.SendMessageAsync(Helper, "last");
        do heard.Add(XmppClient.Body(await alice.NextMessageAsync())!);
        while (heard[^1] != "echo: last");
        Assert.Equal([.. Enumerable.Range(0, Texts).Select(i => $"echo: text {i}"), "echo: last"], heard.Where(h => h.StartsWith("echo: ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("secure-prosody")]
    [InlineData("ejabberd")]
    public async Task A_wrong_password_is_named_and_not_tried_again_soon(string server)
    {
        await using var stage = await XmppStage.StartAsync(server: server);
        await File.WriteAllTextAsync(stage.PathOf("wrong.password"), "not this one");
        var bridge = stage.StartAccountBridge(stage.Xmpp.ClientPort, "wrong.password");
        await bridge.PrintsAsync("Compare the password file");
        Assert.Contains("\"refused\"", bridge.Printed, StringComparison.Ordinal);
        Assert.Equal(0, await bridge.StopAsync());
    }

    [Fact]
    public async Task A_certificate_that_does_not_verify_is_named()
    {
        await using var stage = await XmppStage.StartAsync(server: "secure-prosody");
        await File.WriteAllTextAsync(stage.PathOf("helper.password"), "helper-password");
        using var other = SecureProsody.WriteCertificate("example.org", stage.PathOf("other.pem"), stage.PathOf("other.key"));
        var bridge = stage.StartAccountBridge(stage.Xmpp.ClientPort, "helper.password", stage.PathOf("other.pem"));
        await bridge.PrintsAsync("TLS failed");
        Assert.DoesNotContain("\"connected\"", bridge.Printed, StringComparison.Ordinal);
    }

    /// <summary>Two with one key are one client to the server: the older one learns it there, or from Relay, and ends for good.</summary>
    [Theory]
    [InlineData("prosody")]
    [InlineData("ejabberd")]
    public async Task A_second_bridge_takes_over_and_the_first_does_not_fight(string server)
    {
        await using var stage = await XmppStage.StartAsync(server: server);
        var first = await stage.StartAccountBridgeAsync();
        var second = await stage.StartAccountBridgeAsync(createsEndpoint: false);
        Assert.Equal(7, await first.EndsAsync());
        await stage.StartBotAsync("helper");
        var alice = await stage.StartContactAsync("relay", to: Helper);
        await alice.DoAsync("start");
        await alice.EchoAsync("through the second");
        Assert.DoesNotContain("disconnected", second.Printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_subscribes_sees_the_account()
    {
        await using var stage = await XmppStage.StartAsync();
        await stage.StartAccountBridgeAsync();
        await using var alice = await XmppClient.LogInAsync(stage.Xmpp.ClientPort, "alice", "phone");
        await alice.SendAsync($"<presence type='subscribe' to='{Helper}'/>");
        using var limit = new CancellationTokenSource(Wait.Limit);
        string resource;
        do resource = (await alice.Presences.ReadAsync(limit.Token)).Attribute("from")!.Value;
        while (!resource.StartsWith(Helper + "/relay-", StringComparison.Ordinal));
    }

    private static string Base64(string text) => "b64:" + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text));
}
