namespace Relay.Actors.Conversations;

/// <summary>
/// Bounds how many conversations compute at once, and shares it fairly: endpoints that wait get a turn each, one after the
/// other, however many of one endpoint's conversations wait.
/// </summary>
/// <param name="continuations">How those who wait go on.</param>
internal sealed class ComputeGate(int slots, TaskCreationOptions continuations = TaskCreationOptions.RunContinuationsAsynchronously)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Queue<TaskCompletionSource>> _waiting = [];
    // Each endpoint with somebody waiting, once, in order of its turn.
    private readonly Queue<string> _turns = [];
    private int _free = slots;

    /// <summary>Waits for a turn. Each that came about is given back by <see cref="Leave"/>.</summary>
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
                // Not who has given up meanwhile.
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
