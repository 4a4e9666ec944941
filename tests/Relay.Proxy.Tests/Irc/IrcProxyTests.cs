namespace Relay.Proxy.Tests.Irc;

/// <summary>The proxy between a client without OTR and a scripted server.</summary>
public sealed class IrcProxyTests
{
    [Fact]
    public async Task Lines_pass_both_ways_as_they_are()
    {
        await using var stage = await IrcProxyStage.LogInAsync();
        string[] said =
        [
            "JOIN #room", "PRIVMSG #room :hello  all ", "PRIVMSG @#room :to the operators", "NOTICE bob :a notice", "PRIVMSG bob :plain text", "MODE alice +i",
            "PRIVMSG bob :\u0001DCC SEND file 2130706433 9999 5\u0001", "privmsg bob :\u0001VERSION\u0001", "TOPIC #room :[V] a topic", "WHATEVER it is :and more",
            "@+typing=active TAGMSG bob",
        ];
        foreach (var line in said) await stage.SayAsync(line);
        await stage.ClientIsReadAsync();
        Assert.Equal(said, stage.Server.Lines.Where(l => !l.StartsWith("PING", StringComparison.Ordinal)).Skip(2));
        string[] told =
        [
            ":bob!b@h PRIVMSG #room :[V] to a room", ":bob!b@h PRIVMSG @#room :?OTR:AAM= in a room", ":s 353 alice = #room :@bob alice",
            "@time=2026-01-01T00:00:00Z;msgid=x :bob!b@h NOTICE alice :a notice", ":bob!b@h PRIVMSG alice :\u0001VERSION\u0001",
            ":bob!b@h PRIVMSG alice :\u0001DCC CHAT chat 1 2\u0001", ":carol!c@h QUIT :[V] bye", "PING :are you there",
        ];
        foreach (var line in told) await stage.Server.SayAsync(line);
        // Bytes that are no UTF-8 pass, too.
        await stage.Server.SayBytesAsync([.. ":bob!b@h PRIVMSG alice :caf"u8, 0xe9, .. "\r\n"u8]);
        await stage.ServerIsReadAsync();
        Assert.Contains(string.Join("\r\n", told) + "\r\n:bob!b@h PRIVMSG alice :caf\ufffd\r\n", stage.Client.Heard, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_without_OTR_has_a_private_conversation()
    {
        await using var stage = await IrcProxyStage.LogInAsync();
        await stage.StartSessionAsync();
        await stage.IsToldAsync("The key is NOT verified");
        await stage.SayAsync("PRIVMSG BOB :first secret \t  \t\t\t\t \t \t \t    \t\t  \t ");
        await stage.BobReadsAsync("E first secret");
        await stage.SayAsync("PRIVMSG bob ://otr is a command");
        await stage.BobReadsAsync("E /otr is a command");
        await stage.SayAsync("PRIVMSG bob :\u0001ACTION waves\u0001");
        await stage.BobReadsAsync("E /me waves");
        await stage.BobSaysAsync("secret answer");
        await stage.Client.HearsAsync($":{IrcProxyStage.Bob} PRIVMSG alice :🔓? secret answer\r\n");
        await stage.BobEndsAsync();
        await stage.IsToldAsync("bob has ended the private conversation");
        await stage.SayAsync("PRIVMSG bob :not in the clear");
        await stage.IsToldAsync("was NOT sent");
        await stage.Client.HearsAsync(" 531 alice bob :");
        await stage.CommandAsync("plain bob yes");
        await stage.SayAsync("PRIVMSG bob :in the clear again");
        await stage.Server.HearsAsync("PRIVMSG bob :in the clear again");
        Assert.Equal(["PRIVMSG bob :in the clear again"], stage.InTheClear);
    }

    [Fact]
    public async Task Log_off_ends_the_sessions_and_the_connection()
    {
        // Paced, so that the connection could end before what ends the session.
        await using var stage = IrcProxyStage.Start(o => o with { LineInterval = TimeSpan.FromMilliseconds(50) });
        await stage.RegisterAsync();
        await stage.StartSessionAsync();
        for (var i = 0; i < 2 * ProxyLimits.IrcBurst; i++) await stage.SayAsync($"PRIVMSG bob :text {i}");
        await stage.CommandAsync("log off");
        await stage.Client.HearsAsync("ERROR :OTR proxy: logged off.");
        await Wait.UntilAsync(() => stage.Client.HasEnded);
        await stage.Server.HearsAsync("QUIT");
        Assert.StartsWith("PRIVMSG bob :?OTR", stage.Server.Lines[^2], StringComparison.Ordinal);
        await stage.BobReadsAsync($"E text {2 * ProxyLimits.IrcBurst - 1}");
    }
}
