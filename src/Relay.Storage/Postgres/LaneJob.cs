namespace Relay.Storage.Postgres;

/// <summary>One thing for a lane to make durable. Several share a transaction.</summary>
internal abstract class LaneJob
{
    /// <summary>Once the transaction is durable, or the job refused. It has a result by then.</summary>
    public abstract void Complete();

    /// <summary>Nothing of it was done, or that is not known.</summary>
    public abstract void Fail(StoreException reason);
}

internal sealed class CommitJob(CommitUnit unit) : LaneJob
{
    private readonly TaskCompletionSource<CommitResult> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public CommitUnit Unit => unit;

    /// <summary>As decided last; another attempt decides anew.</summary>
    public CommitResult? Result { get; set; }

    public Task<CommitResult> Done => _done.Task;

    public override void Complete() => _done.TrySetResult(Result ?? throw new InvalidOperationException("A unit without a result."));

    public override void Fail(StoreException reason) => _done.TrySetException(reason);
}

internal sealed class AcknowledgeJob(StreamKey stream, ulong sequence) : LaneJob
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public StreamKey Stream => stream;

    public ulong Sequence => sequence;

    public Task Done => _done.Task;

    public override void Complete() => _done.TrySetResult();

    public override void Fail(StoreException reason) => _done.TrySetException(reason);
}
