using Microsoft.Extensions.Logging;
using Relay.Actors.Telemetry;
using Relay.Storage;

namespace Relay.Actors.Endpoints;

/// <summary>Finds out which endpoints other nodes of the cluster have updated, by polling the store.</summary>
internal sealed class EndpointWatch(IEndpointStore store, Action<string, ulong> updated, TimeSpan interval, TimeProvider time, ILogger log)
    : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task _watching = Task.CompletedTask;
    private ulong _last;

    /// <summary>Reads the present state, before anything is cached, and begins to poll.</summary>
    /// <exception cref="StoreException"/>
    public async Task StartAsync(CancellationToken cancellation)
    {
        _last = (await store.ReadChangesAsync(0, cancellation).ConfigureAwait(false)).Last;
        _watching = WatchAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            {
                try
                {
                    var changes = await store.ReadChangesAsync(_last, _stop.Token).ConfigureAwait(false);
                    foreach (var (id, revision) in changes.Updated) updated(id, revision);
                    _last = changes.Last;
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    // Read again at the next tick; until then conversations keep the settings that they have. The watch must not end.
                    RelayLog.EndpointWatchFailed(log, e is StoreException ? e.Message : e.GetType().Name);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }
}
