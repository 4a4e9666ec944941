namespace Relay.Proxy.Tests.Irc;

/// <summary>However a client spells it, a text to a private contact leaves encrypted or not at all.</summary>
public sealed class OutboundTests
{
    [Theory]
    [InlineData("PRIVMSG bob :secret")]
    [InlineData("privmsg BoB secret")]
    [InlineData("PRIVMSG   bob   :secret")]
    [InlineData(":alice!a@h PRIVMSG bob :secret")]
    [InlineData("@+draft/reply=x;label=1 PRIVMSG bob :secret")]
    [InlineData("PRIVMSG bob!b@bob.example :secret")]
    [InlineData("PRIVMSG bob@server.example :secret")]
    [InlineData("PRIVMSG bob%host@server :secret")]
    [InlineData("PRIVMSG @bob :secret")]
    [InlineData("PRIVMSG carol,bob :secret", true)]
    [InlineData("PRIVMSG #room,BOB,carol :secret", true)]
    [InlineData("NOTICE bob :secret")]
    [InlineData("CPRIVMSG bob #room :secret")]
    [InlineData("CNOTICE bob #room :secret")]
    [InlineData("SQUERY bob :secret")]
    [InlineData("MSG bob :secret")]
    [InlineData("MSG :bob secret")]
    [InlineData("SAY carol,bob secret")]
    [InlineData("MEMOSERV SEND bob secret")]
    [InlineData("MS :SEND bob secret")]
    [InlineData("PRIVMSG MemoServ :SEND bob secret")]
    [InlineData("REDACT bob id :secret")]
    [InlineData("@+draft/react=secret TAGMSG bob")]
    [InlineData("PRIVMSG bob :\u0001ACTION secret\u0001")]
    [InlineData("PRIVMSG bob :\u0001DCC CHAT secret 1 2\u0001")]
    [InlineData("PRIVMSG carol,bob :\u0001PING secret\u0001")]
    [InlineData("NOTICE bob :\u0001VERSION secret\u0001")]
    [InlineData("PRIVMSG carol :?OTR secret")]
    [InlineData("PRIVMSG #room :/otr smp secret")]
    [InlineData("PRIVMSG carol : /otr smp bob secret")]
    [InlineData("PRIVMSG *otr,carol :smp bob secret")]
    [InlineData("NOTICE *otr :secret")]
    [InlineData("TOPIC *otr :secret")]
    [InlineData("PRIVMSG #room :x\rPRIVMSG bob :secret")]
    [InlineData("PRIVMSG #room :x\0secret")]
    [InlineData("PRIVMSG b\u00f6b :secret")]
    public async Task Nothing_leaves_in_the_clear(string line, bool othersGetIt = false)
    {
        await using var stage = await IrcProxyStage.LogInAsync("CHANTYPES=#", "bob");
        await stage.SayAsync(line);
        await stage.ClientIsReadAsync();
        var withSecret = stage.Server.Lines.Where(l => l.Contains("secret", StringComparison.Ordinal)).ToList();
        if (othersGetIt) Assert.DoesNotContain("bob", IrcLine.Parse(Assert.Single(withSecret))!.Param(0), StringComparison.OrdinalIgnoreCase);
        else Assert.Empty(withSecret);
    }

    [Theory]
    // The server's rules for names come from the server, which may say anything.
    [InlineData("CASEMAPPING=rfc1459", "PRIVMSG BOB{X}^ :secret")]
    [InlineData("CASEMAPPING=ascii", "PRIVMSG BOB{X}^ :secret")]
    [InlineData("CASEMAPPING=ascii", "PRIVMSG bob[x]~ :secret")]
    [InlineData("CASEMAPPING=strict-rfc1459", "PRIVMSG BOB{x}~ :secret")]
    [InlineData("CASEMAPPING=precis", "PRIVMSG Bob[x]~ :secret")]
    [InlineData("CHANTYPES=b#", "PRIVMSG bob[x]~ :secret")]
    [InlineData("CHANTYPES=b# STATUSMSG=b", "PRIVMSG bob{x}^ :secret")]
    [InlineData("CHANTYPES=", "PRIVMSG +bob{x}^ :secret")]
    public async Task A_server_cannot_make_the_contact_somebody_else(string isupport, string line)
    {
        await using var stage = await IrcProxyStage.LogInAsync(isupport, "bob[x]~");
        await stage.SayAsync(line);
        await stage.ClientIsReadAsync();
        Assert.DoesNotContain(stage.Server.Lines, l => l.Contains("secret", StringComparison.Ordinal));
        await stage.IsToldAsync("waits for a private conversation");
    }

    [Theory]
    [InlineData("KICK #room bob :a reason for all")]
    [InlineData("INVITE bob #room")]
    [InlineData("WHOIS bob")]
    [InlineData("MODE #room +o bob")]
    [InlineData("PRIVMSG #bob :to the room that is called like the contact")]
    [InlineData("PRIVMSG #room :bob")]
    [InlineData("PRIVMSG bobby :hello")]
    [InlineData("QUIT :bye bob")]
    public async Task What_carries_no_text_to_the_contact_passes(string line)
    {
        await using var stage = await IrcProxyStage.LogInAsync("CHANTYPES=#", "bob");
        await stage.SayAsync(line);
        await stage.Server.HearsAsync(line);
    }

    [Fact]
    public async Task A_line_over_the_limit_is_not_passed_on_and_a_long_private_text_is_cut()
    {
        await using var stage = await IrcProxyStage.LogInAsync();
        await stage.SayAsync("PRIVMSG #room :" + new string('x', 600));
        await stage.Client.HearsAsync(":relay.invalid 417 alice :Input line was too long");
        await stage.SayAsync("PRIVMSG bob :" + new string('x', 10_000));
        await stage.ClientIsReadAsync();
        await stage.IsToldAsync("A line was NOT sent: it was too long");
        await stage.StartSessionAsync();
        var text = string.Concat(Enumerable.Repeat("é", 2_000)) + " the end";
        await stage.SayAsync("PRIVMSG bob :" + text);
        await stage.BobReadsAsync("E " + text);
        Assert.DoesNotContain(stage.Server.Lines, l => l.Length > 400);
        await stage.BobSaysAsync(text);
        await stage.Client.HearsAsync(" the end\r\n");
        var shown = stage.Client.Heard.Split("\r\n").Where(l => l.Contains('é')).ToList();
        Assert.All(shown, l => Assert.StartsWith($":{IrcProxyStage.Bob} PRIVMSG alice :🔓? ", l, StringComparison.Ordinal));
        Assert.All(shown, l => Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(l), 1, 510));
        Assert.Equal(2_000, shown.Sum(l => l.Count(c => c == 'é')));
    }

    [Fact]
    public async Task The_service_nick_answers_here_and_nothing_of_it_reaches_the_server()
    {
        await using var stage = await IrcProxyStage.LogInAsync();
        await stage.SayAsync("WHOIS *otr");
        await stage.Client.HearsAsync("311 alice *otr otr relay.invalid * :OTR proxy");
        await stage.SayAsync("USERHOST *otr bob");
        await stage.Client.HearsAsync("302 alice :*otr=+otr@relay.invalid");
        await stage.Server.HearsAsync("USERHOST bob");
        await stage.SayAsync("MONITOR + bob,*otr");
        await stage.Client.HearsAsync("730 alice :*otr!otr@relay.invalid");
        await stage.Server.HearsAsync("MONITOR + bob");
        await stage.SayAsync("ISON :bob *otr carol");
        await stage.Client.HearsAsync("303 alice :*otr");
        await stage.Server.HearsAsync("ISON bob carol");
        await stage.CommandAsync("hlep");
        await stage.IsToldAsync("Did you mean 'help'");
        await stage.CommandAsync("smp bob swordfish");
        await stage.IsToldAsync("There is no private conversation with that contact");
        await stage.SayAsync("PRIVMSG bob :/otr status");
        await stage.IsToldAsync("bob: in the clear");
        await stage.ClientIsReadAsync();
        Assert.DoesNotContain(stage.Server.Lines, l => l.Contains("*otr", StringComparison.Ordinal) || l.Contains("swordfish", StringComparison.Ordinal));
    }
}
