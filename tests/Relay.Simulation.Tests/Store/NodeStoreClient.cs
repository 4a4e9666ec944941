using Relay.Actors.Store;
using Relay.Simulation.Tests.Engine;

namespace Relay.Simulation.Tests.Store;

/// <summary>
/// A node's connections to the store: a request and its answer are two events, and each can be late, lost, or overtaken.
/// What was asked for before the node died may still be done afterwards.
/// </summary>
internal sealed class NodeStoreClient(Schedule schedule, SimProcess database, SimProcess node, SimStore store, StoreFaults faults) : StoreClient
{
    private static readonly string[] Asked = [.. Enum.GetNames<StoreOperation>().Select(n => "does " + n)], Answered = [.. Enum.GetNames<StoreOperation>().Select(n => "store answers " + n)];

    private readonly List<SimEvent> _asked = [];
    private bool _closed;

    /// <summary>The node is gone: what is on the way to the database comes there or not.</summary>
    public void Abandon()
    {
        foreach (var e in _asked) e.IsCancelled |= schedule.Random.Chance(500) || store.Mutation.HasFlag(StoreMutation.AnswersBeforeCommit);
        _asked.Clear();
    }

    protected override ValueTask<T> DoAsync<T>(StoreOperation operation, Func<SimStore, T> apply, Action<T>? done)
    {
        schedule.AssertThread();
        if (_closed) throw new StoreException("The store is closed.");
        var answer = new TaskCompletionSource<T>();
        var fate = faults.Draw(schedule.Random, operation);
        if (operation == StoreOperation.Commit && store.Mutation.HasFlag(StoreMutation.AnswersBeforeCommit) && CommitResult.Committed.Instance is T early)
        {
            Answer(answer, operation, early, null);
        }
        else if (fate == StoreFate.FailsBeforeItIsDone)
        {
            // The connection is given up while the request is on its way.
            Answer(answer, operation, default!, new StoreException("Timed out."));
        }
        SimEvent? asked = null;
        asked = schedule.Post(database, Asked[(int)operation], 0, () =>
        {
            _asked.Remove(asked!);
            T result = default!;
            StoreException? failure = null;
            try
            {
                if (fate != StoreFate.Fails) result = apply(store);
            }
            catch (StoreException e)
            {
                failure = e;
            }
            if (fate is StoreFate.Fails or StoreFate.FailsAfterItIsDone) failure = new StoreException("Made to fail.");
            if (!answer.Task.IsCompleted) Answer(answer, operation, result, failure, done);
        }, faults.Delay(schedule.Random));
        _asked.Add(asked);
        return new ValueTask<T>(answer.Task);
    }

    private void Answer<T>(TaskCompletionSource<T> answer, StoreOperation operation, T result, StoreException? failure, Action<T>? done = null)
        => schedule.Post(node, Answered[(int)operation], failure is null ? 0 : 1, () =>
        {
            if (answer.Task.IsCompleted) return;
            if (failure is not null)
            {
                answer.SetException(failure);
                return;
            }
            done?.Invoke(result);
            answer.SetResult(result);
        });

    public override ValueTask FlushAsync(CancellationToken cancellation) => ValueTask.CompletedTask;

    public override ValueTask DisposeAsync()
    {
        _closed = true;
        return ValueTask.CompletedTask;
    }
}

/// <summary>What becomes of one request to the store.</summary>
internal enum StoreFate
{
    Done,
    /// <summary>Not done, and said so.</summary>
    Fails,
    /// <summary>Done, but the caller is told that it failed.</summary>
    FailsAfterItIsDone,
    /// <summary>The caller is told that it failed, and only then it is done.</summary>
    FailsBeforeItIsDone,
}

/// <summary>How the store misbehaves at present.</summary>
internal sealed class StoreFaults
{
    /// <summary>Of a thousand requests, how many fail in some way.</summary>
    public int Failing { get; set; }

    /// <summary>Longest time that a request takes.</summary>
    public int SlowMs { get; set; }

    public StoreFate Draw(SimRandom random, StoreOperation operation)
    {
        if (!random.Chance(Failing)) return StoreFate.Done;
        return random.Next(3) switch { 0 => StoreFate.Fails, 1 => StoreFate.FailsAfterItIsDone, _ => StoreFate.FailsBeforeItIsDone };
    }

    public long Delay(SimRandom random) => SlowMs == 0 || random.Chance(500) ? random.Next(3) : random.Next(SlowMs);
}
