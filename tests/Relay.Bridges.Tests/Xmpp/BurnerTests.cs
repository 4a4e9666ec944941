using System.Text.Json;
using System.Xml.Linq;
using Relay.Client;
using Relay.V1;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>A burner on the component's domain: made by one command, there at once, and gone as if it had never been.</summary>
public sealed class BurnerTests
{
    private const string NeverThere = "neverthere@otr.example.org";

    [Theory]
    [InlineData("libotr", false)]
    [InlineData("relay", false)]
    [InlineData("libotr", true)]
    public async Task A_burner_serves_at_once_and_leaves_nothing(string implementation, bool livesOut)
    {
        var isLong = Environment.GetEnvironmentVariable("RELAY_LONG") is { Length: > 0 };
        Assert.SkipWhen(livesOut && !isLong, "A life has a minute at least: RELAY_LONG=1.");
        await using var stage = await XmppStage.StartAsync();
        // The bridge's key is for burners, whatever their names will be, and for nothing else.
        await stage.CreateKeyAsync(Scope.Bridge, "bridge.key", "endpoints/burner-*");
        await stage.StartBridgeAsync();
        var made = JsonDocument.Parse(await stage.RunAsync("endpoints", "create", "--network", "xmpp", "--burner-domain", "otr.example.org",
            "--id", "burner-*", "--life", livesOut ? "1m" : "12h", "--json")).RootElement;
        var (name, account) = (made.GetProperty("name").GetString()!, made.GetProperty("account").GetString()!);
        Assert.Matches("^[a-z2-7]{26}@otr\\.example\\.org$", account);

        // The first stanza that comes is answered, and so is the first text.
        await using var bob = await XmppClient.LogInAsync(stage.Xmpp.ClientPort, "bob", "desk");
        // Only who has asked for its roster is told of subscriptions that end.
        await bob.SendAsync("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>");
        Assert.Equal("result", (await AskAsync(bob, account, "http://jabber.org/protocol/disco#info")).Attribute("type")!.Value);
        await bob.SendAsync($"<presence type='subscribe' to='{account}'/>");
        await PresenceAsync(bob, account + "/relay", null);
        await stage.StartBotAsync(name["endpoints/".Length..]);
        var alice = await stage.StartContactAsync(implementation, to: account);
        await alice.DoAsync("start");
        await Wait.UntilAsync(() => alice.TimesSecure == 1);
        await alice.EchoAsync("for your eyes only");
        await alice.DoAsync("smp-start b64:" + Convert.ToBase64String("shared secret"u8));
        await alice.SeesAsync(e => OtrContact.Kind(e) == "smp" && e.GetProperty("what").GetString() == "success");
        // The endpoint that the key is not for is not carried.
        Assert.Equal("error", (await AskAsync(bob, XmppStage.Bot, "urn:xmpp:ping")).Attribute("type")!.Value);

        if (!livesOut) await stage.RunAsync("endpoints", "delete", name, "--purge", "--yes");
        await PresenceAsync(bob, account + "/relay", "unavailable");
        await Wait.UntilAsync(async () => await IsGoneAsync(stage, name));
        // Like one that never was: to iq, texts and probes.
        foreach (var query in new[] { "http://jabber.org/protocol/disco#info", "urn:xmpp:ping" })
            Assert.Equal(Shape(await AskAsync(bob, NeverThere, query), NeverThere), Shape(await AskAsync(bob, account, query), account));
        Assert.Equal(Shape(await WriteAsync(bob, NeverThere), NeverThere), Shape(await WriteAsync(bob, account), account));
        foreach (var address in new[] { NeverThere, account })
        {
            await bob.SendAsync($"<presence type='subscribe' to='{address}'/>");
            await PresenceAsync(bob, address, "unsubscribed");
        }
    }

    private static async Task<bool> IsGoneAsync(XmppStage stage, string name)
    {
        try
        {
            await stage.Admin.CallAsync(o => stage.Admin.Endpoints.GetEndpointAsync(new GetEndpointRequest { Name = name }, o));
            return false;
        }
        catch (RelayException e) when (e.Reason == "ENDPOINT_NOT_FOUND")
        {
            return true;
        }
    }

    private static async Task<XElement> AskAsync(XmppClient client, string to, string query)
    {
        var id = Guid.NewGuid().ToString("N");
        var element = query.EndsWith("ping", StringComparison.Ordinal) ? "ping" : "query";
        await client.SendAsync($"<iq type='get' id='{id}' to='{to}'><{element} xmlns='{query}'/></iq>");
        while (true)
        {
            var answer = await client.Iqs.ReadAsync().AsTask().InTime();
            if (answer.Attribute("id")?.Value == id) return answer;
        }
    }

    private static async Task<XElement> WriteAsync(XmppClient client, string to)
    {
        await client.SendAsync($"<message type='chat' id='fixed' to='{to}'><body>?OTRv3?</body></message>");
        return await client.Messages.ReadAsync().AsTask().InTime();
    }

    private static async Task PresenceAsync(XmppClient client, string from, string? type)
    {
        using var limit = new CancellationTokenSource(2 * Wait.Limit);
        while (await client.Presences.ReadAsync(limit.Token) is { } presence)
            if (presence.Attribute("from")?.Value == from && presence.Attribute("type")?.Value == type) return;
    }

    /// <summary>A stanza without its address and its id.</summary>
    private static string Shape(XElement stanza, string address) =>
        stanza.ToString().Replace(address, "ADDRESS", StringComparison.Ordinal)
            .Replace(stanza.Attribute("id")!.Value, "ID", StringComparison.Ordinal);
}
