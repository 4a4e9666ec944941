using Relay.Storage;

namespace Relay.Simulation.Tests.Store;

/// <summary>The model without a schedule: every operation is done and answered at once, from any thread, as the contract's tests have it.</summary>
internal sealed class DirectStoreClient(SimStore store) : StoreClient
{
    private bool _isClosed;

    public override async ValueTask<CommitResult> CommitAsync(CommitUnit unit, CancellationToken cancellation)
    {
        var places = new List<OutboxPlace>();
        return await DoAsync(StoreOperation.Commit, s =>
        {
            var result = Prepare(s, unit, out var apply);
            apply();
            if (result is CommitResult.Committed) places.AddRange(unit.Outbox.GroupBy(a => a.Stream).Select(g => new OutboxPlace(g.Key, s.Position(g.Key).Last)));
            return result;
        }, _ => TellAppended(places));
    }

    protected override ValueTask<T> DoAsync<T>(StoreOperation operation, Func<SimStore, T> apply, Action<T>? done, params object[] touched)
    {
        try
        {
            T result;
            lock (store)
            {
                if (_isClosed) throw new StoreException("The store is closed.");
                result = apply(store);
            }
            done?.Invoke(result);
            return new ValueTask<T>(result);
        }
        catch (StoreException e)
        {
            return ValueTask.FromException<T>(e);
        }
    }

    public override ValueTask FlushAsync(CancellationToken cancellation)
    {
        lock (store) _isClosed = true;
        return ValueTask.CompletedTask;
    }

    public override ValueTask DisposeAsync() => FlushAsync(CancellationToken.None);
}
