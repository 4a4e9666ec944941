using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>The examples of the README, run as they are.</summary>
public sealed class ExampleTests
{
    /// <summary>The checkout.</summary>
    internal static string Root { get; } = FindRoot();
    /// <summary>The configuration that the tests were built with.</summary>
    private static readonly string s_configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    [Fact]
    public Task The_echo_bot_in_CSharp_answers() => AnswersAsync(ExampleInfo("echo-bot-csharp", "echo-bot.dll"));

    [Fact]
    public async Task The_echo_bot_in_Python_answers()
    {
        const string python = "/usr/bin/python3";
        Assert.SkipUnless(File.Exists(python), "python3 is missing: apt-get install python3");
        var imports = await Terminal.RunAsync(new ProcessStartInfo(python, ["-c", "import grpc, google.protobuf"]), null);
        Assert.SkipUnless(imports.Code == 0, "Python's grpcio is missing: apt-get install python3-grpcio python3-protobuf");
        using var directory = new TempDirectory();
        var script = Path.Combine(Root, "examples", "echo-bot-python", "make_stubs.sh");
        var stubs = new ProcessStartInfo("bash", [script, directory.Path]) { Environment = { ["PYTHON"] = python } };
        var made = await Terminal.RunAsync(stubs, null);
        Assert.SkipUnless(made.Code == 0, $"The stubs cannot be made: apt-get install protobuf-compiler protobuf-compiler-grpc ({made.Error.Trim()})");
        await AnswersAsync(new ProcessStartInfo(python, [Path.Combine(Root, "examples", "echo-bot-python", "echo_bot.py"), "endpoints/e"]) { Environment = { ["PYTHONPATH"] = directory.Path } });
    }

    [Theory]
    [InlineData("examples/echo-bot-csharp/Program.cs")]
    [InlineData("examples/echo-bot-python/echo_bot.py")]
    public void An_echo_bot_has_under_25_lines(string file) =>
        Assert.InRange(File.ReadAllLines(Path.Combine(Root, file)).Length, 5, 24);

    [Fact]
    public Task The_bridge_carries_both_ways() => CarriesAsync(ExampleInfo("bridge", "bridge.dll"));

    /// <summary>It needs no library, and so no package of Debian but Python.</summary>
    [Fact]
    public Task The_bridge_in_Python_carries_both_ways()
    {
        const string python = "/usr/bin/python3";
        Assert.SkipUnless(File.Exists(python), "python3 is missing: apt-get install python3");
        var script = Path.Combine(Root, "examples", "bridge-python", "bridge.py");
        Assert.InRange(File.ReadAllLines(script).Length, 5, 60);
        return CarriesAsync(new ProcessStartInfo(python, [script, "endpoints/e"]));
    }

    private static async Task CarriesAsync(ProcessStartInfo info)
    {
        await using var server = await TestServer.StartAsync(settings: new() { ["--http-listen"] = "127.0.0.1:0" });
        info.Environment["RELAY_HTTP"] = server.Host.HttpAddress!.ToString();
        var endpoint = await server.CreateEndpointAsync("e");
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("key"), await server.CreateKeyAsync(Scope.Bridge));
        using var alice = new Contact("alice");
        using var bridge = Start(info, server, directory.File("key"));
        try
        {
            var inward = Task.Run(async () =>
            {
                int id = 0;
                await foreach (var wire in alice.Wire.ReadAllAsync(Patience.Token))
                {
                    await bridge.StandardInput.WriteLineAsync(JsonSerializer.Serialize(new { peer = "alice", id = $"{++id}", text = Encoding.UTF8.GetString(wire) }));
                    await bridge.StandardInput.FlushAsync();
                }
            });
            var outward = Task.Run(async () =>
            {
                while (await bridge.StandardOutput.ReadLineAsync(Patience.Token) is { } line)
                    alice.Receive(Encoding.UTF8.GetBytes(JsonDocument.Parse(line).RootElement.GetProperty("text").GetString()!));
            });
            alice.Start();
            Assert.Equal(Otr.Core.SessionCause.KeyExchange, await alice.Changes.NextAsync());
            var bot = (await server.ConnectAsync(Scope.Bot)).Bot(endpoint);
            alice.Send("through the example");
            await (await bot.Events().FirstAsync(e => e.Text == "through the example")).ReplyAsync("and back");
            Assert.Equal(("and back", true), await alice.Texts.NextAsync());
        }
        finally
        {
            bridge.Kill();
        }
    }

    private static async Task AnswersAsync(ProcessStartInfo info)
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("e");
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("key"), await server.CreateKeyAsync(Scope.Bot, null, endpoint));
        using var alice = new Contact("alice");
        await using var network = new Network(await server.ConnectAsync(Scope.Bridge), endpoint, alice);
        using var bot = Start(info, server, directory.File("key"));
        try
        {
            alice.Start();
            await alice.Changes.NextAsync();
            foreach (var text in new[] { "one", "zwei", "三" })
            {
                alice.Send(text);
                var answer = alice.Texts.NextAsync();
                if (await Task.WhenAny(answer, bot.WaitForExitAsync(Patience.Token)) != answer) Assert.Fail(await bot.StandardError.ReadToEndAsync());
                Assert.Equal(("echo: " + text, true), await answer);
            }
        }
        finally
        {
            if (!bot.HasExited) bot.Kill();
        }
    }

    private static Process Start(ProcessStartInfo info, TestServer server, string keyFile)
    {
        info.Environment["RELAY_SERVER"] = server.Address.GetLeftPart(UriPartial.Authority);
        info.Environment["RELAY_KEY_FILE"] = keyFile;
        info.RedirectStandardInput = info.RedirectStandardOutput = info.RedirectStandardError = true;
        return Process.Start(info)!;
    }

    private static ProcessStartInfo ExampleInfo(string folder, string library) =>
        new("dotnet", [Path.Combine(Root, "examples", folder, "bin", s_configuration, "net10.0", library), "endpoints/e"]);

    private static string FindRoot()
    {
        var d = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(d.FullName, "Relay.sln"))) d = d.Parent ?? throw new InvalidOperationException("Relay.sln is not above the test's folder.");
        return d.FullName;
    }
}
