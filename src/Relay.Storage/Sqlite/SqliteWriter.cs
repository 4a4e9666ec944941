using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Relay.Storage.Telemetry;

namespace Relay.Storage.Sqlite;

/// <summary>
/// The one writer: a thread with the one connection that writes. What has queued up while a transaction went to disk
/// makes the next one (group commit), so nobody waits for company and many share one flush.
/// </summary>
internal sealed class SqliteWriter
{
    private readonly SqliteSession _session;
    private readonly StreamTails _tails;
    private readonly StorageTelemetry _telemetry;
    private readonly ILogger _log;
    private readonly BlockingCollection<WriteJob> _queue = new(StorageLimits.MaxPendingJobs);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public SqliteWriter(SqliteSession session, StreamTails tails, StorageTelemetry telemetry, ILogger log)
    {
        _session = session;
        _tails = tails;
        _telemetry = telemetry;
        _log = log;
        new Thread(Run) { IsBackground = true, Name = "relay store writer" }.Start();
    }

    /// <summary>Called on the writer's thread after a commit for each stream it touched.</summary>
    public required Action<StreamKey, StreamPositions.Position> Touched { get; init; }

    /// <summary>Ends a transaction; a test's may fail, having done it or not.</summary>
    public Action<SqliteSession> EndTransaction { get; set; } = static s => s.Execute("COMMIT");

    /// <exception cref="StoreException">Closed, too much is queued, or the write failed.</exception>
    public Task<T> RunAsync<T>(Func<SqliteSession, StreamPositions, T> apply)
    {
        var job = new WriteJob<T>(apply);
        try
        {
            if (!_queue.TryAdd(job)) throw new StoreException("Too many writes are queued.");
        }
        catch (InvalidOperationException)
        {
            throw new StoreException("The store is closed.");
        }
        return job.Done;
    }

    /// <summary>Finishes what is queued; further jobs are refused. Closes the connection.</summary>
    public Task StopAsync()
    {
        _queue.CompleteAdding();
        return _stopped.Task;
    }

    private void Run()
    {
        var group = new List<WriteJob>(StorageLimits.MaxJobsPerTransaction);
        foreach (var first in _queue.GetConsumingEnumerable())
        {
            group.Clear();
            group.Add(first);
            while (group.Count < StorageLimits.MaxJobsPerTransaction && _queue.TryTake(out var next)) group.Add(next);
            if (TryCommit(group) is { } failure)
            {
                // Alone, each fails or succeeds for itself; one that was done after all meets its own version.
                if (group.Count == 1)
                {
                    group[0].Fail(failure);
                    continue;
                }
                foreach (var job in group)
                {
                    if (TryCommit([job]) is { } alone) job.Fail(alone);
                }
            }
        }
        Close();
    }

    private StoreException? TryCommit(List<WriteJob> group)
    {
        long start = Stopwatch.GetTimestamp();
        var streams = new StreamPositions(_session, _tails);
        bool mayBeDone = false;
        try
        {
            _session.Execute("BEGIN IMMEDIATE");
            foreach (var job in group) job.Apply(_session, streams);
            streams.Write();
            mayBeDone = true;
            EndTransaction(_session);
        }
        catch (Exception e)
        {
            Rollback();
            foreach (var (stream, _) in streams.Touched) _tails.Forget(stream);
            int code = (e as SqliteException)?.SqliteExtendedErrorCode ?? 0;
            StorageLog.TransactionFailed(_log, group.Count, code, e.GetType().Name);
            _telemetry.CommitFailed();
            // Who waits for a stream looks for itself: told for nothing it only looks once more.
            if (mayBeDone) Tell(streams);
            return new StoreException($"The database refused a transaction ({e.GetType().Name}, SQLite error {code}).", e);
        }
        _telemetry.Committed(group.Count, Stopwatch.GetElapsedTime(start));
        foreach (var (stream, position) in streams.Touched) _tails.Committed(stream, position);
        Tell(streams);
        foreach (var job in group) job.Complete();
        return null;
    }

    private void Tell(StreamPositions streams)
    {
        foreach (var (stream, position) in streams.Touched) Touched(stream, position);
    }

    private void Rollback()
    {
        try
        {
            _session.Execute("ROLLBACK");
        }
        catch (SqliteException e)
        {
            // Some errors have rolled back already, and then there is nothing to roll back.
            StorageLog.RollbackRefused(_log, e.SqliteExtendedErrorCode);
        }
    }

    private void Close()
    {
        try
        {
            _session.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }
        catch (SqliteException e)
        {
            StorageLog.CheckpointFailed(_log, e.SqliteExtendedErrorCode);
        }
        _session.Dispose();
        _stopped.TrySetResult();
    }
}
