using System.CommandLine;
using System.Diagnostics;
using Relay.Cli;
using Relay.Gateway.Tests.Harness;
using Relay.Lab;
using Relay.Lab.Processes;

namespace Relay.Gateway.Tests;

/// <summary>What is typed: short forms, names, times, completion, and what is said of what is mistyped.</summary>
public sealed class CommandLineTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("3 days ago", "2026-11-24T12:00:00Z")]
    [InlineData("1 week ago", "2026-11-20T12:00:00Z")]
    [InlineData("90m", "2026-11-27T10:30:00Z")]
    [InlineData("Yesterday", "2026-11-26T12:00:00Z")]
    [InlineData("2026-01-31", "2026-01-31T00:00:00Z")]
    [InlineData("2026-01-31T14:00+02:00", "2026-01-31T12:00:00Z")]
    public void A_time_in_the_past_is_read(string text, string expected) =>
        Assert.Equal(DateTimeOffset.Parse(expected), Times.ParsePast(text, "--time", s_now));

    [Theory]
    [InlineData("in 3 days", "2026-11-30T12:00:00Z")]
    [InlineData("12h", "2026-11-28T00:00:00Z")]
    [InlineData("tomorrow", "2026-11-28T12:00:00Z")]
    [InlineData("2030-01-31", "2030-01-31T00:00:00Z")]
    public void A_time_in_the_future_is_read(string text, string expected) =>
        Assert.Equal(DateTimeOffset.Parse(expected), Times.ParseFuture(text, "--expires", s_now));

    [Theory]
    [InlineData("3 days ago")]
    [InlineData("yesterday")]
    [InlineData("0d")]
    [InlineData("3 moons")]
    [InlineData("99999999999d")]
    [InlineData("2000000000d")]
    [InlineData("")]
    public void What_is_no_time_in_the_future_is_refused_by_the_name_of_the_switch(string text) =>
        Assert.StartsWith("--expires must", Assert.Throws<CommandFailure>(() => Times.ParseFuture(text, "--expires", s_now)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_past_time_cannot_be_said_of_the_future() =>
        Assert.Throws<CommandFailure>(() => Times.ParsePast("in 3 days", "--time", s_now));

    [Theory]
    [InlineData(0, "now")]
    [InlineData(-45, "45 seconds ago")]
    [InlineData(-3 * 86400, "3 days ago")]
    [InlineData(2 * 3600, "in 2 hours")]
    [InlineData(-100 * 86400, "2026-08-19")]
    public void A_time_is_said_by_its_distance(int seconds, string expected) => Assert.Equal(expected, Times.Say(s_now.AddSeconds(seconds), s_now));

    [Theory]
    [InlineData("2 weeks", 14 * 86400)]
    [InlineData("90s", 90)]
    [InlineData("0", 0)]
    public void A_duration_is_read(string text, long seconds) => Assert.Equal(seconds, Durations.Parse(text, "--life").Seconds);

    [Theory]
    [InlineData("support", "alice@x", "endpoints/support", "alice@x")]
    [InlineData("support/alice@x", null, "endpoints/support", "alice@x")]
    [InlineData("endpoints/support/alice@x/phone", null, "endpoints/support", "alice@x/phone")]
    public void A_peer_is_named_in_one_word_or_in_two(string first, string? second, string endpoint, string peer) =>
        Assert.Equal((endpoint, peer), PeerArguments.Read(first, second));

    [Theory]
    [InlineData("support", null)]
    [InlineData("support/", null)]
    [InlineData("support/alice@x", "bob@x")]
    public void A_peer_that_is_missing_or_named_twice_is_refused(string first, string? second) =>
        Assert.Equal(ExitCode.Usage, Assert.Throws<CommandFailure>(() => PeerArguments.Read(first, second)).Code);

    [Fact]
    public void What_comes_after_the_peer_comes_after_it_in_either_form()
    {
        Assert.Equal(("endpoints/e", "p", "text"), PeerArguments.Read("e", "p", "text", "The text"));
        Assert.Equal(("endpoints/e", "p", "text"), PeerArguments.Read("e/p", "text", null, "The text"));
        Assert.Contains("The text is missing", Assert.Throws<CommandFailure>(() => PeerArguments.Read("e", "p", null, "The text")).Message, StringComparison.Ordinal);
        Assert.Throws<CommandFailure>(() => PeerArguments.Read("e/p", "q", "text", "The text"));
    }

    /// <summary>A letter means the same everywhere, and a switch that has one has it everywhere; bench's --json, a file, is another.</summary>
    [Fact]
    public void A_short_switch_has_one_meaning()
    {
        var options = Commands(RelayCommand.Create(LabCommands.Create())).SelectMany(c => c.Options).Where(o => o.Name is not "--help" and not "--version").Distinct().ToList();
        var letters = options.SelectMany(o => o.Aliases.Select(a => (Letter: a, o.Name))).Distinct().ToList();
        Assert.All(letters.GroupBy(l => l.Letter), g => Assert.Single(g));
        foreach (var name in new[] { "--endpoint", "--key-file", "--server", "--out", "--data", "--json", "--peer" }) Assert.Contains(letters, l => l.Name == name);
        foreach (var (letter, name) in letters) Assert.All(options.Where(o => o.Name == name && (name != "--json" || o.ValueType == typeof(bool))), o => Assert.Contains(letter, o.Aliases));
    }

    [Theory]
    [InlineData("'--scope' must be admin, bot, bridge, keys, monitor or trust, not 'root'.", "keys", "create", "--scope", "root")]
    [InlineData("'--shards' must be a whole number, not 'x'.", "serve", "--shards", "x")]
    [InlineData("'--network' is missing", "endpoints", "create")]
    [InlineData("'--account' needs a value: ADDRESS.", "endpoints", "create", "--network", "x", "--account")]
    [InlineData("'--allow-clear' must be true or false, not 'maybe'.", "endpoints", "update", "e", "--allow-clear", "maybe")]
    [InlineData("shell must be bash, fish or zsh, not 'tcsh'.", "completion", "tcsh")]
    public void A_mistake_is_told_by_the_switch_and_its_values(string expected, params string[] arguments) =>
        Assert.Contains(expected, WrongUsage.Describe(RelayCommand.Create().Parse(arguments)), StringComparison.Ordinal);

    [Theory]
    [InlineData("endpoint_id: must be short", "--id: must be short")]
    [InlineData("account: a; endpoint.max_wire_bytes: b", "--account: a; --max-wire-bytes: b")]
    [InlineData("unheard_of: c", "unheard_of: c")]
    [InlineData("There is no endpoint of this name.", "There is no endpoint of this name.")]
    public void A_field_of_the_API_is_told_by_its_switch(string message, string expected) =>
        Assert.Equal(expected, FieldSwitches.Named(message, RelayCommand.Create().Parse(["endpoints", "create"]).CommandResult.Command));

    [Theory]
    [InlineData("relay endpoints cr", "create")]
    [InlineData("relay keys create --scope ", "admin bot bridge keys monitor trust")]
    [InlineData("relay keys create --sco", "--scope")]
    [InlineData("relay completion z", "zsh")]
    [InlineData("relay endpoints create --network x --acc", "--account")]
    public async Task Bash_completes(string line, string expected)
    {
        var program = RelayProgram.StartInfo();
        var command = string.Join(' ', program.ArgumentList.Prepend(program.FileName).Select(a => $"'{a}'"));
        var script = $$"""
            relay() { {{command}} "$@"; }
            eval "$(relay completion bash)"
            COMP_LINE='{{line}}' COMP_POINT={{line.Length}}
            COMP_WORDS=({{(line.EndsWith(' ') ? line + "''" : line)}}) COMP_CWORD=$(({{line.Split(' ').Length}} - 1))
            _relay_complete relay
            echo "${COMPREPLY[*]}"
            """;
        var ran = await Terminal.RunAsync(new ProcessStartInfo("bash", ["-uc", script]), null);
        Assert.Equal((0, expected, ""), (ran.Code, ran.Out.Trim(), ran.Error));
    }

    [Theory]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task Other_shells_can_read_their_scripts(string shell)
    {
        Assert.SkipUnless(new[] { "/bin/", "/usr/bin/" }.Any(d => File.Exists(d + shell)), $"{shell} is missing: apt-get install {shell}");
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("script"), (await Terminal.RunAsync("completion", shell)).Out);
        var read = await Terminal.RunAsync(new ProcessStartInfo(shell, ["-n", directory.File("script")]), null);
        Assert.Equal((0, ""), (read.Code, read.Error));
    }

    private static IEnumerable<Command> Commands(Command root) => root.Subcommands.SelectMany(Commands).Prepend(root);
}
