using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Subscriptions;

/// <summary>What the entities of subscriptions need beyond what those of conversations do.</summary>
internal sealed record SubscriptionContext(ISubscriptionStore Store, IOutbox Outbox);

/// <summary>The stored state of one subscription, as its entity reads and writes it: two sealed rows, and its stream.</summary>
internal sealed class SubscriptionRows(SubscriptionContext context, Sealer sealer, string endpointId, string name)
{
    private ulong _progressRevision, _deadLettersRevision;

    public StreamKey Stream { get; } = StreamKey.OfSubscription(endpointId, name);

    /// <returns>Null if a row does not open.</returns>
    /// <exception cref="StoreException"/>
    public async Task<SubscriptionProgress?> LoadAsync()
    {
        var progress = await LoadAsync(SubscriptionPart.Progress).ConfigureAwait(false);
        var dead = await LoadAsync(SubscriptionPart.DeadLetters).ConfigureAwait(false);
        var (acknowledged, _) = await context.Outbox.PositionAsync(Stream, CancellationToken.None).ConfigureAwait(false);
        (_progressRevision, _deadLettersRevision) = (progress?.Revision ?? 0, dead?.Revision ?? 0);
        return SubscriptionCodec.TryOpen(sealer, endpointId, name, Kept(progress), Kept(dead), acknowledged);

        // What was lost with an epoch's key is as if it were missing.
        SubscriptionRow? Kept(SubscriptionRow? row) => row is not null && sealer.IsOfLostEpoch(row.Sealed) ? null : row;
    }

    /// <summary>
    /// Seals what has changed now, and stores it. Dead letters first: an event is settled only once it is among them. One save at a time.
    /// </summary>
    /// <returns>False if another owner has stored something since the state was loaded.</returns>
    /// <exception cref="StoreException">It is unknown what was stored.</exception>
    public Task<bool> SaveAsync(SubscriptionProgress progress)
    {
        byte[]? dead = progress.AreDeadLettersDirty
            ? SubscriptionCodec.SealDeadLetters(sealer, endpointId, name, _deadLettersRevision + 1, progress) : null;
        var state = SubscriptionCodec.SealProgress(sealer, endpointId, name, _progressRevision + 1, progress);
        ulong floor = progress.Floor;
        progress.Saved();
        return SaveAsync(state, dead, floor);
    }

    /// <summary>Reads events after a place in the stream.</summary>
    /// <exception cref="StoreException"/>
    public async Task<IReadOnlyList<OutboxItem>> ReadAsync(ulong after)
        => await context.Outbox.ReadAsync(Stream, after, RelayLimits.SubscriptionBatch, RelayLimits.MaxBytesPerRead, CancellationToken.None)
            .ConfigureAwait(false);

    /// <summary>Completes when there is an event after a place in the stream.</summary>
    public async Task WaitAsync(ulong after, CancellationToken cancellation)
        => await context.Outbox.WaitAsync(Stream, after, cancellation).ConfigureAwait(false);

    /// <summary>Reads the stream's end, and the last event that is older than a time.</summary>
    /// <param name="time">Null: the stream's end.</param>
    /// <exception cref="StoreException"/>
    public async Task<(ulong Last, ulong Target)> FindAsync(DateTimeOffset? time, ulong floor)
    {
        var (_, last) = await context.Outbox.PositionAsync(Stream, CancellationToken.None).ConfigureAwait(false);
        if (time is null) return (last, last);
        ulong target = floor;
        while (await ReadAsync(target).ConfigureAwait(false) is { Count: > 0 } items)
        {
            int older = items.TakeWhile(i => i.Time < time).Count();
            if (older > 0) target = items[older - 1].Sequence;
            if (older < items.Count) break;
        }
        return (last, target);
    }

    private async Task<bool> SaveAsync(byte[] state, byte[]? dead, ulong floor)
    {
        if (dead is not null)
        {
            if (!await SaveAsync(SubscriptionPart.DeadLetters, _deadLettersRevision, dead).ConfigureAwait(false)) return false;
            _deadLettersRevision++;
        }
        if (!await SaveAsync(SubscriptionPart.Progress, _progressRevision, state).ConfigureAwait(false)) return false;
        _progressRevision++;
        await context.Outbox.AcknowledgeAsync(Stream, floor, CancellationToken.None).ConfigureAwait(false);
        return true;
    }

    private ValueTask<bool> SaveAsync(SubscriptionPart part, ulong revision, byte[] value)
        => context.Store.SaveSubscriptionAsync(endpointId, name, part, revision, value, CancellationToken.None);

    private ValueTask<SubscriptionRow?> LoadAsync(SubscriptionPart part)
        => context.Store.LoadSubscriptionAsync(endpointId, name, part, CancellationToken.None);
}
