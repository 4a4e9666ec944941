using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Relay.Bridges.Irc;

namespace Relay.Bridges.Tests.Irc;

/// <summary>How connections begin, end and keep their nick: the whole network against a server that plays a script.</summary>
public sealed class IrcConnectionTests
{
    private const string Bob = ":bob!~b@host.example ";

    [Fact]
    public async Task WhatAServerCannotMeanDoesNotEndTheBridge()
    {
        await using var server = new ScriptedServer();
        await using var bridge = new RunningNetwork(server.Options() with { Channels = ["#here"] });
        var connection = await server.GreetAsync();
        await connection.ExpectAsync("JOIN :#here");
        await bridge.Inbox.WaitForConnectionAsync();

        await connection.SayAsync("PING :" + new string('x', 600));
        await connection.SayAsync("PING :a\rQUIT");
        await connection.SayAsync(":bob\rQUIT!b@h PRIVMSG bot :hello");
        await connection.SayAsync(":bob!b@h NICK :rob\rQUIT");
        await connection.SayAsync(":s 005 bot LINELEN=1 NICKLEN=-5 CASEMAPPING= :are supported");
        await connection.SayAsync(":s PONG s :relay-99999999999999999999");
        await connection.SayAsync(":bot!b@h PRIVMSG");
        await connection.SayAsync(":s 401");
        await connection.SayAsync(":s 010");
        await connection.SayAsync("BATCH +");

        var end = await bridge.EndAsync();
        Assert.Equal(ConnectionEndKind.Lost, end.Kind);
        Assert.Contains("another server", end.Reason, StringComparison.Ordinal);
        Assert.True(bridge.Inbox.IsEmpty);
    }

    [Fact]
    public async Task ASilentServerIsAskedAndThenLeft()
    {
        await using var server = new ScriptedServer();
        var options = server.Options() with { PingAfter = TimeSpan.FromSeconds(0.3), LostAfter = TimeSpan.FromSeconds(1.2) };
        await using var bridge = new RunningNetwork(options);
        var connection = await server.GreetAsync();
        await bridge.Inbox.WaitForConnectionAsync();
        await Task.Delay(TimeSpan.FromSeconds(1.6));
        Assert.False(bridge.Ended.IsCompleted);

        connection.AnswersPings = false;

        var end = await bridge.EndAsync();
        Assert.Equal(ConnectionEndKind.Lost, end.Kind);
        Assert.Contains("silent", end.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ALineWithoutAnEndIsLeft()
    {
        await using var server = new ScriptedServer();
        await using var bridge = new RunningNetwork(server.Options());
        var connection = await server.GreetAsync();
        await bridge.Inbox.WaitForConnectionAsync();

        await connection.SayBytesAsync([.. Enumerable.Repeat((byte)'x', 66_000)]);

        Assert.Contains("65536 bytes", (await bridge.EndAsync()).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ERROR :Closing link: Trying to reconnect too fast.", "Refused")]
    [InlineData("ERROR :Closing Link: K-lined", "Refused")]
    [InlineData("ERROR :Server going down", "Lost")]
    public async Task TheServersErrorGoesToTheOperator(string error, string kind)
    {
        await using var server = new ScriptedServer();
        await using var bridge = new RunningNetwork(server.Options());
        var connection = await server.AcceptAsync();
        await connection.SayAsync(error);

        var end = await bridge.EndAsync();
        Assert.Equal(kind, end.Kind.ToString());
        Assert.Contains(error["ERROR :".Length..], end.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AfterAForcedNickChangeNothingIsCarriedUntilTheNickIsBack()
    {
        await using var server = new ScriptedServer();
        await using var bridge = new RunningNetwork(server.Options());
        var connection = await server.GreetAsync();
        await bridge.Inbox.WaitForConnectionAsync();

        await connection.SayAsync(":bot!~relay@127.0.0.1 NICK :Guest1");
        await connection.ExpectAsync("NICK :bot");
        await connection.SayAsync(Bob + "PRIVMSG Guest1 :who are you");
        var carried = bridge.CarryAsync("bob", "hello");
        await connection.ExpectSilenceAsync();
        Assert.True(bridge.Inbox.IsEmpty);

        await connection.SayAsync(":Guest1!~relay@127.0.0.1 NICK :bot");
        await connection.ExpectAsync("PRIVMSG bob :hello");
        Assert.Equal(Carried.Taken, await carried);
    }

    [Theory]
    [InlineData(NickTaken.Stop)]
    [InlineData(NickTaken.Wait)]
    public async Task ANickThatDoesNotComeBackIsReportedOrWaitedFor(NickTaken policy)
    {
        await using var server = new ScriptedServer();
        await using var bridge = new RunningNetwork(server.Options() with { NickTaken = policy, NickRetry = TimeSpan.FromSeconds(0.3) });
        var connection = await server.GreetAsync();
        await bridge.Inbox.WaitForConnectionAsync();

        await connection.SayAsync(":bot!~relay@127.0.0.1 NICK :Guest1");
        await connection.ExpectAsync("NICK :bot");
        if (policy == NickTaken.Stop) Assert.Equal(ConnectionEndKind.Refused, (await bridge.EndAsync()).Kind);
        else await connection.ExpectAsync("NICK :bot");
    }

    [Fact]
    public async Task WhoWaitsForItsNickConnectsWhenItHasIt()
    {
        await using var server = new ScriptedServer();
        var options = server.Options() with { NickTaken = NickTaken.Wait, NickRetry = TimeSpan.FromSeconds(0.3) };
        await using var bridge = new RunningNetwork(options);
        var connection = await server.AcceptAsync();
        for (var i = 0; i < 3; i++) await connection.TryReadAsync();
        await connection.SayAsync(":s 421 * CAP :Unknown command");
        await connection.SayAsync(":s 433 * bot :Nickname is already in use");
        await connection.ExpectAsync("NICK bot_0");
        await connection.WelcomeAsync("bot_0");
        await connection.ExpectAsync("NICK :bot");
        Assert.False(bridge.Inbox.IsConnected);

        await connection.SayAsync(":bot_0!~relay@127.0.0.1 NICK :bot");

        await bridge.Inbox.WaitForConnectionAsync();
    }

    [Fact]
    public async Task ARedirectIsFollowedAFewTimesAndNotToAnotherHostWithoutTls()
    {
        await using var server = new ScriptedServer();
        await using (var bridge = new RunningNetwork(server.Options()))
        {
            for (var i = 0; i <= IrcLimits.Redirects; i++)
            {
                var connection = await server.AcceptAsync();
                await connection.SayAsync($":s 010 bot 127.0.0.1 {server.Port} :Please use this server");
            }
            Assert.Equal(ConnectionEndKind.Refused, (await bridge.EndAsync()).Kind);
        }
        await using (var bridge = new RunningNetwork(server.Options()))
        {
            var connection = await server.AcceptAsync();
            await connection.SayAsync($":s 010 bot localhost {server.Port} :Please use this server");
            Assert.Equal(ConnectionEndKind.Refused, (await bridge.EndAsync()).Kind);
        }
    }

    [Fact]
    public async Task CertificatesAreVerifiedOrPinned()
    {
        using var certificate = Certificate("irc.example", "localhost");
        var pin = certificate.GetCertHashString(HashAlgorithmName.SHA256);
        await using var server = new ScriptedServer(certificate);
        var options = server.Options() with { Host = "localhost", Tls = true };

        Assert.Equal(ConnectionEndKind.Misconfigured, (await TryAsync(options)).Kind);
        Assert.Equal(ConnectionEndKind.Misconfigured, (await TryAsync(options with { CertificatePin = new string('0', 64) })).Kind);
        var otherName = options with { Host = "127.0.0.1", TrustedAuthorities = [certificate] };
        Assert.Equal(ConnectionEndKind.Misconfigured, (await TryAsync(otherName)).Kind);
        IrcOptions[] trusted =
        [
            options with { TrustedAuthorities = [certificate] }, options with { Host = "127.0.0.1", CertificatePin = pin },
        ];
        foreach (var trusting in trusted)
        {
            await using var bridge = new RunningNetwork(trusting);
            await server.GreetAsync();
            await bridge.Inbox.WaitForConnectionAsync();
        }

        async Task<ConnectionEnd> TryAsync(IrcOptions refused)
        {
            await using var bridge = new RunningNetwork(refused);
            await Assert.ThrowsAnyAsync<Exception>(async () =>
            {
                var connection = await server.AcceptAsync();
                if (await connection.TryReadAsync() is null) throw new IOException("The bridge has gone.");
            });
            return await bridge.EndAsync();
        }
    }

    [Fact]
    public async Task WithoutTlsOnlyThisMachineIsSpokenTo()
    {
        var options = ScriptedServer.Options(1) with { Host = "192.0.2.1" };
        await using var bridge = new RunningNetwork(options);

        var end = await bridge.EndAsync();

        Assert.Equal(ConnectionEndKind.Misconfigured, end.Kind);
        Assert.Contains("--allow-cleartext", end.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ASecondBridgeWithTheNickStops()
    {
        await using var server = new ScriptedServer();
        await using var bridge = new RunningNetwork(server.Options());
        var connection = await server.AcceptAsync();
        await connection.SayAsync(":s 433 * bot :Nickname is already in use");

        var end = await bridge.EndAsync();

        Assert.Equal(ConnectionEndKind.Refused, end.Kind);
        Assert.False(bridge.Inbox.IsConnected);
    }

    [Fact]
    public async Task NothingIsCarriedBeforeTheServicesHaveConfirmedTheLogin()
    {
        await using var server = new ScriptedServer();
        await using var bridge = new RunningNetwork(server.Options() with { NickServ = new SaslAccount("bot", "secret") });
        var connection = await server.AcceptAsync();
        for (var i = 0; i < 3; i++) await connection.TryReadAsync();
        await connection.SayAsync(":s 001 bot :Welcome");
        await connection.SayAsync(":s 422 bot :No MOTD");
        await connection.ExpectAsync("WHOIS :NickServ");
        await connection.SayAsync(":s 313 bot NickServ :is a Network Service");
        await connection.SayAsync(":s 318 bot NickServ :End of WHOIS");
        await connection.ExpectAsync("PRIVMSG NickServ :IDENTIFY bot secret");
        await connection.ExpectSilenceAsync();
        Assert.False(bridge.Inbox.IsConnected);

        await connection.SayAsync(":s 900 bot bot!b@h bot :You are now logged in as bot");

        await connection.ExpectAsync("USERHOST bot");
        await connection.SayAsync(":s PONG s :relay-start");
        await bridge.Inbox.WaitForConnectionAsync();
    }

    private static X509Certificate2 Certificate(params string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + names[0], key, HashAlgorithmName.SHA256);
        var alternative = new SubjectAlternativeNameBuilder();
        foreach (var name in names) alternative.AddDnsName(name);
        request.CertificateExtensions.Add(alternative.Build());
        using var own = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(own.Export(X509ContentType.Pkcs12), null);
    }
}
