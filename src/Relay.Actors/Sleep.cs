namespace Relay.Actors;

/// <summary>
/// Task.Delay, but whoever sleeps goes on where the sleep is cancelled. Task.Delay has the thread pool do that, which
/// leaves the order of things to chance where a simulation must set it.
/// </summary>
internal static class Sleep
{
    /// <exception cref="OperationCanceledException"/>
    public static async Task ForAsync(TimeSpan duration, TimeProvider time, CancellationToken cancellation)
    {
        var over = new TaskCompletionSource();
        using var timer = time.CreateTimer(static over => ((TaskCompletionSource)over!).TrySetResult(), over, duration,
            Timeout.InfiniteTimeSpan);
        using var registration =
            cancellation.UnsafeRegister(static (over, token) => ((TaskCompletionSource)over!).TrySetCanceled(token), over);
        await over.Task.ConfigureAwait(false);
    }
}
