using Microsoft.Extensions.Logging;
using Relay.Actors.Store;
using Relay.Actors.Telemetry;

namespace Relay.Actors.Cluster;

/// <summary>
/// Keeps this node's heartbeat row and sees those of the others. While the store cannot be reached the last view stands:
/// what a node may do never rests on it.
/// </summary>
internal sealed class Membership(IClusterStore store, StoredNode self, int shards, TimeProvider time, ILogger log) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _beating = new(1);
    private bool _isDraining;
    private View _view = new(0, [], Placement.None(shards), new(TaskCreationOptions.RunContinuationsAsynchronously));
    private Task _running = Task.CompletedTask;

    /// <summary>Which nodes there are, and what follows from that.</summary>
    /// <param name="Generation">One more with each change.</param>
    /// <param name="Next">Completes when the view has changed.</param>
    internal sealed record View(int Generation, IReadOnlyList<StoredNode> Nodes, Placement Placement, TaskCompletionSource Next)
    {
        public Task Changed => Next.Task;
    }

    public Guid Self => self.Id;

    public View Current { get { lock (_lock) return _view; } }

    /// <summary>Writes the first heartbeat and goes on in the background.</summary>
    /// <exception cref="StoreException"/>
    public async Task StartAsync(CancellationToken cancellation)
    {
        await BeatAsync(cancellation).ConfigureAwait(false);
        _running = RunAsync(_stop.Token);
    }

    /// <summary>Shows at once that this node is about to go. Harmless without the store: the others then see it go.</summary>
    public async Task AnnounceDrainAsync(CancellationToken cancellation)
    {
        lock (_lock) _isDraining = true;
        await TryBeatAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Stops beating and takes the row away.</summary>
    public async Task LeaveAsync(CancellationToken cancellation)
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            await store.LeaveAsync(self.Id, cancellation).ConfigureAwait(false);
        }
        catch (StoreException e)
        {
            // The row ages; nobody waits for it.
            RelayLog.HeartbeatFailed(log, e.Message);
        }
    }

    private async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            await Task.Delay(RelayLimits.HeartbeatInterval, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stopping.IsCancellationRequested) await TryBeatAsync(stopping).ConfigureAwait(false);
        }
    }

    private async Task TryBeatAsync(CancellationToken cancellation)
    {
        try
        {
            await BeatAsync(cancellation).ConfigureAwait(false);
        }
        catch (StoreException e)
        {
            RelayLog.HeartbeatFailed(log, e.Message);
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private async Task BeatAsync(CancellationToken cancellation)
    {
        // One at a time: an older view must not replace a newer one.
        await _beating.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            StoredNode row;
            lock (_lock) row = self with { IsDraining = _isDraining };
            See(await store.BeatAsync(row, RelayLimits.HeartbeatLifetime, cancellation).ConfigureAwait(false));
        }
        finally
        {
            _beating.Release();
        }
    }

    private void See(IReadOnlyList<StoredNode> nodes)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            if (nodes.SequenceEqual(_view.Nodes)) return;
            changed = _view.Next;
            _view = new View(_view.Generation + 1, nodes, new Placement(nodes, shards), new(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        RelayLog.NodesChanged(log, nodes.Count, nodes.Count(n => n.IsDraining));
        changed.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        _beating.Dispose();
    }
}
