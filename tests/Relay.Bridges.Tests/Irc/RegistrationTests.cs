using System.Text;
using Relay.Bridges.Irc;

namespace Relay.Bridges.Tests.Irc;

public sealed class RegistrationTests
{
    private readonly ServerFeatures _features = new();

    [Fact]
    public void CapabilitiesComeBeforeTheNick()
    {
        var registration = Create(o => o with { ServerPassword = "open sesame" });

        Assert.Equal(["CAP LS 302", "PASS :open sesame", "NICK :bot", "USER relay 0 * :Relay"], registration.Begin());
    }

    [Fact]
    public void CapabilitiesMayComeInSeveralLines()
    {
        var registration = Create();
        registration.Begin();

        Assert.Empty(Say(registration, ":s CAP * LS * :server-time multi-prefix"));
        Assert.Equal(["CAP REQ :server-time echo-message"], Say(registration, ":s CAP * LS :echo-message=x unknown/thing"));
        Assert.Equal(["CAP END"], Say(registration, ":s CAP * ACK :server-time echo-message"));
        Assert.True(_features.EchoesMessages);
        AssertRegisters(registration);
    }

    [Theory]
    [InlineData(":s CAP * LS :")]
    [InlineData(":s CAP * LS :multi-prefix")]
    public void NothingIsRequestedFromAServerThatHasNothing(string line) => Assert.Equal(["CAP END"], Say(Create(), line));

    [Fact]
    public void ARefusedRequestIsDoneWithout()
    {
        var registration = Create();
        Say(registration, ":s CAP * LS :server-time");

        Assert.Equal(["CAP END"], Say(registration, ":s CAP * NAK :server-time"));
        Assert.False(_features.IsEnabled("server-time"));
    }

    [Fact]
    public void AServerWithoutCapabilitiesWorks()
    {
        var registration = Create();
        Assert.Empty(Say(registration, ":s 421 * CAP :Unknown command"));
        AssertRegisters(registration);
    }

    [Fact]
    public void AServerThatIgnoresCapGetsTheNamesAgain()
    {
        var registration = Create();
        registration.Begin();

        Assert.Equal(["NICK :bot", "USER relay 0 * :Relay"], registration.Waited());
        Assert.Empty(registration.Waited());
        AssertRegisters(registration);
    }

    [Fact]
    public void SaslPlainIsDoneBeforeTheNegotiationEnds()
    {
        var registration = Create(o => o with { Sasl = new SaslAccount("bot", "secret") });
        Assert.Equal(["CAP REQ :batch", "CAP REQ :sasl"], Say(registration, ":s CAP * LS :sasl=PLAIN,EXTERNAL batch"));
        Assert.Empty(Say(registration, ":s CAP * ACK :batch"));
        Assert.Equal(["AUTHENTICATE PLAIN"], Say(registration, ":s CAP * ACK :sasl"));
        // printf '\0bot\0secret' | base64
        Assert.Equal(["AUTHENTICATE AGJvdABzZWNyZXQ="], Say(registration, "AUTHENTICATE +"));
        Assert.Empty(Say(registration, ":s 900 bot bot!b@h bot :You are now logged in"));
        Assert.Equal(["CAP END"], Say(registration, ":s 903 bot :SASL authentication successful"));
        AssertRegisters(registration);
    }

    [Fact]
    public void SaslExternalHasAnEmptyResponse()
    {
        var registration = Create(o => o with { UsesExternal = true });
        Say(registration, ":s CAP * LS :sasl");
        Assert.Equal(["AUTHENTICATE EXTERNAL"], Say(registration, ":s CAP * ACK :sasl"));
        Assert.Equal(["AUTHENTICATE +"], Say(registration, "AUTHENTICATE +"));
    }

    [Theory]
    [InlineData(293, 1, false)]
    [InlineData(294, 1, true)]
    [InlineData(296, 1, true)]
    [InlineData(297, 2, false)]
    [InlineData(596, 2, true)]
    public void AFullLastPieceIsFollowedByAnEmptyOne(int passwordBytes, int pieces, bool empty)
    {
        // NUL, "bo", NUL, password: 300 bytes are 400 characters of base64.
        var password = new string('p', passwordBytes);
        var lines = Sasl.Response(ScriptedServer.Options(1) with { Sasl = new SaslAccount("bo", password) });

        Assert.Equal(pieces + (empty ? 1 : 0), lines.Count);
        Assert.Equal(empty, lines[^1] == "AUTHENTICATE +");
        var encoded = string.Concat(lines.Select(l => l["AUTHENTICATE ".Length..]).Where(p => p != "+"));
        Assert.Equal($"\0bo\0{password}", Encoding.UTF8.GetString(Convert.FromBase64String(encoded)));
        Assert.All(lines, l => Assert.InRange(l.Length, 1, 13 + 400));
    }

    [Theory]
    [InlineData("904 bot :SASL authentication failed")]
    [InlineData("902 bot :You must use a nick assigned to you")]
    [InlineData("905 bot :SASL message too long")]
    [InlineData("906 bot :SASL authentication aborted")]
    public void ARefusedLoginLeaves(string line)
    {
        var registration = Create(o => o with { Sasl = new SaslAccount("bot", "secret") });
        Say(registration, ":s CAP * LS :sasl");
        Say(registration, ":s CAP * ACK :sasl");

        Assert.Equal(["QUIT"], Say(registration, ":s " + line));
        Assert.Equal(ConnectionEndKind.Misconfigured, registration.End!.Kind);
        Assert.DoesNotContain("secret", registration.End.Reason, StringComparison.Ordinal);
        Assert.Contains("--sasl-file", registration.End.Reason, StringComparison.Ordinal);
        // The server registers the connection all the same.
        Say(registration, ":s 001 bot :Welcome");
        Say(registration, ":s 376 bot :End of MOTD");
        Assert.False(registration.IsDone);
    }

    [Theory]
    [InlineData(":s CAP * LS :batch")]
    [InlineData(":s 421 * CAP :Unknown command")]
    public void WithoutItsLoginTheNickIsNotUsed(string answer)
    {
        var registration = Create(o => o with { Sasl = new SaslAccount("bot", "secret") });
        Say(registration, answer);

        Assert.Equal(["QUIT"], Say(registration, ":s 001 bot :Welcome"));
        Assert.Equal(ConnectionEndKind.Refused, registration.End!.Kind);
    }

    [Fact]
    public void AMechanismThatIsNotOfferedIsAMistakeOfTheConfiguration()
    {
        var registration = Create(o => o with { Sasl = new SaslAccount("bot", "secret") });

        Assert.Equal("QUIT", Say(registration, ":s CAP * LS :sasl=EXTERNAL")[^1]);
        Assert.Equal(ConnectionEndKind.Misconfigured, registration.End!.Kind);
        Assert.Contains("EXTERNAL", registration.End.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void ServicesMayBeLinkedLate()
    {
        var registration = Create(o => o with { Sasl = new SaslAccount("bot", "secret") });
        Assert.Empty(Say(registration, ":s CAP * LS :multi-prefix"));
        Assert.Equal(["CAP REQ :sasl"], Say(registration, ":s CAP * NEW :sasl=PLAIN"));
        Assert.Equal(["AUTHENTICATE PLAIN"], Say(registration, ":s CAP * ACK :sasl"));

        var never = Create(o => o with { Sasl = new SaslAccount("bot", "secret") });
        Say(never, ":s CAP * LS :multi-prefix");
        Assert.Equal(["QUIT"], never.Waited());
        Assert.Equal(ConnectionEndKind.Refused, never.End!.Kind);
    }

    [Theory]
    [InlineData("433 * bot :Nickname is already in use", "Refused", "--nick-taken")]
    [InlineData("432 * bot :Erroneous nickname", "Misconfigured", "--nick")]
    [InlineData("464 * :Bad password", "Misconfigured", "--server-password-file")]
    [InlineData("465 * :You are banned", "Refused", "banned")]
    public void ARefusalSaysWhatToChange(string line, string kind, string reason)
    {
        var registration = Create();

        Assert.Equal(["QUIT"], Say(registration, ":s " + line));
        Assert.Equal(kind, registration.End!.Kind.ToString());
        Assert.Contains(reason, registration.End.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void WhoWaitsForTheNickTakesAnother()
    {
        var registration = Create(o => o with { NickTaken = NickTaken.Wait });

        Assert.Equal(["NICK bot_0"], Say(registration, ":s 433 * bot :Nickname is already in use"));
        Assert.Equal(["NICK bot_1"], Say(registration, ":s 433 * bot_0 :Nickname is already in use"));
        Say(registration, ":s 001 bot_1 :Welcome");
        Assert.Equal("bot_1", registration.Nick);
        Assert.Null(registration.End);
    }

    [Fact]
    public void TlsIsUsedWhereTheServerWantsIt()
    {
        var registration = Create();
        Assert.Equal(["QUIT"], Say(registration, ":s CAP * LS :sts=duration=3600,port=6697"));
        Assert.Equal(6697, registration.SecurePort);

        var secure = Create(o => o with { Tls = true });
        Assert.Equal(["CAP END"], Say(secure, ":s CAP * LS :sts=duration=3600,port=6697"));
        Assert.Null(secure.SecurePort);
    }

    [Theory]
    [InlineData("010 bot other.example 6697 :Please use this server", "other.example", 6697)]
    [InlineData("010 bot other.example 0 :x", null, 0)]
    [InlineData("010 bot :x", null, 0)]
    public void ARedirectNamesAServer(string line, string? host, int port)
    {
        var registration = Create();
        Say(registration, ":s " + line);

        Assert.Equal(host is null ? null : new Redirect(host, port), registration.Redirect);
        Assert.NotNull(registration.End);
    }

    [Fact]
    public void WhatTheServerSaysCannotForgeALineOfTheLog()
    {
        var registration = Create();
        Say(registration, ":s 465 * :bad\x1b[31m\u0085" + new string('x', 400));

        Assert.All(registration.End!.Reason, c => Assert.False(char.IsControl(c)));
        Assert.InRange(registration.End.Reason.Length, 1, 300);
    }

    [Theory]
    [InlineData("311 bot NickServ NickServ services.example * :Nickname Services|318 bot NickServ :End", true)]
    [InlineData("311 bot nickserv x host * :x|313 bot NickServ :is a Network Service|318 bot NickServ :End", true)]
    [InlineData("311 bot NickServ x host * :x|318 bot NickServ :End", false)]
    [InlineData("311 bot Other x services.example * :x|313 bot Other :is a service|318 bot NickServ :End", false)]
    [InlineData("401 bot NickServ :No such nick|313 bot NickServ :x|318 bot NickServ :End", false)]
    public void ThePasswordGoesToAServiceOnly(string lines, bool isTold)
    {
        var login = new ServicesLogin(ScriptedServer.Options(1) with { NickServ = new SaslAccount("bot", "secret") }, CaseMapping.Rfc1459);
        Assert.Equal("WHOIS :NickServ", login.Begin());
        // Not before the question was answered, whoever says so.
        Assert.Null(login.Handle(IrcLine.Parse(":s 900 bot bot!b@h bot :You are now logged in")!, "bot"));

        var told = lines.Split('|').Select(l => login.Handle(IrcLine.Parse(":s " + l)!, "bot")).ToList()[^1];

        Assert.Equal(isTold ? "PRIVMSG NickServ :IDENTIFY bot secret" : null, told);
        Assert.Equal(isTold ? null : ConnectionEndKind.Refused, login.End?.Kind);
    }

    [Theory]
    [InlineData(":s 900 bot bot!b@h bot :You are now logged in", "bot", true, null)]
    [InlineData(":s MODE bot :+ir", "bot", true, null)]
    [InlineData(":s MODE bot -r", "bot", false, null)]
    [InlineData(":s MODE bot +i-r", "bot", false, null)]
    [InlineData(":NickServ!s@h NOTICE bot :Invalid password", "bot", false, null)]
    [InlineData(":bot!b@h MODE bot +r", "bot", false, null)]
    [InlineData(":s 900 bot_0 bot_0!b@h bot :You are now logged in", "bot_0", true, "PRIVMSG NickServ :REGAIN bot")]
    public void TheServerConfirmsTheLogin(string line, string ownNick, bool isDone, string? answer)
    {
        var login = new ServicesLogin(ScriptedServer.Options(1) with { NickServ = new SaslAccount("bot", "secret") }, CaseMapping.Rfc1459);
        login.Handle(IrcLine.Parse(":s 313 bot NickServ :is a Network Service")!, "bot");
        login.Handle(IrcLine.Parse(":s 318 bot NickServ :End")!, "bot");

        Assert.Equal(answer, login.Handle(IrcLine.Parse(line)!, ownNick));
        Assert.Equal(isDone, login.IsDone);
    }

    private static void AssertRegisters(Registration registration)
    {
        Assert.False(registration.IsDone);
        Say(registration, ":s 001 bot :Welcome");
        Say(registration, ":s 005 bot NICKLEN=9 :are supported by this server");
        Assert.False(registration.IsDone);
        Say(registration, ":s 422 bot :No MOTD");
        Assert.True(registration.IsDone);
        Assert.Null(registration.End);
    }

    private Registration Create(Func<IrcOptions, IrcOptions>? change = null)
    {
        var options = ScriptedServer.Options(1);
        return new Registration(change is null ? options : change(options), _features);
    }

    private static IReadOnlyList<string> Say(Registration registration, string line) => registration.Handle(IrcLine.Parse(line)!);
}
