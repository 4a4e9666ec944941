using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Relay.Cli;
using Relay.Cli.Chat;
using Relay.Gateway.Tests.Harness;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>What is typed into <c>relay chat</c>, and how it looks while texts come in.</summary>
public sealed class ChatTests
{
    [Theory]
    [InlineData("/quit", "Quit")]
    [InlineData(" /start ", "Start")]
    [InlineData("/end", "End")]
    [InlineData("/help", "Help")]
    [InlineData("/fingerprint", "Fingerprint")]
    [InlineData("   ", "Nothing")]
    [InlineData("/edn", "Unknown /edn")]
    [InlineData(" /end now", "Unknown /end")]
    [InlineData("/END", "Unknown /END")]
    [InlineData("/", "Unknown /")]
    [InlineData("//me waves", "Say /me waves")]
    [InlineData(" //", "Say  /")]
    [InlineData("///", "Say //")]
    [InlineData("/verify", "Verify ")]
    [InlineData(" /verify  Where did we meet? ", "Verify Where did we meet?")]
    [InlineData("/verifying", "Unknown /verifying")]
    [InlineData("/cancel", "Cancel")]
    [InlineData(" and/or ", "Say  and/or ")]
    public void A_line_with_a_slash_is_a_command_or_nothing(string line, string meaning) => Assert.Equal(meaning, ChatLine.Parse(line) switch
    {
        ChatLine.Say say => "Say " + say.Text,
        ChatLine.Verify verify => "Verify " + verify.Question,
        ChatLine.Unknown unknown => "Unknown " + unknown.Word,
        var other => other.GetType().Name,
    });

    [Fact]
    public async Task A_misspelt_command_is_answered_and_only_what_is_meant_for_the_peer_is_sent()
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("chat");
        using var alice = new Contact("alice");
        await using var network = new Network(await server.ConnectAsync(Scope.Bridge), endpoint, alice);
        alice.Start();
        await alice.Changes.NextAsync();
        var info = RelayProgram.StartInfo("chat", "--endpoint", "chat", "--peer", "alice", "--json");
        (info.Environment["RELAY_SERVER"], info.Environment["RELAY_KEY"]) = (server.Address.ToString(), server.AdminToken);
        var chat = await Terminal.RunAsync(info, "/edn\n/help\n/fingerprint\n//shrug\n/quit\n");
        Assert.True(chat.Code == ExitCode.Ok, chat.Error);
        Assert.Equal(("/shrug", true), await alice.Texts.NextAsync());
        var lines = chat.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement).ToList();
        var refused = Assert.Single(lines, l => l.TryGetProperty("refused", out _)).GetProperty("refused");
        Assert.Equal("UNKNOWN_COMMAND", refused.GetProperty("reason").GetString());
        foreach (var text in new[] { refused.GetProperty("message").GetString(), Assert.Single(lines, l => l.TryGetProperty("help", out _)).GetProperty("help").GetString() })
        {
            foreach (var command in new[] { "/start", "/end", "/fingerprint", "/verify", "/cancel", "/quit", "/help", "//text" }) Assert.Contains(command, text, StringComparison.Ordinal);
        }
        var told = lines.Where(l => l.TryGetProperty("told", out _)).SelectMany(l => l.GetProperty("told").EnumerateObject()).ToDictionary(t => t.Name, t => t.Value.GetString()!);
        var own = (await server.Admin.Endpoints.GetEndpointAsync(new GetEndpointRequest { Name = "endpoints/chat" })).Fingerprint;
        Assert.Equal(EndpointNames.Fingerprint(own), told["our key"]);
        Assert.Equal("/shrug", Assert.Single(lines, l => l.TryGetProperty("sent", out _)).GetProperty("sent").GetProperty("text").GetString());
    }

    [Fact]
    public async Task A_program_verifies_with_the_line_after_the_command()
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("chat");
        using var alice = new Contact("alice");
        await using var network = new Network(await server.ConnectAsync(Scope.Bridge), endpoint, alice);
        alice.Start();
        await alice.Changes.NextAsync();
        var info = RelayProgram.StartInfo("chat", "chat/alice", "--json");
        (info.Environment["RELAY_SERVER"], info.Environment["RELAY_KEY"]) = (server.Address.ToString(), server.AdminToken);
        var chat = await Terminal.RunAsync(info, "/verify Which colour?\nblue\n/cancel\n/verify\n\n/quit\n");
        Assert.True(chat.Code == ExitCode.Ok, chat.Error);
        Assert.Equal("Which colour?", (await alice.Questions.NextAsync()).Question);
        var lines = chat.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.Equal(["secret", "secret"], lines.Where(l => l.TryGetProperty("asks", out _)).Select(l => l.GetProperty("asks").GetProperty("for").GetString()));
        Assert.DoesNotContain("blue", chat.Out, StringComparison.Ordinal);
        Assert.DoesNotContain(lines, l => l.TryGetProperty("sent", out _));
        Assert.DoesNotContain(lines, l => l.TryGetProperty("refused", out _));
        await using var trust = await server.ConnectAsync(Scope.Bot);
        var conversation = await trust.Bot(endpoint).FindConversationAsync(endpoint, "alice");
        var verification = Assert.Single((await trust.Verifications.ListVerificationsAsync(new ListVerificationsRequest { Parent = conversation!.Name })).Verifications);
        Assert.Equal((Verification.Types.State.Cancelled, "DECLINED_BY_US"), (verification.State, verification.Reason));
    }

    [Fact]
    public async Task Text_that_comes_in_does_not_break_the_line_being_typed()
    {
        var screen = new Screen(40);
        screen.Terminal.WriteLine("before");
        var line = screen.ReadAsync();
        screen.Type("hello wrld");
        screen.Press(ConsoleKey.LeftArrow, 3);
        screen.Terminal.WriteLine("🔒 a text of the peer");
        screen.Type("o");
        Assert.Equal(["before", "🔒 a text of the peer", "> hello world"], screen.Rows);
        Assert.Equal("> hello wo".Length, screen.Column);
        screen.Press(ConsoleKey.Enter);
        Assert.Equal("hello world", await line);
        screen.Terminal.WriteLine("after");
        Assert.Equal(["before", "🔒 a text of the peer", "> hello world", "after", ""], screen.Rows);
    }

    [Fact]
    public async Task A_line_longer_than_the_row_is_shown_around_the_cursor_and_stays_on_one_row()
    {
        var screen = new Screen(20);
        var line = screen.ReadAsync();
        var text = string.Concat(Enumerable.Range(0, 10).Select(i => $"{i}23456789"));
        screen.Type(text);
        screen.Terminal.WriteLine("in between");
        Assert.Equal(["in between", "> " + text[^17..]], screen.Rows);
        screen.Press(ConsoleKey.Home);
        Assert.Equal(["in between", "> " + text[..17]], screen.Rows);
        Assert.Equal(2, screen.Column);
        screen.Press(ConsoleKey.Enter);
        Assert.Equal(text, await line);
    }

    [Fact]
    public async Task Characters_of_several_units_are_edited_whole_and_control_characters_are_left_out()
    {
        var screen = new Screen(40);
        var line = screen.ReadAsync();
        screen.Type("a👍🏽\u001b\u0007漢字");
        screen.Press(ConsoleKey.Backspace);
        Assert.Equal(["> a👍🏽漢"], screen.Rows);
        screen.Press(ConsoleKey.LeftArrow);
        screen.Press(ConsoleKey.Backspace);
        screen.Press(ConsoleKey.Delete);
        screen.Press(ConsoleKey.Enter);
        Assert.Equal("a", await line);
    }

    [Fact]
    public async Task Former_lines_come_back_by_the_cursor_keys_and_the_one_half_typed_is_kept()
    {
        var screen = new Screen(40);
        foreach (var text in new[] { "first", "second", "second" })
        {
            var sent = screen.ReadAsync();
            screen.Type(text);
            screen.Press(ConsoleKey.Enter);
            Assert.Equal(text, await sent);
        }
        var line = screen.ReadAsync();
        screen.Type("half");
        screen.Press(ConsoleKey.UpArrow);
        Assert.Equal("> second", screen.Rows[^1]);
        screen.Press(ConsoleKey.UpArrow, 3);
        Assert.Equal("> first", screen.Rows[^1]);
        screen.Press(ConsoleKey.DownArrow, 2);
        Assert.Equal("> half", screen.Rows[^1]);
        screen.Press(ConsoleKey.UpArrow);
        screen.Type("!");
        screen.Press(ConsoleKey.Enter);
        Assert.Equal("second!", await line);
    }

    [Fact]
    public async Task At_the_end_of_the_input_and_of_the_chat_nothing_half_typed_stays()
    {
        var screen = new Screen(40);
        var ended = screen.ReadAsync();
        screen.Press(ConsoleKey.D, 1, control: true);
        Assert.Null(await ended);
        _ = screen.ReadAsync();
        screen.Type("half");
        screen.Terminal.Leave();
        Assert.Equal([""], screen.Rows);
    }

    /// <summary>A terminal of endless height: what the editor's control sequences make of its rows.</summary>
    private sealed class Screen
    {
        private readonly BlockingCollection<ConsoleKeyInfo> _keys = [];
        private readonly StringWriter _output = new();
        private readonly SemaphoreSlim _waits = new(0);

        public Screen(int width) => Terminal = new EditingTerminal(() =>
        {
            _waits.Release();
            return _keys.Take();
        }, () => false, _output, () => width);

        public EditingTerminal Terminal { get; }

        public int Column { get; private set; }

        public IReadOnlyList<string> Rows
        {
            get
            {
                var rows = new List<StringBuilder> { new() };
                Column = 0;
                var text = _output.ToString();
                for (int i = 0; i < text.Length; i++)
                {
                    var row = rows[^1];
                    if (text[i] == '\r') Column = 0;
                    else if (text[i] == '\n') rows.Add(new());
                    else if (text[i] == '\u001b')
                    {
                        int end = i + 2;
                        while (char.IsDigit(text[end])) end++;
                        if (text[end] == 'K') row.Length = Column;
                        else if (text[end] == 'D') Column -= int.Parse(text[(i + 2)..end], System.Globalization.CultureInfo.InvariantCulture);
                        else Assert.Fail($"The sequence {text[i..(end + 1)].Length} is not known.");
                        i = end;
                    }
                    else
                    {
                        if (Column < row.Length) row[Column] = text[i];
                        else row.Append(text[i]);
                        Column++;
                    }
                }
                return [.. rows.Select(r => r.ToString())];
            }
        }

        public Task<string?> ReadAsync()
        {
            var line = Task.Run(Terminal.ReadLine);
            _waits.Wait(Patience.Token);
            return line;
        }

        public void Type(string text)
        {
            foreach (var c in text) Press(new ConsoleKeyInfo(c, default, false, false, false));
        }

        public void Press(ConsoleKey key, int times = 1, bool control = false)
        {
            for (int i = 0; i < times; i++) Press(new ConsoleKeyInfo('\0', key, false, false, control));
        }

        private void Press(ConsoleKeyInfo key)
        {
            _keys.Add(key);
            bool ends = key.Key == ConsoleKey.Enter || key is { Key: ConsoleKey.D, Modifiers: ConsoleModifiers.Control };
            if (!ends) _waits.Wait(Patience.Token);
        }
    }
}
