namespace Relay.Storage.Sqlite;

/// <summary>One thing that must be done whole or not at all. Several share a transaction.</summary>
internal abstract class WriteJob
{
    /// <summary>
    /// Writes. May be called again, if the transaction had to be rolled back. It either throws, which rolls everything
    /// back, or, to refuse, returns before its first write.
    /// </summary>
    public abstract void Apply(SqliteSession session, StreamPositions streams);

    /// <summary>It is durable (or refused).</summary>
    public abstract void Complete();

    /// <summary>Not known whether it was done.</summary>
    public abstract void Fail(StoreException reason);
}

/// <summary>A job with an answer.</summary>
internal sealed class WriteJob<T>(Func<SqliteSession, StreamPositions, T> apply) : WriteJob
{
    private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? _result;

    public Task<T> Done => _done.Task;

    public override void Apply(SqliteSession session, StreamPositions streams) => _result = apply(session, streams);

    public override void Complete() => _done.TrySetResult(_result!);

    public override void Fail(StoreException reason) => _done.TrySetException(reason);
}
