namespace Relay.Storage.Sqlite;

/// <summary>An atomic write. Several jobs share a transaction (group commit).</summary>
internal abstract class WriteJob
{
    /// <summary>
    /// Writes within the group's transaction; called again if the transaction was rolled back. A job that refuses returns before its
    /// first write; one that throws rolls back the whole transaction.
    /// </summary>
    public abstract void Apply(SqliteSession session, StreamPositions streams);

    /// <summary>Called after the transaction was committed, outside of it.</summary>
    public virtual void AfterCommit(SqliteSession session)
    {
    }

    /// <summary>Completes the caller's task: the job is durable, or was refused.</summary>
    public abstract void Complete();

    /// <summary>Fails the caller's task: it is unknown whether the job was committed.</summary>
    public abstract void Fail(StoreException reason);
}

/// <summary>A job that returns a result to its caller.</summary>
internal sealed class WriteJob<T>(Func<SqliteSession, StreamPositions, T> apply) : WriteJob
{
    private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? _result;

    public Task<T> Done => _done.Task;

    public override void Apply(SqliteSession session, StreamPositions streams) => _result = apply(session, streams);

    public override void Complete() => _done.TrySetResult(_result!);

    public override void Fail(StoreException reason) => _done.TrySetException(reason);
}

/// <summary>Copies the write-ahead log into the file and truncates it, so that nothing that was deleted is left in it.</summary>
internal sealed class TruncateLogJob : WriteJob
{
    private readonly TaskCompletionSource<bool> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isTruncated;

    /// <summary>False if a read that was in progress has prevented it.</summary>
    public Task<bool> Done => _done.Task;

    public override void Apply(SqliteSession session, StreamPositions streams)
    {
    }

    public override void AfterCommit(SqliteSession session) => _isTruncated = session.Scalar("PRAGMA wal_checkpoint(TRUNCATE)") is 0L;

    public override void Complete() => _done.TrySetResult(_isTruncated);

    public override void Fail(StoreException reason) => _done.TrySetException(reason);
}
