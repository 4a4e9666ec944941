namespace Relay.Gateway.Streams;

/// <summary>
/// Work that runs concurrently for different peers and one after the other for the same peer. A lane exists only while
/// it has work. The number of pieces in work is bounded: adding waits.
/// </summary>
internal sealed class PeerLanes(int bound) : IDisposable
{
    private readonly Dictionary<(string Endpoint, string Peer), Task> _tails = [];
    private readonly SemaphoreSlim _free = new(bound, bound);
    private readonly int _bound = bound;
    private readonly Lock _lock = new();

    /// <summary>Waits for room, and queues the work behind its peer's.</summary>
    public async ValueTask AddAsync(string endpoint, string peer, TaskGroup group, Func<CancellationToken, Task> work, CancellationToken cancellation)
    {
        await _free.WaitAsync(cancellation);
        var key = (endpoint, peer);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task? before;
        lock (_lock)
        {
            _tails.TryGetValue(key, out before);
            _tails[key] = done.Task;
        }
        group.Start(async stop =>
        {
            try
            {
                if (before is not null) await before;
                await work(stop);
            }
            finally
            {
                lock (_lock)
                {
                    if (_tails.TryGetValue(key, out var tail) && tail == done.Task) _tails.Remove(key);
                }
                done.SetResult();
                _free.Release();
            }
        });
    }

    /// <summary>Completes when nothing is in work; nothing may be added meanwhile.</summary>
    public async Task DrainAsync(CancellationToken cancellation)
    {
        for (int i = 0; i < _bound; i++) await _free.WaitAsync(cancellation);
        _free.Release(_bound);
    }

    public void Dispose() => _free.Dispose();
}
