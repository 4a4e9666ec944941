using Relay.Bridges.Tests.Xmpp;
using Relay.Lab.Processes;

namespace Relay.Bridges.Tests;

/// <summary>What is wrong in the configuration of hosted bridges is told before anything is opened, and no secret is shown.</summary>
public sealed class HostedBridgeSettingsTests
{
    private const int MaxBridges = 64;

    [Fact]
    public async Task Mistakes_are_told_by_the_names_of_settings()
    {
        await using var show = HostedServer.Run(["config", "show", "--certificate", "missing.pem", "--certificate-key", "missing.key"],
            new() { ["Network"] = "xmpp", ["Component"] = "127.0.0.1", ["Domian"] = "x" });
        Assert.Equal(2, await show.EndsAsync());
        await show.PrintsAsync("Relay:Bridges:0:Domian is not a setting of a bridge to xmpp, which has Network, Component, Domain,");
        await show.PrintsAsync("Relay:Bridges:0:KeyFile must name a file");
        await show.PrintsAsync("Relay:Bridges:0:Server must be this server's address with a name for which its certificate is valid");
        await show.PrintsAsync("Relay:Bridges:0: Option 'Domain' is required.");
    }

    [Fact]
    public async Task A_server_with_a_mistake_does_not_start()
    {
        var data = Path.Combine(Path.GetTempPath(), $"relay-hosted-{Guid.NewGuid():N}");
        await using var serve = HostedServer.Run(["serve", "--data", data], new() { ["Network"] = "telegram" });
        Assert.Equal(2, await serve.EndsAsync());
        await serve.PrintsAsync("Relay:Bridges:0:Network must be xmpp or irc.");
        Assert.False(Directory.Exists(data));
    }

    [Theory]
    [InlineData(MaxBridges, false)]
    [InlineData(MaxBridges + 1, true)]
    public async Task A_server_hosts_64_bridges(int count, bool isRefused)
    {
        var info = RelayProgram.StartInfo(["config", "show", "--json"]);
        for (int i = 0; i < count; i++) info.Environment[$"Relay__Bridges__{i}__Network"] = "irc";
        await using var show = RelayProcess.Start(info);
        Assert.Equal(2, await show.EndsAsync());
        await show.PrintsAsync("\"mistakes\"");
        await Wait.UntilAsync(() => show.Printed.TrimEnd().EndsWith('}'));
        Assert.Equal(isRefused, show.Printed.Contains("Relay:Bridges has 65 bridges, and a server hosts 64.", StringComparison.Ordinal));
    }

    /// <summary>Whoever writes a password where a file's name belongs, or under a name that looks like one, does not see it printed.</summary>
    [Fact]
    public async Task A_password_in_the_configuration_is_not_shown()
    {
        await using var show = HostedServer.Run(["config", "show"], new()
        {
            ["Network"] = "irc", ["Nick"] = "seen-nick", ["Sasl"] = "bot:hunter2", ["Secret"] = "hunter2", ["ServerPassword"] = "hunter2",
            ["Sasl__File"] = "hunter2", ["SaslFile"] = "seen-file",
        });
        Assert.Equal(2, await show.EndsAsync());
        await show.PrintsAsync("seen-nick");
        await show.PrintsAsync("seen-file");
        await show.PrintsAsync("Relay:Bridges:0:Secret is not a setting of a bridge to irc");
        Assert.DoesNotContain("hunter2", show.Printed, StringComparison.Ordinal);
    }
}
