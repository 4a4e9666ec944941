using System.Diagnostics;
using Relay.Gateway.Tests.Harness;

namespace Interop.Tests.Gateway;

/// <summary>
/// A grpcio client over a server that drains and comes back, again and again. grpcio 1.51 starts a call on a connection
/// of whose end it has not heard, and then waits for ever: so it must hear of it while a stream is open.
/// </summary>
public sealed class DrainingClientTests
{
    private const int Drains = 6;

    [Fact]
    public async Task Grpcio_comes_back_each_time_a_server_drains()
    {
        using var descriptors = new TemporaryFile(ForeignProgram.Descriptors());
        using var directory = new TempDirectory();
        GatewayUnderTest? gateway = await StartAsync(directory, port: 0);
        int port = gateway.Server.Address.Port;
        using var client = await ForeignProgram.StartPythonAsync(gateway, descriptors.Path, "draining");
        try
        {
            await ExpectAsync(client, "caught_up");
            for (int i = 0; i < Drains; i++)
            {
                var before = gateway;
                // Work in flight keeps the server up for a while after the streams have ended.
                before.Relay.OnDrain = cancellation => Task.Delay(300, cancellation);
                Assert.True(await before.Server.Host.DrainAsync(CancellationToken.None));
                gateway = null;
                await before.DisposeAsync();
                await ExpectAsync(client, "draining");
                await ExpectAsync(client, "ended");
                // Once more, because nothing listens: it is here that it would hang.
                await ExpectAsync(client, "ended");
                gateway = await StartAsync(directory, port, before.Keys);
                await ExpectAsync(client, "caught_up");
            }
            client.StandardInput.Close();
            await gateway.Server.Host.DrainAsync(CancellationToken.None);
            await client.WaitForExitAsync(Patience.Token);
            Assert.True(client.ExitCode == 0, await client.StandardError.ReadToEndAsync());
        }
        finally
        {
            if (!client.HasExited) client.Kill();
            if (gateway is not null) await gateway.DisposeAsync();
        }
    }

    private static Task<GatewayUnderTest> StartAsync(TempDirectory directory, int port, IReadOnlyDictionary<string, string>? keys = null) =>
        GatewayUnderTest.StartAsync(settings: new() { ["--listen"] = $"127.0.0.1:{port}" }, dataDirectory: directory.File("data"), keys: keys);

    /// <summary>The next line, leaving out streams that ended because nothing listened.</summary>
    private static async Task ExpectAsync(Process client, string line)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        string? said;
        do said = await client.StandardOutput.ReadLineAsync(limit.Token);
        while (said == "ended" && line == "caught_up");
        Assert.True(said == line, said ?? "The client has ended.");
    }
}
