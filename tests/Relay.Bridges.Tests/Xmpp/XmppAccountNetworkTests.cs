using System.Text;
using System.Text.RegularExpressions;
using Relay.Bridges.Xmpp;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>The client of an account against a server that is written line by line.</summary>
public sealed class XmppAccountNetworkTests : IDisposable
{
    private const string Bot = "endpoints/bot", Conflict = "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>";
    private readonly ScriptedAccountServer _server = new();
    private readonly EndpointDirectory _endpoints = new(XmppAccountNetwork.AddressOf("bot@example.org"));
    private readonly ManualTime _time = new();
    private readonly FakeInbox _inbox = new();
    private readonly CancellationTokenSource _stop = new();
    private XmppAccountNetwork _network;

    public XmppAccountNetworkTests()
    {
        _endpoints.Add(Bot, "bot@example.org");
        _network = new XmppAccountNetwork(Options, _endpoints);
    }

    private XmppAccountOptions Options => new()
    {
        Account = "Bot@Example.org", Password = () => "the password", Host = "127.0.0.1", Port = _server.Port, Resource = "r", Time = _time,
        Authorities = [_server.Certificate],
    };

    public void Dispose()
    {
        _stop.Cancel();
        _server.Dispose();
    }

    [Fact]
    public async Task The_account_is_there_with_the_highest_priority_and_asks_for_no_copies_and_no_roster()
    {
        await ConnectAsync();
        await _server.HearAsync("<presence><priority>127</priority></presence>");
        Assert.Contains("<resource>r</resource>", _server.Heard, StringComparison.Ordinal);
        Assert.DoesNotContain("carbons", _server.Heard, StringComparison.Ordinal);
        Assert.DoesNotContain("roster", _server.Heard, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_whose_STARTTLS_was_taken_away_gets_nothing()
    {
        var running = RunAsync();
        await _server.AcceptAsync();
        await _server.HearAsync("version='1.0'>");
        await _server.SayAsync(ScriptedAccountServer.StreamStart + ScriptedAccountServer.Mechanisms);
        var end = await running;
        Assert.Equal(ConnectionEndKind.Refused, end.Kind);
        Assert.Contains("no STARTTLS", end.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("auth", _server.Heard, StringComparison.Ordinal);
        Assert.False(_inbox.IsConnected);
    }

    /// <summary>On this machine it may be permitted; a password in the clear is not sent even there.</summary>
    [Fact]
    public async Task Without_TLS_there_is_no_PLAIN()
    {
        _network = new XmppAccountNetwork(Options with { AllowCleartextOnLoopback = true }, _endpoints);
        var running = RunAsync();
        await _server.AcceptAsync();
        await _server.HearAsync("version='1.0'>");
        await _server.SayAsync(ScriptedAccountServer.StreamStart + ScriptedAccountServer.Mechanisms);
        Assert.Contains("no login that is supported", (await running).Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("auth", _server.Heard, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("example.org", false)]
    [InlineData("example.net", true)]
    public async Task A_certificate_of_nobody_or_of_another_name_gets_nothing(string name, bool isTrusted)
    {
        using var server = new ScriptedAccountServer(name);
        _network = new XmppAccountNetwork(
            Options with { Port = server.Port, Authorities = isTrusted ? [server.Certificate] : [_server.Certificate] }, _endpoints);
        var running = RunAsync();
        await server.AcceptAsync();
        await server.SayAsync(ScriptedAccountServer.StreamStart + ScriptedAccountServer.Starttls);
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await server.SecureAsync();
            await server.HearAsync("never");
        });
        var end = await running;
        Assert.Equal(ConnectionEndKind.Refused, end.Kind);
        Assert.Contains("TLS failed", end.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("auth", server.Heard, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Direct_TLS_begins_with_TLS()
    {
        _network = new XmppAccountNetwork(Options with { DirectTls = true }, _endpoints);
        _ = RunAsync();
        await _server.AcceptAsync();
        await _server.BeginTlsAsync();
        await _server.HearAsync("<stream:stream");
    }

    [Fact]
    public async Task A_wrong_password_names_the_file_and_is_not_tried_again_soon()
    {
        var running = RunAsync();
        await _server.AcceptAsync();
        await _server.SayAsync(ScriptedAccountServer.StreamStart + ScriptedAccountServer.Starttls);
        await _server.SecureAsync();
        await _server.SayAsync(ScriptedAccountServer.StreamStart + ScriptedAccountServer.Mechanisms);
        await _server.HearAsync("</auth>");
        Assert.Contains(Convert.ToBase64String(Encoding.UTF8.GetBytes("\0bot\0the password")), _server.Heard, StringComparison.Ordinal);
        await _server.SayAsync("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>");
        var end = await running;
        Assert.Equal(ConnectionEndKind.Refused, end.Kind);
        Assert.Contains("password file", end.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_file_that_cannot_be_read_is_named()
    {
        _network = new XmppAccountNetwork(Options with { Password = () => throw new IOException("gone") }, _endpoints);
        var end = await RunAsync();
        Assert.Equal(ConnectionEndKind.Refused, end.Kind);
        Assert.Contains("password file", end.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_is_replaced_does_not_fight()
    {
        var running = await ConnectAsync();
        var text = _network.CarryAsync(Text("bob@example.org", "hello"), _stop.Token);
        await _server.HearAsync("<body>hello</body>");
        await _server.SayAsync($"<stream:error>{Conflict}</stream:error></stream:stream>");
        Assert.Equal(ConnectionEndKind.Replaced, (await running).Kind);
        Assert.Equal(Carried.Unknown, await text.InTime());
    }

    [Fact]
    public async Task A_resource_that_is_not_bound_is_a_refusal()
    {
        var running = RunAsync();
        await _server.LetInAsync();
        await _server.HearAsync("</bind></iq>");
        await _server.SayAsync($"<iq type='error' id='relay-bind'><error type='cancel'>{Conflict}</error></iq>");
        Assert.Equal(ConnectionEndKind.Refused, (await running).Kind);
    }

    /// <summary>A server that moves its clients, also after the login: the certificate there must be the domain's as well.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task See_other_host_is_followed_by_the_next_connection(bool isEarly)
    {
        using var other = new ScriptedAccountServer();
        _network = new XmppAccountNetwork(Options with { Authorities = [_server.Certificate, other.Certificate] }, _endpoints);
        var running = RunAsync();
        if (isEarly) await _server.LetInAsync(features: "");
        else await _server.BeginSessionAsync();
        await _server.SayAsync($"<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>127.0.0.1:{other.Port}</see-other-host></stream:error></stream:stream>");
        Assert.Equal(ConnectionEndKind.Lost, (await running).Kind);
        running = RunAsync();
        await other.AcceptAsync();
        other.Hang();
        await running;
        // Only once: the configuration is where it belongs.
        _ = RunAsync();
        await _server.AcceptAsync();
    }

    [Fact]
    public async Task A_text_is_taken_once_the_server_acknowledges_it_and_has_said_what_it_refuses()
    {
        await ConnectAsync();
        await _server.HearAsync("</presence>");
        var text = _network.CarryAsync(Text("bob@example.org", "hello"), _stop.Token);
        await _server.HearAsync("<r xmlns='urn:xmpp:sm:3'/>");
        Assert.True(_server.Heard.IndexOf("<body>hello</body>", StringComparison.Ordinal) < _server.Heard.IndexOf("<r xmlns", StringComparison.Ordinal));
        await _server.SayAsync(Pong());
        await SettledAsync();
        Assert.False(text.IsCompleted);
        await _server.SayAsync("<a xmlns='urn:xmpp:sm:3' h='3'/>");
        Assert.Equal(Carried.Taken, await text.InTime());
    }

    [Fact]
    public async Task What_bounces_after_the_acknowledgement_and_before_the_ping_is_refused()
    {
        await ConnectAsync();
        await _server.HearAsync("</presence>");
        var text = _network.CarryAsync(Text("bob@example.org", "hello"), _stop.Token);
        await _server.HearAsync("<r xmlns='urn:xmpp:sm:3'/>");
        await _server.SayAsync("<a xmlns='urn:xmpp:sm:3' h='3'/>");
        await SettledAsync();
        Assert.False(text.IsCompleted);
        var id = Regex.Match(_server.Heard, "to='bob@example.org' id='([^']+)'").Groups[1].Value;
        await _server.SayAsync($"<message type='error' id='{id}' from='bob@example.org' to='bot@example.org/r'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>{Pong()}");
        Assert.Equal(Carried.RefusedFor("PEER_UNAVAILABLE"), await text.InTime());
    }

    [Fact]
    public async Task Without_stream_management_a_later_ping_is_the_proof()
    {
        _ = RunAsync();
        await _server.BeginSessionAsync(isManaged: false);
        await _server.HearAsync("</presence>");
        var text = _network.CarryAsync(Text("bob@example.org", "hello"), _stop.Token);
        await _server.HearAsync("relay-ping-1");
        Assert.DoesNotContain("urn:xmpp:sm:3", _server.Heard, StringComparison.Ordinal);
        await _server.SayAsync(Pong());
        Assert.Equal(Carried.Taken, await text.InTime());
        text = _network.CarryAsync(Text("bob@example.org", "again"), _stop.Token);
        await _server.HearAsync("again");
        _server.Hang();
        Assert.Equal(Carried.Unknown, await text.InTime());
    }

    /// <summary>What the server has is not sent again, what it has not is, in order; and nobody else notices.</summary>
    [Fact]
    public async Task A_session_is_resumed_without_loss_and_without_doubles()
    {
        var running = await ConnectAsync();
        await _server.HearAsync("</presence>");
        var first = _network.CarryAsync(Text("bob@example.org", "one"), _stop.Token);
        await _server.HearAsync("<body>one</body>");
        await _server.HearAsync("relay-ping-1");
        var second = _network.CarryAsync(Text("eve@example.org", "two"), _stop.Token);
        await _server.HearAsync("<body>two</body>");
        await _server.SayAsync(Message("alice@example.org/p", "in"));
        await _inbox.NextAsync();
        _server.Hang();
        Assert.Equal(ConnectionEndKind.Lost, (await running).Kind);
        Assert.False(first.IsCompleted || second.IsCompleted);

        _ = RunAsync();
        await _server.LetInAsync();
        await _server.HearAsync("<resume xmlns='urn:xmpp:sm:3' h='1' previd='sm-1'/>");
        // The presence and the first text.
        await _server.SayAsync("<resumed xmlns='urn:xmpp:sm:3' h='2' previd='sm-1'/>");
        await _server.HearAsync("<body>two</body>");
        await _server.HearAsync("<r xmlns='urn:xmpp:sm:3'/>");
        Assert.DoesNotContain("<body>one</body>", _server.Heard, StringComparison.Ordinal);
        Assert.DoesNotContain("<bind", _server.Heard, StringComparison.Ordinal);
        Assert.DoesNotContain("<presence", _server.Heard, StringComparison.Ordinal);
        Assert.Equal(Carried.Taken, await first.InTime());
        await _server.SayAsync("<a xmlns='urn:xmpp:sm:3' h='4'/>");
        Assert.Equal(Carried.Taken, await second.InTime());
        Assert.Equal(1, Regex.Count(_server.Heard, "<body>two</body>"));
    }

    [Fact]
    public async Task What_a_session_that_is_not_resumed_left_open_is_unknown_unless_the_server_counts_it()
    {
        var running = await ConnectAsync();
        await _server.HearAsync("</presence>");
        var first = _network.CarryAsync(Text("bob@example.org", "one"), _stop.Token);
        await _server.HearAsync("relay-ping-1");
        var second = _network.CarryAsync(Text("eve@example.org", "two"), _stop.Token);
        await _server.HearAsync("<body>two</body>");
        _server.Hang();
        await running;
        running = RunAsync();
        await _server.LetInAsync();
        await _server.HearAsync("<resume");
        await _server.SayAsync("<failed xmlns='urn:xmpp:sm:3' h='2'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>");
        Assert.Equal((Carried.Taken, Carried.Unknown), (await first.InTime(), await second.InTime()));
        await _server.BindAsync();
        await _server.HearAsync("<enable");
        await _server.SayAsync("<enabled xmlns='urn:xmpp:sm:3' id='sm-2' resume='true'/>");
        await _server.HearAsync("</presence>");
        var again = _network.CarryAsync(Text("eve@example.org", "two"), _stop.Token);
        await _server.HearAsync("<body>two</body>");
        await _server.HearAsync("<r xmlns='urn:xmpp:sm:3'/>");
        await _server.SayAsync($"<a xmlns='urn:xmpp:sm:3' h='3'/>{Pong()}");
        Assert.Equal(Carried.Taken, await again.InTime());
        _server.Hang();
        await running;
        _ = RunAsync();
        await _server.LetInAsync();
        await _server.HearAsync("<resume xmlns='urn:xmpp:sm:3' h='1' previd='sm-2'/>");
    }

    /// <summary>The server keeps what Relay does not certainly have.</summary>
    [Fact]
    public async Task The_server_is_told_of_a_message_once_Relay_has_it()
    {
        _inbox.SettlesAtOnce = false;
        await ConnectAsync();
        await _server.SayAsync(Message("alice@example.org/p", "one") + Message("bob@example.org/p", "two") + "<r xmlns='urn:xmpp:sm:3'/>");
        await _server.HearAsync("<a xmlns='urn:xmpp:sm:3' h='0'/>");
        _inbox.Settled.TryDequeue(out var one);
        _inbox.Settled.TryDequeue(out var two);
        two!();
        await _server.SayAsync("<r xmlns='urn:xmpp:sm:3'/>");
        await _server.HearAsync("h='0'/><a xmlns='urn:xmpp:sm:3' h='0'/>");
        // Without being asked.
        one!();
        await _server.HearAsync("<a xmlns='urn:xmpp:sm:3' h='2'/>");
    }

    [Theory]
    [InlineData("<a xmlns='urn:xmpp:sm:3' h='7'/>")]
    [InlineData("<a xmlns='urn:xmpp:sm:3' h='-1'/>")]
    [InlineData("<a xmlns='urn:xmpp:sm:3'/>")]
    public async Task A_count_of_what_was_not_sent_ends_the_session(string ack)
    {
        var running = await ConnectAsync();
        var text = _network.CarryAsync(Text("bob@example.org", "hello"), _stop.Token);
        await _server.HearAsync("<r xmlns");
        await _server.SayAsync(ack);
        Assert.Equal(ConnectionEndKind.Lost, (await running).Kind);
        Assert.Equal(Carried.Unknown, await text.InTime());
        _ = RunAsync();
        await _server.LetInAsync();
        await _server.HearAsync("</bind></iq>");
        Assert.DoesNotContain("<resume", _server.Heard, StringComparison.Ordinal);
    }

    /// <summary>Hostile XML costs one connection; the session goes on.</summary>
    [Theory]
    [InlineData("<message from='m@x.org' to='bot@example.org'><body>&#1;</body></message>")]
    [InlineData("<!DOCTYPE x>")]
    [InlineData("<message></presence>")]
    public async Task After_bad_XML_the_next_connection_carries_on(string xml)
    {
        var running = await ConnectAsync();
        await _server.SayAsync(xml);
        Assert.Equal(ConnectionEndKind.Lost, (await running).Kind);
        _ = RunAsync();
        await _server.LetInAsync();
        await _server.HearAsync("<resume");
        await _server.SayAsync("<resumed xmlns='urn:xmpp:sm:3' h='1' previd='sm-1'/>" + Message("alice@example.org/r", "still here"));
        Assert.Equal("still here", (await _inbox.NextAsync()).Text);
    }

    [Fact]
    public async Task A_stanza_beyond_the_bounds_is_counted_and_dropped()
    {
        await ConnectAsync();
        await _server.SayAsync($"<message from='m@x.org' to='bot@example.org'><x{string.Concat(Enumerable.Range(0, 10_000).Select(i => $" a{i}=''"))}/></message>");
        await _server.SayAsync(Message("alice@example.org/r", "still here"));
        Assert.Equal("still here", (await _inbox.NextAsync()).Text);
        await _server.SayAsync("<r xmlns='urn:xmpp:sm:3'/>");
        await _server.HearAsync("<a xmlns='urn:xmpp:sm:3' h='2'/>");
    }

    /// <summary>Copies, the own account, its server, and who pretends to be it.</summary>
    [Fact]
    public async Task What_is_no_message_of_a_contact_is_not_read()
    {
        await ConnectAsync();
        await _server.HearAsync("</presence>");
        await _server.SayAsync(Message("bot@example.org/other", "to myself") + Message("example.org", "For security reasons, OTR is required")
            + "<message to='bot@example.org/r'><body>from my server</body></message>"
            + "<message from='bot@example.org' to='bot@example.org/r'><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'/></received><body>copy</body></message>"
            + "<message from='mallory@example.org' to='bot@example.org/r'><sent xmlns='urn:xmpp:carbons:2'/><body>forged copy</body></message>"
            + "<message type='error' from='alice@example.org/r' to='bot@example.org/r'><body>?OTR:AAMD</body><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
            + "<message from='alice@example.org/r' to='other@example.org'><body>not mine</body></message>"
            + Message("alice@example.org/r", "after"));
        Assert.Equal("after", (await _inbox.NextAsync()).Text);
        await _server.SayAsync("<r xmlns='urn:xmpp:sm:3'/>");
        await _server.HearAsync("<a xmlns='urn:xmpp:sm:3' h='8'/>");
        Assert.DoesNotContain("<message", _server.Heard, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<iq type='get' id='1' from='Alice@example.org/r' to='bot@example.org/r'><ping xmlns='urn:xmpp:ping'/></iq>", "<iq type='result' from='bot@example.org/r' to='Alice@example.org/r' id='1'></iq>")]
    [InlineData("<iq type='get' id='1' from='a@example.org/r' to='bot@example.org/r'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>", "<identity category='client' type='bot' name='Relay'/>")]
    [InlineData("<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='x@example.org'/></query></iq>", "<iq type='result' from='bot@example.org/r' to='bot@example.org' id='1'></iq>")]
    [InlineData("<iq type='set' id='1' from='mallory@example.net/r' to='bot@example.org/r'><query xmlns='jabber:iq:roster'><item jid='x@example.org'/></query></iq>", "service-unavailable")]
    [InlineData("<iq type='get' id='1' from='a@example.org/r' to='bot@example.org/r'><vCard xmlns='vcard-temp'/></iq>", "service-unavailable")]
    [InlineData("<presence type='subscribe' from='a@example.org' to='bot@example.org'/>", "<presence to='a@example.org' type='subscribed'/>")]
    public async Task What_is_asked_is_answered(string stanza, string answer)
    {
        await ConnectAsync();
        await _server.SayAsync(stanza);
        await _server.HearAsync(answer);
    }

    [Fact]
    public async Task Whose_subscription_is_accepted_is_a_setting()
    {
        _network = new XmppAccountNetwork(Options with { Subscriptions = SubscriptionPolicy.Domains, SubscriptionDomains = ["Example.org"] }, _endpoints);
        await ConnectAsync();
        await _server.SayAsync("<presence type='subscribe' from='a@elsewhere.org'/><presence type='subscribe' from='a@example.org'/>");
        await _server.HearAsync("<presence to='a@elsewhere.org' type='unsubscribed'/>");
        await _server.HearAsync("<presence to='a@example.org' type='subscribed'/>");
    }

    /// <summary>Until then the server keeps what contacts send.</summary>
    [Fact]
    public async Task The_account_is_not_there_before_its_endpoint_is()
    {
        var endpoints = new EndpointDirectory(XmppAccountNetwork.AddressOf("bot@example.org"));
        _network = new XmppAccountNetwork(Options, endpoints);
        await ConnectAsync();
        await _server.SayAsync("<iq type='get' id='1' from='a@example.org/r' to='bot@example.org/r'><ping xmlns='urn:xmpp:ping'/></iq>" + Message("a@example.org/r", "too early", "id='7'"));
        await _server.HearAsync("<message type='error' from='bot@example.org/r' to='a@example.org/r' id='7'>");
        Assert.DoesNotContain("<presence", _server.Heard, StringComparison.Ordinal);
        endpoints.Add(Bot, "bot@example.org");
        await _server.HearAsync("<presence><priority>127");
    }

    /// <summary>What the server had stored, and comes again because the bridge died before the server knew.</summary>
    [Fact]
    public async Task A_message_that_comes_again_has_the_same_id()
    {
        await ConnectAsync();
        string Stored(string from, string id, string by = "bot@example.org") =>
            $"<message type='chat' from='{from}' to='bot@example.org/r' id='same'><body>text</body><stanza-id xmlns='urn:xmpp:sid:0' id='{id}' by='{by}'/></message>";
        await _server.SayAsync(Stored("a@example.org/r", "1") + Stored("a@example.org/s", "1") + Stored("a@example.org/r", "2")
            + Stored("a@example.org/r", "1", by: "a@example.org") + Stored("a@example.org/r", "1", by: "a@example.org"));
        var ids = new List<string>();
        for (int i = 0; i < 5; i++) ids.Add((await _inbox.NextAsync()).Id);
        Assert.Equal(ids[0], ids[1]);
        Assert.Equal(4, ids.Distinct().Count());
    }

    [Fact]
    public async Task What_comes_before_the_session_is_complete_is_not_lost()
    {
        _ = RunAsync();
        await _server.LetInAsync();
        await _server.BindAsync(Message("alice@example.org/r", "early"));
        await _server.HearAsync("<enable");
        await _server.SayAsync("<enabled xmlns='urn:xmpp:sm:3' id='sm-1' resume='true'/>" + Message("alice@example.org/r", "counted") + "<r xmlns='urn:xmpp:sm:3'/>");
        Assert.Equal(["early", "counted"], [(await _inbox.NextAsync()).Text, (await _inbox.NextAsync()).Text]);
        await _server.HearAsync("<a xmlns='urn:xmpp:sm:3' h='1'/>");
    }

    /// <summary>Both servers throw a client out for what is refused here, or take it for another's.</summary>
    [Fact]
    public async Task What_would_end_the_stream_is_refused_before()
    {
        await ConnectAsync();
        Assert.Equal(Carried.RefusedFor("NO_SUCH_PEER"), await _network.CarryAsync(Text("not an address", "x"), _stop.Token));
        Assert.Equal(Carried.RefusedFor("NO_SUCH_PEER"), await _network.CarryAsync(Text("bob@example.org", "x") with { Endpoint = "endpoints/foreign" }, _stop.Token));
        Assert.Equal(Carried.RefusedFor("TOO_LARGE"), await _network.CarryAsync(Text("bob@example.org", new string('x', 250_000)), _stop.Token));
        _ = _network.CarryAsync(Text("bob@example.org", "\0\ud83d\ude00"), _stop.Token);
        await _server.HearAsync("<body>\ufffd\ud83d\ude00</body>");
    }

    /// <summary>Somebody pulled the plug: noticed within a minute, and the text waits for the next connection.</summary>
    [Fact]
    public async Task A_half_open_connection_is_noticed_within_a_minute()
    {
        var running = await ConnectAsync();
        for (int second = 0; second < 60 && !running.IsCompleted; second++)
        {
            await Wait.UntilAsync(() => _time.Waiting > 0 || running.IsCompleted);
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(5);
        }
        Assert.Contains("does not answer", (await running).Reason, StringComparison.Ordinal);
    }

    /// <summary>Text of a session goes to the resource that has it, with the hints; a query goes to all.</summary>
    [Fact]
    public async Task Text_of_a_session_goes_to_its_resource()
    {
        await ConnectAsync();
        await _server.SayAsync(Message("alice@example.org/phone", "?OTR|00000101|00000000,1,2,?OTR:AAMD,"));
        await _inbox.NextAsync();
        _ = _network.CarryAsync(Text("alice@example.org", "?OTR|00000200|00000101,1,2,?OTR:AAMD,"), _stop.Token);
        await _server.HearAsync("<message from='bot@example.org/r' to='alice@example.org/phone'");
        await _server.HearAsync("<no-permanent-store");
        _ = _network.CarryAsync(Text("alice@example.org", "?OTRv3?"), _stop.Token);
        await _server.HearAsync("to='alice@example.org' ");
    }

    private async Task<Task<ConnectionEnd>> ConnectAsync()
    {
        var running = RunAsync();
        await _server.BeginSessionAsync();
        await Wait.UntilAsync(() => _inbox.IsConnected);
        return running;
    }

    private Task<ConnectionEnd> RunAsync() => _network.RunAsync(_inbox, _stop.Token).InTime();

    /// <summary>Returns once everything that the server has said before was read.</summary>
    private async Task SettledAsync()
    {
        await _server.SayAsync(Message("eve@example.org/r", "a mark"));
        while ((await _inbox.NextAsync()).Text != "a mark") { }
    }

    /// <summary>The answer to the last ping.</summary>
    private string Pong() =>
        $"<iq type='result' from='example.org' to='bot@example.org/r' id='{Regex.Matches(_server.Heard, "id='([^']*relay-ping-[0-9]+)'")[^1].Groups[1].Value}'/>";

    private static OutboundText Text(string peer, string text) => new(Bot, peer, 1, Encoding.UTF8.GetBytes(text));

    private static string Message(string from, string body, string more = "") =>
        $"<message type='chat' {more} from='{from}' to='bot@example.org/r'><body>{body}</body></message>";
}
