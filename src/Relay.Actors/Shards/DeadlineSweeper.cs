using Microsoft.Extensions.Logging;
using Relay.Actors.Store;
using Relay.Actors.Telemetry;

namespace Relay.Actors.Shards;

/// <summary>
/// Wakes conversations whose stored deadline has come, in memory or not. It sleeps until the next one it knows of; a
/// commit with an earlier one shortens the sleep.
/// </summary>
/// <param name="wake">Wakes one conversation; false if that could not be done now.</param>
internal sealed class DeadlineSweeper(IConversationStore store, TimeProvider time, Func<string, string, Task<bool>> wake, ILogger log)
{
    // Further than a timer reaches; the sweep in between costs nothing.
    private static readonly TimeSpan LongestSleep = TimeSpan.FromDays(1);

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private TaskCompletionSource _earlier = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _wakeAtMs = long.MaxValue;
    private Task _running = Task.CompletedTask;

    public void Start() => _running = RunAsync(_stop.Token);

    public async Task StopAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>A deadline was stored.</summary>
    public void Set(long dueMs)
    {
        lock (_lock)
        {
            if (dueMs < _wakeAtMs) _earlier.TrySetResult();
        }
    }

    private async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            Task earlier;
            lock (_lock)
            {
                // From here on every commit counts, also one that the sweep below does not see.
                _wakeAtMs = long.MaxValue;
                _earlier = new(TaskCreationOptions.RunContinuationsAsynchronously);
                earlier = _earlier.Task;
            }
            var (sleep, isRetry) = await SweepAsync(stopping).ConfigureAwait(false);
            if (isRetry)
            {
                await Task.Delay(sleep, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                continue;
            }
            await SleepAsync(sleep, earlier, stopping).ConfigureAwait(false);
        }
    }

    private async Task<(TimeSpan Sleep, bool IsRetry)> SweepAsync(CancellationToken stopping)
    {
        try
        {
            long now = Now;
            var due = await store.ReadDueAsync(now, RelayLimits.MaxDuePerSweep, stopping).ConfigureAwait(false);
            var woken = await Task.WhenAll(due.Due.Select(d => wake(d.EndpointId, d.ConversationId))).ConfigureAwait(false);
            if (woken.Contains(false)) return (RelayLimits.SweepRetry, true);
            if (due.Due.Count == RelayLimits.MaxDuePerSweep) return (TimeSpan.Zero, false);
            lock (_lock) _wakeAtMs = due.NextMs ?? long.MaxValue;
            return (due.NextMs is { } next ? TimeSpan.FromMilliseconds(Math.Clamp(next - Now, 0, (long)LongestSleep.TotalMilliseconds)) : LongestSleep, false);
        }
        catch (StoreException e)
        {
            RelayLog.SweepFailed(log, e.Message);
            return (RelayLimits.SweepRetry, true);
        }
        catch (OperationCanceledException)
        {
            return (TimeSpan.Zero, false);
        }
    }

    private async Task SleepAsync(TimeSpan sleep, Task earlier, CancellationToken stopping)
    {
        using var awake = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        await Task.WhenAny(Task.Delay(sleep, time, awake.Token), earlier).ConfigureAwait(false);
        await awake.CancelAsync().ConfigureAwait(false);
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();
}
