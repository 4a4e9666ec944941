using Microsoft.Extensions.Logging;
using Relay.Actors.Telemetry;
using Relay.Storage;

namespace Relay.Actors.Files;

/// <summary>
/// Deletes files whose life is over, with their keys. Every node looks for them; that two find the same one does no harm.
/// </summary>
internal sealed class FileExpiry(IFileStore store, TimeProvider time, TimeSpan interval, ILogger log) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task _looking = Task.CompletedTask;

    public void Start() => _looking = LookAsync();

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
                        await store.DeleteFileAsync(endpoint, file, _stop.Token).ConfigureAwait(false);
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
}
