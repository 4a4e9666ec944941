using System.Text;
using Relay.V1;

namespace Relay.Bridges.Tests.Irc;

/// <summary>A bot, Relay and the bridge on one side of a real server, and a person's client with libotr on the other.</summary>
public sealed class RealServerTests
{
    [Theory]
    [InlineData(RealIrcServer.Ngircd)]
    [InlineData(RealIrcServer.Inspircd)]
    public async Task AConversationPassesWithSmpAndLongTextsAndStartsAgain(string server)
    {
        await using var stage = await IrcStage.StartAsync(server: server);
        await stage.StartBridgeAsync();
        await using var user = await IrcUser.ConnectAsync("person", stage.Irc.Port);
        await using var person = await stage.GiveOtrAsync(user);

        await person.StartSessionAsync();
        await person.IsPrivateAsync();
        await person.SayAsync("hello");
        await person.HearsAsync("echo: hello");
        await person.StartSmpAsync("swordfish");
        await person.SmpAsync("success");
        // Ten lines and more each way; for 65 kB ngircd, which passes 1,000 bytes a second, needs more than a minute each way.
        var isLong = Environment.GetEnvironmentVariable("RELAY_LONG") is { Length: > 0 };
        var text = string.Concat(Enumerable.Repeat("0123456789abcdef", isLong ? 4_096 : 200));
        await person.SayAsync(text);
        await person.HearsAsync("echo: " + text, isLong ? 10 : 1);
        await person.EndAsync();
        await stage.UntilAsync(() => stage.Events.Any(e => e.SessionChanged?.Cause == SessionChanged.Types.Cause.EndedByPeer));

        await person.StartSessionAsync();
        await person.IsPrivateAsync(times: 2);
        await person.SayAsync("again");
        await person.HearsAsync("echo: again");
        Assert.Empty(person.Texts(encrypted: false));
        Assert.All(user.Lines, l => Assert.InRange(Encoding.UTF8.GetByteCount(l) + 2, 2, 512));
    }

    [Fact]
    public async Task ServerAndBridgeAreKilledInTheMiddle()
    {
        await using var stage = await IrcStage.StartAsync();
        var bridge = stage.StartBridgeProcess();
        var user = await IrcUser.ConnectAsync("person", stage.Irc.Port);
        LibotrContact? person = null;
        try
        {
            person = await LibotrContact.StartAsync("person", "bot", text => user.SayAsync("bot", text));
            user.Received = person.ReceiveAsync;
            await bridge.PrintsAsync("Connected");
            await person.StartSessionAsync();
            await person.IsPrivateAsync();
            await person.SayAsync("before");
            await person.HearsAsync("echo: before");

            await stage.Irc.KillAsync();
            await user.DisposeAsync();
            await stage.Irc.StartAsync();
            user = await IrcUser.ConnectAsync("person", stage.Irc.Port);
            user.Received = person.ReceiveAsync;
            await user.UntilThereIsAsync("bot");
            await person.SayAsync("after the server");
            await person.HearsAsync("echo: after the server");

            await bridge.KillAsync();
            await stage.Bot.SendToAsync(stage.Endpoint, "person", "while the bridge was away");
            await bridge.DisposeAsync();
            bridge = stage.StartBridgeProcess();
            await person.HearsAsync("while the bridge was away");
            await person.SayAsync("after the bridge");
            await person.HearsAsync("echo: after the bridge");
            Assert.Equal(0, await bridge.StopAsync());
        }
        finally
        {
            await bridge.DisposeAsync();
            await user.DisposeAsync();
            if (person is not null) await person.DisposeAsync();
        }
    }

    [Fact]
    public async Task AnImpostorGetsNothing()
    {
        await using var stage = await IrcStage.StartAsync(new Policy { RequireVerified = Policy.Types.RequireVerified.OnceVerified });
        await stage.StartBridgeAsync();
        var user = await IrcUser.ConnectAsync("person", stage.Irc.Port);
        await using (var person = await stage.GiveOtrAsync(user))
        {
            await person.StartSessionAsync();
            await person.IsPrivateAsync();
            await person.StartSmpAsync("swordfish");
            await person.SmpAsync("success");
            await person.SayAsync("hello");
            await person.HearsAsync("echo: hello");
        }
        var old = stage.Wire.Last(t => t.StartsWith("?OTR", StringComparison.Ordinal));
        await user.DisposeAsync();

        await using var impostor = await stage.ConnectWhenFreeAsync("person");
        await stage.Bot.SendToAsync(stage.Endpoint, "person", "for the person only");
        await impostor.SayAsync("bot", "it is me, in the clear");
        await stage.UntilAsync(() => stage.Events.Any(e => e.TextReceived is { UnexpectedlyClear: true, Text: "it is me, in the clear" }));
        await impostor.SayAsync("bot", old);
        await using var forger = await stage.GiveOtrAsync(impostor);
        await forger.StartSessionAsync();
        await stage.UntilAsync(() => stage.Events.Any(e => e.SessionChanged is { FingerprintChanged: true })
            || stage.Events.Any(e => e.Notice is { Code: "KEY_CHANGED" }));
        // To the session with the person, as before; the impostor has no key for it.
        await stage.Bot.SendToAsync(stage.Endpoint, "person", "for the person only");
        // Without that session there is only a key that nobody has verified.
        await stage.Bot.EndSessionAsync(stage.Events.First().Conversation);
        var sent = await stage.Bot.SendToAsync(stage.Endpoint, "person", "for the person only");
        if (sent.IsAccepted) await stage.UntilAsync(() => stage.Events.Any(e => e.MessageDropped is not null));
        else Assert.Equal("NOT_TRUSTED", sent.Refusal!.Reason);
        await Task.Delay(500);

        Assert.DoesNotContain(forger.Texts(encrypted: true).Concat(forger.Texts(encrypted: false)),
            t => t.Contains("for the person only", StringComparison.Ordinal));
        Assert.DoesNotContain(impostor.Texts, t => t.Contains("for the person only", StringComparison.Ordinal));
        // The old ciphertext was no text of the bot's peer.
        Assert.DoesNotContain(stage.Events, e => e.TextReceived is { Encrypted: true } t && t.Text != "hello");
    }

    [Fact]
    public async Task CommandsInABotsTextArriveAsTextInTheClearAndInPrivate()
    {
        await using var stage = await IrcStage.StartAsync(new Policy { RequireEncryption = false });
        await stage.StartBridgeAsync();
        await using var user = await IrcUser.ConnectAsync("person", stage.Irc.Port);
        string[] texts =
        [
            "\r\nQUIT :x", "\rJOIN #x", "a\0b", "\x01" + "DCC SEND x 1 2 3\x01", ":x", string.Concat(Enumerable.Repeat("é", 2_000)),
        ];

        foreach (var text in texts) await stage.Bot.SendToAsync(stage.Endpoint, "person", text);
        await stage.UntilAsync(() => string.Concat(user.Texts).Count(c => c == 'é') == 2_000);
        var clear = string.Concat(user.Texts);
        Assert.Contains("QUIT :x", clear, StringComparison.Ordinal);
        Assert.Contains("JOIN #x", clear, StringComparison.Ordinal);
        Assert.Contains(":x", clear, StringComparison.Ordinal);
        Assert.DoesNotContain(user.Texts, t => t.Contains('\x01', StringComparison.Ordinal));

        await using var person = await stage.GiveOtrAsync(user);
        await person.StartSessionAsync();
        await person.IsPrivateAsync();
        foreach (var text in texts.Where(t => !t.Contains('\0', StringComparison.Ordinal)))
        {
            await stage.UntilAsync(() => stage.Events.Count > 0);
            var conversation = stage.Events.Last().Conversation;
            Assert.True((await stage.Bot.SendAsync(conversation, text)).IsAccepted);
            await person.HearsAsync(text);
        }
        // Nobody executed a command: the bot is there, and in no channel.
        await user.SendAsync("WHOIS bot");
        await user.LineAsync(l => l.Contains(" 318 ", StringComparison.Ordinal));
        Assert.Contains(user.Lines, l => l.Contains(" 311 ", StringComparison.Ordinal));
        Assert.DoesNotContain(user.Lines, l => l.Contains(" 319 ", StringComparison.Ordinal));
    }
}
