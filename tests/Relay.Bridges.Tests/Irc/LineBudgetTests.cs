using Relay.Bridges.Irc;

namespace Relay.Bridges.Tests.Irc;

public sealed class LineBudgetTests
{
    [Fact]
    public void TheLimitIsWhatWasMeasuredLessTheMarginAndTheLongestNick()
    {
        // Measured on ngIRCd with this prefix and the target "bob": 473 bytes of text arrive.
        var (own, features) = (Own("alice", "~alice", "127.0.0.1"), Features("NICKLEN=9"));

        Assert.Equal(473 - (9 - "bob".Length) - IrcLimits.MarginBytes, LineBudget.TextBytes(own, "bob", features));
        Assert.True(LineBudget.Fits(own, "bob", new string('x', 473), features));
        Assert.False(LineBudget.Fits(own, "bob", new string('x', 474), features));
    }

    [Theory]
    [InlineData("", null, null, IrcLimits.TextBytesUnknownPrefix)]
    // nick 5, user 11, host 64, target 31: 512 - 2 - 1 - 5 - 1 - 11 - 1 - 64 - 9 - 31 - 2 - 16 = 369.
    [InlineData("USERLEN=10", null, null, 369)]
    [InlineData("HOSTLEN=64", null, null, 369)]
    [InlineData("", "~alice", null, 374)]
    [InlineData("NICKLEN=9", "~alice", "127.0.0.1", 451)]
    [InlineData("LINELEN=400 NICKLEN=9", "~alice", "127.0.0.1", 339)]
    [InlineData("LINELEN=1024 NICKLEN=9", "~alice", "127.0.0.1", 963)]
    // Lengths without sense are as good as none.
    [InlineData("LINELEN=10 NICKLEN=0", "~alice", "127.0.0.1", 429)]
    [InlineData("LINELEN=-1 NICKLEN=99999", "~alice", "127.0.0.1", 429)]
    public void UnknownPartsAreAssumedAtTheWorst(string isupport, string? user, string? host, int expected)
    {
        var own = new OwnPrefix("alice");
        own.Learn(user, host);

        Assert.Equal(expected, LineBudget.TextBytes(own, "bob", Features(isupport)));
    }

    [Theory]
    [InlineData(":alice!~a@host.example JOIN #x", "~a", "host.example")]
    [InlineData(":alice!~a@cloak PRIVMSG bob :x", "~a", "cloak")]
    public void TheOwnPrefixIsLearntFromOwnLines(string line, string user, string host)
    {
        var own = new OwnPrefix("alice");
        own.Learn(IrcLine.Parse(line)!);

        AssertIs(own, user, host);
    }

    [Theory]
    [InlineData("alice=+~a@host", true)]
    [InlineData("ALICE*=-~a@host", true)]
    [InlineData("bob=+~b@b alice=+~a@host ", true)]
    [InlineData("bob=+~b@b", false)]
    [InlineData("alice=", false)]
    [InlineData("=+~a@host", false)]
    [InlineData("alice=+host", false)]
    public void TheOwnPrefixIsLearntFromUserHost(string replies, bool known)
    {
        var own = new OwnPrefix("alice");
        own.LearnUserHost(replies, CaseMapping.Rfc1459);

        Assert.Equal(known, own.IsKnown);
        if (known) AssertIs(own, "~a", "host");
    }

    [Fact]
    public void AChangedHostOrNickChangesTheLimit()
    {
        var (own, features) = (Own("alice", "~a", "short"), Features("NICKLEN=9"));
        var before = LineBudget.TextBytes(own, "bob", features);

        own.Learn(null, "a.much.longer.host");
        Assert.Equal(before - ("a.much.longer.host".Length - "short".Length), LineBudget.TextBytes(own, "bob", features));
        own.Learn(null, "~user@h");
        own.Rename("alice_");

        AssertIs(own, "~user", "h", "alice_");
    }

    private static void AssertIs(OwnPrefix own, string user, string host, string nick = "alice")
    {
        Assert.True(own.IsKnown);
        Assert.Equal($"{nick}!{user}@{host}".Length, own.Bytes(new ServerFeatures()));
    }

    private static OwnPrefix Own(string nick, string user, string host)
    {
        var own = new OwnPrefix(nick);
        own.Learn(user, host);
        return own;
    }

    internal static ServerFeatures Features(string isupport)
    {
        var features = new ServerFeatures();
        if (isupport.Length > 0) features.Learn(IrcLine.Parse($":s 005 me {isupport} :are supported by this server")!);
        return features;
    }
}
