using Relay.Client;
using Relay.Lab.Load;
using Relay.Lab.Processes;

namespace Relay.Chaos.Tests;

/// <summary>The load itself, against one embedded server: quick, and without engines.</summary>
public sealed class LoadTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Conversations_through_a_server_that_is_killed_are_exactly_once_and_in_order()
    {
        using var directory = new TempDirectory();
        var data = directory.File("data");
        var log = directory.File("server.log");
        var server = await ServerProcess.StartAsync(data, "127.0.0.1:0", log, null, Patience.Token);
        try
        {
            var options = new RelayClientOptions { MaxBackoff = TimeSpan.FromMilliseconds(300) };
            await using var stage = await LoadStage.OpenAsync(
                (key, _) => RelayClient.Connect(server.Address, key, options), RelayKey.FromFile(Path.Combine(data, "admin.key")),
                new LoadOptions(30, TimeSpan.FromMilliseconds(300)) { Endpoints = 2 }, Patience.Token);
            await stage.Load.BeginAsync(_ => { }, Patience.Token);
            stage.Load.Talk();
            await stage.Load.AllAnsweredAsync(3, Patience.Token);
            await server.KillAsync();
            await server.DisposeAsync();
            server = await ServerProcess.StartAsync(data, $"127.0.0.1:{server.Address.Port}", log, null, Patience.Token);
            await stage.Load.AllAnsweredAsync(3, Patience.Token);
            await stage.Load.SettleAsync(Patience.Limit, Patience.Token);
            output.WriteLine(stage.Load.Tally.ToString());
            Assert.Empty(stage.Load.Ledger.Faults);
        }
        finally
        {
            await server.DisposeAsync();
        }
    }
}
