using Relay.Actors.Conversations;

namespace Relay.Actors.Shards;

/// <summary>Counts the commands that this process has accepted and not answered: their bound, and what a drain waits for.</summary>
internal sealed class Admission(TaskCreationOptions continuations = TaskCreationOptions.RunContinuationsAsynchronously)
{
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _empty = new(continuations);
    private int _count;
    private long _bytes;
    private bool _closed;

    public int Count { get { lock (_lock) return _count; } }

    public bool IsClosed { get { lock (_lock) return _closed; } }

    /// <summary>Takes a command with so many bytes of text in, or says why not.</summary>
    public Reply? TryEnter(int bytes)
    {
        lock (_lock)
        {
            if (_closed) return ConversationActor.Unavailable("draining");
            if (_count >= RelayLimits.MaxCommandsInFlight || _bytes + bytes > RelayLimits.MaxBytesInFlight) return new Reply.Overloaded("commands-in-flight", RelayLimits.OverloadedRetryAfter);
            _count++;
            _bytes += bytes;
            return null;
        }
    }

    public void Leave(int bytes)
    {
        lock (_lock)
        {
            _count--;
            _bytes -= bytes;
            if (_closed && _count == 0) _empty.TrySetResult();
        }
    }

    /// <summary>Takes nothing in from now on; completes when all have left.</summary>
    public Task CloseAsync()
    {
        lock (_lock)
        {
            _closed = true;
            if (_count == 0) _empty.TrySetResult();
            return _empty.Task;
        }
    }
}
