namespace Relay.Gateway.Streams;

/// <summary>
/// Tasks with a common lifetime: the first fault cancels all of them, and disposing of the group waits for all of them.
/// </summary>
internal sealed class TaskGroup(CancellationToken outer) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(outer);
    private readonly TaskCompletionSource _faulted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // The running members, plus one for the group itself until it is disposed of.
    private int _members = 1;

    /// <summary>Cancelled with the first fault, or when the group is disposed of.</summary>
    public CancellationToken Stopping => _stop.Token;

    /// <summary>Fails with the first fault of a member; cancelled when the group has been disposed of without one.</summary>
    public Task Faulted => _faulted.Task;

    /// <summary>
    /// Waits until the server drains; fails with the first fault of a member, or when the caller has gone.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller has gone.</exception>
    public async Task WaitAsync(CancellationToken draining)
    {
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var drained = draining.UnsafeRegister(static s => ((TaskCompletionSource)s!).TrySetResult(), over);
        await using var gone = outer.UnsafeRegister(static (s, c) => ((TaskCompletionSource)s!).TrySetCanceled(c), over);
        await await Task.WhenAny(Faulted, over.Task);
    }

    public void Start(Func<CancellationToken, Task> body)
    {
        Interlocked.Increment(ref _members);
        _ = Run(body);
    }

    /// <summary>Cancels the members and waits until all have ended.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Leave();
        await _empty.Task;
        _faulted.TrySetCanceled(CancellationToken.None);
        _stop.Dispose();
    }

    private async Task Run(Func<CancellationToken, Task> body)
    {
        await Task.Yield();
        try
        {
            await body(_stop.Token);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The member was cancelled with the group; this is not a fault.
        }
        catch (Exception e)
        {
            _faulted.TrySetException(e);
            // Also ends waits on behalf of the stream that are not members, as for a free slot of the lanes.
            await _stop.CancelAsync();
        }
        finally
        {
            Leave();
        }
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _members) == 0) _empty.TrySetResult();
    }
}
