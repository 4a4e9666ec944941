using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Npgsql;
using Relay.Actors.Telemetry;

namespace Relay.Actors.Store.Postgres;

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
/// another transaction has stopped is tried again; whether one was done whose answer was lost is asked of the server by the
/// transaction's id, so that each job is done once.
/// </summary>
internal sealed class CommitLane
{
    private enum Outcome { Done, NotDone, Unknown }

    private readonly PostgresConnections _connections;
    private readonly NpgsqlDataSource _source;
    private readonly RelayTelemetry _telemetry;
    private readonly ILogger _log;
    private readonly Channel<LaneJob> _queue = Channel.CreateBounded<LaneJob>(new BoundedChannelOptions(RelayLimits.MaxPendingJobs) { SingleReader = true });
    private readonly Task _running;
    private NpgsqlConnection? _connection;

    public CommitLane(PostgresConnections connections, int number, Action<StreamKey, StreamPosition> touched, Func<LaneStage, int, Task> reached, RelayTelemetry telemetry, ILogger log)
    {
        (_connections, _telemetry, _log) = (connections, telemetry, log);
        _source = connections.Lane(number);
        _running = Task.Run(() => RunAsync(touched, reached));
    }

    /// <exception cref="StoreException">Closed, or too much is queued.</exception>
    public void Post(LaneJob job)
    {
        if (_queue.Writer.TryWrite(job)) return;
        throw new StoreException(_queue.Reader.Completion.IsCompleted || _isStopped ? "The store is closed." : "Too many writes are queued.");
    }

    private volatile bool _isStopped;

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
            while (group.Count < RelayLimits.MaxJobsPerTransaction && _queue.Reader.TryRead(out var next)) group.Add(next);
            group = await DoAsync(group, touched, reached).ConfigureAwait(false);
        }
        await DisconnectAsync().ConfigureAwait(false);
        await _source.DisposeAsync().ConfigureAwait(false);
    }

    /// <returns>Jobs for the next group.</returns>
    private async Task<List<LaneJob>> DoAsync(List<LaneJob> group, Action<StreamKey, StreamPosition> touched, Func<LaneStage, int, Task> reached)
    {
        var patience = new PostgresConnections.Patience(_connections.Time, RelayLimits.PostgresPatience);
        while (true)
        {
            GroupDecision? decision = null;
            ulong? transaction = null;
            Exception fault;
            try
            {
                long start = Stopwatch.GetTimestamp();
                var connection = await ConnectAsync().ConfigureAwait(false);
                await reached(LaneStage.Connected, connection.ProcessID).ConfigureAwait(false);
                var rows = new GroupRows(group);
                ulong id = await GroupTransaction.BeginAsync(connection, rows).ConfigureAwait(false);
                decision = new GroupDecision(group, rows);
                await reached(LaneStage.Decided, connection.ProcessID).ConfigureAwait(false);
                if (decision.HasWrites)
                {
                    transaction = id;
                    await GroupTransaction.CommitAsync(connection, decision).ConfigureAwait(false);
                    await reached(LaneStage.Committed, connection.ProcessID).ConfigureAwait(false);
                }
                else
                {
                    await connection.ExecuteAsync("ROLLBACK", CancellationToken.None).ConfigureAwait(false);
                }
                _telemetry.Committed(decision.Decided.Count, Stopwatch.GetElapsedTime(start));
                return Complete(decision, touched);
            }
            catch (Exception e)
            {
                fault = e;
            }
            _telemetry.CommitFailed();
            RelayLog.GroupFailed(_log, group.Count, PostgresFault.Code(fault));
            var outcome = transaction is null ? Outcome.NotDone : await OutcomeAsync(fault, transaction.Value, patience).ConfigureAwait(false);
            if (outcome == Outcome.Done) return Complete(decision!, touched);
            var reason = new StoreException($"The database refused a transaction ({PostgresFault.Code(fault)}).", fault);
            if (outcome == Outcome.Unknown || (PostgresFault.IsPassing(fault) && patience.IsOver) || (!PostgresFault.IsPassing(fault) && group.Count == 1))
            {
                await DisconnectAsync().ConfigureAwait(false);
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
        foreach (var (stream, position) in decision.Streams) touched(stream, position);
        foreach (var job in decision.Decided) job.Complete();
        foreach (var (job, reason) in decision.Failed) job.Fail(reason);
        return decision.Deferred;
    }

    private async Task<NpgsqlConnection> ConnectAsync() => _connection ??= await _source.OpenConnectionAsync().ConfigureAwait(false);

    /// <summary>What became of a transaction whose end was asked for.</summary>
    private async Task<Outcome> OutcomeAsync(Exception fault, ulong transaction, PostgresConnections.Patience patience)
    {
        // An error that left the session standing: the server has rolled back.
        if (fault is PostgresException { Severity: "ERROR" } && _connection is { FullState: System.Data.ConnectionState.Open }) return Outcome.NotDone;
        await DisconnectAsync().ConfigureAwait(false);
        while (true)
        {
            try
            {
                var connection = await ConnectAsync().ConfigureAwait(false);
                await EndOlderSessionsAsync(connection).ConfigureAwait(false);
                var status = await connection.ScalarAsync<string>("SELECT pg_xact_status($1::text::xid8)", CancellationToken.None, transaction.ToString(System.Globalization.CultureInfo.InvariantCulture)).ConfigureAwait(false);
                if (status == "committed") return Outcome.Done;
                if (status == "aborted") return Outcome.NotDone;
                if (status != "in progress") return Outcome.Unknown;
            }
            catch (Exception e) when (PostgresFault.IsPassing(e))
            {
                RelayLog.DatabaseAgain(_log, PostgresFault.Code(e));
                await DisconnectAsync().ConfigureAwait(false);
            }
            catch (PostgresException e)
            {
                // Another database than the one it was begun in: nothing is known.
                RelayLog.DatabaseAgain(_log, PostgresFault.Code(e));
                return Outcome.Unknown;
            }
            if (patience.IsOver) return Outcome.Unknown;
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
        if (fault is PostgresException { Severity: "ERROR" } or InvalidOperationException && _connection.FullState == System.Data.ConnectionState.Open)
        {
            try
            {
                await _connection.ExecuteAsync("ROLLBACK", CancellationToken.None).ConfigureAwait(false);
                return;
            }
            catch (Exception e)
            {
                RelayLog.DatabaseAgain(_log, PostgresFault.Code(e));
            }
        }
        await DisconnectAsync().ConfigureAwait(false);
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
            RelayLog.DatabaseAgain(_log, PostgresFault.Code(e));
        }
    }
}
