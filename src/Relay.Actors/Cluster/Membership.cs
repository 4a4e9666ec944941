using Microsoft.Extensions.Logging;
using Relay.Actors.Telemetry;
using Relay.Storage;

namespace Relay.Actors.Cluster;

/// <summary>
/// Keeps this node's heartbeat row and sees those of the others. While the store cannot be reached the last view stands:
/// what a node may do never rests on it.
/// </summary>
internal sealed class Membership(IClusterStore store, NodeRow self, int shards, TimeProvider time, ILogger log, TaskCreationOptions continuations = TaskCreationOptions.RunContinuationsAsynchronously) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private bool _isDraining;
    private View _view = new(0, [], Placement.None(shards), new(continuations));
    private Task _beating = Task.CompletedTask;
    private Task _running = Task.CompletedTask;

    /// <summary>Which nodes there are, and what follows from that.</summary>
    /// <param name="Generation">One more with each change.</param>
    /// <param name="Next">Completes when the view has changed.</param>
    internal sealed record View(int Generation, IReadOnlyList<NodeRow> Nodes, Placement Placement, TaskCompletionSource Next)
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
        _stop.Cancel();
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
            await Sleep.ForAsync(RelayLimits.HeartbeatInterval, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
        var mine = new TaskCompletionSource(continuations);
        Task last;
        lock (_lock) (last, _beating) = (_beating, mine.Task);
        try
        {
            await last.ConfigureAwait(false);
            NodeRow row;
            lock (_lock) row = self with { IsDraining = _isDraining };
            See(await store.BeatAsync(row, RelayLimits.HeartbeatLifetime, cancellation).ConfigureAwait(false));
        }
        finally
        {
            mine.TrySetResult();
        }
    }

    private void See(IReadOnlyList<NodeRow> nodes)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            if (nodes.SequenceEqual(_view.Nodes)) return;
            changed = _view.Next;
            _view = new View(_view.Generation + 1, nodes, new Placement(nodes, shards), new(continuations));
        }
        RelayLog.NodesChanged(log, nodes.Count, nodes.Count(n => n.IsDraining));
        changed.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        _stop.Cancel();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }
}
