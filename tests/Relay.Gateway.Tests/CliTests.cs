using System.Text.Json;
using Relay.Cli;
using Relay.Gateway.Tests.Harness;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>The command line as scripts see it: output, exit codes, JSON, secrets.</summary>
public sealed class CliTests(CliTests.Server fixture) : IClassFixture<CliTests.Server>
{
    public sealed class Server : IAsyncLifetime
    {
        public TestServer Running { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Running = await TestServer.StartAsync();
            await Running.CreateEndpointAsync("shown");
        }

        public ValueTask DisposeAsync() => Running.DisposeAsync();
    }

    private Dictionary<string, string> Environment => new()
    {
        ["RELAY_SERVER"] = fixture.Running.Address.ToString(),
        ["RELAY_KEY_FILE"] = Path.Combine(fixture.Running.DataDirectory, "admin.key"),
        ["RELAY_DATA"] = fixture.Running.DataDirectory,
    };

    private Task<TerminalResult> RelayAsync(params string[] arguments) => Terminal.RunAsync(Environment, null, arguments);

    [Fact]
    public async Task Help_teaches_by_example_and_tells_the_exit_codes()
    {
        var root = await Terminal.RunAsync("--help");
        Assert.Equal(ExitCode.Ok, root.Code);
        string[] product = ["serve", "chat", "endpoints", "conversations", "keys", "nodes", "doctor", "health", "Examples:", "Exit codes:"];
        foreach (var word in product) Assert.Contains(word, root.Out, StringComparison.Ordinal);
        Assert.Contains("relay serve --listen 0.0.0.0:7420 --certificate", (await Terminal.RunAsync("serve", "--help")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_checkout_has_all_commands_and_their_examples()
    {
        var root = await Terminal.RunLabAsync("--help");
        Assert.Equal(ExitCode.Ok, root.Code);
        string[] lab = ["demo", "cluster-demo", "load", "bench", "otr-peer"];
        foreach (var word in lab.Concat(["serve", "doctor"])) Assert.Matches($@"\n  {word}\b", root.Out);
        Assert.Matches(@"Examples:\n  relay demo\b", root.Out);
        Assert.Contains("Usage:\n  relay [command]", root.Out, StringComparison.Ordinal);
        // The product's own program has none of them, not even by name.
        var product = await Terminal.RunAsync("--help");
        foreach (var word in lab) Assert.DoesNotMatch($@"\n  (relay )?{word}\b", product.Out);
    }

    [Theory]
    [InlineData("demo", "--contact", "nobody")]
    [InlineData("bench", "server", "--seconds", "0")]
    public async Task Wrong_usage_is_2_in_a_checkout_too(params string[] arguments) => Assert.Equal(ExitCode.Usage, (await Terminal.RunLabAsync(arguments)).Code);

    [Theory]
    [InlineData("nonsense")]
    [InlineData("serve", "--no-such-option")]
    [InlineData("serve", "--listen", "somewhere")]
    [InlineData("keys", "create", "--scope", "root")]
    [InlineData("endpoints", "create")]
    public async Task Wrong_usage_is_2(params string[] arguments) => Assert.Equal(ExitCode.Usage, (await RelayAsync(arguments)).Code);

    [Fact]
    public async Task Endpoints_are_made_shown_and_listed()
    {
        var made = await RelayAsync("endpoints", "create", "--network", "cli", "--account", "made@cli", "--id", "made", "--max-wire-bytes", "400", "--json");
        Assert.Equal(ExitCode.Ok, made.Code);
        Assert.Equal("endpoints/made", made.Json.GetProperty("name").GetString());
        Assert.Equal(40, made.Json.GetProperty("fingerprint").GetString()!.Length);
        Assert.Equal(400, made.Json.GetProperty("maxWireBytes").GetInt32());
        Assert.Equal(made.Out, (await RelayAsync("endpoints", "show", "made", "--json")).Out);
        var listed = await RelayAsync("endpoints", "list", "--json");
        Assert.Contains("endpoints/shown", listed.Json.EnumerateArray().Select(e => e.GetProperty("name").GetString()));
        var table = await RelayAsync("endpoints", "list");
        Assert.Contains("shown@test.example", table.Out, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', table.Out);
        Assert.Equal(ExitCode.AlreadyExists, (await RelayAsync("endpoints", "create", "--network", "cli", "--account", "other", "--id", "made")).Code);
    }

    [Fact]
    public async Task Failures_have_their_codes_and_say_in_JSON_what_they_are()
    {
        var missing = await RelayAsync("endpoints", "show", "none", "--json");
        Assert.Equal((ExitCode.NotFound, ""), (missing.Code, missing.Out));
        Assert.Equal(("ENDPOINT_NOT_FOUND", ExitCode.NotFound), (missing.JsonError.GetProperty("reason").GetString(), missing.JsonError.GetProperty("exitCode").GetInt32()));

        Assert.Equal(ExitCode.Usage, (await RelayAsync("endpoints", "show", "Not A Name")).Code);
        Assert.Equal(ExitCode.NotFound, (await RelayAsync("conversations", "show", "endpoints/shown/conversations/aaaaaaaaaaaaaaaaaaaaaaaaaa")).Code);
        Assert.Equal(ExitCode.NotFound, (await RelayAsync("keys", "revoke", "none")).Code);

        var nobody = await Terminal.RunAsync("endpoints", "list", "--server", "http://127.0.0.1:1", "--key-file", Environment["RELAY_KEY_FILE"], "--json");
        Assert.Equal(ExitCode.Unreachable, nobody.Code);
        Assert.Contains("relay serve", nobody.JsonError.GetProperty("hint").GetString(), StringComparison.Ordinal);

        using var directory = new TempDirectory();
        Assert.Equal(ExitCode.Denied, (await Terminal.RunAsync("endpoints", "list", "--server", Environment["RELAY_SERVER"], "--data", directory.Path)).Code);
        await File.WriteAllTextAsync(directory.File("wrong.key"), "relay_aaaaaaaaaaaaaaaa_" + new string('0', 64));
        var wrong = await Terminal.RunAsync("endpoints", "list", "--server", Environment["RELAY_SERVER"], "--key-file", directory.File("wrong.key"), "--json");
        Assert.Equal((ExitCode.Denied, "KEY_INVALID"), (wrong.Code, wrong.JsonError.GetProperty("reason").GetString()));
        await File.WriteAllTextAsync(directory.File("no.key"), "my dog's name");
        var none = await Terminal.RunAsync("endpoints", "list", "--server", Environment["RELAY_SERVER"], "--key-file", directory.File("no.key"));
        Assert.Equal(ExitCode.Denied, none.Code);
        Assert.DoesNotContain("dog", none.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_is_made_listed_and_revoked_and_its_secret_shown_once()
    {
        using var directory = new TempDirectory();
        var file = directory.File("bot.key");
        var made = await RelayAsync("keys", "create", "--scope", "bot", "--endpoint", "shown", "--expires", "90d", "--name", "for the test", "--out", file, "--json");
        Assert.Equal(ExitCode.Ok, made.Code);
        var secret = (await File.ReadAllTextAsync(file)).Trim().Split('_')[2];
        Assert.DoesNotContain(secret, made.Out + made.Error, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal(ExitCode.AlreadyExists, (await RelayAsync("keys", "create", "--scope", "bot", "--out", file)).Code);

        var asBot = new Dictionary<string, string>(Environment) { ["RELAY_KEY_FILE"] = file };
        Assert.Equal(ExitCode.Ok, (await Terminal.RunAsync(asBot, null, "endpoints", "show", "shown")).Code);
        Assert.Equal(ExitCode.Denied, (await Terminal.RunAsync(asBot, null, "keys", "list")).Code);
        Assert.Equal(ExitCode.Denied, (await Terminal.RunAsync(asBot, null, "endpoints", "create", "--network", "n", "--account", "a")).Code);

        var name = made.Json.GetProperty("name").GetString()!;
        var listed = (await RelayAsync("keys", "list", "--json")).Json.EnumerateArray().Single(k => k.GetProperty("name").GetString() == name);
        Assert.Equal(("BOT", "for the test", "endpoints/shown"), (listed.GetProperty("scopes")[0].GetString(), listed.GetProperty("displayName").GetString(), listed.GetProperty("endpoints")[0].GetString()));
        Assert.InRange(listed.GetProperty("expireTime").GetDateTimeOffset(), DateTimeOffset.UtcNow.AddDays(89), DateTimeOffset.UtcNow.AddDays(91));
        Assert.Equal(ExitCode.Ok, (await RelayAsync("keys", "revoke", name)).Code);
        Assert.Equal(ExitCode.Denied, (await Terminal.RunAsync(asBot, null, "endpoints", "show", "shown")).Code);

        var printed = await RelayAsync("keys", "create", "--scope", "bridge");
        Assert.Matches("^relay_[a-z2-7]{16}_[0-9a-f]{64}\n$", printed.Out);
    }

    private async Task<List<V1.ApiKey>> KeysNamedAsync(string name) =>
        [.. (await fixture.Running.Admin.Admin.ListApiKeysAsync(new ListApiKeysRequest { PageSize = 1000 })).ApiKeys.Where(k => k.DisplayName == name)];

    [Fact]
    public async Task No_key_is_made_for_a_file_that_cannot_be_created_and_no_file_stays_without_a_key()
    {
        using var directory = new TempDirectory();
        foreach (var file in new[] { directory.File("not/there/x.key"), directory.Path })
        {
            var refused = await RelayAsync("keys", "create", "--scope", "bot", "--name", "nowhere", "--out", file, "--json");
            Assert.NotEqual(ExitCode.Ok, refused.Code);
            Assert.Contains(file, refused.JsonError.GetProperty("message").GetString(), StringComparison.Ordinal);
            Assert.Contains("No key was created", refused.JsonError.GetProperty("message").GetString(), StringComparison.Ordinal);
        }
        Assert.Empty(await KeysNamedAsync("nowhere"));
        var misspelt = await RelayAsync("keys", "create", "--scope", "bot", "--endpoint", "none", "--out", directory.File("x.key"));
        Assert.Equal(ExitCode.NotFound, misspelt.Code);
        Assert.False(File.Exists(directory.File("x.key")));
    }

    [Theory]
    [InlineData("file", "ulimit -f 0")]
    [InlineData("output", "exec > /dev/full")]
    public async Task A_key_that_cannot_be_written_is_revoked_again(string place, string full)
    {
        using var directory = new TempDirectory();
        var file = directory.File("x.key");
        var info = RelayProgram.StartInfo("keys", "create", "--scope", "bot", "--name", place + " full");
        if (place == "file") info.ArgumentList.Add("--out=" + file);
        foreach (var (k, v) in Environment) info.Environment[k] = v;
        // With an ignored SIGXFSZ a write beyond the limit fails, as on a full disk. The runtime's own files are not to meet the limit.
        info.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        info.Environment["DOTNET_EnableDiagnostics"] = "0";
        string[] shell = ["-c", $"trap '' XFSZ; {full}; exec \"$0\" \"$@\"", info.FileName, .. info.ArgumentList];
        info.FileName = "/bin/sh";
        info.ArgumentList.Clear();
        foreach (var argument in shell) info.ArgumentList.Add(argument);
        var failed = await Terminal.RunAsync(info, null);
        Assert.True(failed.Code == ExitCode.Failed, failed.Out + failed.Error);
        var key = Assert.Single(await KeysNamedAsync(place + " full"));
        Assert.NotNull(key.RevokeTime);
        Assert.Contains($"{key.Name} is revoked again", failed.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(file));
    }

    [Fact]
    public async Task Conversations_are_started_listed_shown_and_ended()
    {
        await fixture.Running.CreateEndpointAsync("talks");
        var started = await RelayAsync("conversations", "start", "talks", "--peer", "bob\u202e", "--json");
        Assert.Equal(ExitCode.Ok, started.Code);
        var name = started.Json.GetProperty("conversation").GetString()!;
        var listed = await RelayAsync("conversations", "list", "talks", "--json");
        Assert.Equal(name, Assert.Single(listed.Json.EnumerateArray()).GetProperty("name").GetString());
        // A peer's address is text of others: it must not rearrange the terminal.
        Assert.DoesNotContain('\u202e', (await RelayAsync("conversations", "list", "talks")).Out);
        Assert.Contains("PLAINTEXT", (await RelayAsync("conversations", "show", name)).Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, (await RelayAsync("conversations", "end", name)).Code);
    }

    [Fact]
    public async Task Chat_is_a_bot_in_the_terminal_and_leaves_no_key_behind()
    {
        var endpoint = await fixture.Running.CreateEndpointAsync("chat");
        using var alice = new Contact("alice");
        await using var network = new Network(await fixture.Running.ConnectAsync(Scope.Bridge), endpoint, alice);
        alice.Start();
        await alice.Changes.NextAsync();
        var info = RelayProgram.StartInfo("chat", "--endpoint", "chat", "--peer", "alice", "--json");
        foreach (var (k, v) in Environment) info.Environment[k] = v;
        using var chat = System.Diagnostics.Process.Start(info)!;
        try
        {
            await chat.StandardInput.WriteLineAsync("hello from the terminal");
            await chat.StandardInput.FlushAsync();
            Assert.Equal(("hello from the terminal", true), await alice.Texts.NextAsync());
            alice.Send("hello, terminal");
            while (await chat.StandardOutput.ReadLineAsync(Patience.Token) is { } line)
            {
                if (JsonDocument.Parse(line).RootElement.TryGetProperty("event", out var e) && e.TryGetProperty("textReceived", out var text))
                {
                    Assert.Equal("hello, terminal", text.GetProperty("text").GetString());
                    break;
                }
            }
            await chat.StandardInput.WriteLineAsync("/quit");
            chat.StandardInput.Close();
            await chat.WaitForExitAsync(Patience.Token);
            Assert.Equal(ExitCode.Ok, chat.ExitCode);
        }
        finally
        {
            if (!chat.HasExited) chat.Kill();
        }
        var keys = await fixture.Running.Admin.Admin.ListApiKeysAsync(new ListApiKeysRequest());
        Assert.NotNull(keys.ApiKeys.Single(k => k.DisplayName == "relay chat").RevokeTime);
    }

    [Fact]
    public async Task The_doctor_finds_a_healthy_server_healthy()
    {
        var report = await RelayAsync("doctor", "--json");
        Assert.True(report.Code == ExitCode.Ok, report.Out);
        var verdicts = report.Json.GetProperty("findings").EnumerateArray().ToDictionary(f => f.GetProperty("check").GetString()!, f => f.GetProperty("verdict").GetString());
        foreach (var check in new[] { "data directory", "sealing key", "admin key file", "API keys", "database", "lock", "port", "server", "key", "clock" }) Assert.Equal("ok", verdicts[check]);
    }

    [Fact]
    public async Task The_doctor_says_what_is_wrong_and_what_to_do()
    {
        using var directory = new TempDirectory();
        await using (await ServerProcess.StartAsync(directory.File("data"), "127.0.0.1:0", directory.File("log"), null, Patience.Token)) { }
        var data = directory.File("data");
        File.SetUnixFileMode(data, (UnixFileMode)0b111_101_101);
        File.SetUnixFileMode(Path.Combine(data, "sealing.key"), (UnixFileMode)0b110_100_100);
        await File.WriteAllTextAsync(Path.Combine(data, "api-keys.json"), "{");
        var report = await Terminal.RunAsync("doctor", "--data", data, "--server", "http://127.0.0.1:1", "--json");
        Assert.Equal(ExitCode.Failed, report.Code);
        var findings = report.Json.GetProperty("findings").EnumerateArray().ToDictionary(f => f.GetProperty("check").GetString()!);
        foreach (var check in new[] { "data directory", "sealing key", "API keys", "server" })
        {
            Assert.Equal("problem", findings[check].GetProperty("verdict").GetString());
            Assert.NotEmpty(findings[check].GetProperty("toDo").GetString()!);
        }
    }

    [Fact]
    public async Task Serve_announces_itself_and_a_second_one_on_the_same_directory_refuses()
    {
        using var directory = new TempDirectory();
        var data = directory.File("data");
        await using var first = await ServerProcess.StartAsync(data, "127.0.0.1:0", directory.File("log"), null, Patience.Token, "--ready-file", directory.File("ready"));
        Assert.Equal(first.Address, new Uri((await File.ReadAllTextAsync(directory.File("ready"))).Trim()));
        var before = await File.ReadAllBytesAsync(Path.Combine(data, "api-keys.json"));
        var second = await Terminal.RunAsync("serve", "--data", data, "--listen", "127.0.0.1:0", "--json");
        Assert.Equal(ExitCode.Failed, second.Code);
        Assert.Contains(data, second.JsonError.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(Path.Combine(data, "api-keys.json")));
        Assert.Equal(ExitCode.Ok, (await Terminal.RunAsync("endpoints", "list", "--server", first.Address.ToString(), "--data", data)).Code);
    }

    [Fact]
    public async Task Serve_refuses_the_open_network_without_a_certificate_and_leaves_nothing_behind()
    {
        using var directory = new TempDirectory();
        var refused = await Terminal.RunAsync("serve", "--data", directory.File("data"), "--listen", "0.0.0.0:0");
        Assert.Equal(ExitCode.Usage, refused.Code);
        Assert.Contains("--certificate", refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory.File("data")));
    }

    [Theory]
    [InlineData("relay.db", "this is no database, but somebody's diary")]
    [InlineData("sealing.key", "another key")]
    [InlineData("api-keys.json", "{}")]
    public async Task Serve_refuses_damaged_or_foreign_files_and_overwrites_nothing(string file, string content)
    {
        using var directory = new TempDirectory();
        var data = directory.File("data");
        await using (await ServerProcess.StartAsync(data, "127.0.0.1:0", directory.File("log"), null, Patience.Token)) { }
        foreach (var side in new[] { "relay.db-wal", "relay.db-shm" }) File.Delete(Path.Combine(data, side));
        await File.WriteAllTextAsync(Path.Combine(data, file), content);
        var refused = await Terminal.RunAsync("serve", "--data", data, "--listen", "127.0.0.1:0");
        Assert.Equal(ExitCode.Failed, refused.Code);
        Assert.Contains(file, refused.Error, StringComparison.Ordinal);
        Assert.Equal(content, await File.ReadAllTextAsync(Path.Combine(data, file)));
    }
}
