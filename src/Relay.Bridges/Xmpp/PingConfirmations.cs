namespace Relay.Bridges.Xmpp;

/// <summary>
/// Confirms that the server has what was written: a server reads one connection's stanzas in order, so an answer to a ping that was written
/// later proves it. One ping confirms everything that was written before it. Thread-safe.
/// </summary>
/// <param name="sendPing">Writes a ping with this id, without waiting for its answer.</param>
internal sealed class PingConfirmations(Func<string, Task> sendPing)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource<bool>? _next;
    private TaskCompletionSource<bool>? _underWay;
    private string _id = "";
    private long _count;
    private bool _hasEnded;

    /// <summary>
    /// Completes with true when the server has what was written before the call, with false when the connection has ended.
    /// </summary>
    public Task<bool> ConfirmAsync()
    {
        Task<bool> confirmed;
        string? id;
        lock (_lock)
        {
            if (_hasEnded) return Task.FromResult(false);
            _next ??= new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            confirmed = _next.Task;
            id = Begin();
        }
        if (id is not null) _ = sendPing(id);
        return confirmed;
    }

    /// <summary>Takes an answer to an iq; false if it is not one of these pings'.</summary>
    public bool Answer(string id)
    {
        TaskCompletionSource<bool> answered;
        string? next;
        lock (_lock)
        {
            if (_underWay is null || id != _id) return false;
            answered = _underWay;
            _underWay = null;
            next = Begin();
        }
        answered.SetResult(true);
        if (next is not null) _ = sendPing(next);
        return true;
    }

    /// <summary>The connection has ended.</summary>
    public void End()
    {
        lock (_lock)
        {
            _hasEnded = true;
            _underWay?.TrySetResult(false);
            _next?.TrySetResult(false);
            _underWay = _next = null;
        }
    }

    // Under the lock.
    private string? Begin()
    {
        if (_underWay is not null || _next is null) return null;
        _underWay = _next;
        _next = null;
        return _id = $"relay-ping-{++_count}";
    }
}
