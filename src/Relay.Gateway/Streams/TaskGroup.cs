namespace Relay.Gateway.Streams;

/// <summary>
/// Tasks that live and die together: the first fault ends the group, and leaving the group waits for all of them.
/// </summary>
internal sealed class TaskGroup(CancellationToken outer) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(outer);
    private readonly TaskCompletionSource _faulted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // The members, and the group itself until it is left.
    private int _members = 1;

    /// <summary>Cancelled when the group ends: with its first fault, or when it is left.</summary>
    public CancellationToken Stopping => _stop.Token;

    /// <summary>Fails with the first fault of a member, and never completes otherwise.</summary>
    public Task Faulted => _faulted.Task;

    public void Start(Func<CancellationToken, Task> body)
    {
        Interlocked.Increment(ref _members);
        _ = Run(body);
    }

    /// <summary>Cancels the members and waits until they are gone.</summary>
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
            // The group has ended; there is nobody left to tell.
        }
        catch (Exception e)
        {
            _faulted.TrySetException(e);
            // Whatever waits in the stream's name, for room say, waits no longer.
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
