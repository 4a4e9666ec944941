using System.Diagnostics.Metrics;
using Akka.Actor;
using Akka.TestKit.Xunit;
using Microsoft.Extensions.Logging.Abstractions;
using Relay.Actors.Conversations;
using Relay.Actors.Deadlines;
using Relay.Actors.Tests.Harness;
using Relay.Storage;
using Relay.Storage.Sqlite;
using Relay.Storage.Telemetry;

namespace Relay.Actors.Tests;

/// <summary>The keeper of deadlines over a real store.</summary>
public sealed class DeadlineKeeperTests() : TestKit("akka { loglevel = OFF, stdout-loglevel = OFF }")
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    private readonly string _directory = Directory.CreateTempSubdirectory("relay-test-").FullName;
    private readonly Meter _meter = new("Relay.Actors.Tests");

    [Fact]
    public async Task Conversations_that_cannot_be_woken_do_not_keep_the_others_asleep()
    {
        await using var store = Open();
        const int stuck = RelayLimits.MaxDuePerSweep + 1;
        for (int i = 0; i < stuck; i++) await store.CommitAsync(Due($"stuck{i}", i), default);
        await store.CommitAsync(Due("free", stuck), default);
        var woken = new TaskCompletionSource();
        var keeper = Sys.ActorOf(DeadlineKeeper.Props(store, TimeProvider.System, key =>
        {
            if (key.ConversationId != "free") return Task.FromResult<TimeSpan?>(RelayLimits.SweepPostponement);
            woken.TrySetResult();
            return Task.FromResult<TimeSpan?>(null);
        }, RelayLimits.LongestDeadlineSleep, () => true, NullLogger.Instance));
        await woken.Task.WaitAsync(s_limit);
        await keeper.GracefulStop(s_limit, Stop.HandOver);
    }

    [Fact]
    public async Task An_earlier_deadline_shortens_the_sleep()
    {
        var time = new ManualTime();
        await using var store = Open();
        var woken = new TaskCompletionSource();
        var keeper = Sys.ActorOf(DeadlineKeeper.Props(store, time, key =>
        {
            woken.TrySetResult();
            return Task.FromResult<TimeSpan?>(null);
        }, RelayLimits.LongestDeadlineSleep, () => true, NullLogger.Instance));
        long due = time.GetUtcNow().AddMinutes(1).ToUnixTimeMilliseconds();
        await store.CommitAsync(Due("later", due), default);
        keeper.Tell(new DeadlineStored(due));
        Assert.True(SpinWait.SpinUntil(() => time.Next == TimeSpan.FromMinutes(1), s_limit));
        time.Advance(TimeSpan.FromMinutes(1));
        await woken.Task.WaitAsync(s_limit);
    }

    [Fact]
    public async Task A_store_that_fails_is_looked_at_again()
    {
        var time = new ManualTime();
        await using var inner = Open();
        await inner.CommitAsync(Due("due", 0), default);
        await using var store = new FaultyStore(inner) { ReadGate = Task.FromException(new StoreException("Made to fail.")) };
        var woken = new TaskCompletionSource();
        Sys.ActorOf(DeadlineKeeper.Props(store, time, key =>
        {
            woken.TrySetResult();
            return Task.FromResult<TimeSpan?>(null);
        }, RelayLimits.LongestDeadlineSleep, () => true, NullLogger.Instance));
        Assert.True(SpinWait.SpinUntil(() => time.Next == RelayLimits.SweepRetry, s_limit));
        Assert.False(woken.Task.IsCompleted);
        store.ReadGate = Task.CompletedTask;
        time.Advance(RelayLimits.SweepRetry);
        await woken.Task.WaitAsync(s_limit);
    }

    [Fact]
    public async Task A_sweep_under_way_is_waited_for_when_it_stops()
    {
        await using var store = Open();
        await store.CommitAsync(Due("slow", 0), default);
        TaskCompletionSource asked = new(), answered = new();
        var keeper = Sys.ActorOf(DeadlineKeeper.Props(store, TimeProvider.System, async Task<TimeSpan?> (_) =>
        {
            asked.TrySetResult();
            await answered.Task;
            return null;
        }, RelayLimits.LongestDeadlineSleep, () => true, NullLogger.Instance));
        await asked.Task.WaitAsync(s_limit);
        var stopping = keeper.GracefulStop(s_limit, Stop.HandOver);
        await Assert.ThrowsAsync<TimeoutException>(() => stopping.WaitAsync(TimeSpan.FromMilliseconds(100)));
        answered.SetResult();
        Assert.True(await stopping);
    }

    private SqliteStore Open()
    {
        var store = SqliteStore.Open(Path.Combine(_directory, "relay.db"), new StorageTelemetry(_meter), NullLogger.Instance);
        Assert.Equal(InsertEndpointResult.Inserted, store.InsertEndpointAsync(new EndpointRow("e", 1, 1, 77, [1, 2, 3]), default).AsTask().GetAwaiter().GetResult());
        return store;
    }

    private static CommitUnit Due(string id, long dueMs)
        => new() { EndpointId = "e", ConversationId = id, ExpectedVersion = 0, Sealed = [0], UpdatedMs = 1000, DueMs = dueMs };

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (!disposing) return;
        _meter.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
