using Microsoft.Extensions.Logging;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Endpoints;

/// <summary>
/// Purges endpoints that have expired, or were deleted long enough ago: their keys are destroyed, with their conversations, identities and
/// streams. Every node looks for them; that two find the same one does no harm.
/// </summary>
internal sealed class EndpointPurger(
    IEndpointStore store, Sealer sealer, AccountCache accounts, EndpointChangeSignals changes, TimeProvider time, TimeSpan interval,
    ILogger log) : IAsyncDisposable
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
                    accounts.DropExpired();
                    await PurgeAsync(_stop.Token).ConfigureAwait(false);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    // What is due is due again at the next tick. The look-out must not end.
                    RelayLog.PurgeFailed(log, e is StoreException ? e.Message : e.GetType().Name);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task PurgeAsync(CancellationToken cancellation)
    {
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var row in await store.ReadPurgeDueAsync(now, RelayLimits.MaxPurgesPerLook, cancellation).ConfigureAwait(false))
        {
            // The column is not authenticated: the sealed row decides, unless a purge has begun, which has destroyed it.
            if (row.Sealed.Length > 0)
            {
                if (EndpointRecord.TryOpenView(sealer, row) is not { } view)
                {
                    RelayLog.EndpointDamaged(log, row.Id);
                    continue;
                }
                if (!(view.Purges?.ToUnixTimeMilliseconds() <= now)) continue;
            }
            try
            {
                if (!await store.PurgeEndpointAsync(row.Id, row.Revision, cancellation).ConfigureAwait(false)) continue;
            }
            catch (StoreException e)
            {
                // One that cannot be purged yet does not keep the keys of the others alive.
                RelayLog.PurgeFailed(log, e.Message);
                continue;
            }
            changes.Changed(row.Id, AccountCache.UnknownRevision);
            RelayLog.EndpointPurged(log, row.Id);
        }
    }
}
