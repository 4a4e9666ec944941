namespace Relay.Storage;

/// <summary>
/// Bounds reads: how many wait for the store at once, and how long one waits. A store that hangs must hold neither memory
/// without end nor callers for ever; a read can be given up, a commit cannot, for it may be done all the same.
/// </summary>
/// <param name="bound">Reads under way at once.</param>
public sealed class BoundedReads(int bound, TimeProvider time)
{
    private int _underWay;

    /// <summary>Reads that the store has not answered yet.</summary>
    public int UnderWay => Volatile.Read(ref _underWay);

    /// <exception cref="StoreException">Too many are under way, or the store did not answer in time; or it failed.</exception>
    public async ValueTask<T> ReadAsync<T>(Func<CancellationToken, ValueTask<T>> read, CancellationToken cancellation)
    {
        if (Interlocked.Increment(ref _underWay) > bound)
        {
            Interlocked.Decrement(ref _underWay);
            throw new StoreException("Too many reads wait for the store.");
        }
        // Counted until the store lets go of it, not only until nobody waits for it any more.
        var abandoned = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var reading = ReadAsync(read, abandoned);
        try
        {
            return await reading.WaitAsync(StorageLimits.ReadTimeout, time, cancellation).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            try
            {
                await abandoned.CancelAsync().ConfigureAwait(false);
            }
            catch (ObjectDisposedException)
            {
                // It has come to its end just now, too late all the same.
            }
            throw new StoreException("The store did not answer in time.");
        }
    }

    private async Task<T> ReadAsync<T>(Func<CancellationToken, ValueTask<T>> read, CancellationTokenSource abandoned)
    {
        try
        {
            return await read(abandoned.Token).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _underWay);
            abandoned.Dispose();
        }
    }
}
