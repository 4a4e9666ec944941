namespace Relay.Gateway.Streams;

/// <summary>
/// Work that runs concurrently for different peers and in order for the same peer: a piece begins when the one before it
/// is done, or, if it is chained to that one, as soon as that one has begun. A lane exists only while it has work. The
/// number of pieces in work is bounded: adding waits.
/// </summary>
internal sealed class PeerLanes(int bound) : IDisposable
{
    private readonly Dictionary<(string Endpoint, string Peer), Piece> _tails = [];
    private readonly SemaphoreSlim _free = new(bound, bound);
    private readonly int _bound = bound;
    private readonly Lock _lock = new();

    /// <summary>Waits for room, and queues the work behind its peer's; returns with the work begun if nothing is in its way.</summary>
    /// <param name="isChained">The conversation itself keeps it behind the piece before it.</param>
    /// <param name="work">Has begun when it returns its task.</param>
    public async ValueTask AddAsync(string endpoint, string peer, bool isChained, TaskGroup group, Func<CancellationToken, Task> work, CancellationToken cancellation)
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

    /// <summary>Completes when nothing is in work; nothing may be added meanwhile.</summary>
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
