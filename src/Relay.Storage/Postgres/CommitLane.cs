using System.Data;
using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Npgsql;
using Relay.Storage.Telemetry;

namespace Relay.Storage.Postgres;

/// <summary>Where a transaction of a lane has come to, for tests that break it there.</summary>
internal enum LaneStage
{
    /// <summary>Connected; nothing begun.</summary>
    Connected,
    /// <summary>Everything is locked and decided; nothing is written.</summary>
    Decided,
    /// <summary>PostgreSQL has confirmed the commit; nobody has been told.</summary>
    Committed,
}

/// <summary>
/// One connection that writes, and its queue. What has queued up while a transaction ran makes the next one (group commit),
/// so nobody waits for company and many share one flush. A transaction that a fault of the network, the server or
/// another transaction has stopped is tried again; whether one was done whose answer was lost is told by the lane's own row,
/// which it wrote its number into, so that each job is done once. (Not by PostgreSQL's transaction id: after a crash of the
/// server another transaction may get the same one.)
/// </summary>
internal sealed class CommitLane
{
    private enum Outcome { Done, NotDone, Unknown }

    private readonly Guid _id = Guid.NewGuid();
    private readonly PostgresConnections _connections;
    private readonly NpgsqlDataSource _source;
    private readonly StorageTelemetry _telemetry;
    private readonly ILogger _log;
    private readonly Channel<LaneJob> _queue = Channel.CreateBounded<LaneJob>(new BoundedChannelOptions(StorageLimits.MaxPendingJobs) { SingleReader = true });
    private readonly Task _running;
    private NpgsqlConnection? _connection;
    private long _number;
    private volatile bool _isStopped;

    public CommitLane(PostgresConnections connections, int number, Action<StreamKey, StreamPosition> touched, Func<LaneStage, int, Task> reached, StorageTelemetry telemetry, ILogger log)
    {
        (_connections, _telemetry, _log) = (connections, telemetry, log);
        _source = connections.Lane(number);
        _running = Task.Run(() => RunAsync(touched, reached));
    }

    /// <exception cref="StoreException">Closed, or too much is queued.</exception>
    public void Post(LaneJob job)
    {
        if (_queue.Writer.TryWrite(job)) return;
        throw new StoreException(_isStopped ? "The store is closed." : "Too many writes are queued.");
    }

    /// <summary>Finishes what is queued; further jobs are refused. Closes the connection.</summary>
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
                group = await DoAsync(group, touched, reached).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                // Our own bug. Nobody may wait for ever for it, and the next group gets another session.
                StorageLog.LaneFault(_log, e.GetType().Name);
                var reason = new StoreException($"A fault in the store ({e.GetType().Name}).", e);
                foreach (var job in group) job.Fail(reason);
                group = [];
                await DisconnectAsync().ConfigureAwait(false);
            }
        }
        await ForgetAsync().ConfigureAwait(false);
        await DisconnectAsync().ConfigureAwait(false);
        await _source.DisposeAsync().ConfigureAwait(false);
    }

    /// <returns>Jobs for the next group.</returns>
    private async Task<List<LaneJob>> DoAsync(List<LaneJob> group, Action<StreamKey, StreamPosition> touched, Func<LaneStage, int, Task> reached)
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
                    await GroupTransaction.CommitAsync(connection, decision).ConfigureAwait(false);
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
            _telemetry.CommitFailed();
            StorageLog.GroupFailed(_log, group.Count, PostgresFault.Code(fault));
            var outcome = isAsked ? await OutcomeAsync(fault, patience).ConfigureAwait(false) : Outcome.NotDone;
            if (outcome == Outcome.Done) return Complete(decision!, touched);
            var reason = new StoreException($"The database refused a transaction ({PostgresFault.Code(fault)}).", fault);
            if (outcome == Outcome.Unknown || (PostgresFault.IsPassing(fault) && patience.IsOver) || (!PostgresFault.IsPassing(fault) && group.Count == 1))
            {
                await DisconnectAsync().ConfigureAwait(false);
                // Who waits for a stream looks for itself: told for nothing it only looks once more.
                if (outcome == Outcome.Unknown) Tell(decision!, touched);
                foreach (var job in group) job.Fail(reason);
                return [];
            }
            await LeaveTransactionAsync(fault).ConfigureAwait(false);
            if (!PostgresFault.IsPassing(fault)) return await DoEachAsync(group, touched, reached).ConfigureAwait(false);
            await patience.PauseAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Alone, each fails or succeeds for itself.</summary>
    private async Task<List<LaneJob>> DoEachAsync(List<LaneJob> group, Action<StreamKey, StreamPosition> touched, Func<LaneStage, int, Task> reached)
    {
        foreach (var job in group) await DoAsync([job], touched, reached).ConfigureAwait(false);
        return [];
    }

    private static List<LaneJob> Complete(GroupDecision decision, Action<StreamKey, StreamPosition> touched)
    {
        Tell(decision, touched);
        foreach (var job in decision.Decided) job.Complete();
        foreach (var (job, reason) in decision.Failed) job.Fail(reason);
        return decision.Deferred;
    }

    private static void Tell(GroupDecision decision, Action<StreamKey, StreamPosition> touched)
    {
        foreach (var (stream, position) in decision.Streams) touched(stream, position);
    }

    private async Task<NpgsqlConnection> ConnectAsync()
    {
        if (_connection is not null) return _connection;
        _connection = await _source.OpenConnectionAsync().ConfigureAwait(false);
        // What a lost session still holds, nobody needs to wait for.
        if (_number > 0) await EndOlderSessionsAsync(_connection).ConfigureAwait(false);
        return _connection;
    }

    /// <summary>What became of the last transaction, whose commit was asked for.</summary>
    private async Task<Outcome> OutcomeAsync(Exception fault, PostgresConnections.Patience patience)
    {
        // An error that left the session standing: the server has rolled back.
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

    /// <summary>This lane's sessions whose connection is lost, but of which the server does not know yet.</summary>
    private static Task<int> EndOlderSessionsAsync(NpgsqlConnection connection)
        => connection.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = current_setting('application_name') AND datname = current_database() AND pid <> pg_backend_pid()", CancellationToken.None);

    /// <summary>Keeps the connection if it can be told to roll back.</summary>
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

    /// <summary>Takes the lane's row away; one that is left is taken away by a later start.</summary>
    private async Task ForgetAsync()
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
            // It is thrown away for being broken: how it ends does not matter.
            StorageLog.DatabaseAgain(_log, PostgresFault.Code(e));
        }
    }
}
