using Relay.Bridges.Irc;

namespace Relay.Bridges.Tests.Irc;

public sealed class InboundRulesTests
{
    private const string Base64Line = "AAMDabcdefghijklmnopqrstuvwxyz0123456789+/ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    private readonly ManualTime _time = new();

    [Theory]
    [InlineData(":bob!b@h PRIVMSG me :hello", "hello")]
    [InlineData(":bob!b@h PRIVMSG ME[ :not me", null)]
    [InlineData(":bob!b@h PRIVMSG mE :hello", "hello")]
    [InlineData(":bob!b@h PRIVMSG #channel :hello", null)]
    [InlineData(":bob!b@h PRIVMSG @#channel :hello", null)]
    [InlineData(":bob!b@h PRIVMSG $*.example :hello", null)]
    [InlineData(":irc.example PRIVMSG me :hello", null)]
    [InlineData("PRIVMSG me :hello", null)]
    [InlineData(":bob!b@h NOTICE me :?OTRv3?", null)]
    [InlineData(":bob!b@h PRIVMSG me :", null)]
    [InlineData(":bob!b@h PRIVMSG me", null)]
    [InlineData(":NickServ!s@services.example PRIVMSG me :hello", null)]
    [InlineData(":ChanServ!s@h PRIVMSG me :hello", null)]
    [InlineData(":MemoServ!s@h PRIVMSG me :hello", null)]
    [InlineData(":helper!s@services.example PRIVMSG me :hello", null)]
    [InlineData(":bob!b@h PRIVMSG me :\x01" + "ACTION waves\x01", "/me waves")]
    [InlineData(":bob!b@h PRIVMSG me :\x01" + "ACTION waves", "/me waves")]
    [InlineData(":bob!b@h PRIVMSG me :\x01VERSION\x01", null)]
    [InlineData(":bob!b@h PRIVMSG me :\x01TYPING 1\x01", null)]
    [InlineData(":bob!b@h PRIVMSG me :\x01" + "DCC SEND a 1 2 3\x01", null)]
    [InlineData(":bob!b@h PRIVMSG me :\x02" + "bold\x0f \x03" + "04,12red\x03 \x03" + "1,x", "bold red ,x")]
    [InlineData(":bob!b@h PRIVMSG me :\x02", null)]
    [InlineData("@time=2025-12-31T23:58:00.000Z :bob!b@h PRIVMSG me :old", null)]
    [InlineData("@time=2025-12-31T23:59:30.000Z :bob!b@h PRIVMSG me :new", "new")]
    [InlineData("@time=nonsense :bob!b@h PRIVMSG me :hello", "hello")]
    [InlineData(":bob!b@h PRIVMSG me :?OTRv3? Ünal", "?OTRv3? Ünal")]
    [InlineData(":bob!b@h PRIVMSG me :?OTR:AAMD.", "?OTR:AAMD.")]
    [InlineData(":bob!b@h PRIVMSG me :?OTR:AAMD. ", "?OTR:AAMD.")]
    [InlineData(":bob!b@h PRIVMSG me :?OTR:AAéD.", null)]
    [InlineData(":bob!b@h PRIVMSG me :?OTR|00000100|00000200,00001,00002,AAA,", "?OTR|00000100|00000200,00001,00002,AAA,")]
    public void OnlyMessagesOfPeersAreDelivered(string line, string? text)
    {
        var verdict = Rules().Judge(IrcLine.Parse(line)!, "me");

        Assert.Equal(text is null ? InboundAction.Ignore : InboundAction.Deliver, verdict.Action);
        Assert.Equal(text ?? "", verdict.Text);
    }

    [Theory]
    [InlineData(":me!m@h PRIVMSG bob :?OTR:AAMD.")]
    [InlineData(":ME!m@h PRIVMSG me :to myself")]
    public void OwnLinesAreEchoes(string line) => Assert.Equal(InboundAction.Echo, Rules().Judge(IrcLine.Parse(line)!, "me").Action);

    [Fact]
    public void HistoryIsNotActedUpon()
    {
        var rules = Rules();
        rules.Batch(IrcLine.Parse(":s BATCH +h1 chathistory bob")!);
        rules.Batch(IrcLine.Parse(":s BATCH +l1 labeled-response")!);

        Assert.Equal(InboundAction.Ignore, Judge("@batch=h1 "));
        Assert.Equal(InboundAction.Deliver, Judge("@batch=l1 "));
        rules.Batch(IrcLine.Parse(":s BATCH -h1")!);
        Assert.Equal(InboundAction.Deliver, Judge("@batch=h1 "));

        InboundAction Judge(string tags) => rules.Judge(IrcLine.Parse(tags + ":bob!b@h PRIVMSG me :x")!, "me").Action;
    }

    [Theory]
    [InlineData("@msgid=abc ", "abc")]
    [InlineData("@msgid= ", null)]
    [InlineData("", null)]
    public void TheNetworksIdIsTheMessageId(string tags, string? id) =>
        Assert.Equal(id, Rules().Judge(IrcLine.Parse(tags + ":bob!b@h PRIVMSG me :x")!, "me").MessageId);

    [Fact]
    public void AnIdThatRelayWouldNotTakeIsNone()
    {
        Assert.NotNull(Judge(128));
        Assert.Null(Judge(129));

        string? Judge(int length)
        {
            var line = IrcLine.Parse($"@msgid={new string('i', length)} :bob!b@h PRIVMSG me :x")!;
            return Rules().Judge(line, "me").MessageId;
        }
    }

    [Fact]
    public void AnOtrMessageThatAGatewayHasSplitIsPutTogether()
    {
        var rules = Rules();

        Assert.Equal(InboundAction.Await, Judge(rules, "bob", "?OTR:" + Base64Line).Action);
        Assert.Equal("?OTR:AAMDeve.", Judge(rules, "eve", "?OTR:AAMDeve.").Text);
        Assert.Equal(InboundAction.Await, Judge(rules, "bob", Base64Line).Action);
        var whole = Judge(rules, "bob", "abc=.");

        Assert.Equal((InboundAction.Deliver, $"?OTR:{Base64Line}{Base64Line}abc=."), (whole.Action, whole.Text));
        Assert.Equal("abc", Judge(rules, "bob", "abc").Text);
    }

    [Fact]
    public void RemainsWithoutABeginningAreNotText()
    {
        var rules = Rules();

        Assert.Equal(InboundAction.Ignore, Judge(rules, "bob", string.Concat(Enumerable.Repeat(Base64Line, 4))).Action);
        Assert.Equal(1, rules.Damaged);
        Assert.Equal("hello.", Judge(rules, "bob", "hello.").Text);
    }

    [Fact]
    public void ASplitMessageIsNotContinuedByTextOrBySomebodyElse()
    {
        var rules = Rules();
        Judge(rules, "bob", "?OTR:" + Base64Line);
        Assert.Equal("hello there", Judge(rules, "bob", "hello there").Text);
        Assert.Equal("abc.", Judge(rules, "bob", "abc.").Text);

        Judge(rules, "bob", "?OTR:" + Base64Line);
        rules.Forget("BOB");
        Assert.Equal("abc.", Judge(rules, "bob", "abc.").Text);
    }

    [Fact]
    public void OpenMessagesAreBounded()
    {
        var rules = Rules();
        for (var i = 0; i < IrcLimits.OpenTexts; i++) Judge(rules, $"n{i}", "?OTR:" + Base64Line);
        Assert.Equal(InboundAction.Ignore, Judge(rules, "more", "?OTR:" + Base64Line).Action);

        var action = InboundAction.Await;
        for (var i = 0; i < IrcLimits.JoinedBytes / 400 + 1 && action == InboundAction.Await; i++)
            action = Judge(rules, "n0", new string('A', 400)).Action;
        Assert.Equal(InboundAction.Ignore, action);
    }

    private static InboundVerdict Judge(InboundRules rules, string nick, string text) =>
        rules.Judge(IrcLine.Parse($":{nick}!u@h PRIVMSG me :{text}")!, "me");

    /// <summary>Otherwise the bridge would be deaf, and nobody would know why.</summary>
    [Fact]
    public void AServerWhoseClockIsWrongIsNotTakenForABouncer()
    {
        var clock = new ServerClock(_time);
        var rules = new InboundRules(ScriptedServer.Options(1), new ServerFeatures(), clock);
        InboundAction Judge(string at) => rules.Judge(IrcLine.Parse($"@time=2025-12-31T{at}.000Z :bob!b@h PRIVMSG me :hello")!, "me").Action;
        Assert.Equal(InboundAction.Ignore, Judge("23:00:01"));
        // What users say, and what a batch holds, may be of the past.
        clock.Hear(IrcLine.Parse("@time=2025-12-31T23:00:00.000Z :bob!b@h PRIVMSG me :x")!);
        clock.Hear(IrcLine.Parse("@time=2025-12-31T23:00:00.000Z;batch=1 :irc.example 332 me #x :x")!);
        Assert.Equal(InboundAction.Ignore, Judge("23:00:01"));
        clock.Hear(IrcLine.Parse("@time=2025-12-31T23:00:00.000Z :irc.example PONG irc.example :x")!);
        Assert.Equal(InboundAction.Deliver, Judge("23:00:01"));
        Assert.Equal(InboundAction.Ignore, Judge("22:58:59"));
        clock.Hear(IrcLine.Parse("@time=2026-01-01T00:00:00.000Z :irc.example 001 me :x")!);
        Assert.Equal(InboundAction.Ignore, Judge("23:00:01"));
    }

    private InboundRules Rules() => new(ScriptedServer.Options(1), new ServerFeatures(), new ServerClock(_time));
}
