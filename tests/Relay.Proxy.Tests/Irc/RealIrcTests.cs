using System.Text;
using Relay.Bridges.Tests.Irc;

namespace Relay.Proxy.Tests.Irc;

/// <summary>The proxy as a process, real servers and libotr behind it, and the settings of docs/proxy.md in front.</summary>
public sealed class RealIrcTests
{
    [Theory]
    [InlineData(RealIrcServer.Ngircd)]
    [InlineData(RealIrcServer.Inspircd)]
    public async Task A_client_without_OTR_has_a_private_conversation_with_libotr(string server)
    {
        await using var stage = await IrcProcessStage.StartAsync(server, "--no-client-password");
        var alice = stage.Add(await IrcUser.ConnectAsync("alice", stage.Port));
        var (user, bob) = await stage.StartBobAsync();
        // In the clear, as ever: no tag, no change.
        await alice.SayAsync("bob", "hello in the clear");
        await UntilAsync(() => user.Texts.Contains("hello in the clear"));
        await alice.SayAsync("*otr", "start bob");
        await alice.LineAsync(l => l.Contains("The conversation with bob is private. The key is NOT verified", StringComparison.Ordinal));
        var text = string.Concat(Enumerable.Repeat("0123456789abcdef", 25));
        await alice.SayAsync("bob", text);
        await bob.HearsAsync(text);
        var answer = string.Concat(Enumerable.Repeat("answer ", 200)) + "end";
        await bob.SayAsync(answer);
        await alice.LineAsync(l => l.EndsWith(" end", StringComparison.Ordinal));
        Assert.All(alice.Texts.Where(t => t.Contains("answer", StringComparison.Ordinal)), t => Assert.StartsWith("🔓? ", t, StringComparison.Ordinal));
        await bob.StartSmpAsync("swordfish");
        await alice.LineAsync(l => l.Contains("bob wants to verify you by a secret", StringComparison.Ordinal));
        await alice.SayAsync("*otr", "answer swordfish");
        await alice.LineAsync(l => l.Contains("the secrets are equal", StringComparison.Ordinal));
        await bob.SayAsync("verified answer");
        await alice.LineAsync(l => l.EndsWith(":🔒 verified answer", StringComparison.Ordinal));
        // The contact ends: nothing leaves until the person acts.
        await bob.EndAsync();
        await alice.LineAsync(l => l.Contains("bob has ended the private conversation", StringComparison.Ordinal));
        await alice.SayAsync("bob", "not in the clear");
        await alice.LineAsync(l => l.Contains("was NOT sent", StringComparison.Ordinal));
        await alice.SayAsync("*otr", "start bob");
        await bob.IsPrivateAsync(times: 2);
        await alice.SayAsync("bob", "second session");
        await bob.HearsAsync("second session");
        Assert.Equal(["hello in the clear"], bob.Texts(encrypted: false));
        Assert.All(user.Lines.Concat(alice.Lines), l => Assert.InRange(Encoding.UTF8.GetByteCount(l) + 2, 2, 512));
    }

    [Fact]
    public async Task Killed_in_the_middle_the_proxy_has_sent_nothing_in_the_clear()
    {
        await using var stage = await IrcProcessStage.StartAsync(RealIrcServer.Ngircd, "--no-client-password", "--private", "BOB");
        var (user, bob) = await stage.StartBobAsync();
        for (var run = 0; run < 3; run++)
        {
            await using (var alice = await IrcUser.ConnectAsync("alice", stage.Port))
            {
                for (var i = 0; i < 3; i++) await alice.SayAsync("bob", $"run {run} text {i}");
                if (run > 0) await Task.Delay(100 * run);
                await stage.Proxy.KillAsync();
            }
            // The server frees the nick once it has seen that the connection is over.
            await UntilGoneAsync(user);
            await stage.StartProxyAsync();
            await using var again = await IrcUser.ConnectAsync("alice", stage.Port);
            await again.LineAsync(l => l.Contains("bob: private", StringComparison.Ordinal));
            await again.SayAsync("bob", $"after run {run}");
            await bob.HearsAsync($"after run {run}");
            await again.SendAsync("QUIT");
            await UntilGoneAsync(user);
        }
        Assert.Empty(bob.Texts(encrypted: false));
    }

    /// <summary>Without SMP, which is tested with libotr above.</summary>
    [Fact]
    public async Task Irssi_without_OTR_talks_to_irssi_with_it()
    {
        await using var stage = await IrcProcessStage.StartAsync(RealIrcServer.Inspircd, "--marks", "ascii");
        await using var bob = await Irssi.StartAsync(stage.PathOf("bob"), "bob", stage.Irc.Port);
        await bob.ShowsAsync("supported by this server");
        await bob.TypeAsync("/otr genkey 127");
        await bob.ShowsAsync("completed");
        await bob.TypeAsync("/query alice");
        var home = Directory.CreateDirectory(stage.PathOf("alice")).FullName;
        await File.WriteAllTextAsync(Path.Combine(home, "config"), """
            settings = { core = { autoload_modules = "perl"; }; "irc/core" = { cmds_max_at_once = "50"; cmd_queue_speed = "100msec"; }; };

            """);
        await using var alice = await Terminal.StartAsync(home, "/usr/bin/irssi", $"--home={home} -c 127.0.0.1 -p {stage.Port} -w {stage.Password} -n alice", "/quit");
        await alice.ShowsAsync("supported by this server");
        await alice.TypeAsync("/query *otr");
        await alice.TypeAsync("start bob");
        await alice.ShowsAsync("The conversation with bob is private");
        await alice.TypeAsync("/query bob");
        await alice.TypeAsync("from irssi");
        await bob.ShowsAsync("from irssi");
        await bob.TypeAsync("to irssi");
        await alice.ShowsAsync("[U] to irssi");
    }

    private static Task UntilAsync(Func<bool> isSo) => Wait.UntilAsync(isSo);

    private static async Task UntilGoneAsync(IrcUser user)
    {
        var isGone = false;
        for (var i = 0; i < 600 && !isGone; i++)
        {
            var asked = user.Lines.Count(l => l.Contains(" 303 ", StringComparison.Ordinal));
            await user.SendAsync("ISON alice");
            await UntilAsync(() => user.Lines.Count(l => l.Contains(" 303 ", StringComparison.Ordinal)) > asked);
            isGone = !user.Lines.Last(l => l.Contains(" 303 ", StringComparison.Ordinal)).Contains("alice", StringComparison.Ordinal);
            if (!isGone) await Task.Delay(100);
        }
        Assert.True(isGone);
    }
}
