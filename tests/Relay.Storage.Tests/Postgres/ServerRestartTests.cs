using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Relay.Engines;
using Relay.Storage.Postgres;
using Relay.Storage.Telemetry;
using static Relay.Storage.Tests.Harness.StoreUnits;

namespace Relay.Storage.Tests.Postgres;

/// <summary>The database goes away under load and comes back: nothing is lost, nothing is done twice.</summary>
public sealed class ServerRestartTests : IAsyncLifetime
{
    private const int Rounds = 60;

    private readonly string _directory = Directory.CreateTempSubdirectory("relay-test-").FullName;
    private readonly Meter _meter = new("Relay.Storage.Tests");
    private PostgresServer? _server;

    public async ValueTask InitializeAsync()
    {
        PostgresFixture.SkipWithoutPostgres();
        _server = await PostgresServer.StartAsync(new PostgresOptions(_directory));
    }

    [Theory]
    [InlineData("restarted")]
    [InlineData("restarted at once")]
    [InlineData("killed")]
    public async Task A_server_under_load_loses_nothing_and_repeats_nothing(string how)
    {
        var server = _server!;
        await using var a = await OpenAsync(server.ConnectionString);
        await using var b = await OpenAsync(server.ConnectionString);
        await a.InsertEndpointAsync(Endpoint("e", 1, 1), default);
        // Each store's first group holds its first conversation: once both have appended, c1, which is b's, is there to be read.
        var (begunA, begunB) = (new TaskCompletionSource(), new TaskCompletionSource());
        a.Appended += (_, last) => { if (last > 100) begunA.TrySetResult(); };
        b.Appended += (_, _) => begunB.TrySetResult();
        var load = LostConnectionTests.LoadAsync(a, b, Rounds, mayFail: true);
        await Task.WhenAny(Task.WhenAll(begunA.Task, begunB.Task), load);
        Assert.False(load.IsCompleted);
        if (how == "killed") await server.KillAsync();
        else await server.StopAsync(immediate: how == "restarted at once");
        // Reads wait as well.
        var read = a.LoadAsync("e", "c1", default).AsTask();
        await server.StartAgainAsync();
        Assert.NotNull(await read);
        await load;
        await LostConnectionTests.ExpectLoadAsync(b, Rounds);
    }

    private Task<PostgresStore> OpenAsync(string connectionString) => PostgresStore.OpenAsync(connectionString, new StorageTelemetry(_meter), NullLogger.Instance, TimeProvider.System, default);

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        _meter.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
