using System.Text;
using Relay.Bridges.Xmpp;
using Relay.V1;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>Servers on which OTR is required, and a bridge that requires it for its own domain.</summary>
public sealed class RequiredOtrTests
{
    private const string Tag = " \t  \t\t\t\t \t \t \t    \t\t  \t\t";

    /// <summary>Prosody with the rule of mod_otr, and with Debian's mod_require_otr: neither swallows anything of a conversation.</summary>
    [Theory]
    [InlineData("prosody+otr_mandatory")]
    [InlineData("prosody+require_otr")]
    public async Task A_whole_conversation_passes_a_server_that_requires_OTR(string server)
    {
        var isMandatory = server.EndsWith("mandatory", StringComparison.Ordinal);
        await using var stage = await XmppStage.StartAsync(server: server);
        await stage.StartBridgeAsync();
        await stage.StartBotAsync();
        // The rule is in force, and what the server says about it is not answered.
        await using var bob = await XmppClient.LogInAsync(stage.Xmpp.ClientPort, "bob", "desk");
        await bob.SendMessageAsync(XmppStage.Bot, "in the clear");
        var refusal = await bob.Messages.ReadAsync().AsTask().InTime();
        Assert.Contains("OTR encryption is required", refusal.Value, StringComparison.Ordinal);

        var alice = await stage.StartContactAsync();
        for (var session = 1; session <= 2; session++)
        {
            await alice.DoAsync("start");
            await Wait.UntilAsync(() => alice.TimesSecure == session);
            await alice.EchoAsync($"text {session}");
            await alice.DoAsync("smp-start b64:" + Convert.ToBase64String("shared secret"u8));
            await Wait.UntilAsync(() =>
                alice.Count(e => OtrContact.Kind(e) == "smp" && e.GetProperty("what").GetString() == "success") == session);
            await alice.DoAsync("end");
        }
        // The bot begins, too.
        var bot = stage.Connect(stage.PathOf("bot.key")).Bot("endpoints/bot");
        Assert.True((await bot.StartSessionAsync("endpoints/bot", "bob@example.org")).IsAccepted);
        Assert.StartsWith("?OTRv3?", XmppClient.Body(await bob.NextMessageAsync()), StringComparison.Ordinal);
        if (!isMandatory) return;
        // What a bot writes in the clear the server swallows, and says so in a text of its own.
        await stage.CreateEndpointAsync("open", "open@otr.example.org", allowClear: true);
        var sent = (await bot.SendToAsync("endpoints/open", "bob@example.org", "in the clear")).Response.Message.Name;
        await Wait.UntilAsync(async () => (await bot.GetMessageAsync(sent)).State == Message.Types.State.Undeliverable);
        Assert.Equal("NOT_ALLOWED", (await bot.GetMessageAsync(sent)).Reason);
        Assert.False(bob.Messages.TryRead(out _));
    }

    [Fact]
    public async Task A_bridge_that_requires_OTR_carries_nothing_else()
    {
        await using var stage = await XmppStage.StartAsync(allowClear: true);
        await stage.StartBridgeAsync("--require-otr");
        await stage.StartBotAsync();
        await using var bob = await XmppClient.LogInAsync(stage.Xmpp.ClientPort, "bob", "desk");
        await bob.SendMessageAsync(XmppStage.Bot, "in the clear");
        var error = await bob.Messages.ReadAsync().AsTask().InTime();
        Assert.Equal(("error", XmppStage.Bot), (error.Attribute("type")!.Value, error.Attribute("from")!.Value));
        var reason = error.Elements().Single(e => e.Name.LocalName == "error");
        Assert.Equal("modify", reason.Attribute("type")!.Value);
        Assert.Equal(["policy-violation", "text"], reason.Elements().Select(e => e.Name.LocalName));
        Assert.Contains("start a private conversation", reason.Value, StringComparison.Ordinal);

        // The bot's text does not leave, and the bot is told.
        var bot = stage.Connect(stage.PathOf("bot.key")).Bot("endpoints/bot");
        var sent = (await bot.SendToAsync("endpoints/bot", "bob@example.org", "from the bot")).Response.Message.Name;
        await Wait.UntilAsync(async () => (await bot.GetMessageAsync(sent)).State == Message.Types.State.Undeliverable);
        Assert.Equal("NOT_ALLOWED", (await bot.GetMessageAsync(sent)).Reason);

        // Offers pass both ways, and sessions.
        await bob.SendMessageAsync(XmppStage.Bot, "?OTRv3?");
        Assert.StartsWith("?OTR:AAMC", XmppClient.Body(await bob.NextMessageAsync()), StringComparison.Ordinal);
        var alice = await stage.StartContactAsync();
        await alice.DoAsync("start");
        await Wait.UntilAsync(() => alice.TimesSecure == 1);
        await alice.EchoAsync("in private");
        await alice.DoAsync("end");
        Assert.True((await bot.StartSessionAsync("endpoints/bot", "alice@example.org")).IsAccepted);
        await Wait.UntilAsync(() => alice.TimesSecure == 2);
        Assert.Equal(0, alice.Count(e => OtrContact.Kind(e) == "plain" && !e.GetProperty("encrypted").GetBoolean()));
        Assert.False(bob.Messages.TryRead(out _));
    }

    [Theory]
    [InlineData("hello", false)]
    [InlineData("?otr please", false)]
    [InlineData(" ?OTRv3?", false)]
    [InlineData("hello" + Tag, true)]
    [InlineData("?OTRv3? this asks for a session", true)]
    [InlineData("?OTR?", true)]
    [InlineData("?OTR Error: what?", true)]
    [InlineData("?OTR:AAMDAAAAAQAAAAA=.", true)]
    [InlineData("?OTR|00000100|00000200,00001,00002,?OTR:,", true)]
    [InlineData("?OTR,1,2,?OTR:,", true)]
    public async Task What_contacts_write_passes_if_it_is_OTR_or_offers_it(string body, bool passes)
    {
        using var server = new ScriptedServer();
        using var stop = new CancellationTokenSource();
        var inbox = new FakeInbox();
        var endpoints = new EndpointDirectory(XmppNetwork.AddressIn("otr.example.org"));
        endpoints.Add("endpoints/bot", "bot@otr.example.org");
        var network = Network(server, endpoints);
        _ = network.RunAsync(inbox, stop.Token);
        await server.AcceptComponentAsync();
        await server.SayAsync($"<message type='chat' id='m' from='a@example.org/r' to='bot@otr.example.org'><body>{body}</body></message>"
            + "<message type='chat' from='a@example.org/r' to='bot@otr.example.org'><body>?OTR:after.</body></message>");
        const string refusal = "id='m'><error type='modify'><policy-violation";
        if (passes) Assert.Equal(body, (await inbox.NextAsync()).Text);
        else await server.HearAsync(refusal);
        Assert.Equal("?OTR:after.", (await inbox.NextAsync()).Text);
        Assert.Equal(!passes, server.Heard.Contains(refusal, StringComparison.Ordinal));
        await stop.CancelAsync();
    }

    [Theory]
    [InlineData("hello", false)]
    [InlineData("hello" + Tag, false)]
    [InlineData(Tag, true)]
    [InlineData("?OTRv3? this asks for a session", true)]
    [InlineData("?OTR:AAMDAAAAAQAAAAA=.", true)]
    public async Task What_bots_write_passes_if_it_is_OTR(string body, bool passes)
    {
        using var server = new ScriptedServer();
        using var stop = new CancellationTokenSource();
        var endpoints = new EndpointDirectory(XmppNetwork.AddressIn("otr.example.org"));
        endpoints.Add("endpoints/bot", "bot@otr.example.org");
        var network = Network(server, endpoints);
        var inbox = new FakeInbox();
        _ = network.RunAsync(inbox, stop.Token);
        await server.AcceptComponentAsync();
        await Wait.UntilAsync(() => inbox.IsConnected);
        var carried = network.CarryAsync(new OutboundText("endpoints/bot", "a@example.org", 1, Encoding.UTF8.GetBytes(body)), stop.Token);
        if (passes) await server.HearAsync("<body>");
        else Assert.Equal(Carried.RefusedFor("NOT_ALLOWED"), await carried.InTime());
        await stop.CancelAsync();
    }

    /// <summary>What the bridge would say by itself in the clear is said in an error.</summary>
    [Fact]
    public async Task Sentences_of_the_bridge_come_as_errors()
    {
        using var server = new ScriptedServer();
        using var stop = new CancellationTokenSource();
        var endpoints = new EndpointDirectory(XmppNetwork.AddressIn("otr.example.org"));
        endpoints.Add("endpoints/bot", "bot@otr.example.org");
        _ = Network(server, endpoints).RunAsync(new FakeInbox(), stop.Token);
        await server.AcceptComponentAsync();
        await server.SayAsync("<message type='chat' from='a@example.org/r' to='bot@otr.example.org'><body>fallback</body>"
            + "<encryption xmlns='urn:xmpp:eme:0' namespace='eu.siacs.conversations.axolotl'/></message>");
        await server.HearAsync("only OTR encryption is spoken here");
        Assert.DoesNotContain("<body>", server.Heard, StringComparison.Ordinal);
        await stop.CancelAsync();
    }

    private static XmppNetwork Network(ScriptedServer server, EndpointDirectory endpoints) => new(new XmppOptions
    {
        Host = "127.0.0.1", Port = server.Port, Domain = "otr.example.org", Secret = () => "secret", RequiresOtr = true,
    }, endpoints);
}
