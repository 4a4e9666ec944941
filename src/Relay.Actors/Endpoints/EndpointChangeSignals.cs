namespace Relay.Actors.Endpoints;

/// <summary>
/// Tells who depends on an endpoint that it was changed, by this node or another: conversations in memory, and streams that end when their
/// endpoint does. Thread-safe.
/// </summary>
/// <param name="changed">Called first with every change: the endpoint and its revision, or
/// <see cref="AccountCache.UnknownRevision"/>.</param>
internal sealed class EndpointChangeSignals(Action<string, ulong> changed)
{
    private readonly Lock _lock = new();
    // An entry stays until its endpoint changes: at most one for each endpoint.
    private readonly Dictionary<string, TaskCompletionSource> _waiting = [];

    /// <summary>Raised with every change. Handlers must not block.</summary>
    public event Action<string>? Notified;

    /// <summary>Completes with the next change. To be called before the endpoint is read.</summary>
    public Task NextChange(string endpointId)
    {
        lock (_lock)
        {
            if (!_waiting.TryGetValue(endpointId, out var waiting))
                _waiting.Add(endpointId, waiting = new(TaskCreationOptions.RunContinuationsAsynchronously));
            return waiting.Task;
        }
    }

    public void Changed(string endpointId, ulong revision)
    {
        changed(endpointId, revision);
        TaskCompletionSource? waiting;
        lock (_lock) _waiting.Remove(endpointId, out waiting);
        waiting?.TrySetResult();
        Notified?.Invoke(endpointId);
    }
}
