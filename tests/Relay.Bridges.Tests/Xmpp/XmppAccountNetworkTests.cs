using System.Text.RegularExpressions;
using Relay.Bridges.Xmpp;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>The client of an account, once it is let in.</summary>
public sealed class XmppAccountNetworkTests : XmppAccountTest
{
    [Fact]
    public async Task The_account_is_there_with_the_highest_priority_and_asks_for_no_copies_and_no_roster()
    {
        await ConnectAsync();
        await Server.HearAsync("<presence><priority>127</priority></presence>");
        Assert.Contains("<resource>r</resource>", Server.Heard, StringComparison.Ordinal);
        Assert.DoesNotContain("carbons", Server.Heard, StringComparison.Ordinal);
        Assert.DoesNotContain("roster", Server.Heard, StringComparison.Ordinal);
    }

    /// <summary>A server may store what answers a text of an account that is not there yet.</summary>
    [Fact]
    public async Task The_accounts_presence_is_written_before_a_text_that_waited_for_the_connection()
    {
        var inbox = new EagerInbox(() => _ = Network.CarryAsync(Text("bob@example.org", "it waited"), Stop.Token));
        _ = Network.RunAsync(inbox, Stop.Token);
        await Server.BeginSessionAsync();
        await Server.HearAsync("<body>it waited</body>");
        await Server.HearAsync("</presence>");
        Assert.True(Server.Heard.IndexOf("<presence>", StringComparison.Ordinal) < Server.Heard.IndexOf("<body>it waited</body>", StringComparison.Ordinal));
    }

    private sealed class EagerInbox(Action connected) : IBridgeInbox
    {
        public void Connected() => connected();

        public ValueTask ReceiveAsync(InboundText text, CancellationToken cancellation) => ValueTask.CompletedTask;

        public void Confirm(string endpoint, string message)
        {
        }
    }

    [Fact]
    public async Task A_text_is_taken_once_the_server_acknowledges_it_and_has_said_what_it_refuses()
    {
        await ConnectAsync();
        await Server.HearAsync("</presence>");
        var text = Network.CarryAsync(Text("bob@example.org", "hello"), Stop.Token);
        await Server.HearAsync("<r xmlns='urn:xmpp:sm:3'/>");
        Assert.True(Server.Heard.IndexOf("<body>hello</body>", StringComparison.Ordinal) < Server.Heard.IndexOf("<r xmlns", StringComparison.Ordinal));
        await Server.SayAsync(Pong());
        await SettledAsync();
        Assert.False(text.IsCompleted);
        await Server.SayAsync("<a xmlns='urn:xmpp:sm:3' h='3'/>");
        Assert.Equal(Carried.Taken, await text.InTime());
    }

    [Fact]
    public async Task What_bounces_after_the_acknowledgement_and_before_the_ping_is_refused()
    {
        await ConnectAsync();
        await Server.HearAsync("</presence>");
        var text = Network.CarryAsync(Text("bob@example.org", "hello"), Stop.Token);
        await Server.HearAsync("<r xmlns='urn:xmpp:sm:3'/>");
        await Server.SayAsync("<a xmlns='urn:xmpp:sm:3' h='3'/>");
        await SettledAsync();
        Assert.False(text.IsCompleted);
        var id = Regex.Match(Server.Heard, "to='bob@example.org' id='([^']+)'").Groups[1].Value;
        await Server.SayAsync($"<message type='error' id='{id}' from='bob@example.org' to='bot@example.org/r'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>{Pong()}");
        Assert.Equal(Carried.RefusedFor("PEER_UNAVAILABLE"), await text.InTime());
    }

    [Fact]
    public async Task Without_stream_management_a_later_ping_is_the_proof()
    {
        _ = RunAsync();
        await Server.BeginSessionAsync(isManaged: false);
        await Server.HearAsync("</presence>");
        var text = Network.CarryAsync(Text("bob@example.org", "hello"), Stop.Token);
        await Server.HearAsync("relay-ping-1");
        Assert.DoesNotContain("urn:xmpp:sm:3", Server.Heard, StringComparison.Ordinal);
        await Server.SayAsync(Pong());
        Assert.Equal(Carried.Taken, await text.InTime());
        text = Network.CarryAsync(Text("bob@example.org", "again"), Stop.Token);
        await Server.HearAsync("again");
        Server.Hang();
        Assert.Equal(Carried.Unknown, await text.InTime());
    }

    /// <summary>What the server has is not sent again, what it has not is, in order; and nobody else notices.</summary>
    [Fact]
    public async Task A_session_is_resumed_without_loss_and_without_doubles()
    {
        var running = await ConnectAsync();
        await Server.HearAsync("</presence>");
        var first = Network.CarryAsync(Text("bob@example.org", "one"), Stop.Token);
        await Server.HearAsync("<body>one</body>");
        await Server.HearAsync("relay-ping-1");
        var second = Network.CarryAsync(Text("eve@example.org", "two"), Stop.Token);
        await Server.HearAsync("<body>two</body>");
        await Server.SayAsync(Message("alice@example.org/p", "in"));
        await Inbox.NextAsync();
        Server.Hang();
        Assert.Equal(ConnectionEndKind.Lost, (await running).Kind);
        Assert.False(first.IsCompleted || second.IsCompleted);

        _ = RunAsync();
        await Server.LetInAsync();
        await Server.HearAsync("<resume xmlns='urn:xmpp:sm:3' h='1' previd='sm-1'/>");
        // The presence and the first text.
        await Server.SayAsync("<resumed xmlns='urn:xmpp:sm:3' h='2' previd='sm-1'/>");
        await Server.HearAsync("<body>two</body>");
        await Server.HearAsync("<r xmlns='urn:xmpp:sm:3'/>");
        Assert.DoesNotContain("<body>one</body>", Server.Heard, StringComparison.Ordinal);
        Assert.DoesNotContain("<bind", Server.Heard, StringComparison.Ordinal);
        Assert.DoesNotContain("<presence", Server.Heard, StringComparison.Ordinal);
        Assert.Equal(Carried.Taken, await first.InTime());
        await Server.SayAsync("<a xmlns='urn:xmpp:sm:3' h='4'/>");
        Assert.Equal(Carried.Taken, await second.InTime());
        Assert.Equal(1, Regex.Count(Server.Heard, "<body>two</body>"));
    }

    [Fact]
    public async Task What_a_session_that_is_not_resumed_left_open_is_unknown_unless_the_server_counts_it()
    {
        var running = await ConnectAsync();
        await Server.HearAsync("</presence>");
        var first = Network.CarryAsync(Text("bob@example.org", "one"), Stop.Token);
        await Server.HearAsync("relay-ping-1");
        var second = Network.CarryAsync(Text("eve@example.org", "two"), Stop.Token);
        await Server.HearAsync("<body>two</body>");
        Server.Hang();
        await running;
        running = RunAsync();
        await Server.LetInAsync();
        await Server.HearAsync("<resume");
        await Server.SayAsync("<failed xmlns='urn:xmpp:sm:3' h='2'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>");
        Assert.Equal((Carried.Taken, Carried.Unknown), (await first.InTime(), await second.InTime()));
        await Server.BindAsync();
        await Server.HearAsync("<enable");
        await Server.SayAsync("<enabled xmlns='urn:xmpp:sm:3' id='sm-2' resume='true'/>");
        await Server.HearAsync("</presence>");
        var again = Network.CarryAsync(Text("eve@example.org", "two"), Stop.Token);
        await Server.HearAsync("<body>two</body>");
        await Server.HearAsync("<r xmlns='urn:xmpp:sm:3'/>");
        await Server.SayAsync($"<a xmlns='urn:xmpp:sm:3' h='3'/>{Pong()}");
        Assert.Equal(Carried.Taken, await again.InTime());
        Server.Hang();
        await running;
        _ = RunAsync();
        await Server.LetInAsync();
        await Server.HearAsync("<resume xmlns='urn:xmpp:sm:3' h='1' previd='sm-2'/>");
    }

    /// <summary>The server keeps what Relay does not certainly have.</summary>
    [Fact]
    public async Task The_server_is_told_of_a_message_once_Relay_has_it()
    {
        Inbox.SettlesAtOnce = false;
        await ConnectAsync();
        await Server.SayAsync(Message("alice@example.org/p", "one") + Message("bob@example.org/p", "two") + "<r xmlns='urn:xmpp:sm:3'/>");
        await Server.HearAsync("<a xmlns='urn:xmpp:sm:3' h='0'/>");
        Inbox.Settled.TryDequeue(out var one);
        Inbox.Settled.TryDequeue(out var two);
        two!();
        await Server.SayAsync("<r xmlns='urn:xmpp:sm:3'/>");
        await Server.HearAsync("h='0'/><a xmlns='urn:xmpp:sm:3' h='0'/>");
        // Without being asked.
        one!();
        await Server.HearAsync("<a xmlns='urn:xmpp:sm:3' h='2'/>");
    }

    [Theory]
    [InlineData("<a xmlns='urn:xmpp:sm:3' h='7'/>")]
    [InlineData("<a xmlns='urn:xmpp:sm:3' h='-1'/>")]
    [InlineData("<a xmlns='urn:xmpp:sm:3'/>")]
    public async Task A_count_of_what_was_not_sent_ends_the_session(string ack)
    {
        var running = await ConnectAsync();
        var text = Network.CarryAsync(Text("bob@example.org", "hello"), Stop.Token);
        await Server.HearAsync("<r xmlns");
        await Server.SayAsync(ack);
        Assert.Equal(ConnectionEndKind.Lost, (await running).Kind);
        Assert.Equal(Carried.Unknown, await text.InTime());
        _ = RunAsync();
        await Server.LetInAsync();
        await Server.HearAsync("</bind></iq>");
        Assert.DoesNotContain("<resume", Server.Heard, StringComparison.Ordinal);
    }

    /// <summary>Hostile XML costs one connection; the session goes on.</summary>
    [Theory]
    [InlineData("<message from='m@x.org' to='bot@example.org'><body>&#1;</body></message>")]
    [InlineData("<!DOCTYPE x>")]
    [InlineData("<message></presence>")]
    public async Task After_bad_XML_the_next_connection_carries_on(string xml)
    {
        var running = await ConnectAsync();
        await Server.SayAsync(xml);
        Assert.Equal(ConnectionEndKind.Lost, (await running).Kind);
        _ = RunAsync();
        await Server.LetInAsync();
        await Server.HearAsync("<resume");
        await Server.SayAsync("<resumed xmlns='urn:xmpp:sm:3' h='1' previd='sm-1'/>" + Message("alice@example.org/r", "still here"));
        Assert.Equal("still here", (await Inbox.NextAsync()).Text);
    }

    [Fact]
    public async Task A_stanza_beyond_the_bounds_is_counted_and_dropped()
    {
        await ConnectAsync();
        await Server.SayAsync($"<message from='m@x.org' to='bot@example.org'><x{string.Concat(Enumerable.Range(0, 10_000).Select(i => $" a{i}=''"))}/></message>");
        await Server.SayAsync(Message("alice@example.org/r", "still here"));
        Assert.Equal("still here", (await Inbox.NextAsync()).Text);
        await Server.SayAsync("<r xmlns='urn:xmpp:sm:3'/>");
        await Server.HearAsync("<a xmlns='urn:xmpp:sm:3' h='2'/>");
    }

    /// <summary>Copies, the own account, its server, and who pretends to be it.</summary>
    [Fact]
    public async Task What_is_no_message_of_a_contact_is_not_read()
    {
        await ConnectAsync();
        await Server.HearAsync("</presence>");
        await Server.SayAsync(Message("bot@example.org/other", "to myself") + Message("example.org", "For security reasons, OTR is required")
            + "<message to='bot@example.org/r'><body>from my server</body></message>"
            + "<message from='bot@example.org' to='bot@example.org/r'><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'/></received><body>copy</body></message>"
            + "<message from='mallory@example.org' to='bot@example.org/r'><sent xmlns='urn:xmpp:carbons:2'/><body>forged copy</body></message>"
            + "<message type='error' from='alice@example.org/r' to='bot@example.org/r'><body>?OTR:AAMD</body><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
            + "<message from='alice@example.org/r' to='other@example.org'><body>not mine</body></message>"
            + Message("alice@example.org/r", "after"));
        Assert.Equal("after", (await Inbox.NextAsync()).Text);
        await Server.SayAsync("<r xmlns='urn:xmpp:sm:3'/>");
        await Server.HearAsync("<a xmlns='urn:xmpp:sm:3' h='8'/>");
        Assert.DoesNotContain("<message", Server.Heard, StringComparison.Ordinal);
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
        await Server.SayAsync(stanza);
        await Server.HearAsync(answer);
    }

    [Fact]
    public async Task Whose_subscription_is_accepted_is_a_setting()
    {
        Network = new XmppAccountNetwork(Options with { Subscriptions = SubscriptionPolicy.Domains, SubscriptionDomains = ["Example.org"] }, Endpoints);
        await ConnectAsync();
        await Server.SayAsync("<presence type='subscribe' from='a@elsewhere.org'/><presence type='subscribe' from='a@example.org'/>");
        await Server.HearAsync("<presence to='a@elsewhere.org' type='unsubscribed'/>");
        await Server.HearAsync("<presence to='a@example.org' type='subscribed'/>");
    }

    /// <summary>Until then the server keeps what contacts send.</summary>
    [Fact]
    public async Task The_account_is_not_there_before_its_endpoint_is()
    {
        var endpoints = new EndpointDirectory(XmppAccountNetwork.AddressOf("bot@example.org"));
        Network = new XmppAccountNetwork(Options, endpoints);
        await ConnectAsync();
        await Server.SayAsync("<iq type='get' id='1' from='a@example.org/r' to='bot@example.org/r'><ping xmlns='urn:xmpp:ping'/></iq>" + Message("a@example.org/r", "too early", "id='7'"));
        await Server.HearAsync("<message type='error' from='bot@example.org/r' to='a@example.org/r' id='7'>");
        Assert.DoesNotContain("<presence", Server.Heard, StringComparison.Ordinal);
        endpoints.Add(Bot, "bot@example.org");
        await Server.HearAsync("<presence><priority>127");
    }

    /// <summary>What the server had stored, and comes again because the bridge died before the server knew.</summary>
    [Fact]
    public async Task A_message_that_comes_again_has_the_same_id()
    {
        await ConnectAsync();
        string Stored(string from, string id, string by = "bot@example.org") =>
            $"<message type='chat' from='{from}' to='bot@example.org/r' id='same'><body>text</body><stanza-id xmlns='urn:xmpp:sid:0' id='{id}' by='{by}'/></message>";
        await Server.SayAsync(Stored("a@example.org/r", "1") + Stored("a@example.org/s", "1") + Stored("a@example.org/r", "2")
            + Stored("a@example.org/r", "1", by: "a@example.org") + Stored("a@example.org/r", "1", by: "a@example.org"));
        var ids = new List<string>();
        for (int i = 0; i < 5; i++) ids.Add((await Inbox.NextAsync()).Id);
        Assert.Equal(ids[0], ids[1]);
        Assert.Equal(4, ids.Distinct().Count());
    }

    [Fact]
    public async Task What_comes_before_the_session_is_complete_is_not_lost()
    {
        _ = RunAsync();
        await Server.LetInAsync();
        await Server.BindAsync(Message("alice@example.org/r", "early"));
        await Server.HearAsync("<enable");
        await Server.SayAsync("<enabled xmlns='urn:xmpp:sm:3' id='sm-1' resume='true'/>" + Message("alice@example.org/r", "counted") + "<r xmlns='urn:xmpp:sm:3'/>");
        Assert.Equal(["early", "counted"], [(await Inbox.NextAsync()).Text, (await Inbox.NextAsync()).Text]);
        await Server.HearAsync("<a xmlns='urn:xmpp:sm:3' h='1'/>");
    }

    /// <summary>Both servers throw a client out for what is refused here, or take it for another's.</summary>
    [Fact]
    public async Task What_would_end_the_stream_is_refused_before()
    {
        await ConnectAsync();
        Assert.Equal(Carried.RefusedFor("NO_SUCH_PEER"), await Network.CarryAsync(Text("not an address", "x"), Stop.Token));
        Assert.Equal(Carried.RefusedFor("NO_SUCH_PEER"), await Network.CarryAsync(Text("bob@example.org", "x") with { Endpoint = "endpoints/foreign" }, Stop.Token));
        Assert.Equal(Carried.RefusedFor("TOO_LARGE"), await Network.CarryAsync(Text("bob@example.org", new string('x', 250_000)), Stop.Token));
        _ = Network.CarryAsync(Text("bob@example.org", "\0\ud83d\ude00"), Stop.Token);
        await Server.HearAsync("<body>\ufffd\ud83d\ude00</body>");
    }

    /// <summary>Somebody pulled the plug: noticed within a minute, and the text waits for the next connection.</summary>
    [Fact]
    public async Task A_half_open_connection_is_noticed_within_a_minute()
    {
        var running = await ConnectAsync();
        for (int second = 0; second < 60 && !running.IsCompleted; second++)
        {
            await Wait.UntilAsync(() => Time.Waiting > 0 || running.IsCompleted);
            Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(5);
        }
        Assert.Contains("does not answer", (await running).Reason, StringComparison.Ordinal);
    }

    /// <summary>Text of a session goes to the resource that has it, with the hints; a query goes to all.</summary>
    [Fact]
    public async Task Text_of_a_session_goes_to_its_resource()
    {
        await ConnectAsync();
        await Server.SayAsync(Message("alice@example.org/phone", "?OTR|00000101|00000000,1,2,?OTR:AAMD,"));
        await Inbox.NextAsync();
        _ = Network.CarryAsync(Text("alice@example.org", "?OTR|00000200|00000101,1,2,?OTR:AAMD,"), Stop.Token);
        await Server.HearAsync("<message from='bot@example.org/r' to='alice@example.org/phone'");
        await Server.HearAsync("<no-permanent-store");
        _ = Network.CarryAsync(Text("alice@example.org", "?OTRv3?"), Stop.Token);
        await Server.HearAsync("to='alice@example.org' ");
    }
}
