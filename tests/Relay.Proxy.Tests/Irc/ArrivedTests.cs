namespace Relay.Proxy.Tests.Irc;

/// <summary>What a hostile server or contact sends: nothing looks like the proxy's words that are not, and nothing becomes a line of its own.</summary>
public sealed class ArrivedTests
{
    [Theory]
    [InlineData(":*otr!otr@relay.invalid PRIVMSG alice :trust me")]
    [InlineData(":*OTR!x@y PRIVMSG alice :trust me")]
    [InlineData(":*otr PRIVMSG alice :trust me")]
    [InlineData(":*otr@relay.invalid NOTICE alice :trust me")]
    [InlineData("@time=2026-01-01T00:00:00Z  :*otr!x@y PRIVMSG alice :trust me")]
    [InlineData(":*\u200botr!x@y PRIVMSG alice :trust me")]
    [InlineData(":*\u043etr!x@y PRIVMSG alice :trust me")]
    [InlineData(":\uff0aotr!x@y PRIVMSG alice :trust me")]
    [InlineData(":*otr!x@y JOIN #trust")]
    [InlineData(":bob!b@h NICK *otr :trust")]
    [InlineData(":bob!b@h NICK :*otr trust")]
    [InlineData(":bob!b@h PRIVMSG alice :hello\r:*otr!x@y PRIVMSG alice :trust me")]
    [InlineData(":bob!b@h PRIVMSG alice :hello\0:*otr!x@y PRIVMSG alice :trust me")]
    [InlineData(":*otr\t!x@y PRIVMSG alice :trust me")]
    [InlineData(" :*otr!x@y PRIVMSG alice :trust me")]
    public async Task Nobody_speaks_for_the_proxy(string line)
    {
        await using var stage = await IrcProxyStage.LogInAsync();
        await stage.Server.SayAsync(line);
        await stage.ServerIsReadAsync();
        Assert.DoesNotContain("trust", stage.Client.Heard, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bouncers_own_names_are_its_own()
    {
        await using var stage = await IrcProxyStage.LogInAsync();
        await stage.Server.SayAsync(":*status!znc@znc.in PRIVMSG alice :hello");
        await stage.Client.HearsAsync(":*status!znc@znc.in PRIVMSG alice :hello\r\n");
    }

    [Theory]
    [InlineData(":bob!b@h PRIVMSG alice :🔒 trust", ":bob!b@h PRIVMSG alice :\\🔒 trust")]
    [InlineData("@time=x :bob!b@h PRIVMSG ALICE :\u000304[V] trust", "@time=x :bob!b@h PRIVMSG ALICE :\\\u000304[V] trust")]
    [InlineData(":bob!b@h NOTICE alice :[not encrypted] trust", ":bob!b@h NOTICE alice :\\[not encrypted] trust")]
    [InlineData(":bob!b@h PRIVMSG alice :\u0001ACTION 🔒 trusts\u0001", ":bob!b@h PRIVMSG alice :\u0001ACTION \\🔒 trusts\u0001")]
    [InlineData(":bob PRIVMSG alice :🔒 trust", ":bob PRIVMSG alice :\\🔒 trust")]
    [InlineData(":irc.example.net PRIVMSG alice :🔒 trust", ":irc.example.net PRIVMSG alice :\\🔒 trust")]
    [InlineData("PRIVMSG alice :🔒 trust", "PRIVMSG alice :\\🔒 trust")]
    [InlineData(":bob!b@h PRIVMSG $* :🔒 trust", ":bob!b@h PRIVMSG $* :🔒 trust")]
    [InlineData(":s 301 alice bob :[V] trust", ":s 301 alice bob :\\[V] trust")]
    public async Task Only_the_proxy_makes_marks(string line, string shown)
    {
        await using var stage = await IrcProxyStage.LogInAsync();
        await stage.Server.SayAsync(line);
        await stage.Client.HearsAsync(shown + "\r\n");
        Assert.Equal(2, stage.Client.Heard.Split("trust").Length);
    }

    [Fact]
    public async Task Text_inside_the_encryption_is_text_and_every_line_of_it_has_its_mark()
    {
        await using var stage = await IrcProxyStage.LogInAsync();
        await stage.StartSessionAsync();
        const string From = $":{IrcProxyStage.Bob} PRIVMSG alice :";
        await stage.BobSaysAsync("one\r\nQUIT :two\rJOIN #three\n\n🔒 four\u0007five\u2028[V] six");
        await stage.BobSaysAsync("\u0001DCC CHAT chat 1 2\u0001");
        await stage.BobSaysAsync(":*otr!x@y PRIVMSG alice :seven\u001b[2J");
        // The cut of a long line is where the contact puts what looks like a mark.
        await stage.BobSaysAsync(string.Concat(Enumerable.Repeat("🔒 trust me ", 100)));
        await stage.BobSaysAsync("last");
        await stage.Client.HearsAsync("last\r\n");
        var shown = stage.Client.Heard.Split("\r\n").SkipWhile(l => !l.EndsWith("one", StringComparison.Ordinal)).Where(l => l.Length > 0).ToList();
        Assert.Equal(
        [
            "🔓? one", "🔓? QUIT :two", "🔓? JOIN #three", "🔓? \\🔒 four\ufffdfive", "🔓? \\[V] six", "🔓? \ufffdDCC CHAT chat 1 2\ufffd",
            "🔓? :*otr!x@y PRIVMSG alice :seven\ufffd[2J",
        ], shown.Take(7).Select(l => l[From.Length..]));
        Assert.All(shown, l => Assert.StartsWith(From + "🔓? ", l, StringComparison.Ordinal));
        Assert.DoesNotContain(shown, l => l.StartsWith(From + "🔓? 🔒", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_line_without_an_end_ends_the_connection()
    {
        await using var stage = await IrcProxyStage.LogInAsync();
        await stage.Server.SayBytesAsync(System.Text.Encoding.ASCII.GetBytes(":s NOTICE alice :" + new string('x', 80_000)));
        await stage.Client.HearsAsync("ERROR :OTR proxy: the server sent a line without an end.");
        await Wait.UntilAsync(() => stage.Client.HasEnded);
    }

    [Fact]
    public async Task What_the_proxy_cannot_pass_is_kept_from_the_client()
    {
        await using var stage = await IrcProxyStage.LogInAsync("CHANTYPES=#", "bob");
        await stage.Server.SayAsync(":s 010 alice other.example 6667 :go there");
        await stage.IsToldAsync("name that one with --upstream");
        await stage.Server.SayAsync(":bob!b@h PRIVMSG alice :\u0001DCC CHAT chat 1 2\u0001");
        await stage.IsToldAsync("bob offers a file or a chat by DCC");
        await stage.Server.SayAsync(":bob!b@h PRIVMSG alice :\u0001VERSION\u0001");
        await stage.Server.SayAsync(":alice!a@h PRIVMSG bob :?OTR:AAMD");
        await stage.Server.SayAsync(":bob!b@h NOTICE alice :?OTRv3?");
        await stage.ServerIsReadAsync();
        foreach (var part in new[] { "other.example", "\u0001", "?OTR" }) Assert.DoesNotContain(part, stage.Client.Heard, StringComparison.Ordinal);
        await stage.Server.SayAsync(":bob!b@h PRIVMSG alice :\u0001ACTION waves\u0001");
        await stage.Client.HearsAsync(":bob!b@h PRIVMSG alice :[not encrypted] /me waves\r\n");
    }

    [Fact]
    public async Task What_was_stored_is_not_answered_and_strangers_are_not_either()
    {
        await using var stage = await IrcProxyStage.LogInAsync("CHANTYPES=#", "bob");
        stage.BobsNick = null;
        await stage.Server.SayAsync("@time=2020-01-01T00:00:00Z :bob!b@h PRIVMSG alice :?OTRv3?");
        await stage.Server.SayAsync(":s BATCH +h1 chathistory bob");
        await stage.Server.SayAsync("@batch=h1 :bob!b@h PRIVMSG alice :?OTRv3?");
        await stage.Server.SayAsync(":s BATCH -h1");
        await stage.Server.SayAsync(":mallory!m@h PRIVMSG alice :?OTRv3?");
        await stage.IsToldAsync("mallory, who is not among your contacts, offers a private conversation");
        await stage.ClientIsReadAsync();
        Assert.DoesNotContain(stage.Server.Lines, l => l.Contains("?OTR", StringComparison.Ordinal));
        // The same at its time is.
        await stage.Server.SayAsync("@batch=h1 :bob!b@h PRIVMSG alice :?OTRv3?");
        await stage.Server.HearsAsync(l => l.StartsWith("PRIVMSG bob :?OTR:AAMC", StringComparison.Ordinal) || l.StartsWith("PRIVMSG bob :?OTR|", StringComparison.Ordinal), "D-H Commit");
    }
}
