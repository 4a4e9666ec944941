namespace Relay.Bridges;

/// <summary>
/// Tells those who have something to send whether the network is connected. Connections are numbered from 1. Thread-safe.
/// </summary>
internal sealed class ConnectionGate
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _number;

    public bool IsOpen => _opened.Task.IsCompleted;

    public void Open()
    {
        lock (_lock)
        {
            if (IsOpen) return;
            _number++;
            _opened.SetResult();
        }
    }

    public void Close()
    {
        lock (_lock)
        {
            if (IsOpen) _opened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Waits for a connection that is newer than <paramref name="after"/>, and returns its number.</summary>
    public async Task<long> WaitAsync(long after, CancellationToken cancellation)
    {
        while (true)
        {
            Task opened;
            lock (_lock)
            {
                if (IsOpen && _number > after) return _number;
                // The old connection is ending; its end replaces the task.
                opened = IsOpen ? Task.Delay(s_endPoll, cancellation) : _opened.Task;
            }
            await opened.WaitAsync(cancellation);
        }
    }

    private static readonly TimeSpan s_endPoll = TimeSpan.FromMilliseconds(50);
}
