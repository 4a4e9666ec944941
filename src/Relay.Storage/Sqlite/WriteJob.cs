namespace Relay.Storage.Sqlite;

/// <summary>An atomic write. Several jobs share a transaction (group commit).</summary>
internal abstract class WriteJob
{
    /// <summary>
    /// Writes within the group's transaction; called again if the transaction was rolled back. A job that refuses returns before its
    /// first write; one that throws rolls back the whole transaction.
    /// </summary>
    public abstract void Apply(SqliteSession session, StreamPositions streams);

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
