using System.Text;
using Relay.Bridges.Irc;

namespace Relay.Bridges.Tests.Irc;

/// <summary>Texts and peers: the whole network against a server that plays a script.</summary>
public sealed class IrcNetworkTests
{
    private const string Bob = ":bob!~b@host.example ";

    [Fact]
    public async Task TextsGoBothWaysAndAreSettledByTheAnswerToAPing()
    {
        await using var server = new ScriptedServer();
        await using var bridge = new RunningNetwork(server.Options());
        var connection = await server.GreetAsync();
        await bridge.Inbox.WaitForConnectionAsync();

        await connection.SayAsync(Bob + "PRIVMSG bot :?OTRv3?");
        await connection.SayAsync(Bob + "PRIVMSG bot :?OTRv3?");
        var (first, second) = (await bridge.Inbox.NextAsync(), await bridge.Inbox.NextAsync());
        Assert.Equal(("endpoints/bot", "bob", "?OTRv3?"), (first.Endpoint, first.Peer, Encoding.UTF8.GetString(first.Text.Span)));
        Assert.NotEqual(first.MessageId, second.MessageId);

        connection.AnswersPings = false;
        var carried = bridge.CarryAsync("bob", "?OTR:AAMC.");
        await connection.ExpectAsync("PRIVMSG bob :?OTR:AAMC.");
        await Task.Delay(200);
        Assert.False(carried.IsCompleted);
        await connection.AnswerPingAsync();
        Assert.Equal(Carried.Taken, await carried);
    }

    [Fact]
    public async Task MessageIdsOfTwoConnectionsDiffer()
    {
        var ids = new HashSet<string>();
        await using var server = new ScriptedServer();
        var network = new IrcNetwork(server.Options(), TimeProvider.System, new Random(1));
        for (var i = 0; i < 2; i++)
        {
            var inbox = new Inbox();
            var running = network.RunAsync(inbox, default);
            var connection = await server.GreetAsync();
            await inbox.WaitForConnectionAsync();
            await connection.SayAsync(Bob + "PRIVMSG bot :hello");
            Assert.True(ids.Add((await inbox.NextAsync()).MessageId));
            await connection.DisposeAsync();
            Assert.Equal(ConnectionEndKind.Lost, (await running.WaitAsync(ScriptedServer.Patience)).Kind);
        }
    }

    [Fact]
    public async Task WhatWasNotCertainWhenTheConnectionEndedIsUnknown()
    {
        await using var server = new ScriptedServer();
        await using var bridge = new RunningNetwork(server.Options());
        var connection = await server.GreetAsync();
        await bridge.Inbox.WaitForConnectionAsync();
        connection.AnswersPings = false;
        var carried = bridge.CarryAsync("bob", "hello");
        await connection.ExpectAsync("PRIVMSG bob :hello");

        await connection.DisposeAsync();

        Assert.Equal(Carried.Unknown, await carried);
        Assert.Equal(ConnectionEndKind.Lost, (await bridge.EndAsync()).Kind);
        Assert.Equal(Carried.Unknown, await bridge.CarryAsync("bob", "more"));
    }

    [Fact]
    public async Task PingIsAnsweredWhileManyTextsWait()
    {
        await using var server = new ScriptedServer();
        await using var bridge = new RunningNetwork(server.Options() with { Flood = new() { Interval = TimeSpan.FromSeconds(30) } });
        var connection = await server.GreetAsync();
        await bridge.Inbox.WaitForConnectionAsync();
        // Checklist 45: 3 kB to each of 50 peers at once.
        var carried = Enumerable.Range(0, 50).Select(i => bridge.CarryAsync($"peer{i}", new string('x', 3_000))).ToList();
        for (var i = 0; i < 4; i++) Assert.StartsWith("PRIVMSG peer", await connection.TryReadAsync(), StringComparison.Ordinal);

        await connection.SayAsync("PING :are you there");

        await connection.ExpectAsync("PONG :are you there");
        Assert.DoesNotContain(carried, c => c.IsCompleted);
        await connection.ExpectSilenceAsync();
    }

    [Fact]
    public async Task AFailureRefusesTheTextsToThatPeerOnly()
    {
        await using var server = new ScriptedServer();
        await using var bridge = new RunningNetwork(server.Options());
        var connection = await server.GreetAsync();
        await bridge.Inbox.WaitForConnectionAsync();
        connection.AnswersPings = false;
        var (toBob, toEve) = (bridge.CarryAsync("bob", "hello"), bridge.CarryAsync("eve", "hello"));
        await connection.TryReadAsync();
        await connection.TryReadAsync();

        await connection.SayAsync(":s 401 bot bob :No such nick");
        Assert.Equal(Carried.RefusedFor("NO_SUCH_PEER"), await toBob);
        await connection.SayAsync(":s 301 bot eve :away");
        // One PING covers both texts, or each has its own: the second leaves only when the first is answered.
        while (!toEve.IsCompleted)
        {
            await connection.AnswerPingAsync();
            await Task.WhenAny(toEve, connection.PingedAsync());
        }
        Assert.Equal(Carried.Taken, await toEve);
        // Nothing is sent to the nick until it has spoken.
        Assert.Equal(Carried.RefusedFor("PEER_UNAVAILABLE"), await bridge.CarryAsync("bob", "more"));
        await connection.ExpectSilenceAsync();
    }

    [Fact]
    public async Task EchoesAndLabelsSettleTexts()
    {
        await using var server = new ScriptedServer();
        await using var bridge = new RunningNetwork(server.Options());
        var connection = await server.GreetAsync("message-tags labeled-response batch echo-message account-tag server-time");
        await bridge.Inbox.WaitForConnectionAsync();
        connection.AnswersPings = false;

        var whole = bridge.CarryAsync("bob", "hello");
        await connection.ExpectAsync("@label=r1 PRIVMSG bob :hello");
        await connection.SayAsync("@label=r1;msgid=m1 :bot!~relay@cloak PRIVMSG bob :hello");
        Assert.Equal(Carried.Taken, await whole);

        var cut = bridge.CarryAsync("bob", "?OTR:AAMDlong.");
        await connection.ExpectAsync("@label=r2 PRIVMSG bob :?OTR:AAMDlong.");
        await connection.SayAsync("@label=r2 :bot!~relay@cloak PRIVMSG bob :?OTR:AAMD");
        Assert.Equal(Carried.RefusedFor("TOO_LARGE"), await cut);

        var failed = bridge.CarryAsync("bob", "more");
        await connection.ExpectAsync("@label=r3 PRIVMSG bob :more");
        await connection.SayAsync("@label=r3 :s 401 bot bob :No such nick");
        Assert.Equal(Carried.RefusedFor("NO_SUCH_PEER"), await failed);

        var forbidden = bridge.CarryAsync("eve", "more");
        await connection.ExpectAsync("@label=r4 PRIVMSG eve :more");
        await connection.SayAsync("@label=r4 :s 477 bot eve :You need a registered nick");
        Assert.Equal(Carried.RefusedFor("NOT_ALLOWED"), await forbidden);
        // The bridge's own words never reach Relay.
        Assert.True(bridge.Inbox.IsEmpty);
    }

    [Fact]
    public async Task ThePeersNickChangeMovesItsConversation()
    {
        await using var server = new ScriptedServer();
        await using var bridge = new RunningNetwork(server.Options());
        var connection = await server.GreetAsync();
        await bridge.Inbox.WaitForConnectionAsync();
        await connection.SayAsync(Bob + "PRIVMSG bot :?OTRv3?");
        Assert.Equal("bob", (await bridge.Inbox.NextAsync()).Peer);

        await connection.SayAsync(Bob + "NICK :robert");
        await connection.SayAsync(":robert!~b@host.example PRIVMSG bot :?OTR:AAMD.");
        await connection.SayAsync(":bob!~other@host PRIVMSG bot :I am new");

        Assert.Equal(("bob", "?OTR:AAMD."), await bridge.Inbox.NextTextAsync());
        Assert.Equal(("bob/2", "I am new"), await bridge.Inbox.NextTextAsync());
        await bridge.CarryAsync("bob", "?OTR:AAMD.");
        await connection.ExpectAsync("PRIVMSG robert :?OTR:AAMD.");
    }

    [Fact]
    public async Task ANetsplitHoldsWhatIsPrivate()
    {
        await using var server = new ScriptedServer();
        await using var bridge = new RunningNetwork(server.Options());
        var connection = await server.GreetAsync();
        await bridge.Inbox.WaitForConnectionAsync();
        await connection.SayAsync(Bob + "PRIVMSG bot :?OTR:AAMD.");
        await bridge.Inbox.NextAsync();
        await connection.SayAsync(Bob + "QUIT :hub.example leaf.example");
        await connection.SayAsync(":bob!~impostor@elsewhere PRIVMSG bot :it is me");
        await bridge.Inbox.NextAsync();

        Assert.Equal(Carried.RefusedFor("PEER_UNAVAILABLE"), await bridge.CarryAsync("bob", "?OTR:AAMDAAEAAAABAAAAAQA=."));
        await connection.ExpectSilenceAsync();
        Assert.Equal(Carried.Taken, await bridge.CarryAsync("bob", "?OTRv3?"));
        await connection.ExpectAsync("PRIVMSG bob :?OTRv3?");
    }

    [Fact]
    public async Task ManyStrangersDoNotStopTheBridge()
    {
        await using var server = new ScriptedServer();
        await using var bridge = new RunningNetwork(server.Options());
        var connection = await server.GreetAsync();
        await bridge.Inbox.WaitForConnectionAsync();
        var flood = new StringBuilder();
        for (var i = 0; i < 20_000; i++) flood.Append($":s 372 bot :numeric\r\n:n{i}!u@h PRIVMSG bot :hello\r\n");

        await connection.SayBytesAsync(Encoding.UTF8.GetBytes(flood.ToString()));

        for (var i = 0; i < 20_000; i++) Assert.Equal($"n{i}", (await bridge.Inbox.NextAsync()).Peer);
        Assert.Equal(Carried.Taken, await bridge.CarryAsync("bob", "hello"));
    }

    [Theory]
    [InlineData("\r\nQUIT :x", "QUIT :x")]
    [InlineData("\rJOIN #x", "JOIN #x")]
    [InlineData("a\0b", "a\uFFFDb")]
    [InlineData("\x01" + "DCC SEND x 1 2 3\x01", "\uFFFDDCC SEND x 1 2 3\uFFFD")]
    [InlineData(":x", ":x")]
    public async Task CommandsInTextArriveAsText(string text, string arrives)
    {
        await using var server = new ScriptedServer();
        await using var bridge = new RunningNetwork(server.Options());
        var connection = await server.GreetAsync();
        await bridge.Inbox.WaitForConnectionAsync();

        Assert.Equal(Carried.Taken, await bridge.CarryAsync("bob", text));

        await connection.ExpectAsync("PRIVMSG bob :" + arrives);
        await connection.ExpectSilenceAsync(0.1);
    }

    [Fact]
    public async Task NoLineIsLongerThanTheProtocolAllows()
    {
        await using var server = new ScriptedServer();
        await using var bridge = new RunningNetwork(server.Options() with { Flood = new FloodProfile { Interval = TimeSpan.Zero } });
        var connection = await server.GreetAsync();
        await bridge.Inbox.WaitForConnectionAsync();
        var carried = bridge.CarryAsync("bob", string.Concat(Enumerable.Repeat("é€😀", 65_536 / 9)));

        var text = new StringBuilder();
        while (text.Length < 65_536 / 9 * 4) text.Append((await connection.TryReadAsync())!["PRIVMSG bob :".Length..]);

        Assert.Equal(Carried.Taken, await carried);
        Assert.Equal(string.Concat(Enumerable.Repeat("é€😀", 65_536 / 9)), text.ToString());
        Assert.InRange(connection.LongestLine + ":bot!~relay@127.0.0.1 ".Length, 400, 512);
    }
}
