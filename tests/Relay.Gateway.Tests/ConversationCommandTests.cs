using Relay.Cli;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>The commands about conversations and their peers' keys: lists by what the API's filter knows, labels, decisions, deletion.</summary>
public sealed class ConversationCommandTests
{
    private static readonly string s_oldKey = new('1', 40);

    private readonly Dictionary<string, string> _environment = [];

    private Task<TerminalResult> RunAsync(params string[] arguments) => Terminal.RunAsync(_environment, null, arguments);

    /// <summary>The peers that the command lists.</summary>
    private async Task<string> ListAsync(params string[] switches)
    {
        var listed = await RunAsync(["conversations", "list", "e", "--json", .. switches]);
        Assert.True(listed.Code == ExitCode.Ok, listed.Error);
        return string.Join(' ', listed.Json.EnumerateArray().Select(c => c.GetProperty("peer").GetString()));
    }

    private void Use(TestServer server, string keyFile)
    {
        _environment["RELAY_SERVER"] = server.Address.ToString();
        _environment["RELAY_KEY_FILE"] = keyFile;
    }

    [Fact]
    public async Task They_are_listed_by_state_trust_label_and_filter_in_an_order()
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("e");
        Use(server, Path.Combine(server.DataDirectory, "admin.key"));
        using var alice = new Contact("alice");
        await using var network = new Network(await server.ConnectAsync(Scope.Bridge), endpoint, alice);
        alice.Start();
        await alice.Changes.NextAsync();
        foreach (var peer in new[] { "bob", "carol" }) Assert.Equal(ExitCode.Ok, (await RunAsync("conversations", "start", "e/" + peer)).Code);
        Assert.Equal("alice", await ListAsync("--state", "encrypted"));
        Assert.Equal("bob carol", await ListAsync("--state", "plaintext", "--order-by", "peer"));
        Assert.Equal("carol bob", await ListAsync("--state", "plaintext", "--order-by", "peer desc"));
        Assert.Equal("", await ListAsync("--state", "quarantined"));
        Assert.Equal("alice", await ListAsync("--trust", "unverified"));
        Assert.Equal("", await ListAsync("--trust", "verified"));
        Assert.Equal("carol", await ListAsync("--filter", "peer : car"));

        Assert.Equal("Its labels: team=key account, tier=1", (await RunAsync("conversations", "label", "e/bob", "tier=1", "team=key account")).Out.Trim());
        await RunAsync("conversations", "label", "e/carol", "tier=1");
        Assert.Equal("bob", await ListAsync("--label", "team=key account", "--label", "tier=1", "--state", "plaintext", "--filter", "peer : b"));
        Assert.Contains("team=key account, tier=1", (await RunAsync("conversations", "list", "e")).Out, StringComparison.Ordinal);
        Assert.Equal("Its labels: tier=1", (await RunAsync("conversations", "label", "e/bob", "team=")).Out.Trim());
        Assert.Equal("bob carol", await ListAsync("--label", "tier=1", "--order-by", "peer"));

        foreach (var wrong in new string[][] { ["--state", "open"], ["--trust", "much"], ["--label", "team"], ["--label", "a=\"b"], ["--filter", "colour = red"], ["--order-by", "size"] })
            Assert.Equal(ExitCode.Usage, (await RunAsync(["conversations", "list", "e", .. wrong])).Code);
        Assert.Equal("No conversation matches.", (await RunAsync("conversations", "list", "e", "--label", "tier=9")).Out.Trim());
    }

    [Fact]
    public async Task One_is_deleted_only_after_a_yes()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateEndpointAsync("e");
        Use(server, Path.Combine(server.DataDirectory, "admin.key"));
        await RunAsync("conversations", "start", "e/bob");
        var asked = await RunAsync("conversations", "delete", "e/bob");
        Assert.Equal((ExitCode.Usage, true), (asked.Code, asked.Error.Contains("--yes", StringComparison.Ordinal)));
        Assert.Equal("bob", await ListAsync());
        Assert.Equal(ExitCode.Ok, (await RunAsync("conversations", "delete", "e/bob", "--yes")).Code);
        Assert.Equal("", await ListAsync());
        Assert.Equal(ExitCode.NotFound, (await RunAsync("conversations", "delete", "e/bob", "--yes")).Code);
    }

    [Theory]
    [InlineData("accept", "accepted", "not yet")]
    [InlineData("refuse", "refused", null)]
    public async Task A_held_key_is_listed_and_decided_about(string verb, string standing, string? arrives)
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("e", policy: new Policy { KeyChange = Policy.Types.KeyChange.Hold });
        await server.Admin.Identities.ImportIdentitiesAsync(new ImportIdentitiesRequest
        {
            RequestId = "i", Parent = endpoint, Peers = { new PeerIdentities { Peer = "alice", Identities = { new KnownIdentity { Fingerprint = s_oldKey } } } },
        });
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("bot.key"), await server.CreateKeyAsync(Scope.Bot));
        Use(server, directory.File("bot.key"));
        using var alice = new Contact("alice");
        await using var network = new Network(await server.ConnectAsync(Scope.Bridge), endpoint, alice);
        alice.Start();
        await alice.Changes.NextAsync();
        var limit = Patience.Token;
        while (await ListAsync("--trust", "held") != "alice") limit.ThrowIfCancellationRequested();
        Assert.StartsWith("Held:", (await RunAsync("send", "e/alice", "not yet")).Out, StringComparison.Ordinal);
        var keys = (await RunAsync("identities", "list", "e/alice", "--json")).Json.EnumerateArray().ToList();
        var shown = keys.Single(k => k.GetProperty("standing").GetString() == "HELD").GetProperty("fingerprint").GetString()!;
        Assert.Matches("not verified +held ", (await RunAsync("identities", "list", "e/alice")).Out);
        var decided = await RunAsync("identities", verb, "e/alice", EndpointNames.Fingerprint(shown));
        Assert.Equal((ExitCode.Ok, $"{EndpointNames.Fingerprint(shown)} is {standing}, not verified."), (decided.Code, decided.Out.Trim()));
        if (arrives is not null) Assert.Equal((arrives, true), await alice.Texts.NextAsync());
        Assert.Equal("", await ListAsync("--trust", "held"));
    }

    /// <summary>The root's help: what one does with a command, and every command once.</summary>
    [Fact]
    public async Task The_help_puts_the_commands_under_what_they_are_for()
    {
        var help = (await Terminal.RunLabAsync("--help")).Out;
        var groups = new[] { "Try:", "Run:", "Manage:", "Talk:", "Measure:" };
        var lines = help.Split('\n').Select(l => l.TrimEnd()).ToList();
        Assert.Equal(groups, lines.Where(groups.Contains));
        string Of(string command) => lines.Take(lines.FindIndex(l => l.StartsWith($"  {command} ", StringComparison.Ordinal))).Last(l => l.EndsWith(':'));
        Assert.Equal(["Try:", "Run:", "Manage:", "Manage:", "Talk:", "Measure:", "Other:"], new[] { "demo", "serve", "endpoints", "conversations", "chat", "bench", "completion" }.Select(Of));
        var shown = RelayCommand.Create().Subcommands.Where(c => !c.Hidden).Select(c => c.Name);
        Assert.All(shown, name => Assert.Single(lines, l => l.StartsWith($"  {name} ", StringComparison.Ordinal)));
    }
}
