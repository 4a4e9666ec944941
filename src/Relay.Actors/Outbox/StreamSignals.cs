using Relay.Storage;

namespace Relay.Actors.Outbox;

/// <summary>
/// Notifies readers of appends, and remembers briefly which streams are full, so that nothing is computed for a commit that
/// would be refused.
/// </summary>
internal sealed class StreamSignals(TimeProvider time,
    TaskCreationOptions continuations = TaskCreationOptions.RunContinuationsAsynchronously)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<StreamKey, TaskCompletionSource> _waiting = [];
    private readonly Dictionary<StreamKey, TaskCompletionSource> _waitingForAcknowledgement = [];
    private readonly Dictionary<StreamKey, long> _full = [];

    /// <summary>Completes at the next append. To be called before the stream is read.</summary>
    public Task NextAppend(StreamKey stream)
    {
        lock (_lock)
        {
            if (!_waiting.TryGetValue(stream, out var waiting)) _waiting.Add(stream, waiting = new(continuations));
            return waiting.Task;
        }
    }

    /// <summary>
    /// Completes at the next acknowledgement by this process; those of other nodes are not told of. To be called before the position is
    /// read.
    /// </summary>
    public Task NextAcknowledgement(StreamKey stream)
    {
        lock (_lock)
        {
            if (!_waitingForAcknowledgement.TryGetValue(stream, out var waiting))
                _waitingForAcknowledgement.Add(stream, waiting = new(continuations));
            return waiting.Task;
        }
    }

    public void Appended(StreamKey stream, ulong last)
    {
        TaskCompletionSource? waiting;
        lock (_lock) _waiting.Remove(stream, out waiting);
        waiting?.TrySetResult();
    }

    /// <summary>
    /// Marks the stream as full for <see cref="RelayLimits.OverloadedRetryAfter"/> or until the next acknowledgement. The time
    /// limit covers an acknowledgement that came just before.
    /// </summary>
    public void MarkFull(StreamKey stream)
    {
        lock (_lock) _full[stream] = time.GetTimestamp();
    }

    public bool IsFull(StreamKey stream)
    {
        lock (_lock)
        {
            if (!_full.TryGetValue(stream, out var since)) return false;
            if (time.GetElapsedTime(since) < RelayLimits.OverloadedRetryAfter) return true;
            _full.Remove(stream);
            return false;
        }
    }

    public void Acknowledged(StreamKey stream)
    {
        TaskCompletionSource? waiting;
        lock (_lock)
        {
            _full.Remove(stream);
            _waitingForAcknowledgement.Remove(stream, out waiting);
        }
        waiting?.TrySetResult();
    }
}
