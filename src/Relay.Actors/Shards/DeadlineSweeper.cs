using Microsoft.Extensions.Logging;
using Relay.Actors.Telemetry;
using Relay.Storage;

namespace Relay.Actors.Shards;

/// <summary>
/// Wakes conversations whose stored deadline has come, in memory or not. It sleeps until the earliest it knows of, from
/// the store or from a commit since; a commit with an earlier one only shortens the sleep, so that load causes no sweeps.
/// </summary>
/// <param name="wake">Wakes one conversation; false if that could not be done now.</param>
internal sealed class DeadlineSweeper(IConversationStore store, TimeProvider time, Func<string, string, Task<bool>> wake, ILogger log)
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private TaskCompletionSource _earlier = new();
    // The earliest deadline known; long.MaxValue if none.
    private long _nextMs = long.MaxValue;
    private Task _running = Task.CompletedTask;

    /// <summary>Longer sleeps than this are cut.</summary>
    public TimeSpan LongestSleep { get; init; } = RelayLimits.LongestDeadlineSleep;

    /// <summary>Whether this process is the one to look after deadlines.</summary>
    public Func<bool> IsOurs { get; init; } = static () => true;

    /// <summary>How the sweeper goes on when it is woken.</summary>
    public TaskCreationOptions Continuations { get; init; } = TaskCreationOptions.RunContinuationsAsynchronously;

    public void Start() => _running = RunAsync(_stop.Token);

    public async Task StopAsync()
    {
        // Here and now: the only one who waits for it is the loop, which ends.
        _stop.Cancel();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>A deadline was stored.</summary>
    public void Set(long dueMs)
    {
        lock (_lock)
        {
            if (dueMs >= _nextMs) return;
            _nextMs = dueMs;
            _earlier.TrySetResult();
        }
    }

    private async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            // Forgotten before the store is read: what is set from here on counts, also if the read does not see it.
            lock (_lock) _nextMs = long.MaxValue;
            try
            {
                if (IsOurs()) await SweepAsync(stopping).ConfigureAwait(false);
                await SleepAsync(stopping).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // Whatever it was, deadlines must go on being kept.
                RelayLog.SweepFailed(log, e.GetType().Name);
                await Sleep.ForAsync(RelayLimits.SweepRetry, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task SweepAsync(CancellationToken stopping)
    {
        long now = Now;
        var due = await store.ReadDueAsync(now, RelayLimits.MaxDuePerSweep, stopping).ConfigureAwait(false);
        if (due.Due.Count == RelayLimits.MaxDuePerSweep) Set(now);
        else if (due.NextMs is { } next) Set(next);
        var woken = await Task.WhenAll(due.Due.Select(d => wake(d.EndpointId, d.ConversationId))).ConfigureAwait(false);
        // What could not be woken (its stream is full, say, for its bridge is away) would else be read first for ever, and
        // enough of it would keep every other deadline from being seen.
        long later = now + (long)RelayLimits.SweepPostponement.TotalMilliseconds;
        var asleep = due.Due.Where((_, i) => !woken[i]).Select(d => store.PostponeAsync(d.EndpointId, d.ConversationId, now, later, stopping).AsTask()).ToList();
        if (asleep.Count > 0) Set(later);
        await Task.WhenAll(asleep).ConfigureAwait(false);
    }

    private async Task SleepAsync(CancellationToken stopping)
    {
        while (true)
        {
            Task earlier;
            long next;
            lock (_lock)
            {
                next = _nextMs;
                _earlier = new(Continuations);
                earlier = _earlier.Task;
            }
            var sleep = next == long.MaxValue || !IsOurs() ? LongestSleep : TimeSpan.FromMilliseconds(Math.Clamp(next - Now, 0, (long)LongestSleep.TotalMilliseconds));
            using var awake = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            var slept = Sleep.ForAsync(sleep, time, awake.Token);
            if (await Task.WhenAny(slept, earlier).ConfigureAwait(false) == slept) return;
            awake.Cancel();
        }
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();
}
