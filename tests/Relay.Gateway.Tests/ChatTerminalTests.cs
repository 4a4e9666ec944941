using Otr.Core;
using Relay.Cli;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary><c>relay chat</c> and the prompt of <c>relay verify</c> in a real terminal.</summary>
public sealed class ChatTerminalTests
{
    /// <summary>A chat with a contact, who has a private session.</summary>
    private sealed class Chat : IAsyncDisposable
    {
        private Network _network = null!;

        public TestServer Server { get; private set; } = null!;
        public Contact Alice { get; } = new("alice");
        public TerminalWindow Window { get; private set; } = null!;

        public static async Task<Chat> StartAsync(int columns, params string[] command)
        {
            var chat = new Chat { Server = await TestServer.StartAsync() };
            var endpoint = await chat.Server.CreateEndpointAsync("desk");
            chat._network = new Network(await chat.Server.ConnectAsync(Scope.Bridge), endpoint, chat.Alice);
            chat.Alice.Start();
            await chat.Alice.Changes.NextAsync();
            chat.Window = await TerminalWindow.StartAsync((columns, 30), chat.Server, [.. command, "desk/alice"]);
            return chat;
        }

        public async ValueTask DisposeAsync()
        {
            await Window.DisposeAsync();
            await _network.DisposeAsync();
            await Server.DisposeAsync();
            Alice.Dispose();
        }
    }

    [Fact]
    public async Task A_peer_is_verified_with_a_question_and_without_and_no_secret_is_shown()
    {
        await using var chat = await Chat.StartAsync(100, "chat");
        await chat.Window.UntilAsync(rows => rows[^1] == ">", "the prompt");
        await chat.Window.EnterAsync("/verify Where did we meet?");
        await chat.Window.ShowsAsync("Secret:");
        await chat.Window.TypeAsync("in Lisbxn");
        await chat.Window.PressAsync("Left");
        await chat.Window.PressAsync("BSpace");
        await chat.Window.TypeAsync("o");
        // A text comes while the secret is typed.
        chat.Alice.Send("are you there?");
        await chat.Window.UntilAsync(rows => rows.Any(r => r.EndsWith("🔒 are you there?", StringComparison.Ordinal)) && rows[^1] == "Secret:", "the text above the prompt");
        await chat.Window.PressAsync("Enter");
        var (token, question) = await chat.Alice.Questions.NextAsync();
        Assert.Equal("Where did we meet?", question);
        chat.Alice.Answer(token, "in Lisbon");
        Assert.Equal(SmpOutcome.Success, await chat.Alice.Verifications.NextAsync());
        await chat.Window.ShowsAsync("Verified: the secrets are equal.");
        await chat.Window.ShowsAsync("The peer's key is verified.");

        await chat.Window.EnterAsync("/verify");
        await chat.Window.ShowsAsync("Secret:");
        await chat.Window.EnterAsync("hunter2");
        (token, question) = await chat.Alice.Questions.NextAsync();
        Assert.Null(question);
        chat.Alice.Answer(token, "hunter3");
        await chat.Window.ShowsAsync("Failed: the secrets differ.");
        foreach (var secret in new[] { "in Lisb", "hunter" }) Assert.DoesNotContain(secret, chat.Window.Output, StringComparison.Ordinal);
        // Neither went to the peer, and neither is in the history.
        await chat.Window.PressAsync("Up");
        await chat.Window.UntilAsync(rows => rows[^1] == "> /verify", "the command as the latest line");
        await chat.Window.PressAsync("C-u");
        await chat.Window.EnterAsync("/quit");
        await chat.Window.EndsAsync(ExitCode.Ok);
        Assert.False(chat.Alice.Texts.TryRead(out _));
    }

    [Fact]
    public async Task A_verification_of_the_peer_is_answered_or_declined()
    {
        await using var chat = await Chat.StartAsync(100, "chat");
        await chat.Window.UntilAsync(rows => rows[^1] == ">", "the prompt");
        chat.Alice.Verify("blue", "Which colour?\u001b[31m");
        await chat.Window.ShowsAsync("The peer verifies you and asks: Which colour?");
        await chat.Window.EnterAsync("/verify");
        await chat.Window.ShowsAsync("Answer:");
        // Nothing typed: the question still waits.
        await chat.Window.PressAsync("Enter");
        await chat.Window.ShowsAsync("It still waits");
        await chat.Window.EnterAsync("/verify");
        await chat.Window.UntilAsync(rows => rows[^1] == "Answer:", "the prompt");
        await chat.Window.EnterAsync("blue");
        Assert.Equal(SmpOutcome.Success, await chat.Alice.Verifications.NextAsync());
        await chat.Window.ShowsAsync("That does not verify the peer");

        chat.Alice.Verify("swordfish");
        await chat.Window.ShowsAsync("The peer verifies you by a shared secret.");
        await chat.Window.EnterAsync("/cancel");
        Assert.NotEqual(SmpOutcome.Success, await chat.Alice.Verifications.NextAsync());
        await chat.Window.ShowsAsync("The verification was cancelled.");
        await chat.Window.EnterAsync("/cancel");
        await chat.Window.ShowsAsync("No verification is open.");
        Assert.DoesNotContain("\u001b[31m", chat.Window.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_narrow_terminal_that_is_resized_keeps_the_line_on_one_row()
    {
        await using var chat = await Chat.StartAsync(40, "chat");
        await chat.Window.UntilAsync(rows => rows[^1] == ">", "the prompt");
        var text = string.Join(' ', Enumerable.Range(1, 12).Select(i => $"word{i}"));
        await chat.Window.TypeAsync(text);
        await chat.Window.UntilAsync(rows => rows[^1] == "> " + text[^37..], "the end of the line");
        await chat.Window.ResizeAsync(20, 30);
        await chat.Window.UntilAsync(rows => rows[^1] == "> " + text[^17..], "less of it in a narrower terminal");
        await chat.Window.ResizeAsync(120, 30);
        await chat.Window.UntilAsync(rows => rows[^1] == "> " + text, "all of it in a wide one");
        await chat.Window.PressAsync("Enter");
        Assert.Equal((text, true), await chat.Alice.Texts.NextAsync());
        await chat.Window.ShowsAsync("sent, encrypted");
    }

    [Fact]
    public async Task A_long_line_that_is_pasted_is_sent_whole()
    {
        await using var chat = await Chat.StartAsync(60, "chat");
        await chat.Window.UntilAsync(rows => rows[^1] == ">", "the prompt");
        var text = string.Concat(Enumerable.Range(0, 1200).Select(i => $"{i:0000}/")) + "ü€👍🏽.";
        await chat.Window.PasteAsync(text);
        await chat.Window.UntilAsync(rows => rows[^1].EndsWith('.'), "the end of the text");
        await chat.Window.PressAsync("Enter");
        Assert.Equal((text, true), await chat.Alice.Texts.NextAsync());
    }

    [Fact]
    public async Task What_the_peer_writes_cannot_drive_the_terminal()
    {
        await using var chat = await Chat.StartAsync(60, "chat");
        await chat.Window.UntilAsync(rows => rows[^1] == ">", "the prompt");
        chat.Alice.Send("a\u001b[2J\u001b]0;title\u0007b\rc\u009b31md\u202ee\n09:00 🔒 forged");
        var rows = await chat.Window.ShowsAsync("forged");
        Assert.Contains(rows, r => r.StartsWith("· Chatting as", StringComparison.Ordinal));
        Assert.DoesNotContain(rows, r => r.StartsWith("09:00", StringComparison.Ordinal));
        foreach (var sequence in new[] { "\u001b[2J", "\u001b]0;", "\u0007", "\u009b", "\u202e", "\rc" }) Assert.DoesNotContain(sequence, chat.Window.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("chat", ">")]
    [InlineData("verify", "Secret:")]
    public async Task Control_C_ends_it_and_leaves_the_terminal_as_it_was(string command, string prompt)
    {
        await using var chat = await Chat.StartAsync(60, command);
        await chat.Window.ShowsAsync(prompt);
        await chat.Window.TypeAsync("half");
        if (command == "chat") await chat.Window.ShowsAsync("> half");
        await chat.Window.PressAsync("C-c");
        var rows = await chat.Window.EndsAsync(ExitCode.Interrupted);
        Assert.DoesNotContain(rows, r => r.Contains("half", StringComparison.Ordinal));
        Assert.StartsWith("EXIT", rows[^1], StringComparison.Ordinal);
        // The key that was made for the chat is revoked.
        Assert.DoesNotContain((await chat.Server.Admin.Admin.ListApiKeysAsync(new ListApiKeysRequest())).ApiKeys, k => k.DisplayName == "relay chat" && k.RevokeTime is null);
    }
}
