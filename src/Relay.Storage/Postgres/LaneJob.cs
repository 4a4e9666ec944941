namespace Relay.Storage.Postgres;

/// <summary>An atomic write for a <see cref="CommitLane"/>. Several jobs share a transaction (group commit).</summary>
internal abstract class LaneJob
{
    /// <summary>Completes the caller's task with the decided result: the job is durable, or was refused.</summary>
    public abstract void Complete();

    /// <summary>Fails the caller's task: the job was not committed, or that is unknown.</summary>
    public abstract void Fail(StoreException reason);
}

internal sealed class CommitJob(CommitUnit unit) : LaneJob
{
    private readonly TaskCompletionSource<CommitResult> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public CommitUnit Unit => unit;

    /// <summary>The result of the last decision; a retried transaction decides again.</summary>
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
