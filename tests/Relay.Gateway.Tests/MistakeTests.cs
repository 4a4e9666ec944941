using System.Net;
using System.Net.Sockets;
using Relay.Cli;
using Relay.Gateway.Tests.Harness;
using Relay.Lab.Processes;

namespace Relay.Gateway.Tests;

/// <summary>Mistakes that everybody makes once, and what the command line says to them.</summary>
public sealed class MistakeTests
{
    [Theory]
    [InlineData("'endpoints'", "endpoint", "list")]
    [InlineData("'--endpoint'", "keys", "create", "--scope", "bot", "--endpont", "e")]
    [InlineData("bridge", "keys", "create", "--scope", "root")]
    [InlineData("--network", "endpoints", "create")]
    [InlineData("'--shards'", "serve", "--shards", "many")]
    [InlineData("'--log-level'", "serve", "--log-level", "loud")]
    public async Task Wrong_usage_is_answered_in_two_lines_that_name_the_help(string named, params string[] arguments)
    {
        var refused = await Terminal.RunAsync(arguments);
        Assert.Equal((ExitCode.Usage, ""), (refused.Code, refused.Out));
        Assert.Contains(named, refused.Error, StringComparison.Ordinal);
        Assert.Contains("--help'", refused.Error, StringComparison.Ordinal);
        Assert.Equal(2, refused.Error.TrimEnd().Split('\n').Length);
        foreach (var type in new[] { "Relay.Gateway", "System.", "Microsoft." }) Assert.DoesNotContain(type, refused.Error, StringComparison.Ordinal);
        var json = await Terminal.RunAsync([.. arguments, "--json"]);
        Assert.Equal((ExitCode.Usage, ExitCode.Usage), (json.Code, json.JsonError.GetProperty("exitCode").GetInt32()));
    }

    [Fact]
    public async Task A_command_without_its_verb_shows_the_verbs()
    {
        var keys = await Terminal.RunAsync("keys");
        Assert.Equal((ExitCode.Usage, ""), (keys.Code, keys.Out));
        Assert.Contains("revoke <key>", keys.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_for_an_endpoint_that_is_not_there_is_not_made()
    {
        await using var server = await TestServer.StartAsync();
        using var directory = new TempDirectory();
        var environment = new Dictionary<string, string> { ["RELAY_SERVER"] = server.Address.ToString(), ["RELAY_KEY_FILE"] = Path.Combine(server.DataDirectory, "admin.key") };
        var refused = await Terminal.RunAsync(environment, null, "keys", "create", "--scope", "bot", "--endpoint", "misspelt", "--out", directory.File("key"), "--json");
        Assert.Equal((ExitCode.NotFound, "ENDPOINT_NOT_FOUND"), (refused.Code, refused.JsonError.GetProperty("reason").GetString()));
        Assert.False(File.Exists(directory.File("key")));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_told_without_a_stack()
    {
        using var directory = new TempDirectory();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var refused = await Terminal.RunAsync("serve", "--data", directory.File("data"), "--listen", taken.LocalEndpoint.ToString()!);
        Assert.Equal(ExitCode.Failed, refused.Code);
        Assert.Contains("--listen", refused.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_sealing_key_is_kept_and_wanted_where_it_was_said_to_be()
    {
        using var directory = new TempDirectory();
        string data = directory.File("data"), key = directory.File("apart.key");
        var environment = new Dictionary<string, string> { ["RELAY_SEALING_KEY_FILE"] = key };
        var ready = directory.File("ready");
        var first = RelayProgram.StartInfo("serve", "--data", data, "--listen", "127.0.0.1:0", "--sealing-key", key, "--ready-file", ready);
        first.RedirectStandardOutput = true;
        using (var server = System.Diagnostics.Process.Start(first)!)
        {
            Assert.Contains("listens on", await server.StandardOutput.ReadLineAsync(Patience.Token), StringComparison.Ordinal);
            using (var end = System.Diagnostics.Process.Start("kill", ["-TERM", $"{server.Id}"])) await end.WaitForExitAsync();
            await server.WaitForExitAsync(Patience.Token);
        }
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
        Assert.False(File.Exists(Path.Combine(data, "sealing.key")));
        // In its usual place it is missed; another one does not open the database.
        Assert.Equal(ExitCode.Failed, (await Terminal.RunAsync("serve", "--data", data, "--listen", "127.0.0.1:0")).Code);
        await File.WriteAllTextAsync(key, "relay-sealing-key-v1 " + Convert.ToBase64String(new byte[32]) + "\n");
        var refused = await Terminal.RunAsync(environment, null, "serve", "--data", data, "--listen", "127.0.0.1:0");
        Assert.Equal(ExitCode.Failed, refused.Code);
        Assert.Contains("apart.key is not the key", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_bench_writes_a_table_and_no_junk_into_a_pipe()
    {
        using var directory = new TempDirectory();
        var bench = await Terminal.RunLabAsync("bench", "otr", "--rounds", "1", "--only", "keygen-dh", "--json", directory.File("figures"));
        Assert.Equal(ExitCode.Ok, bench.Code);
        Assert.Contains("| keygen-dh |", bench.Out, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', bench.Out + bench.Error);
        using var figures = System.Text.Json.JsonDocument.Parse(await File.ReadAllTextAsync(directory.File("figures")));
        Assert.Equal("keygen-dh", figures.RootElement[0].GetProperty("what").GetString());
    }
}
