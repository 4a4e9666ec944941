using System.Text.Json;
using Relay.Cli;
using Relay.Gateway.Tests.Harness;

namespace Relay.Gateway.Tests;

/// <summary><c>relay bench otr</c>: the shape that machines read, and the one figure that no neighbour on the machine can change.</summary>
public sealed class BenchTests
{
    private const int LargestSide = 4 * 1024, LargestSnapshot = 2 * 1024;

    [Fact]
    public async Task A_conversation_side_stays_small_and_the_results_are_what_machines_expect()
    {
        using var directory = new TempDirectory();
        var file = directory.File("bench.json");
        var run = await Terminal.RunAsync("bench", "otr", "--rounds", "1", "--only", "ake", "--only", "snapshot", "--only", "memory", "--json", file);
        Assert.Equal(ExitCode.Ok, run.Code);

        using var results = JsonDocument.Parse(await File.ReadAllBytesAsync(file));
        var byName = results.RootElement.EnumerateArray().ToDictionary(r => r.GetProperty("what").GetString()!);
        var ake = byName["ake"];
        Assert.True(ake.GetProperty("relay_us").GetDouble() > 0);
        // Null where libotr is not installed, and then there is no ratio either.
        Assert.Equal(ake.GetProperty("libotr_us").ValueKind, ake.GetProperty("ratio").ValueKind);
        Assert.True(ake.GetProperty("relay_allocated_bytes").GetDouble() > 0);
        Assert.InRange(byName["memory"].GetProperty("relay_bytes").GetDouble(), 1, LargestSide);
        Assert.InRange(byName["snapshot-size"].GetProperty("relay_bytes").GetDouble(), 1, LargestSnapshot);
    }
}
