using System.Text.RegularExpressions;
using Relay.Bridges.Xmpp;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>Endpoints that come and go while the component is connected: asked for at once, forgotten at once.</summary>
public sealed class NewAddressesTests : IDisposable
{
    private const string New = "new@otr.example.org";
    private readonly ScriptedServer _server = new();
    private readonly EndpointDirectory _endpoints = new(XmppNetwork.AddressIn("otr.example.org"));
    private readonly FakeInbox _inbox = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly XmppNetwork _network;

    public NewAddressesTests()
    {
        _network = new XmppNetwork(
            new XmppOptions { Host = "127.0.0.1", Port = _server.Port, Domain = "otr.example.org", Secret = () => "secret" }, _endpoints);
        _endpoints.Add("endpoints/bot", "bot@otr.example.org");
        // As a worker does: somebody is there to be asked.
        _endpoints.BeginLook().SetResult();
    }

    public void Dispose()
    {
        _stop.Cancel();
        _server.Dispose();
    }

    [Fact]
    public async Task Stanzas_to_an_address_that_is_not_known_yet_wait_in_order_and_hold_up_nobody()
    {
        await ConnectAsync();
        await _server.SayAsync(Message(New, "one") + Ping(New, "p1") + Message("bot@otr.example.org", "meanwhile"));
        Assert.Equal("meanwhile", (await _inbox.NextAsync()).Text);
        await _endpoints.Asked.InTime();
        var look = _endpoints.BeginLook();
        _endpoints.Add("endpoints/new", New);
        // Known by now, and behind the one that waits all the same.
        await _server.SayAsync(Message(New, "two") + Message("bot@otr.example.org", "again"));
        Assert.Equal("again", (await _inbox.NextAsync()).Text);
        Assert.DoesNotContain("item-not-found", _server.Heard, StringComparison.Ordinal);
        look.SetResult();
        Assert.Equal("one", (await _inbox.NextAsync()).Text);
        await _server.HearAsync("<iq type='result' from='new@otr.example.org' to='a@example.org/r' id='p1'>");
        // What came during the look waits for the next one.
        await _endpoints.Asked.InTime();
        _endpoints.BeginLook().SetResult();
        Assert.Equal("two", (await _inbox.NextAsync()).Text);
        await _server.SayAsync(Message(New, "three"));
        Assert.Equal("three", (await _inbox.NextAsync()).Text);
        Assert.False(_endpoints.Asked.IsCompleted);
    }

    [Fact]
    public async Task An_address_that_nobody_has_is_refused_once_Relay_has_said_so()
    {
        await ConnectAsync();
        await _server.SayAsync(Message("nobody@otr.example.org", "hello") + Ping("nobody@otr.example.org", "p2"));
        await _endpoints.Asked.InTime();
        Assert.DoesNotContain("nobody", _server.Heard, StringComparison.Ordinal);
        _endpoints.BeginLook().SetResult();
        await _server.HearAsync("id='p2'><error type='cancel'><item-not-found");
        Assert.Equal(2, Regex.Count(_server.Heard, "item-not-found"));
    }

    [Fact]
    public async Task Strangers_who_try_addresses_wait_in_a_bounded_line()
    {
        await ConnectAsync();
        // Each from another, or the budget of automatic answers would end it.
        var stanzas = Enumerable.Range(0, XmppLimits.MaxWaitingForEndpoint + 2)
            .Select(n => Message($"x{n}@otr.example.org", "hello", $"a{n}@example.org/r"));
        await _server.SayAsync(string.Concat(stanzas));
        // The first may be taken out of the line while the others come.
        await _server.HearAsync($"from='x{XmppLimits.MaxWaitingForEndpoint + 1}@otr.example.org'");
        Assert.DoesNotContain("from='x0@otr.example.org'", _server.Heard, StringComparison.Ordinal);
        _endpoints.BeginLook().SetResult();
        await _server.HearAsync("from='x0@otr.example.org'");
    }

    [Fact]
    public async Task Subscribers_see_an_endpoint_go_that_is_gone()
    {
        await ConnectAsync();
        await _server.SayAsync("<presence type='subscribe' from='a@example.org' to='bot@otr.example.org'/>");
        await _server.HearAsync("type='subscribed'");
        _endpoints.Remove("endpoints/bot");
        await _server.HearAsync("<presence from='bot@otr.example.org/relay' to='a@example.org' type='unavailable'/>");
        // An account that never was answers a probe so.
        await _server.SayAsync("<presence type='probe' from='a@example.org/r' to='bot@otr.example.org'/>");
        await _endpoints.Asked.InTime();
        _endpoints.BeginLook().SetResult();
        await _server.HearAsync("<presence from='bot@otr.example.org' to='a@example.org' type='unsubscribed'/>");
    }

    private async Task ConnectAsync()
    {
        _ = _network.RunAsync(_inbox, _stop.Token);
        await _server.AcceptComponentAsync();
        await Wait.UntilAsync(() => _inbox.IsConnected);
    }

    private static string Message(string to, string body, string from = "a@example.org/r") =>
        $"<message type='chat' from='{from}' to='{to}'><body>{body}</body></message>";

    private static string Ping(string to, string id) =>
        $"<iq type='get' id='{id}' from='a@example.org/r' to='{to}'><ping xmlns='urn:xmpp:ping'/></iq>";
}
