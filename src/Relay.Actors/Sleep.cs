namespace Relay.Actors;

/// <summary>
/// As Task.Delay, but the continuation of a cancelled sleep runs on the thread that cancels it. Task.Delay uses the thread pool,
/// which would make the order of a simulation random.
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
