using System.Text.Json;
using Relay.Cli;
using Relay.Gateway.Tests.Harness;

namespace Relay.Gateway.Tests;

/// <summary><c>relay bench</c>: the shape that machines read, and the figures that no neighbour on the machine can change.</summary>
public sealed class BenchTests
{
    private const int LargestSide = 4 * 1024, LargestSnapshot = 2 * 1024, LargestStored = 4 * 1024;

    [Fact]
    public async Task A_conversation_side_stays_small_and_the_results_are_what_machines_expect()
    {
        using var directory = new TempDirectory();
        var file = directory.File("bench.json");
        var run = await Terminal.RunLabAsync("bench", "otr", "--rounds", "1", "--only", "ake", "--only", "snapshot", "--only", "memory", "--json", file);
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

    [Theory]
    [InlineData("embedded-one-way")]
    [InlineData("embedded-ping-pong")]
    [InlineData("ake-storm")]
    [InlineData("read-subscription")]
    [InlineData("read-webhook")]
    [InlineData("send-http")]
    public async Task A_row_of_load_has_throughput_latency_and_cpu_of_each_part(string what)
    {
        var row = await ServerRowAsync(what);
        // The run itself fails if a message was lost, doubled or out of order.
        foreach (var field in (string[])["per_second", "p50_ms", "p99_ms", "relay_us", "load_us"]) Assert.True(row.GetProperty(field).GetDouble() > 0, field);
        Assert.True(row.GetProperty("p50_ms").GetDouble() <= row.GetProperty("p99_ms").GetDouble());
        Assert.Equal(JsonValueKind.Null, row.GetProperty("database_us").ValueKind);
        if (what != "ake-storm") Assert.True(row.GetProperty("low_load_p99_ms").GetDouble() > 0);
    }

    [Fact]
    public async Task A_killed_server_answers_again()
    {
        var row = await ServerRowAsync("recovery");
        Assert.InRange(row.GetProperty("seconds").GetDouble(), double.Epsilon, row.GetProperty("longest_seconds").GetDouble());
    }

    [Fact]
    public async Task Idle_conversations_cost_a_small_row_each_and_all_of_them_can_be_spoken_to()
    {
        var rows = await ServerRowsAsync("idle-million,resident");
        Assert.InRange(rows["idle-million"].GetProperty("bytes_each").GetDouble(), 1, LargestStored);
        Assert.Equal(320, rows["resident"].GetProperty("conversations").GetInt32());
        Assert.True(rows["resident"].GetProperty("rss_bytes").GetInt64() > 0);
    }

    [Fact]
    public async Task Idle_streams_cost_little_memory_each()
    {
        var row = await ServerRowAsync("idle-streams");
        Assert.Equal(200, row.GetProperty("streams").GetInt32());
        Assert.InRange(row.GetProperty("rss_bytes").GetInt64(), 1, 1L << 30);
    }

    [Fact]
    public async Task Two_builds_are_compared_in_turn_figure_by_figure()
    {
        var other = Path.GetDirectoryName(typeof(Lab.Bench.BenchCommand).Assembly.Location)!;
        var row = await ServerRowAsync("ake-storm", "--against", other, "--rounds", "2");
        foreach (var field in (string[])["per_second", "relay_us"])
        {
            var figure = row.GetProperty(field);
            Assert.True(figure.GetProperty("this").GetDouble() > 0 && figure.GetProperty("other").GetDouble() > 0, field);
            Assert.InRange(figure.GetProperty("ratio").GetDouble(), figure.GetProperty("lowest_ratio").GetDouble(),
                figure.GetProperty("highest_ratio").GetDouble());
            Assert.Equal(2, figure.GetProperty("rounds").GetInt32());
        }
        Assert.False(row.TryGetProperty("at_once", out _), "What was set is no figure of a build.");
    }

    [Fact]
    public async Task A_checkout_that_was_not_built_is_told_before_anything_runs()
    {
        using var directory = new TempDirectory();
        var run = await Terminal.RunLabAsync("bench", "server", "--against", directory.Path);
        Assert.Equal(ExitCode.Usage, run.Code);
        Assert.Contains("run 'dotnet build -c Release' in that checkout first", run.Error);
    }

    [Fact]
    public async Task The_ratios_of_a_run_are_those_of_its_rows()
    {
        var rows = await ServerRowsAsync("embedded-one-way,ake-storm");
        var ratios = rows["ratios"];
        Assert.True(ratios.GetProperty("embedded_relay_by_otr").GetDouble() > 1);
        Assert.True(ratios.GetProperty("key_exchange_relay_by_otr").GetDouble() > 0);
        Assert.False(ratios.TryGetProperty("cluster_by_embedded_relay", out _));
        Assert.True(rows["embedded-one-way"].GetProperty("written_bytes").GetDouble() >= 0);
    }

    [Fact]
    public async Task A_row_that_does_not_exist_is_told_before_anything_runs()
    {
        var run = await Terminal.RunLabAsync("bench", "server", "--only", "embedded-one-way,no-such-row");
        Assert.Equal(ExitCode.Usage, run.Code);
        Assert.Contains("no-such-row", run.Error);
    }

    [Theory]
    [InlineData("xmpp-one-way")]
    [InlineData("xmpp-endpoints")]
    public async Task A_bridge_is_measured_with_a_real_server_and_its_cpu_apart(string what)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/prosody"), "prosody is missing: apt-get install prosody");
        var row = (await RowsAsync("bridge", what))[what];
        // The run itself fails if a message was lost, doubled or out of order.
        foreach (var field in (string[])["per_second", "low_load_p99_ms", "relay_us", "bridge_us", "chat_server_us", "bridge_rss_bytes"])
            Assert.True(row.GetProperty(field).GetDouble() > 0, field);
        Assert.Equal(what == "xmpp-endpoints" ? 20 : 1, row.GetProperty("endpoints").GetInt32());
    }

    [Fact]
    public async Task Many_IRC_connections_cost_little_memory_each()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/ngircd"), "ngircd is missing: apt-get install ngircd");
        var row = (await RowsAsync("bridge", "irc-connections"))["irc-connections"];
        Assert.Equal(10, row.GetProperty("connections").GetInt32());
        Assert.InRange(row.GetProperty("heap_bytes_each").GetDouble(), 1, 512 * 1024);
    }

    private static async Task<JsonElement> ServerRowAsync(string what, params string[] more) => (await ServerRowsAsync(what, more))[what];

    private static Task<Dictionary<string, JsonElement>> ServerRowsAsync(string only, params string[] more)
        => RowsAsync("server", only, more);

    private static async Task<Dictionary<string, JsonElement>> RowsAsync(string bench, string only, params string[] more)
    {
        using var directory = new TempDirectory();
        var file = directory.File("bench.json");
        var run = await Terminal.RunLabAsync(["bench", bench, "--short", "--only", only, "--json", file, .. more]);
        Assert.Equal((ExitCode.Ok, ""), (run.Code, run.Error));
        using var results = JsonDocument.Parse(await File.ReadAllBytesAsync(file));
        return results.RootElement.EnumerateArray().ToDictionary(r => r.GetProperty("what").GetString()!, r => r.Clone());
    }
}
