using System.Diagnostics;
using System.Text.Json;
using Relay.Cli;
using Relay.Lab.Processes;

// Each test runs a cluster of processes: two at once would only time each other's starts.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Relay.Chaos.Tests;

/// <summary>The README's second demo.</summary>
public sealed class ClusterDemoTests
{
    [Fact]
    public async Task It_happens_and_says_so_to_a_machine()
    {
        Assert.SkipWhen(ClusterProcesses.Missing is not null, $"Not installed: {ClusterProcesses.Missing}");
        var (code, output, error) = await RunAsync([], "cluster-demo", "--conversations", "12", "--json");
        Assert.True(code == ExitCode.Ok, output + error);
        var demo = JsonDocument.Parse(output).RootElement;
        // Judged again from the figures, not by the demo's own checks.
        Assert.True(demo.GetProperty("ok").GetBoolean());
        var messages = demo.GetProperty("messages");
        int Count(string name) => messages.GetProperty(name).GetInt32();
        Assert.True(Count("contactsSaid") >= 12 * 5, output);
        Assert.Equal((Count("contactsSaid"), Count("botSaid")), (Count("botRead"), Count("contactsRead")));
        Assert.Equal(12, Count("keyExchanges"));
        Assert.Equal([137], ExitCodes(demo.GetProperty("kill").GetProperty("nodes")));
        Assert.Equal([137, 137], ExitCodes(demo.GetProperty("killAllButOne").GetProperty("nodes")));
        Assert.Equal(75, demo.GetProperty("hang").GetProperty("node").GetProperty("exitCode").GetInt32());
        foreach (var chapter in new[] { "kill", "hang", "killAllButOne" })
            Assert.NotEmpty(demo.GetProperty(chapter).GetProperty("outage").GetProperty("takenOver").EnumerateObject());
        // Five seconds after the failure detector's three the others may be sure of it, not before.
        Assert.True(demo.GetProperty("hang").GetProperty("goneOn").GetDouble() > 5_000, output);
        Assert.Equal([0, 0, 0], ExitCodes(demo.GetProperty("restarts")));
        Assert.Empty(demo.GetProperty("faults").EnumerateArray());
        Assert.False(Directory.Exists(demo.GetProperty("logs").GetString() ?? ""));
    }

    private static IEnumerable<int> ExitCodes(JsonElement nodes)
        => nodes.EnumerateArray().Select(n => n.GetProperty("exitCode").GetInt32());

    [Fact]
    public async Task Load_judges_a_server_and_ends_in_order_when_told_to()
    {
        using var directory = new TempDirectory();
        var start = new ServerStart(directory.File("data"), "127.0.0.1:0", directory.File("log"));
        await using var server = await ServerProcess.StartAsync(start, Patience.Token);
        var environment = new Dictionary<string, string>
        {
            ["RELAY_SERVER"] = server.Address.GetLeftPart(UriPartial.Authority),
            ["RELAY_KEY_FILE"] = Path.Combine(directory.File("data"), "admin.key"),
        };
        var (code, output, error) = await RunAsync(environment, "load", "--conversations", "5", "--seconds", "3", "--json");
        Assert.True(code == ExitCode.Ok, output + error);
        var load = JsonDocument.Parse(output).RootElement;
        Assert.True(load.GetProperty("ok").GetBoolean());
        Assert.Equal(5, load.GetProperty("keyExchanges").GetInt32());

        var info = Info(environment, "load", "--conversations", "5", "--seconds", "0", "--ready-file", directory.File("ready"));
        using var process = Process.Start(info)!;
        try
        {
            process.StandardInput.Close();
            var established = await process.StandardOutput.ReadLineAsync(Patience.Token);
            Assert.Contains("5 private sessions are established", established, StringComparison.Ordinal);
            Assert.Contains("answers", await process.StandardOutput.ReadLineAsync(Patience.Token), StringComparison.Ordinal);
            using (var kill = Process.Start("kill", ["-TERM", $"{process.Id}"])) await kill.WaitForExitAsync();
            var rest = await process.StandardOutput.ReadToEndAsync(Patience.Token);
            await process.WaitForExitAsync(Patience.Token);
            Assert.Equal(ExitCode.Ok, process.ExitCode);
            Assert.Contains("Nothing was lost", rest, StringComparison.Ordinal);
            Assert.True(File.Exists(directory.File("ready")));
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    private static ProcessStartInfo Info(Dictionary<string, string> environment, params string[] arguments)
    {
        var info = RelayProgram.LabStartInfo(arguments);
        string[] ours = ["RELAY_KEY", "RELAY_KEY_FILE", "RELAY_SERVER", "RELAY_DATA", "RELAY_CA"];
        foreach (var name in ours) info.Environment.Remove(name);
        foreach (var (name, value) in environment) info.Environment[name] = value;
        return info;
    }

    private static async Task<(int Code, string Out, string Error)> RunAsync(
        Dictionary<string, string> environment, params string[] arguments)
    {
        using var process = Process.Start(Info(environment, arguments))!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, error);
    }
}
