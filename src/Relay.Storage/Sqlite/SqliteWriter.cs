using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Relay.Storage.Telemetry;

namespace Relay.Storage.Sqlite;

/// <summary>
/// The only writer of the file: a thread with its own connection. Jobs that arrive while a transaction is flushed to disk form the
/// next one (group commit): many jobs share one flush, and no job waits for a group to fill.
/// </summary>
internal sealed class SqliteWriter
{
    /// <summary>Results of SQLite, of whose extended codes the low byte is one of these.</summary>
    private const int BusyResult = 5, FullResult = 13, PrimaryCode = 0xff;

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

    /// <summary>Called on the writer's thread after a transaction, for each stream that it changed.</summary>
    public required Action<StreamKey, StreamPositions.Position> Touched { get; init; }

    /// <summary>Commits a transaction. Tests replace it to fail before or after the commit.</summary>
    public Action<SqliteSession> EndTransaction { get; set; } = static s => s.Execute("COMMIT");

    /// <exception cref="StoreException">The store is closed, the queue is full, or the write failed.</exception>
    public Task<T> RunAsync<T>(Func<SqliteSession, StreamPositions, T> apply)
    {
        var job = new WriteJob<T>(apply);
        Enqueue(job);
        return job.Done;
    }

    /// <summary>Truncates the write-ahead log; false if a read that is in progress prevents it.</summary>
    /// <exception cref="StoreException">The store is closed, the queue is full, or the database refused.</exception>
    public Task<bool> TruncateLogAsync()
    {
        var job = new TruncateLogJob();
        Enqueue(job);
        return job.Done;
    }

    private void Enqueue(WriteJob job)
    {
        try
        {
            if (!_queue.TryAdd(job)) throw new StoreException("Too many writes are queued.");
        }
        catch (InvalidOperationException)
        {
            throw new StoreException("The store is closed.");
        }
    }

    /// <summary>Refuses new jobs, drains the queue and closes the connection.</summary>
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
                // Each job is retried in its own transaction, so that one failing job does not fail the others. A unit that was
                // committed after all gets a conflict with its own version.
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
            _telemetry.CommitFailed((code & PrimaryCode) switch
            {
                FullResult => CommitFault.DiskFull,
                BusyResult => CommitFault.Timeout,
                _ => CommitFault.Other,
            });
            // A notification without an append is harmless: the reader reads again and finds nothing.
            if (mayBeDone) Notify(streams);
            return new StoreException($"The database refused a transaction ({e.GetType().Name}, SQLite error {code}).", e);
        }
        _telemetry.Committed(group.Count, Stopwatch.GetElapsedTime(start));
        foreach (var (stream, position) in streams.Touched) _tails.Committed(stream, position);
        Notify(streams);
        foreach (var job in group) Complete(job);
        return null;
    }

    private void Complete(WriteJob job)
    {
        try
        {
            job.AfterCommit(_session);
            job.Complete();
        }
        catch (SqliteException e)
        {
            job.Fail(new StoreException($"The database refused (SQLite error {e.SqliteExtendedErrorCode}).", e));
        }
    }

    private void Notify(StreamPositions streams)
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
            // SQLite rolls back by itself after some errors, and then refuses ROLLBACK.
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
