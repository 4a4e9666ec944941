namespace Relay.Gateway.Streams;

/// <summary>
/// Runs work concurrently for different peers and in order for the same peer: an item starts when its predecessor has
/// completed, or, if it is chained, as soon as its predecessor has started. A peer uses memory only while it has work. The
/// number of items in progress is bounded: <see cref="AddAsync"/> waits, which is the backpressure on the bridge.
/// </summary>
internal sealed class PeerLanes(int bound) : IDisposable
{
    private readonly Dictionary<(string Endpoint, string Peer), Piece> _tails = [];
    private readonly SemaphoreSlim _free = new(bound, bound);
    private readonly int _bound = bound;
    private readonly Lock _lock = new();

    /// <summary>
    /// Waits for a free slot, and queues the work behind earlier work of its peer. If there is none, the work has started when the
    /// method returns.
    /// </summary>
    /// <param name="isChained">True if the conversation itself orders this item after its predecessor.</param>
    /// <param name="work">Counts as started when it returns its task.</param>
    public async ValueTask AddAsync(
        string endpoint, string peer, bool isChained, TaskGroup group, Func<CancellationToken, Task> work, CancellationToken cancellation)
    {
        await _free.WaitAsync(cancellation);
        var key = (endpoint, peer);
        var piece = new Piece();
        Piece? before;
        lock (_lock)
        {
            _tails.TryGetValue(key, out before);
            _tails[key] = piece;
        }
        var way = before is null ? Task.CompletedTask : isChained ? before.Begun.Task : before.Done.Task;
        var begun = way.IsCompleted ? Begin(piece, work, group.Stopping) : null;
        group.Start(async stop =>
        {
            try
            {
                if (begun is null)
                {
                    await way;
                    begun = Begin(piece, work, stop);
                }
                await begun;
            }
            finally
            {
                lock (_lock)
                {
                    if (_tails.TryGetValue(key, out var tail) && tail == piece) _tails.Remove(key);
                }
                piece.Begun.TrySetResult();
                piece.Done.SetResult();
                _free.Release();
            }
        });
    }

    /// <summary>Completes when no work is in progress. Nothing may be added meanwhile.</summary>
    public async Task DrainAsync(CancellationToken cancellation)
    {
        for (int i = 0; i < _bound; i++) await _free.WaitAsync(cancellation);
        _free.Release(_bound);
    }

    public void Dispose() => _free.Dispose();

    private static Task Begin(Piece piece, Func<CancellationToken, Task> work, CancellationToken stop)
    {
        var running = work(stop);
        piece.Begun.TrySetResult();
        return running;
    }

    private sealed class Piece
    {
        public TaskCompletionSource Begun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
