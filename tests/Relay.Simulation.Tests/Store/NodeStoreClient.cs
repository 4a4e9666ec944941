using Relay.Simulation.Tests.Engine;
using Relay.Storage;

namespace Relay.Simulation.Tests.Store;

/// <summary>
/// A node's connections to the store: a request and its answer are two events, and each can be late, lost, or overtaken.
/// What was asked for before the node died may still be done afterwards.
/// </summary>
internal sealed class NodeStoreClient(Schedule schedule, SimProcess database, SimProcess node, SimStore store, StoreFaults faults) : StoreClient
{
    /// <summary>How soon a transaction looks again at a row that another one holds.</summary>
    private const int LockRetryMs = 40;
    /// <summary>Longest time for which a transaction is in doubt whose connection was lost.</summary>
    private const int LongestDoubtMs = 2000;

    private static readonly string[] Asked = [.. Enum.GetNames<StoreOperation>().Select(n => "does " + n)], Answered = [.. Enum.GetNames<StoreOperation>().Select(n => "store answers " + n)];

    private readonly List<SimEvent> _asked = [];
    private TaskCompletionSource? _quiet;
    private bool _isClosed;

    /// <summary>The node is gone: what is on the way to the database comes there or not.</summary>
    public void Abandon()
    {
        foreach (var e in _asked) e.IsCancelled |= schedule.Random.Chance(500);
        _asked.Clear();
    }

    public override ValueTask<CommitResult> CommitAsync(CommitUnit unit, CancellationToken cancellation)
    {
        var places = new List<OutboxPlace>();
        StreamKey[] open = unit.UnacknowledgedWire is null ? [] : [new StreamKey(unit.EndpointId, StreamKind.Wire)];
        object[] rows = [(unit.EndpointId, unit.ConversationId), .. unit.Outbox.Select(a => a.Stream).Concat(open).Distinct().Cast<object>()];
        var answer = Begin<CommitResult>(StoreOperation.Commit);
        Ask(StoreOperation.Commit, rows, fate =>
        {
            if (fate == StoreFate.Fails) throw new StoreException("Made to fail.");
            if (store.Mutation.HasFlag(StoreMutation.LosesCommits) && schedule.Random.Chance(30))
            {
                Answer(answer, StoreOperation.Commit, CommitResult.Committed.Instance, null);
                return;
            }
            var result = Prepare(store, unit, out var apply);
            if (fate == StoreFate.IsInDoubt && result is CommitResult.Committed)
            {
                Doubt(unit, rows, apply);
                throw new StoreException("The connection was lost.");
            }
            apply();
            if (result is CommitResult.Committed) places.AddRange(unit.Outbox.GroupBy(a => a.Stream).Select(g => new OutboxPlace(g.Key, store.Position(g.Key).Last)));
            if (fate != StoreFate.Done) throw new StoreException("Made to fail after it was done.");
            Answer(answer, StoreOperation.Commit, result, null, _ => TellAppended(places));
        }, e => Answer(answer, StoreOperation.Commit, null!, e));
        return new ValueTask<CommitResult>(answer.Task);
    }

    protected override ValueTask<T> DoAsync<T>(StoreOperation operation, Func<SimStore, T> apply, Action<T>? done, params object[] touched)
    {
        var answer = Begin<T>(operation);
        Ask(operation, touched, fate =>
        {
            if (fate == StoreFate.Fails) throw new StoreException("Made to fail.");
            var result = apply(store);
            if (fate != StoreFate.Done) throw new StoreException("Made to fail after it was done.");
            Answer(answer, operation, result, null, done);
        }, e => Answer(answer, operation, default!, e));
        return new ValueTask<T>(answer.Task);
    }

    private TaskCompletionSource<T> Begin<T>(StoreOperation operation)
    {
        schedule.AssertThread();
        if (_isClosed) throw new StoreException("The store is closed.");
        return new TaskCompletionSource<T>();
    }

    private void Ask(StoreOperation operation, object[] rows, Action<StoreFate> work, Action<StoreException> fail, StoreFate? drawn = null, long? delay = null)
    {
        var fate = drawn ?? faults.Draw(schedule.Random);
        SimEvent? asked = null;
        asked = schedule.Post(database, Asked[(int)operation], (int)fate, () =>
        {
            _asked.Remove(asked!);
            if (rows.Any(store.IsLocked))
            {
                Ask(operation, rows, work, fail, fate, LockRetryMs);
                return;
            }
            try
            {
                work(fate);
            }
            catch (StoreException e)
            {
                fail(e);
            }
            if (_asked.Count == 0) _quiet?.TrySetResult();
        }, delay ?? faults.Delay(schedule.Random));
        _asked.Add(asked);
    }

    /// <summary>The client has given up, the database not yet: it holds its rows until the transaction is done or undone.</summary>
    private void Doubt(CommitUnit unit, object[] rows, Action apply)
    {
        object[] held = unit.Fence is { } fence ? [.. rows, fence.Shard] : rows;
        foreach (var row in held) store.Lock(row);
        bool isDone = schedule.Random.Chance(700);
        schedule.Post(database, isDone ? "commits after all" : "rolls back", 0, () =>
        {
            foreach (var row in held) store.Unlock(row);
            if (isDone) apply();
        }, schedule.Random.Next(LongestDoubtMs));
    }

    private void Answer<T>(TaskCompletionSource<T> answer, StoreOperation operation, T result, StoreException? failure, Action<T>? done = null)
        => schedule.Post(node, Answered[(int)operation], failure is null ? 0 : 1, () =>
        {
            if (failure is not null)
            {
                answer.SetException(failure);
                return;
            }
            done?.Invoke(result);
            answer.SetResult(result);
        });

    public override async ValueTask FlushAsync(CancellationToken cancellation)
    {
        _isClosed = true;
        if (_asked.Count > 0) await (_quiet ??= new()).Task.WaitAsync(cancellation).ConfigureAwait(false);
    }

    public override ValueTask DisposeAsync() => FlushAsync(CancellationToken.None);
}
