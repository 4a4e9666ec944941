using System.Data;
using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Npgsql;
using Relay.Storage.Telemetry;

namespace Relay.Storage.Postgres;

/// <summary>The stages of a lane's transaction, at which tests inject faults.</summary>
internal enum LaneStage
{
    /// <summary>The connection is open; the transaction has not begun.</summary>
    Connected,
    /// <summary>All rows are locked and all jobs decided; nothing is written.</summary>
    Decided,
    /// <summary>PostgreSQL has confirmed the commit; the callers have not been notified.</summary>
    Committed,
}

/// <summary>
/// A connection that commits, and its queue. Jobs that arrive while a transaction runs form the next one (group commit): many jobs share
/// one flush, and no job waits for a group to fill. A transaction that fails because of the network, the server or another transaction
/// is retried. Each transaction writes its number into the lane's row, so that after a lost reply the lane can read whether it was
/// committed, and every job is done exactly once. (PostgreSQL's transaction id would not do: after a crash of the server another
/// transaction may get the same one.)
/// </summary>
internal sealed class CommitLane
{
    private enum Outcome { Done, NotDone, Unknown }

    private readonly Guid _id = Guid.NewGuid();
    private readonly PostgresConnections _connections;
    private readonly NpgsqlDataSource _source;
    private readonly FileQuota _quota;
    private readonly StorageTelemetry _telemetry;
    private readonly ILogger _log;
    private readonly Channel<LaneJob> _queue =
        Channel.CreateBounded<LaneJob>(new BoundedChannelOptions(StorageLimits.MaxPendingJobs) { SingleReader = true });
    private readonly Task _running;
    private NpgsqlConnection? _connection;
    private long _number;
    private volatile bool _isStopped;

    public CommitLane(PostgresConnections connections, int number, FileQuota quota, Action<StreamKey, StreamPosition> touched,
        Func<LaneStage, int, Task> reached, StorageTelemetry telemetry, ILogger log)
    {
        (_connections, _quota, _telemetry, _log) = (connections, quota, telemetry, log);
        _source = connections.Lane(number);
        _running = Task.Run(() => RunAsync(touched, reached));
    }

    /// <summary>Queues a job; its own task reports the result.</summary>
    /// <exception cref="StoreException">The store is closed, or the queue is full.</exception>
    public void Post(LaneJob job)
    {
        if (_queue.Writer.TryWrite(job)) return;
        throw new StoreException(_isStopped ? "The store is closed." : "Too many writes are queued.");
    }

    /// <summary>Refuses new jobs, drains the queue and closes the connection.</summary>
    public Task StopAsync()
    {
        _isStopped = true;
        _queue.Writer.TryComplete();
        return _running;
    }

    private async Task RunAsync(Action<StreamKey, StreamPosition> touched, Func<LaneStage, int, Task> reached)
    {
        var group = new List<LaneJob>();
        while (group.Count > 0 || await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (group.Count < StorageLimits.MaxJobsPerTransaction && _queue.Reader.TryRead(out var next)) group.Add(next);
            try
            {
                group = await CommitAsync(group, touched, reached).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                // A bug of Relay. Fail the jobs, so that no caller waits forever, and use a new session for the next group.
                StorageLog.LaneFault(_log, e.GetType().Name);
                var reason = new StoreException($"Internal error in the store ({e.GetType().Name}).", e);
                foreach (var job in group) job.Fail(reason);
                group = [];
                await DisconnectAsync().ConfigureAwait(false);
            }
        }
        await DeleteRowAsync().ConfigureAwait(false);
        await DisconnectAsync().ConfigureAwait(false);
        await _source.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Commits a group, with retries, and completes or fails its jobs.</summary>
    /// <returns>Jobs that were deferred to the next group.</returns>
    private async Task<List<LaneJob>> CommitAsync(List<LaneJob> group, Action<StreamKey, StreamPosition> touched,
        Func<LaneStage, int, Task> reached)
    {
        var patience = new PostgresConnections.Patience(_connections.Time, StorageLimits.PostgresPatience);
        while (true)
        {
            GroupDecision? decision = null;
            bool isAsked = false;
            Exception? fault;
            try
            {
                long start = Stopwatch.GetTimestamp();
                var connection = await ConnectAsync().ConfigureAwait(false);
                await reached(LaneStage.Connected, connection.ProcessID).ConfigureAwait(false);
                var rows = new GroupRows(group);
                await GroupTransaction.BeginAsync(connection, rows, _id, ++_number).ConfigureAwait(false);
                decision = new GroupDecision(group, rows);
                await reached(LaneStage.Decided, connection.ProcessID).ConfigureAwait(false);
                if (decision.HasWrites)
                {
                    isAsked = true;
                    await GroupTransaction.CommitAsync(connection, decision, _quota).ConfigureAwait(false);
                    await reached(LaneStage.Committed, connection.ProcessID).ConfigureAwait(false);
                }
                else
                {
                    await connection.ExecuteAsync("ROLLBACK", CancellationToken.None).ConfigureAwait(false);
                }
                _telemetry.Committed(decision.Decided.Count, Stopwatch.GetElapsedTime(start));
                fault = null;
            }
            catch (Exception e)
            {
                fault = e;
            }
            if (fault is null) return Complete(decision!, touched);
            _telemetry.CommitFailed(PostgresFault.Kind(fault));
            StorageLog.GroupFailed(_log, group.Count, PostgresFault.Code(fault));
            var outcome = isAsked ? await OutcomeAsync(fault, patience).ConfigureAwait(false) : Outcome.NotDone;
            if (outcome == Outcome.Done) return Complete(decision!, touched);
            var reason = new StoreException($"The database refused a transaction ({PostgresFault.Code(fault)}).", fault);
            if (outcome == Outcome.Unknown || (PostgresFault.IsPassing(fault) && patience.IsOver)
                || (!PostgresFault.IsPassing(fault) && group.Count == 1))
            {
                await DisconnectAsync().ConfigureAwait(false);
                // A notification without an append is harmless: the reader reads again and finds nothing.
                if (outcome == Outcome.Unknown) Notify(decision!, touched);
                foreach (var job in group) job.Fail(reason);
                return [];
            }
            await LeaveTransactionAsync(fault).ConfigureAwait(false);
            if (!PostgresFault.IsPassing(fault)) return await CommitEachAsync(group, touched, reached).ConfigureAwait(false);
            await patience.PauseAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Commits each job in its own transaction, so that one failing job does not fail the others.</summary>
    private async Task<List<LaneJob>> CommitEachAsync(List<LaneJob> group, Action<StreamKey, StreamPosition> touched,
        Func<LaneStage, int, Task> reached)
    {
        foreach (var job in group) await CommitAsync([job], touched, reached).ConfigureAwait(false);
        return [];
    }

    private static List<LaneJob> Complete(GroupDecision decision, Action<StreamKey, StreamPosition> touched)
    {
        Notify(decision, touched);
        foreach (var job in decision.Decided) job.Complete();
        foreach (var (job, reason) in decision.Failed) job.Fail(reason);
        return decision.Deferred;
    }

    private static void Notify(GroupDecision decision, Action<StreamKey, StreamPosition> touched)
    {
        foreach (var (stream, position) in decision.Streams) touched(stream, position);
    }

    private async Task<NpgsqlConnection> ConnectAsync()
    {
        if (_connection is not null) return _connection;
        _connection = await _source.OpenConnectionAsync().ConfigureAwait(false);
        // A lost session of this lane may still hold locks on the server.
        if (_number > 0) await EndOlderSessionsAsync(_connection).ConfigureAwait(false);
        return _connection;
    }

    /// <summary>Finds out whether the last transaction was committed after its COMMIT was sent but the reply was lost.</summary>
    private async Task<Outcome> OutcomeAsync(Exception fault, PostgresConnections.Patience patience)
    {
        // The server reported an error and the session is still open, so it has rolled back.
        if (fault is PostgresException { Severity: "ERROR" } && _connection is { FullState: ConnectionState.Open }) return Outcome.NotDone;
        await DisconnectAsync().ConfigureAwait(false);
        while (true)
        {
            try
            {
                var connection = await ConnectAsync().ConfigureAwait(false);
                return await GroupTransaction.WasDoneAsync(connection, _id, _number).ConfigureAwait(false) ? Outcome.Done : Outcome.NotDone;
            }
            catch (Exception e)
            {
                StorageLog.DatabaseAgain(_log, PostgresFault.Code(e));
                await DisconnectAsync().ConfigureAwait(false);
                if (!PostgresFault.IsPassing(e) || patience.IsOver) return Outcome.Unknown;
            }
            await patience.PauseAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Ends earlier sessions of this lane whose connection is lost but which the server has not closed yet.</summary>
    private static Task<int> EndOlderSessionsAsync(NpgsqlConnection connection)
        => connection.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            + "WHERE application_name = current_setting('application_name') AND datname = current_database() AND pid <> pg_backend_pid()",
            CancellationToken.None);

    /// <summary>Rolls back and keeps the connection, or closes it if that is not possible.</summary>
    private async Task LeaveTransactionAsync(Exception fault)
    {
        if (_connection is null) return;
        if (fault is PostgresException { Severity: "ERROR" } or InvalidOperationException && _connection.FullState == ConnectionState.Open)
        {
            try
            {
                await _connection.ExecuteAsync("ROLLBACK", CancellationToken.None).ConfigureAwait(false);
                return;
            }
            catch (Exception e)
            {
                StorageLog.DatabaseAgain(_log, PostgresFault.Code(e));
            }
        }
        await DisconnectAsync().ConfigureAwait(false);
    }

    /// <summary>Deletes the lane's row. If that fails, a later start deletes it (<see cref="PostgresStart"/>).</summary>
    private async Task DeleteRowAsync()
    {
        if (_connection is null) return;
        try
        {
            await _connection.ExecuteAsync("DELETE FROM relay.lane WHERE id = $1", CancellationToken.None, _id).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            StorageLog.DatabaseAgain(_log, PostgresFault.Code(e));
        }
    }

    private async Task DisconnectAsync()
    {
        if (_connection is not { } connection) return;
        _connection = null;
        try
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // The connection is discarded; an error while closing it has no effect.
            StorageLog.DatabaseAgain(_log, PostgresFault.Code(e));
        }
    }
}
