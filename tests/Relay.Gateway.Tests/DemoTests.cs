using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Relay.Cli;
using Relay.Gateway.Tests.Harness;
using Relay.Lab.OtrPeer;
using Relay.Lab.Processes;

namespace Relay.Gateway.Tests;

/// <summary>The README's first command.</summary>
public sealed class DemoTests
{
    [Fact]
    public async Task It_happens_and_reads_well()
    {
        var demo = await Terminal.RunLabAsync("demo");
        Assert.True(demo.Code == ExitCode.Ok, demo.Out + demo.Error);
        Assert.Contains("All checks succeeded.", demo.Out, StringComparison.Ordinal);
        foreach (var shown in new[] { "?OTR:AAMD", "?OTR|", "reads 🔒", "SIGKILL", "session established", "SESSION_FINISHED", "The outage, from the kill" }) Assert.Contains(shown, demo.Out, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', demo.Out);
        Assert.DoesNotContain("✗", demo.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(80)]
    [InlineData(60)]
    public async Task In_a_narrow_terminal_it_is_one_column_with_the_times_and_the_outage(int columns)
    {
        await using var window = await TerminalWindow.StartAsync((columns, 50), RelayProgram.LabStartInfo("demo"), []);
        var rows = await window.EndsAsync(ExitCode.Ok);
        Assert.Contains("All checks succeeded.", rows);
        // Tables would have heads. Whatever is longer than a row goes on beneath itself, not at the edge.
        Assert.DoesNotContain(rows, r => r.Contains("what the bridge carries", StringComparison.Ordinal));
        Assert.All(rows.Where(r => r.Length > 0 && r[0] != ' '), r => Assert.Matches("^(─|All checks succeeded|EXIT)", r));
        var entries = rows.Select(r => Regex.Match(r, @"^ +(?<at>\d+\.\d)  (?<who>alice|wire|bot|server) +(?<what>\S.*)$")).Where(m => m.Success).ToList();
        Assert.Equal(["alice", "bot", "server", "wire"], entries.Select(e => e.Groups["who"].Value).Distinct().Order());
        var times = entries.Select(e => double.Parse(e.Groups["at"].Value, CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(times.Order(), times);
        // What belongs to an entry stays beneath it.
        Assert.All(rows.Where(r => r.EndsWith(" bytes", StringComparison.Ordinal)), r => Assert.StartsWith(new string(' ', entries[0].Groups["what"].Index), r, StringComparison.Ordinal));
        var page = string.Join(' ', rows.Select(r => r.Trim()));
        Assert.Matches(@"The outage, from the kill .{10,120}\d+(\.\d+)? m?s", page);
    }

    [Fact]
    public async Task Its_transcript_says_the_same_to_a_machine()
    {
        var demo = await Terminal.RunLabAsync("demo", "--json");
        Assert.True(demo.Code == ExitCode.Ok, demo.Out + demo.Error);
        Judge(demo.Json);
    }

    [Fact]
    public async Task The_contact_may_be_libotr()
    {
        using var directory = new TempDirectory();
        Assert.SkipUnless(LibotrPeer.TryBuild(directory.Path, out _, out var reason), reason);
        var demo = await Terminal.RunLabAsync("demo", "--contact", "libotr", "--json");
        Assert.True(demo.Code == ExitCode.Ok, demo.Out + demo.Error);
        Assert.StartsWith("libotr", demo.Json.GetProperty("contact").GetString(), StringComparison.Ordinal);
        Judge(demo.Json);
    }

    [Fact]
    public async Task It_may_stay_and_cleans_up_when_told_to_go()
    {
        var info = RelayProgram.LabStartInfo("demo", "--stay", "--json");
        using var demo = System.Diagnostics.Process.Start(info)!;
        try
        {
            JsonElement staying = default;
            while (await demo.StandardOutput.ReadLineAsync(Patience.Token) is { } line)
            {
                if (!line.StartsWith("{\"event\":\"staying\"", StringComparison.Ordinal)) continue;
                staying = JsonDocument.Parse(line).RootElement;
                break;
            }
            var listed = await Terminal.RunAsync(
                new Dictionary<string, string> { ["RELAY_SERVER"] = staying.GetProperty("server").GetString()!, ["RELAY_KEY_FILE"] = staying.GetProperty("adminKeyFile").GetString()! },
                null, "conversations", "list", "echo", "--json");
            Assert.Equal("alice@demo.example", listed.Json[0].GetProperty("peer").GetString());
            using (var kill = System.Diagnostics.Process.Start("kill", ["-TERM", $"{demo.Id}"])) await kill.WaitForExitAsync();
            await demo.WaitForExitAsync(Patience.Token);
            Assert.Equal(ExitCode.Ok, demo.ExitCode);
            Assert.False(Directory.Exists(staying.GetProperty("dataDirectory").GetString()));
        }
        finally
        {
            if (!demo.HasExited) demo.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Judged again from the transcript alone, not by the demo's own checks.</summary>
    private static void Judge(JsonElement demo)
    {
        Assert.True(demo.GetProperty("ok").GetBoolean());
        var entries = demo.GetProperty("transcript").EnumerateArray().ToList();
        List<string> Texts(string witness, string sight) => [.. entries.Where(e => e.GetProperty("witness").GetString() == witness && e.GetProperty("sight").GetString() == sight).Select(e => e.GetProperty("text").GetString()!)];
        var said = Texts("contact", "wrote");
        Assert.True(said.Count >= 5);
        Assert.Contains(said, s => System.Text.Encoding.UTF8.GetByteCount(s) >= 10_000);
        Assert.Contains(said, s => s.Any(c => c > 0x2000));
        Assert.Equal(said, Texts("bot", "read"));
        Assert.Equal(said.Select(s => "echo: " + s), Texts("contact", "read"));
        Assert.Single(Texts("bot", "session_began"));
        Assert.Equal(Texts("bot", "session_began"), Texts("contact", "session_began"));
        Assert.Contains(Texts("server", "note"), n => n.StartsWith("SIGKILL", StringComparison.Ordinal));
        foreach (var direction in new[] { "wire_in", "wire_out" })
        {
            var wire = entries.Where(e => e.GetProperty("witness").GetString() == direction && e.TryGetProperty("wire", out _)).Select(e => e.GetProperty("wire").GetString()!).ToList();
            Assert.True(wire.Count(w => w.StartsWith("?OTR|", StringComparison.Ordinal)) >= 8);
            Assert.All(wire, w => Assert.StartsWith("?OTR", w, StringComparison.Ordinal));
        }
    }
}
