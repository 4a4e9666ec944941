namespace Relay.Actors.Conversations;

/// <summary>
/// Bounds how many conversations compute at once, and schedules them round-robin by endpoint, so that an endpoint with many
/// waiting conversations does not delay the others.
/// </summary>
/// <param name="continuations">Continuation options for the waiters.</param>
internal sealed class ComputeGate(int slots, TaskCreationOptions continuations = TaskCreationOptions.RunContinuationsAsynchronously)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Queue<TaskCompletionSource>> _waiting = [];
    // Each endpoint with waiters, once, in the order of turns.
    private readonly Queue<string> _turns = [];
    private int _free = slots;

    /// <summary>Waits for a slot, which <see cref="Leave"/> must release.</summary>
    public ValueTask EnterAsync(string endpointId, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        TaskCompletionSource turn;
        lock (_lock)
        {
            if (_free > 0)
            {
                _free--;
                return default;
            }
            turn = new(continuations);
            if (!_waiting.TryGetValue(endpointId, out var queue))
            {
                _waiting.Add(endpointId, queue = []);
                _turns.Enqueue(endpointId);
            }
            queue.Enqueue(turn);
        }
        return new(cancellation.CanBeCanceled ? WaitAsync(turn, cancellation) : turn.Task);
    }

    public void Leave()
    {
        lock (_lock)
        {
            while (_turns.TryDequeue(out var endpoint))
            {
                var queue = _waiting[endpoint];
                var next = queue.Dequeue();
                if (queue.Count > 0) _turns.Enqueue(endpoint);
                else _waiting.Remove(endpoint);
                // Skip waiters that were cancelled.
                if (next.TrySetResult()) return;
            }
            _free++;
        }
    }

    private static async Task WaitAsync(TaskCompletionSource turn, CancellationToken cancellation)
    {
        using var _ = cancellation.UnsafeRegister(static (t, c) => ((TaskCompletionSource)t!).TrySetCanceled(c), turn);
        await turn.Task.ConfigureAwait(false);
    }
}
