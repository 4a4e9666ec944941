using Microsoft.Extensions.Logging;
using Relay.Actors.Telemetry;
using Relay.Storage;

namespace Relay.Actors.Files;

/// <summary>
/// Deletes files whose life is over, with their keys, and has the database destroy what it keeps of deleted ones. Every node does so; that two
/// find the same file does no harm.
/// </summary>
internal sealed class FileExpiry(IFileStore store, TimeProvider time, TimeSpan interval, ILogger log) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task _looking = Task.CompletedTask;
    // A process before this one may have ended between a deletion and what follows it.
    private volatile bool _hasDeleted = true;
    private long _scrubbed = time.GetTimestamp();

    public void Start() => _looking = LookAsync();

    /// <summary>A file was deleted by this node.</summary>
    public void Deleted() => _hasDeleted = true;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _looking.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task LookAsync()
    {
        try
        {
            while (true)
            {
                await Sleep.ForAsync(interval, time, _stop.Token).ConfigureAwait(false);
                try
                {
                    long now = time.GetUtcNow().ToUnixTimeMilliseconds();
                    foreach (var (endpoint, file) in await store.ReadFilesDueAsync(now, FileLimits.MaxExpiriesPerLook, _stop.Token)
                        .ConfigureAwait(false))
                    {
                        await store.DeleteFileAsync(endpoint, file, _stop.Token).ConfigureAwait(false);
                        _hasDeleted = true;
                    }
                    await ScrubAsync().ConfigureAwait(false);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    // What is due is due again at the next tick. The look-out must not end.
                    RelayLog.FileExpiryFailed(log, e is StoreException ? e.Message : e.GetType().Name);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task ScrubAsync()
    {
        if (!_hasDeleted || time.GetElapsedTime(_scrubbed) < FileLimits.ScrubInterval) return;
        _scrubbed = time.GetTimestamp();
        // What is deleted from now on is for the next time.
        _hasDeleted = false;
        bool isDone = false;
        try
        {
            isDone = await store.ScrubFilesAsync(_stop.Token).ConfigureAwait(false);
        }
        finally
        {
            if (!isDone) _hasDeleted = true;
        }
    }
}
