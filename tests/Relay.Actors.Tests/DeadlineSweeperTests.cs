using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Relay.Actors.Shards;
using Relay.Storage;
using Relay.Storage.Sqlite;
using Relay.Storage.Telemetry;

namespace Relay.Actors.Tests;

/// <summary>The sweeper over a real store.</summary>
public sealed class DeadlineSweeperTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-test-").FullName;
    private readonly Meter _meter = new("Relay.Actors.Tests");

    [Fact]
    public async Task Conversations_that_cannot_be_woken_do_not_keep_the_others_asleep()
    {
        await using var store = SqliteStore.Open(Path.Combine(_directory, "relay.db"), new StorageTelemetry(_meter), NullLogger.Instance);
        await store.InsertEndpointAsync(new EndpointRow("e", 1, 1, 77, [1, 2, 3]), default);
        const int stuck = RelayLimits.MaxDuePerSweep + 1;
        for (int i = 0; i < stuck; i++) await store.CommitAsync(Due($"stuck{i}", i), default);
        await store.CommitAsync(Due("free", stuck), default);
        var woken = new TaskCompletionSource();
        var sweeper = new DeadlineSweeper(store, TimeProvider.System, (_, id) =>
        {
            if (id != "free") return Task.FromResult(false);
            woken.TrySetResult();
            return Task.FromResult(true);
        }, NullLogger.Instance);
        sweeper.Start();
        await woken.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await sweeper.StopAsync();
    }

    private static CommitUnit Due(string id, long dueMs)
        => new() { EndpointId = "e", ConversationId = id, ExpectedVersion = 0, Sealed = [0], UpdatedMs = 1000, DueMs = dueMs };

    public void Dispose()
    {
        _meter.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
