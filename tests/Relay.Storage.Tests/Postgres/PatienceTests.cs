using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Relay.Engines;
using Relay.Storage.Postgres;
using Relay.Storage.Telemetry;
using Relay.Storage.Tests.Harness;
using static Relay.Storage.Tests.Harness.StoreUnits;

namespace Relay.Storage.Tests.Postgres;

/// <summary>A database that does not come back is waited for, for a bounded time, by a clock that does not wait.</summary>
public sealed class PatienceTests : IDisposable
{
    private readonly Meter _meter = new("Relay.Storage.Tests");
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-test-").FullName;

    [Fact]
    public async Task A_start_without_a_server_is_given_up_with_what_to_look_at()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var time = new TimeThatFlies();
        var refusal = await Assert.ThrowsAsync<RelayStartException>(() => OpenAsync($"Host=127.0.0.1;Port={port};Username=relay;Password=hidden;Database=relay", time));
        Assert.Contains($"127.0.0.1:{port}", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", refusal.ToString(), StringComparison.Ordinal);
        Assert.True(time.Passed >= StorageLimits.PostgresStartPatience);
    }

    [Fact]
    public async Task A_store_without_its_server_fails_after_its_patience_and_goes_on_when_it_is_back()
    {
        PostgresFixture.SkipWithoutPostgres();
        await using var server = await PostgresServer.StartAsync(new PostgresOptions(_directory));
        var time = new TimeThatFlies();
        await using var store = await OpenAsync(server.ConnectionString, time);
        await store.InsertEndpointAsync(Endpoint("e", 1, 1), default);
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("c", 0, 0, new Row(Wire, 1)), default));
        await server.StopAsync();
        var passed = time.Passed;
        await Assert.ThrowsAsync<StoreException>(() => store.CommitAsync(Unit("c", 1, 0, new Row(Wire, 2)), default).AsTask());
        await Assert.ThrowsAsync<StoreException>(() => store.LoadAsync("e", "c", default).AsTask());
        await Assert.ThrowsAsync<StoreException>(() => store.ClaimShardAsync(1, Guid.Empty, default).AsTask());
        Assert.True(time.Passed - passed >= 3 * StorageLimits.PostgresPatience);
        await server.StartAgainAsync();
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("c", 1, 0, new Row(Wire, 3)), default));
        Assert.Equal([1, 3], (await ((IStreamStore)store).ReadAsync(Wire, 0, 10, default)).Select(r => r.Sealed[1]));
    }

    [Fact]
    public async Task A_node_goes_on_registering_until_the_server_is_back_or_its_patience_ends()
    {
        PostgresFixture.SkipWithoutPostgres();
        await using var server = await PostgresServer.StartAsync(new PostgresOptions(_directory));
        await (await OpenAsync(server.ConnectionString, TimeProvider.System)).DisposeAsync();
        await server.StopAsync();
        async Task<NodeRows> RegisterAsync(TimeProvider clock) => await NodeRows.RegisterAsync(
            new PostgresConnections(server.ConnectionString, clock, NullLogger.Instance), new NodeIdentity("akka.ssl.tcp://relay@a:1", 1), "1.0.0",
            NullLogger.Instance, default);

        var time = new TimeThatFlies();
        var refusal = await Assert.ThrowsAsync<RelayStartException>(() => RegisterAsync(time));
        Assert.Contains("cannot register", refusal.Message, StringComparison.Ordinal);
        Assert.True(time.Passed >= StorageLimits.PostgresStartPatience);

        var registering = RegisterAsync(TimeProvider.System);
        await Task.Delay(TimeSpan.FromSeconds(1));
        Assert.False(registering.IsCompleted);
        await server.StartAgainAsync();
        await using var rows = await registering;
        Assert.True(rows.IsHeld);
    }

    private Task<PostgresStore> OpenAsync(string connectionString, TimeProvider time) => PostgresStore.OpenAsync(connectionString, new StorageTelemetry(_meter), NullLogger.Instance, time, default);

    public void Dispose()
    {
        _meter.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>Every pause is over at once, and the clock shows that it was made.</summary>
    private sealed class TimeThatFlies : TimeProvider
    {
        private long _ticks;

        public TimeSpan Passed => TimeSpan.FromTicks(Interlocked.Read(ref _ticks));

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref _ticks);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime > TimeSpan.Zero) Interlocked.Add(ref _ticks, dueTime.Ticks);
            return System.CreateTimer(callback, state, dueTime > TimeSpan.Zero ? TimeSpan.Zero : dueTime, period);
        }
    }
}
