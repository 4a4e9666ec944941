using Otr.Core;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Sdk.Tests;

/// <summary>Two nodes over PostgreSQL, for the tests of all languages.</summary>
public sealed class TwoNodes : IAsyncLifetime
{
    internal ClusterProcesses? Cluster { get; private set; }

    public async ValueTask InitializeAsync()
    {
        if (ClusterProcesses.Missing is null) Cluster = await ClusterProcesses.StartAsync(new ClusterLayout { Nodes = 2 }, Patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (Cluster is not null) await Cluster.DisposeAsync();
    }
}

/// <summary>
/// The echo bots while one node after the other is restarted, as for an upgrade: each goes to where there is a node, and every text is
/// answered once, in order for each contact.
/// </summary>
public sealed class RollingRestartTests(TwoNodes nodes) : IClassFixture<TwoNodes>
{
    private const int Contacts = 2, TextsOfContact = 4;
    private static readonly RelayClientOptions s_options = new() { MaxBackoff = TimeSpan.FromMilliseconds(300), AttemptTimeout = TimeSpan.FromSeconds(10) };

    [Theory]
    [InlineData("csharp")]
    [InlineData("python")]
    [InlineData("node")]
    public async Task A_bot_goes_on_while_the_nodes_are_restarted_in_turn(string language)
    {
        Assert.SkipUnless(nodes.Cluster is not null, $"Not installed: {ClusterProcesses.Missing}");
        var cluster = nodes.Cluster;
        await using var admin = cluster.Connect(RelayKey.FromFile(cluster.AdminKeyFile), 1, s_options);
        await admin.CallAsync(o => admin.Endpoints.CreateEndpointAsync(
            new CreateEndpointRequest { RequestId = language, EndpointId = language, Network = "n", Account = language, Dsa = TestKeys.Endpoint }, o));
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("bot.key"), await CreateKeyAsync(Scope.Bot));
        await using var bridge = cluster.Connect(RelayKey.Parse(await CreateKeyAsync(Scope.Bridge)), 2, s_options);
        var contacts = Enumerable.Range(0, Contacts).Select(i => new Contact($"{language}{i}")).ToArray();
        await using var network = new Network(bridge, "endpoints/" + language, contacts);
        using var bot = await BotProcess.StartAsync(
            language, "echo", string.Join(',', cluster.Addresses.Select(a => a.GetLeftPart(UriPartial.Authority))), directory.File("bot.key"), endpoint: language);
        int said = 0;
        foreach (var contact in contacts)
        {
            contact.Start();
            Assert.Equal(SessionCause.KeyExchange, await contact.Changes.NextAsync());
        }
        await TalkAsync();
        foreach (var node in cluster.Nodes)
        {
            // What is under way when the node goes is answered by the other.
            var talking = TalkAsync();
            Assert.Equal(0, await node.DrainAsync(Patience.Token));
            await talking;
            await TalkAsync();
            await node.StartAsync(Patience.Token);
            Assert.False(bot.HasExited, bot.Output);
        }
        await TalkAsync();
        Assert.All(contacts, c => Assert.False(c.Texts.TryRead(out _)));
        Assert.All(contacts, c => Assert.Equal((1, 0), (c.KeyExchanges, c.Rejects.Count)));
        foreach (var contact in contacts) contact.Dispose();

        async Task TalkAsync()
        {
            int from = said;
            said += TextsOfContact;
            await Task.WhenAll(contacts.Select(async contact =>
            {
                for (int i = from; i < from + TextsOfContact; i++) contact.Send($"text {i}");
                for (int i = from; i < from + TextsOfContact; i++) Assert.Equal(($"echo: text {i}", true), await contact.Texts.NextAsync());
            }));
        }

        async Task<string> CreateKeyAsync(Scope scope) => (await admin.CallAsync(o => admin.Admin.CreateApiKeyAsync(
            new CreateApiKeyRequest { RequestId = $"{language}{scope}", Scopes = { scope } }, o))).Token;
    }
}
