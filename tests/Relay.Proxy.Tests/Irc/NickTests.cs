namespace Relay.Proxy.Tests.Irc;

/// <summary>Nicks come and go; what is private follows the key, and never the name alone.</summary>
public sealed class NickTests
{
    [Fact]
    public async Task A_conversation_goes_on_under_the_contacts_new_nick()
    {
        await using var stage = await IrcProxyStage.LogInAsync();
        await stage.StartSessionAsync();
        await stage.Server.SayAsync($":{IrcProxyStage.Bob} NICK :Bob_away");
        stage.BobsNick = "Bob_away";
        await stage.IsToldAsync("bob is called bob_away now");
        await stage.SayAsync("PRIVMSG bob_away :to the new name");
        await stage.BobReadsAsync("E to the new name");
        await stage.BobSaysAsync("from the new name");
        await stage.Client.HearsAsync(":Bob_away!b@bob.example PRIVMSG alice :🔓? from the new name");
        // And back, as often as it likes.
        await stage.Server.SayAsync(":Bob_away!b@bob.example NICK :bob");
        stage.BobsNick = "bob";
        await stage.IsToldAsync("bob_away is called bob now: the private conversation goes on");
        await stage.SayAsync("PRIVMSG bob :to the old name");
        await stage.BobReadsAsync("E to the old name");
        Assert.Empty(stage.InTheClear);
    }

    [Fact]
    public async Task Who_takes_the_old_nick_has_no_session_and_gets_no_text()
    {
        await using var stage = await IrcProxyStage.LogInAsync();
        await stage.StartSessionAsync();
        await stage.Server.SayAsync($":{IrcProxyStage.Bob} NICK :bob2");
        await stage.IsToldAsync("bob is called bob2 now");
        stage.Replace();
        int texts = stage.Server.Lines.Count;
        await stage.SayAsync("PRIVMSG bob :for bob only");
        // The other one answers, with another key.
        await stage.IsToldAsync("the key of bob has changed");
        await stage.IsToldAsync("Nothing is sent until you say 'trust bob'");
        await stage.ClientIsReadAsync();
        Assert.Empty(stage.Read);
        Assert.Empty(stage.InTheClear);
        Assert.NotEqual(texts, stage.Server.Lines.Count);
    }

    [Fact]
    public async Task A_nick_that_has_a_conversation_of_its_own_is_not_merged()
    {
        await using var stage = await IrcProxyStage.LogInAsync("CHANTYPES=#", "carol");
        await stage.StartSessionAsync();
        stage.BobsNick = null;
        await stage.SayAsync("PRIVMSG carol :for carol");
        await stage.Server.HearsAsync(l => l.StartsWith("PRIVMSG carol :?OTR", StringComparison.Ordinal), "a query for carol");
        await stage.Server.SayAsync($":{IrcProxyStage.Bob} NICK :carol");
        await stage.IsToldAsync("bob is called carol now, a name that has its own private state");
        await stage.SayAsync("PRIVMSG carol :for whom");
        await stage.SayAsync("PRIVMSG bob :for bob");
        await stage.ClientIsReadAsync();
        Assert.DoesNotContain(stage.Server.Lines, l => l.StartsWith("PRIVMSG carol :?OTR|", StringComparison.Ordinal) || l.StartsWith("PRIVMSG carol :?OTR:", StringComparison.Ordinal));
        Assert.Empty(stage.InTheClear);
    }

    [Theory]
    [InlineData(":bob!b@bob.example QUIT :a.example b.example")]
    [InlineData(":oper!o@h KILL bob :bye")]
    [InlineData(":s 401 alice bob :No such nick")]
    public async Task After_the_contact_has_gone_texts_wait_for_another_exchange(string line)
    {
        await using var stage = await IrcProxyStage.LogInAsync();
        await stage.StartSessionAsync();
        await stage.SayAsync("PRIVMSG bob :before");
        await stage.BobReadsAsync("E before");
        stage.BobsNick = null;
        await stage.Server.SayAsync(line);
        await stage.ServerIsReadAsync();
        int sent = stage.Server.Lines.Count;
        await stage.SayAsync("PRIVMSG bob :while away");
        await stage.IsToldAsync("waits for a private conversation");
        await stage.ClientIsReadAsync();
        // An offer to whoever is there, and no text.
        Assert.Single(stage.Server.Lines.Skip(sent), l => l.StartsWith("PRIVMSG bob :", StringComparison.Ordinal));
        Assert.StartsWith("PRIVMSG bob :?OTR", stage.Server.Lines.Skip(sent).First(l => l.StartsWith("PRIVMSG", StringComparison.Ordinal)), StringComparison.Ordinal);
        stage.BobsNick = "bob";
        await stage.BobStartsAsync();
        await stage.BobReadsAsync("E while away");
        Assert.Empty(stage.InTheClear);
    }

    [Fact]
    public async Task An_impostor_shows_as_not_encrypted_and_gets_nothing()
    {
        await using var stage = await IrcProxyStage.LogInAsync();
        await stage.StartSessionAsync();
        await stage.BobSaysAsync("the real one");
        await stage.Client.HearsAsync("🔓? the real one");
        await stage.Server.SayAsync($":{IrcProxyStage.Bob} QUIT :bye");
        stage.Replace();
        await stage.Server.SayAsync(":BOB!m@mallory.example PRIVMSG alice :it is me");
        await stage.Client.HearsAsync(":BOB!m@mallory.example PRIVMSG alice :[not encrypted] it is me");
        await stage.BobStartsAsync();
        await stage.IsToldAsync("the key of bob has changed");
        await stage.SayAsync("PRIVMSG bob :for the real one");
        await stage.IsToldAsync("was NOT sent: the key of bob has changed");
        Assert.Empty(stage.Read);
        Assert.Empty(stage.InTheClear);
    }

    [Fact]
    public async Task A_nick_that_is_taken_and_one_that_is_forced_are_followed()
    {
        await using var stage = IrcProxyStage.Start();
        await using var client = await RawClient.ConnectAsync(stage.Port);
        await client.SayAsync($"PASS {IrcProxyStage.Password}\r\nNICK alice\r\nUSER a 0 * :Alice\r\n");
        await stage.Server.HearsAsync("USER a 0 * :Alice");
        await stage.Server.SayAsync(":s 433 * alice :Nickname is already in use");
        await client.HearsAsync("433 * alice");
        await client.SayAsync("NICK alice_\r\n");
        await stage.Server.HearsAsync("NICK alice_");
        await stage.Server.SayAsync(":s 001 alice_ :Welcome");
        await client.HearsAsync("PRIVMSG alice_ :You are alice_ here, not alice");
        await stage.Server.SayAsync(":alice_!a@h NICK Guest7");
        await client.HearsAsync("NICK Guest7");
        await client.SayAsync("PRIVMSG *otr :keys\r\n");
        await client.HearsAsync("PRIVMSG Guest7 :Your key for alice@irc.example.net");
        await stage.Server.SayAsync(":Guest7!a@h NICK :no nick at all");
        await client.HearsAsync("no nick at all");
        await client.SayAsync("PRIVMSG *otr :hlep\r\n");
        await client.HearsAsync("PRIVMSG Guest7 :There is no such command");
    }
}
