using System.Text;
using System.Text.RegularExpressions;
using Relay.Bridges.Xmpp;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>The component against a server that misbehaves in every way that was measured, and some more.</summary>
public sealed class XmppNetworkTests : IDisposable
{
    private const string Bot = "endpoints/bot";
    private readonly ScriptedServer _server = new();
    private readonly EndpointDirectory _endpoints = new(XmppNetwork.AddressIn("otr.example.org"));
    private readonly ManualTime _time = new();
    private readonly FakeInbox _inbox = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly XmppNetwork _network;

    public XmppNetworkTests()
    {
        _endpoints.Add(Bot, "bot@otr.example.org");
        _network = new XmppNetwork(Options, _endpoints);
    }

    private XmppOptions Options => new() { Host = "127.0.0.1", Port = _server.Port, Domain = "otr.example.org", Secret = () => "secret", Time = _time };

    public void Dispose()
    {
        _stop.Cancel();
        _server.Dispose();
    }

    [Theory]
    [InlineData("not-authorized", "secret")]
    [InlineData("host-unknown", "--domain")]
    [InlineData("conflict", "kick_old")]
    public async Task A_refusal_names_its_cause_and_what_to_do_and_is_not_tried_again_soon(string condition, string advice)
    {
        var running = RunAsync();
        await _server.AcceptAsync();
        await _server.HearAsync("<stream:stream");
        await _server.SayAsync(ScriptedServer.StreamStart + $"<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>");
        var end = await running;
        Assert.Equal(ConnectionEndKind.Refused, end.Kind);
        Assert.Contains(condition, end.Reason, StringComparison.Ordinal);
        Assert.Contains(advice, end.Reason, StringComparison.Ordinal);
        Assert.False(_inbox.IsConnected);
    }

    /// <summary>As Prosody does.</summary>
    [Fact]
    public async Task A_stream_that_has_no_id_because_it_is_refused_is_explained()
    {
        var running = RunAsync();
        await _server.AcceptAsync();
        await _server.SayAsync(ScriptedServer.StreamStart.Replace(" id='abc'", "", StringComparison.Ordinal)
            + "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>");
        Assert.Contains("host-unknown", (await running).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_that_is_replaced_is_not_fought_for()
    {
        var running = await ConnectAsync();
        await _server.SayAsync("<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Replaced by new connection</text></stream:error></stream:stream>");
        Assert.Equal(ConnectionEndKind.Refused, (await running).Kind);
    }

    [Fact]
    public async Task A_bare_close_is_a_lost_connection()
    {
        var running = await ConnectAsync();
        _server.Hang();
        Assert.Equal(ConnectionEndKind.Lost, (await running).Kind);
        // And the next one is a connection like the first.
        running = await ConnectAsync();
        _server.Hang();
        Assert.Equal(ConnectionEndKind.Lost, (await running).Kind);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_named()
    {
        int port = _server.Port;
        _server.Dispose();
        var end = await RunAsync();
        Assert.Equal(ConnectionEndKind.Lost, end.Kind);
        Assert.Contains($"127.0.0.1:{port}", end.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_protocol_is_named()
    {
        var running = RunAsync();
        await _server.AcceptAsync();
        await _server.SayAsync("<html><body>400 Bad Request</body></html>");
        Assert.Contains("XEP-0114", (await running).Reason, StringComparison.Ordinal);
    }

    /// <summary>The secret does not cross a network in the clear unless somebody says that it may.</summary>
    [Fact]
    public async Task Off_loopback_there_is_no_connection_in_the_clear()
    {
        var network = new XmppNetwork(Options with { Host = "192.0.2.1" }, _endpoints);
        Assert.Equal(ConnectionEndKind.Misconfigured, (await network.RunAsync(_inbox, _stop.Token).InTime()).Kind);
    }

    /// <summary>Somebody pulled the plug: nothing comes, and nothing says so. It is noticed within a minute.</summary>
    [Fact]
    public async Task A_half_open_connection_is_noticed_within_a_minute()
    {
        var running = await ConnectAsync();
        var text = _network.CarryAsync(Text("bob@example.org", "hello"), _stop.Token);
        for (int second = 0; second < 60 && !running.IsCompleted; second++)
        {
            await Wait.UntilAsync(() => _time.Waiting > 0 || running.IsCompleted);
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(5);
        }
        var end = await running;
        Assert.Contains("does not answer", end.Reason, StringComparison.Ordinal);
        Assert.Equal(2, Regex.Count(_server.Heard, "relay-alive"));
        // It was written to the socket, and that is no proof.
        Assert.Equal(Carried.Unknown, await text.InTime());
    }

    [Fact]
    public async Task A_connection_that_answers_lives()
    {
        var running = await ConnectAsync();
        for (int second = 0; second < 120; second++)
        {
            await Wait.UntilAsync(() => _time.Waiting > 0);
            _time.Advance(TimeSpan.FromSeconds(1));
            if (Regex.Count(_server.Heard, "relay-alive") is > 0 and var asked && second % 5 == 4)
                await _server.SayAsync($"<iq type='result' from='otr.example.org' to='otr.example.org' id='relay-alive-{asked}'/>");
            await Task.Delay(2);
        }
        Assert.False(running.IsCompleted);
    }

    [Fact]
    public async Task A_text_is_taken_once_a_later_ping_is_answered()
    {
        await ConnectAsync();
        var text = _network.CarryAsync(Text("bob@example.org", "hello"), _stop.Token);
        await _server.HearAsync("relay-ping-1");
        Assert.True(_server.Heard.IndexOf("<body>hello</body>", StringComparison.Ordinal) < _server.Heard.IndexOf("relay-ping-1", StringComparison.Ordinal));
        await Task.Delay(50);
        Assert.False(text.IsCompleted);
        await _server.SayAsync("<iq type='result' from='otr.example.org' to='otr.example.org' id='relay-ping-1'/>");
        Assert.Equal(Carried.Taken, await text.InTime());
    }

    [Fact]
    public async Task A_text_that_the_connection_took_down_is_unknown()
    {
        var running = await ConnectAsync();
        var text = _network.CarryAsync(Text("bob@example.org", "hello"), _stop.Token);
        await _server.HearAsync("relay-ping-1");
        _server.Hang();
        await running;
        Assert.Equal(Carried.Unknown, await text.InTime());
        Assert.Equal(Carried.Unknown, await _network.CarryAsync(Text("bob@example.org", "again"), _stop.Token));
    }

    /// <summary>Both servers end the stream of all endpoints for what is refused here.</summary>
    [Fact]
    public async Task What_would_end_the_stream_is_refused_before()
    {
        await ConnectAsync();
        Assert.Equal(Carried.RefusedFor("NO_SUCH_PEER"), await _network.CarryAsync(Text("not an address", "x"), _stop.Token));
        Assert.Equal(Carried.RefusedFor("NO_SUCH_PEER"), await _network.CarryAsync(Text("bob@example.org", "x") with { Endpoint = "endpoints/foreign" }, _stop.Token));
        Assert.Equal(Carried.RefusedFor("TOO_LARGE"), await _network.CarryAsync(Text("bob@example.org", new string('x', 300_000)), _stop.Token));
        Assert.Equal(Carried.RefusedFor("TOO_LARGE"), await _network.CarryAsync(Text("bob@example.org", new string('&', 60_000)), _stop.Token));
        _ = _network.CarryAsync(Text("bob@example.org", "\0\ud83d\ude00"), _stop.Token);
        await _server.HearAsync("<body>\ufffd\ud83d\ude00</body>");
        Assert.DoesNotContain("xxx", _server.Heard, StringComparison.Ordinal);
    }

    /// <summary>An error is about the message that has its id, and only the address that it went to may say so.</summary>
    [Theory]
    [InlineData("service-unavailable", "PEER_UNAVAILABLE")]
    [InlineData("item-not-found", "NO_SUCH_PEER")]
    [InlineData("not-acceptable", "BLOCKED")]
    [InlineData("forbidden", "NOT_ALLOWED")]
    [InlineData("remote-server-not-found", "NO_ROUTE")]
    [InlineData("unheard-of", "REFUSED")]
    public async Task A_text_that_bounces_before_the_ping_is_answered_is_refused(string condition, string failure)
    {
        await ConnectAsync();
        var (toBob, toEve) = (_network.CarryAsync(Text("bob@example.org", "hello"), _stop.Token), _network.CarryAsync(Text("eve@example.org", "hello"), _stop.Token));
        await _server.HearAsync("relay-ping-1");
        string Bounce(string id, string from) => $"<message type='error' id='{id}' from='{from}' to='bot@otr.example.org'><error type='cancel'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>";
        await _server.SayAsync(Bounce(IdOf("bob@example.org"), "bob@example.org") + Bounce(IdOf("eve@example.org"), "mallory@example.org") + Bounce("unknown", "eve@example.org"));
        await _server.SayAsync("<iq type='result' from='otr.example.org' to='otr.example.org' id='relay-ping-1'/><iq type='result' from='otr.example.org' to='otr.example.org' id='relay-ping-2'/>");
        Assert.Equal(Carried.RefusedFor(failure), await toBob.InTime());
        Assert.Equal(Carried.Taken, await toEve.InTime());
    }

    [Fact]
    public async Task A_receipt_confirms_the_message_that_it_was_asked_for_with()
    {
        var network = new XmppNetwork(Options with { AsksForReceipts = true }, _endpoints);
        _ = network.RunAsync(_inbox, _stop.Token);
        await _server.AcceptComponentAsync();
        await Wait.UntilAsync(() => _inbox.IsConnected);
        const string request = "<request xmlns='urn:xmpp:receipts'/>";
        var offer = network.CarryAsync(Text("bob@example.org", "?OTRv3?"), _stop.Token);
        await _server.HearAsync("?OTRv3?");
        Assert.DoesNotContain(request, _server.Heard, StringComparison.Ordinal);
        var text = network.CarryAsync(Text("eve@example.org", "hello") with { Message = "endpoints/bot/conversations/c/messages/m" }, _stop.Token);
        await _server.HearAsync(request);
        string Receipt(string id, string from) => $"<message from='{from}/r' to='bot@otr.example.org'><received xmlns='urn:xmpp:receipts' id='{id}'/></message>";
        await _server.HearAsync("relay-ping-1");
        await _server.SayAsync("<iq type='result' from='otr.example.org' to='otr.example.org' id='relay-ping-1'/><iq type='result' from='otr.example.org' to='otr.example.org' id='relay-ping-2'/>");
        Assert.Equal((Carried.Taken, Carried.Taken), (await offer.InTime(), await text.InTime()));
        // Of a stranger, of nothing, and of what none was asked for.
        await _server.SayAsync(Receipt(IdOf("eve@example.org"), "mallory@example.org") + Receipt("unknown", "eve@example.org") + Receipt(IdOf("bob@example.org"), "bob@example.org"));
        await _server.SayAsync(Receipt(IdOf("eve@example.org"), "eve@example.org") + Message("eve@example.org/r", "after"));
        await _inbox.NextAsync();
        Assert.Equal([(Bot, "endpoints/bot/conversations/c/messages/m")], _inbox.Confirmed);
    }

    /// <summary>Hostile XML costs one connection; the next one carries on.</summary>
    [Theory]
    [InlineData("<message from='m@x.org' to='bot@otr.example.org'><body>&#1;</body></message>")]
    [InlineData("<!DOCTYPE x>")]
    [InlineData("<message></presence>")]
    public async Task After_bad_XML_the_next_connection_carries_on(string xml)
    {
        var running = await ConnectAsync();
        await _server.SayAsync(xml);
        Assert.Equal(ConnectionEndKind.Lost, (await running).Kind);
        await ConnectAsync();
        await _server.SayAsync(Message("alice@example.org/r", "still here"));
        Assert.Equal("still here", (await _inbox.NextAsync()).Text);
    }

    [Fact]
    public async Task A_stanza_beyond_the_bounds_costs_nobody_else()
    {
        await ConnectAsync();
        await _server.SayAsync($"<message from='m@x.org' to='bot@otr.example.org'><x{string.Concat(Enumerable.Range(0, 10_000).Select(i => $" a{i}=''"))}/></message>");
        await _server.SayAsync(Message("alice@example.org/r", "still here"));
        Assert.Equal("still here", (await _inbox.NextAsync()).Text);
    }

    [Fact]
    public async Task A_message_arrives_from_the_bare_address_with_an_id_of_the_bridge()
    {
        await ConnectAsync();
        await _server.SayAsync(Message("Alice@EXAMPLE.org/r", "one", "id='same'").Replace("bot@otr", "BOT@Otr", StringComparison.Ordinal));
        await _server.SayAsync(Message("alice@example.org/s", "two", "id='same'"));
        await _server.SayAsync(Message("alice@example.org/s", "three"));
        var all = new[] { await _inbox.NextAsync(), await _inbox.NextAsync(), await _inbox.NextAsync() };
        Assert.All(all, m => Assert.Equal((Bot, "alice@example.org"), (m.Endpoint, m.Peer)));
        Assert.Equal(["one", "two", "three"], all.Select(m => m.Text));
        Assert.Equal(3, all.Select(m => m.Id).Distinct().Count());
    }

    /// <summary>An enforcing server answers what it blocks with a message of its own: whoever answers is answered again, for ever.</summary>
    [Fact]
    public async Task A_server_that_speaks_gets_no_answer()
    {
        await ConnectAsync();
        await _server.SayAsync("<message type='chat' from='example.org' to='bot@otr.example.org'><body>For security reasons, OTR encryption is required for conversations on this server</body></message>");
        await _server.SayAsync("<message type='error' from='alice@example.org/r' to='bot@otr.example.org'><body>?OTR:AAMD</body><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>");
        await _server.SayAsync("<presence type='error' from='alice@example.org/r' to='bot@otr.example.org'/><iq type='error' id='1' from='alice@example.org/r' to='bot@otr.example.org'/><iq type='result' id='2' from='alice@example.org/r' to='bot@otr.example.org'/>");
        await _server.SayAsync(Message("alice@example.org/r", "after"));
        Assert.Equal("after", (await _inbox.NextAsync()).Text);
        Assert.EndsWith("</handshake>", _server.Heard, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<iq type='get' id='1' from='Alice@example.org/r' to='bot@otr.example.org'><ping xmlns='urn:xmpp:ping'/></iq>", "<iq type='result' from='bot@otr.example.org' to='Alice@example.org/r' id='1'></iq>")]
    [InlineData("<iq type='get' id='1' from='a@example.org/r' to='bot@otr.example.org/relay'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>", "<identity category='client' type='bot' name='Relay'/>")]
    [InlineData("<iq type='get' id='1' from='a@example.org/r' to='otr.example.org'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>", "<iq type='result' from='otr.example.org' to='a@example.org/r' id='1'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>")]
    [InlineData("<iq type='set' id='1' from='a@example.org/r' to='bot@otr.example.org'><query xmlns='jabber:iq:roster'/></iq>", "service-unavailable")]
    [InlineData("<iq type='get' id='1' from='a@example.org/r' to='nobody@otr.example.org'><ping xmlns='urn:xmpp:ping'/></iq>", "item-not-found")]
    [InlineData("<presence type='subscribe' from='a@example.org' to='bot@otr.example.org'/>", "type='subscribed'/><presence from='bot@otr.example.org/relay' to='a@example.org'/>")]
    [InlineData("<presence type='subscribe' from='a@example.org' to='nobody@otr.example.org'/>", "type='unsubscribed'/>")]
    [InlineData("<presence type='probe' from='a@example.org/r' to='bot@otr.example.org'/>", "<presence from='bot@otr.example.org/relay' to='a@example.org/r'/>")]
    [InlineData("<message type='chat' id='7' from='a@example.org/r' to='nobody@otr.example.org'><body>hello</body></message>", "<message type='error' from='nobody@otr.example.org' to='a@example.org/r' id='7'>")]
    public async Task What_is_asked_is_answered(string stanza, string answer)
    {
        await ConnectAsync();
        await _server.SayAsync(stanza);
        await _server.HearAsync(answer);
    }

    [Fact]
    public async Task Whose_subscription_is_accepted_is_a_setting()
    {
        var network = new XmppNetwork(Options with { Subscriptions = SubscriptionPolicy.Domains, SubscriptionDomains = ["Example.org"] }, _endpoints);
        _ = network.RunAsync(_inbox, _stop.Token);
        await _server.AcceptComponentAsync();
        await _server.SayAsync("<presence type='subscribe' from='a@elsewhere.org' to='bot@otr.example.org'/><presence type='subscribe' from='a@example.org' to='bot@otr.example.org'/>");
        await _server.HearAsync("to='a@elsewhere.org' type='unsubscribed'");
        await _server.HearAsync("to='a@example.org' type='subscribed'");
    }

    [Fact]
    public async Task After_a_reconnect_subscribers_see_the_endpoint_again()
    {
        var running = await ConnectAsync();
        await _server.SayAsync("<presence type='subscribe' from='a@example.org' to='bot@otr.example.org'/>");
        await _server.HearAsync("subscribed");
        _server.Hang();
        await running;
        await ConnectAsync();
        await _server.HearAsync("<presence from='bot@otr.example.org/relay' to='a@example.org'/>");
    }

    /// <summary>Two robots that ask each other come to an end.</summary>
    [Fact]
    public async Task Automatic_answers_to_one_peer_come_to_an_end_and_others_are_answered()
    {
        await ConnectAsync();
        for (int i = 0; i < 300; i++) await _server.SayAsync($"<iq type='get' id='i{i}' from='robot@example.org/r' to='bot@otr.example.org'><ping xmlns='urn:xmpp:ping'/></iq>");
        await _server.SayAsync("<iq type='get' id='mine' from='a@example.org/r' to='bot@otr.example.org'><ping xmlns='urn:xmpp:ping'/></iq>");
        await _server.HearAsync("id='mine'");
        Assert.Equal(60, Regex.Count(_server.Heard, "to='robot@example.org/r'"));
    }

    [Fact]
    public async Task Another_encryption_is_told_once_a_minute()
    {
        await ConnectAsync();
        for (int i = 0; i < 5; i++)
            await _server.SayAsync("<message type='chat' from='a@example.org/r' to='bot@otr.example.org'><body>fallback</body><encryption xmlns='urn:xmpp:eme:0' namespace='eu.siacs.conversations.axolotl'/></message>");
        await _server.SayAsync(Message("a@example.org/r", "after"));
        Assert.Equal("after", (await _inbox.NextAsync()).Text);
        await _server.HearAsync("only OTR");
        Assert.Equal(1, Regex.Count(_server.Heard, "only OTR"));
    }

    /// <summary>Text of a session goes to the resource that has it, with the hints; a query goes to all.</summary>
    [Fact]
    public async Task Text_of_a_session_goes_to_its_resource()
    {
        await ConnectAsync();
        await _server.SayAsync(Message("alice@example.org/phone", "?OTR|00000101|00000000,1,2,?OTR:AAMD,"));
        await _inbox.NextAsync();
        _ = _network.CarryAsync(Text("alice@example.org", "?OTR|00000200|00000101,1,2,?OTR:AAMD,"), _stop.Token);
        await _server.HearAsync("to='alice@example.org/phone'");
        await _server.HearAsync("<no-permanent-store");
        _ = _network.CarryAsync(Text("alice@example.org", "?OTRv3?"), _stop.Token);
        await _server.HearAsync("to='alice@example.org' ");
    }

    private async Task<Task<ConnectionEnd>> ConnectAsync()
    {
        var running = RunAsync();
        await _server.AcceptComponentAsync();
        await Wait.UntilAsync(() => _inbox.IsConnected);
        return running;
    }

    private Task<ConnectionEnd> RunAsync() => _network.RunAsync(_inbox, _stop.Token).InTime();

    /// <summary>The id of the message that went to an address.</summary>
    private string IdOf(string to) => Regex.Match(_server.Heard, $"to='{to}' id='([^']+)'").Groups[1].Value;

    private static OutboundText Text(string peer, string text) => new(Bot, peer, 1, Encoding.UTF8.GetBytes(text));

    private static string Message(string from, string body, string more = "") =>
        $"<message type='chat' {more} from='{from}' to='bot@otr.example.org'><body>{body}</body></message>";
}
