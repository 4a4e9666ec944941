using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>The examples of bridges, run as they are; those of bots are in Relay.Sdk.Tests.</summary>
public sealed class ExampleTests
{
    /// <summary>The checkout.</summary>
    internal static string Root { get; } = FindRoot();
    /// <summary>The configuration that the tests were built with.</summary>
    private static readonly string s_configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

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
