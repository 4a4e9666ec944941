namespace Relay.Storage;

/// <summary>
/// Limits the number of concurrent reads and the time of each, so that a store that hangs costs bounded memory and blocks no
/// caller indefinitely. Only reads have a timeout: an abandoned commit may still succeed, so its caller must wait for the result.
/// </summary>
/// <param name="bound">Maximum number of concurrent reads.</param>
public sealed class BoundedReads(int bound, TimeProvider time)
{
    private int _underWay;

    /// <summary>Number of reads that the store has not completed, including those whose callers have timed out.</summary>
    public int UnderWay => Volatile.Read(ref _underWay);

    /// <exception cref="StoreException">Too many reads are in progress, the read timed out, or the store failed.</exception>
    public async ValueTask<T> ReadAsync<T>(Func<CancellationToken, ValueTask<T>> read, CancellationToken cancellation)
    {
        if (Interlocked.Increment(ref _underWay) > bound)
        {
            Interlocked.Decrement(ref _underWay);
            throw new StoreException("Too many reads wait for the store.");
        }
        // A read counts until the store has completed it, not only until its caller stops waiting: it still uses the store.
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
                // The read completed between the timeout and the cancellation.
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
