using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors;
using Relay.Cli;
using Relay.Client;
using Relay.Gateway.Hosting;
using Relay.Gateway.Tests.Harness;
using Relay.Storage;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>Two nodes over a real database, as bots, bridges and operators see them.</summary>
public sealed class ClusterTests(ClusterEngines engines) : IClassFixture<ClusterEngines>
{
    private const int Shards = 4;

    [Fact]
    public async Task A_conversation_goes_on_while_node_after_node_is_restarted()
    {
        Assert.SkipUnless(ClusterEngines.Missing is null, ClusterEngines.Missing ?? "");
        using var directory = new TempDirectory();
        var first = await StartAsync(directory, "a");
        var second = await StartAsync(directory, "b");
        try
        {
            var admin = RelayKey.FromFile(engines.AdminKey);
            var options = new RelayClientOptions { MaxBackoff = TimeSpan.FromMilliseconds(300) };
            await using var operators = RelayClient.Connect(first.Address, admin, options);
            var endpoint = (await operators.Endpoints.CreateEndpointAsync(new CreateEndpointRequest { RequestId = "1", EndpointId = "e", Network = "n", Account = "a", Dsa = TestKeys.Endpoint })).Name;
            // Each sees one node first, and the other one when that goes.
            await using var botClient = RelayClient.Connect([first.Address, second.Address], await KeyAsync(operators, Scope.Bot), options);
            await using var bridgeClient = RelayClient.Connect([second.Address, first.Address], await KeyAsync(operators, Scope.Bridge), options);
            using var alice = new Contact("alice");
            await using var network = new Network(bridgeClient, endpoint, alice);
            using var stop = new CancellationTokenSource();
            var read = new List<string>();
            var echoing = EchoAsync(botClient.Bot(endpoint), read, stop.Token);
            alice.Start();
            Assert.Equal(SessionCause.KeyExchange, await alice.Changes.NextAsync());

            var said = new List<string>();
            async Task TalkAsync(int messages)
            {
                for (int i = 0; i < messages; i++)
                {
                    said.Add($"message {said.Count}");
                    alice.Send(said[^1]);
                    var next = alice.Texts.NextAsync();
                    await await Task.WhenAny(next, echoing, network.Fault);
                    Assert.Equal(("echo: " + said[^1], true), await next);
                }
            }
            await TalkAsync(5);
            Assert.True(await first.DrainAsync(CancellationToken.None));
            await first.DisposeAsync();
            await TalkAsync(5);
            first = await StartAsync(directory, "a", first.Address.Port);
            await TalkAsync(2);
            Assert.True(await second.DrainAsync(CancellationToken.None));
            await second.DisposeAsync();
            await TalkAsync(5);
            Assert.Equal(said, read);
            Assert.Equal(1, alice.KeyExchanges);
            Assert.Empty(alice.Rejects);
            Assert.All(network.Results, r => Assert.Equal("", r.RejectReason));
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => echoing);
        }
        finally
        {
            await first.DisposeAsync();
            await second.DisposeAsync();
        }
    }

    [Fact]
    public async Task The_doctor_finds_a_cluster_well_and_says_what_is_wrong_with_a_node()
    {
        Assert.SkipUnless(ClusterEngines.Missing is null, ClusterEngines.Missing ?? "");
        using var directory = new TempDirectory();
        await using var node = await StartAsync(directory, "a");
        await File.WriteAllTextAsync(directory.File("db"), engines.Database);
        string[] Doctor(params string[] more) =>
            ["doctor", "--json", "--data", directory.File("a"), "--key-file", engines.AdminKey, "--server", node.Address.ToString(), "--database-file", directory.File("db"), .. more];

        var well = await Terminal.RunAsync(Doctor("--sealing-key", engines.SealingKey, "--shards", $"{Shards}"));
        var found = Findings(well);
        Assert.True(well.Code == ExitCode.Ok, well.Out);
        foreach (var check in new[] { "database", "durability", "database clock", "schema", "cluster's key", "server", "key" }) Assert.Equal("ok", found[check]);
        Assert.Equal("warning", found["nodes"]);
        Assert.DoesNotContain("password", well.Out, StringComparison.OrdinalIgnoreCase);

        var wrong = await Terminal.RunAsync(Doctor("--sealing-key", OtherKey(directory), "--shards", $"{Shards}"));
        Assert.Equal(ExitCode.Failed, wrong.Code);
        Assert.Equal("problem", Findings(wrong)["cluster's key"]);
        // With mistakes in the configuration nothing further is looked at in the database.
        var mistaken = await Terminal.RunAsync(Doctor("--sealing-key", engines.SealingKey, "--cluster-host", "no host"));
        Assert.Equal((ExitCode.Failed, "problem"), (mistaken.Code, Findings(mistaken)["configuration"]));

        var shards = await Terminal.RunAsync(Doctor("--sealing-key", engines.SealingKey, "--shards", $"{Shards + 1}"));
        Assert.Equal("problem", Findings(shards)["shards"]);

        await File.WriteAllTextAsync(directory.File("db"), "postgresql://relay:secret@127.0.0.1:1/relay");
        var down = await Terminal.RunAsync(Doctor("--sealing-key", engines.SealingKey));
        Assert.Equal("problem", Findings(down)["database"]);
        Assert.DoesNotContain("secret", down.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_with_another_sealing_key_or_number_of_shards_is_refused_clearly()
    {
        Assert.SkipUnless(ClusterEngines.Missing is null, ClusterEngines.Missing ?? "");
        using var directory = new TempDirectory();
        await using var node = await StartAsync(directory, "a");
        var key = await Assert.ThrowsAsync<RelayStartException>(() => ServerHost.StartAsync(new(Settings(directory, "b", 0)) { ["--sealing-key"] = OtherKey(directory) }));
        Assert.Contains("other.key", key.Message, StringComparison.Ordinal);
        var shards = await Assert.ThrowsAsync<RelayStartException>(() => ServerHost.StartAsync(new(Settings(directory, "c", 0)) { ["--shards"] = $"{Shards + 1}" }));
        Assert.Contains($"--shards {Shards}", shards.Message, StringComparison.Ordinal);
    }

    private Task<ServerHost> StartAsync(TempDirectory directory, string name, int port = 0) => ServerHost.StartAsync(Settings(directory, name, port));

    private Dictionary<string, string> Settings(TempDirectory directory, string name, int port) => new()
    {
        ["--data"] = directory.File(name), ["--listen"] = $"127.0.0.1:{port}", ["--shards"] = $"{Shards}",
        ["--sealing-key"] = engines.SealingKey, ["--admin-key"] = engines.AdminKey,
        ["--database"] = engines.Database, ["--cluster-host"] = "127.0.0.1", ["--cluster-port"] = $"{ClusterPort(directory, name)}",
    };

    /// <summary>A free port, which the node keeps when it is started again.</summary>
    private static int ClusterPort(TempDirectory directory, string name)
    {
        var file = directory.File(name + ".port");
        if (!File.Exists(file))
        {
            using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            File.WriteAllText(file, $"{((IPEndPoint)listener.LocalEndpoint).Port}");
        }
        return int.Parse(File.ReadAllText(file), System.Globalization.CultureInfo.InvariantCulture);
    }

    private static string OtherKey(TempDirectory directory)
    {
        var file = directory.File("other.key");
        File.WriteAllText(file, $"relay-sealing-key-v1 {Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))}\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return file;
    }

    private static Dictionary<string, string> Findings(TerminalResult result) =>
        result.Json.GetProperty("findings").EnumerateArray().GroupBy(f => f.GetProperty("check").GetString()!).ToDictionary(g => g.Key, g => g.Last().GetProperty("verdict").GetString()!);

    private static async Task EchoAsync(Bot bot, List<string> read, CancellationToken stop)
    {
        await foreach (var e in bot.Events(stop))
        {
            if (e.Text is { } text)
            {
                read.Add(text);
                await e.ReplyAsync("echo: " + text, stop);
            }
            await e.AckAsync();
        }
    }

    private static async Task<RelayKey> KeyAsync(RelayClient admin, Scope scope) =>
        RelayKey.Parse((await admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = Guid.NewGuid().ToString(), Scope = scope })).Token);
}
