using Microsoft.Extensions.Logging;
using Relay.Actors.Conversations;
using Relay.Actors.Shards;
using Relay.Actors.Telemetry;
using Relay.Storage;

namespace Relay.Actors.Cluster;

/// <summary>
/// This node's place at one shard: stands in line when it should own the shard or be next, hands over what it should not
/// have. Who comes first in line is the owner, so the standby lets the owner go first, and steps back behind it once.
/// </summary>
internal sealed class ShardSeat(int shard, IShardBroker broker, IClusterStore store, Membership membership, ConversationContext context, RelayNodeOptions options, IdleConversations idle) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private ShardTenure? _tenure;
    private Task _running = Task.CompletedTask;

    /// <summary>Whether this node acts for the shard.</summary>
    public bool IsActive => Volatile.Read(ref _tenure)?.IsActive ?? false;

    public int Resident => Volatile.Read(ref _tenure)?.Resident ?? 0;

    public void Start() => _running = RunAsync(_stop.Token);

    /// <summary>Hands the shard on, if this node has it, and stands in line no more.</summary>
    public async Task LeaveAsync()
    {
        _stop.Cancel();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await WaitForTurnAsync(stopping).ConfigureAwait(false);
                await StandAsync(stopping).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                // Left.
            }
            catch (Exception e)
            {
                // Whatever it was, the shard must have somebody in line.
                RelayLog.SeatFailed(context.Log, shard, e.GetType().Name);
                await Sleep.ForAsync(RelayLimits.SeatRetry, context.Time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Until this node should be in line: an owner at once, a standby once the owner had time to be.</summary>
    private async Task WaitForTurnAsync(CancellationToken stopping)
    {
        while (true)
        {
            var view = membership.Current;
            switch (view.Placement.RoleOf(membership.Self, shard))
            {
                case Placement.Role.Owner:
                    return;
                case Placement.Role.Standby:
                    using (var delay = CancellationTokenSource.CreateLinkedTokenSource(stopping))
                    {
                        var settled = Sleep.ForAsync(RelayLimits.PlacementSettles, context.Time, delay.Token);
                        var first = await Task.WhenAny(settled, view.Changed).ConfigureAwait(false);
                        delay.Cancel();
                        stopping.ThrowIfCancellationRequested();
                        if (first == settled) return;
                    }
                    break;
                case Placement.Role.None:
                    await view.Changed.WaitAsync(stopping).ConfigureAwait(false);
                    break;
            }
        }
    }

    /// <summary>One place in line, from taking it to the reason to leave it.</summary>
    private async Task StandAsync(CancellationToken stopping)
    {
        var view = membership.Current;
        var tenure = new ShardTenure(context, options, store, shard, membership.Self, idle);
        var subscription = await broker.SubscribeAsync(shard, tenure, stopping).ConfigureAwait(false);
        Volatile.Write(ref _tenure, tenure);
        try
        {
            await StayAsync(view, subscription, stopping).ConfigureAwait(false);
            await CloseAsync(subscription).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _tenure, null);
            await subscription.DisposeAsync().ConfigureAwait(false);
            tenure.End();
        }
    }

    /// <summary>
    /// Until the subscription ends, this node leaves, or the shard should be another's and that one has had time to stand
    /// in line. A standby steps back now and then, for the owner may have lost its place without anybody having gone.
    /// </summary>
    private async Task StayAsync(Membership.View view, IShardSubscription subscription, CancellationToken stopping)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        // Both cancelled tasks count as events here; who waits looks at what has happened.
        var ended = Task.WhenAny(subscription.Ended, Sleep.ForAsync(Timeout.InfiniteTimeSpan, context.Time, waiting.Token));
        // Patience may be at an end for the same reason as all else, and known to be first.
        while (!ended.IsCompleted && !stopping.IsCancellationRequested)
        {
            bool isOwner = view.Placement.RoleOf(membership.Self, shard) == Placement.Role.Owner;
            var patience = Sleep.ForAsync(isOwner ? Timeout.InfiniteTimeSpan : RelayLimits.StandbyStepsBack, context.Time, waiting.Token);
            var first = await Task.WhenAny(ended, view.Changed, patience).ConfigureAwait(false);
            if (first == patience && !ended.IsCompleted)
            {
                if (IsActive) break;
                continue;
            }
            if (first != view.Changed) continue;
            view = membership.Current;
            if (view.Placement.RoleOf(membership.Self, shard) == Placement.Role.Owner) continue;
            var settled = Sleep.ForAsync(RelayLimits.PlacementSettles, context.Time, waiting.Token);
            if (await Task.WhenAny(ended, view.Changed, settled).ConfigureAwait(false) == settled) break;
        }
        waiting.Cancel();
    }

    private async Task CloseAsync(IShardSubscription subscription)
    {
        if (subscription.Ended.IsCompleted) return;
        using var limit = new CancellationTokenSource(RelayLimits.HandOnTimeout, context.Time);
        await subscription.CloseAsync(limit.Token).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await LeaveAsync().ConfigureAwait(false);
        _stop.Dispose();
    }
}
