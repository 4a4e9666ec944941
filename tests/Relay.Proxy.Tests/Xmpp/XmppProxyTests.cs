using System.Xml.Linq;
using Relay.Bridges.Tests.Xmpp;

namespace Relay.Proxy.Tests.Xmpp;

/// <summary>The proxy as a process between a client without OTR and a real server, with libotr behind it.</summary>
public sealed class XmppProxyTests
{
    private const string Alice = XmppProxyStage.Alice, Bob = XmppProxyStage.Bob;

    [Fact]
    public async Task A_client_without_OTR_has_a_private_conversation_with_libotr()
    {
        await using var stage = await XmppProxyStage.StartAsync();
        await using var person = await stage.LogInAsync();
        await person.IsToldAsync("'help' lists the commands");
        var bob = await stage.StartBobAsync();
        // In the clear, as ever: no tag, no change.
        await person.SayAsync(Bob, "hello in the clear");
        await bob.HearsAsync("hello in the clear", encrypted: false);
        await bob.SayAsync("clear answer");
        await person.SeesAsync(Bob, "clear answer");
        Assert.Contains(person.Shown, s => s.Body == "clear answer");

        await person.CommandAsync($"start {Bob}");
        await person.IsToldAsync($"The conversation with {Bob} is private. The key is NOT verified");
        await person.SayAsync(Bob, "first secret");
        await bob.HearsAsync("first secret");
        await person.IsToldAsync($"Your texts to {Bob} are encrypted");
        await bob.SayAsync("secret answer");
        await person.SeesAsync(Bob, "🔓? secret answer");

        await person.CommandAsync($"smp {Bob} swordfish");
        await bob.SeesAsync(e => OtrContact.Kind(e) == "smp" && e.GetProperty("what").GetString() is "ask-secret");
        await bob.DoAsync("smp-answer swordfish");
        await person.IsToldAsync("the secrets are equal");
        await bob.SayAsync("verified answer");
        await person.SeesAsync(Bob, "🔒 verified answer");

        // The contact ends: nothing leaves until the person acts.
        await bob.DoAsync("end");
        await person.IsToldAsync($"{Bob} has ended the private conversation");
        await person.SayAsync(Bob, "not in the clear");
        await person.IsToldAsync("was NOT sent");
        await person.CommandAsync($"start {Bob}");
        await Wait.UntilAsync(() => bob.TimesSecure >= 2);
        await person.SayAsync(Bob, "second session");
        await bob.HearsAsync("second session");
        Assert.Equal(0, bob.TimesHeard("not in the clear"));
    }

    [Fact]
    public async Task What_the_person_said_before_a_session_waits_for_it_and_a_restart_keeps_the_contact_private()
    {
        await using var stage = await XmppProxyStage.StartAsync("--private", Bob);
        var person = await stage.LogInAsync();
        await person.IsToldAsync($"{Bob}: private");
        var bob = await stage.StartBobAsync();
        for (int i = 1; i <= 3; i++) await person.SayAsync(Bob, $"text {i}");
        await person.IsToldAsync("waits for a private conversation");
        for (int i = 1; i <= 3; i++) await bob.HearsAsync($"text {i}");
        // Killed in the session: the contact's program still has it.
        await stage.Proxy.KillAsync();
        await stage.StartProxyAsync();
        await using var again = await stage.LogInAsync("other");
        await again.IsToldAsync($"{Bob}: private");
        await again.SayAsync(Bob, "after the restart");
        await bob.HearsAsync("after the restart");
        Assert.Equal(0, bob.Count(e => OtrContact.Kind(e) == "plain" && !e.GetProperty("encrypted").GetBoolean()));
    }

    [Fact]
    public async Task Killed_at_any_point_the_proxy_has_sent_nothing_in_the_clear()
    {
        int points = Environment.GetEnvironmentVariable("RELAY_LONG") == "1" ? 20 : 4;
        await using var stage = await XmppProxyStage.StartAsync("--private", Bob);
        var bob = await stage.StartBobAsync();
        for (int i = 0; i < points; i++)
        {
            var person = await stage.LogInAsync($"run{i}");
            var texts = Task.WhenAll(Enumerable.Range(0, 5).Select(n => person.SayAsync(Bob, $"run {i} text {n}")));
            await Task.Delay(i * 200 / points);
            await stage.Proxy.KillAsync();
            await Task.WhenAny(texts, Task.Delay(1000));
            await stage.StartProxyAsync();
            var again = await stage.LogInAsync($"after{i}");
            await again.IsToldAsync($"{Bob}: private");
            await again.SayAsync(Bob, $"after run {i}");
            await bob.HearsAsync($"after run {i}");
        }
        Assert.Equal(0, bob.Count(e => OtrContact.Kind(e) == "plain" && !e.GetProperty("encrypted").GetBoolean()));
    }

    [Fact]
    public async Task The_service_contact_is_in_the_roster_and_nothing_of_it_reaches_the_server()
    {
        await using var stage = await XmppProxyStage.StartAsync();
        await using var person = await stage.LogInAsync();
        await person.Client.SendAsync("<iq type='get' id='r1'><query xmlns='jabber:iq:roster'/></iq>");
        var roster = await person.Client.Iqs.ReadAsync().AsTask().InTime();
        Assert.Contains("otr@relay.invalid", roster.ToString(), StringComparison.Ordinal);
        await person.Client.SendAsync("<iq type='get' id='d1' to='otr@relay.invalid'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>");
        Assert.Equal("result", (string?)(await person.Client.Iqs.ReadAsync().AsTask().InTime()).Attribute("type"));
        await person.CommandAsync("hlep");
        await person.IsToldAsync("Did you mean 'help'");
        await person.CommandAsync("keys");
        await person.IsToldAsync($"Your key for {Alice}");
        // Features of the server that would count or move the stream are not offered, and not passed on when asked for all the same.
        await person.Client.SendAsync("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
        await person.Client.SendAsync("<iq type='get' id='p1'><ping xmlns='urn:xmpp:ping'/></iq>");
        XElement next;
        do next = await person.Client.Iqs.ReadAsync().AsTask().InTime();
        while (next.Name.LocalName == "failed");
        Assert.Equal("p1", (string?)next.Attribute("id"));
    }

    [Fact]
    public async Task Two_clients_of_one_person_see_the_same_texts_once()
    {
        await using var stage = await XmppProxyStage.StartAsync();
        await using var phone = await stage.LogInAsync();
        await using var desk = await stage.LogInAsync("desk");
        var bob = await stage.StartBobAsync();
        await phone.CommandAsync($"start {Bob}");
        await phone.IsToldAsync("is private. The key is NOT verified");
        await bob.SayAsync("to both");
        await phone.SeesAsync(Bob, "🔓? to both");
        await desk.SeesAsync(Bob, "🔓? to both");
        await desk.SayAsync(Bob, "from the desk");
        await bob.HearsAsync("from the desk");
        await Task.Delay(300);
        Assert.Single(phone.Shown, s => s.Body.EndsWith("to both", StringComparison.Ordinal));
        Assert.Single(desk.Shown, s => s.Body.EndsWith("to both", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_wrong_password_or_another_account_is_refused()
    {
        await using var stage = await XmppProxyStage.StartAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => XmppClient.LogInAsync(stage.Port, "bob", "phone"));
        await using var raw = await RawClient.ConnectAsync(stage.Port);
        await raw.SayAsync(RawClient.Start("example.org"));
        await raw.HearsAsync("<mechanism>PLAIN</mechanism>");
        Assert.DoesNotContain("SCRAM", raw.Heard, StringComparison.Ordinal);
        await raw.SayAsync($"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{RawClient.Plain("alice", "wrong")}</auth>");
        await raw.HearsAsync("<not-authorized/>");
        await using var other = await RawClient.ConnectAsync(stage.Port);
        await other.SayAsync(RawClient.Start("example.net"));
        await other.HearsAsync("This proxy serves the account alice@example.org only.");
    }
}
