using System.Globalization;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Npgsql;
using Relay.Storage.Telemetry;

namespace Relay.Storage.Postgres;

/// <summary>
/// The node rows of a cluster and the session lock of one node. A session-level advisory lock lives as long as its session, and the
/// session at most as long as the process: the server releases the lock when the process's connection ends.
/// </summary>
internal sealed class NodeRows : INodeRows
{
    private const string SessionIsLost = "The node's database session is lost; it is being reopened.";

    /// <summary>SQL condition: `l` in pg_locks is the lock of the node row `n`.</summary>
    private static readonly string s_lockOfRow = string.Create(CultureInfo.InvariantCulture, $"""
        l.locktype = 'advisory' AND l.granted AND l.mode = 'ExclusiveLock' AND l.objsubid = 2 AND l.classid = {(long)AdvisoryLock.Node}::oid
            AND l.objid = n.slot::bigint::oid AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """);
    private static readonly string s_isHeld = $"EXISTS (SELECT FROM pg_locks l WHERE {s_lockOfRow})";
    private static readonly string s_isOwn = $"EXISTS (SELECT FROM pg_locks l WHERE {s_lockOfRow} AND l.pid = pg_backend_pid())";

    private readonly NpgsqlDataSource _source;
    private readonly string _place;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _closing = new();
    private readonly TaskCompletionSource<NodeLoss> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private NpgsqlConnection? _session;
    private SessionIdentity _identity;
    private TaskCompletionSource _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _watching = Task.CompletedTask;
    private volatile bool _isHeld;

    /// <summary>Identifies a session by its server process and the start time of the server.</summary>
    private readonly record struct SessionIdentity(int Process, DateTime ServerStart);

    /// <summary>For tests: ends the session as when the process is killed, without deleting the row.</summary>
    internal Task AbandonAsync() => EndAsync(static _ => Task.CompletedTask);

    private NodeRows(PostgresConnections connections, NodeIdentity self, ILogger log)
    {
        (Self, _place, _time, _log) = (self, connections.Place, connections.Time, log);
        _source = connections.NodeSession();
    }

    public NodeIdentity Self { get; }

    public bool IsHeld => _isHeld;

    public Task<NodeLoss> Lost => _lost.Task;

    /// <summary>For tests: the process id of the session on the server.</summary>
    internal int SessionProcess => _identity.Process;

    /// <exception cref="RelayStartException"/>
    public static async Task<NodeRows> RegisterAsync(PostgresConnections connections, NodeIdentity self, string version, ILogger log,
        CancellationToken cancellation)
    {
        if (self.Address.Length > StorageLimits.MaxNodeAddress) throw new RelayStartException("The node's address is longer than "
            + $"{StorageLimits.MaxNodeAddress} characters.");
        long begun = connections.Time.GetTimestamp();
        while (true)
        {
            try
            {
                return await RegisterOnceAsync(connections, self, version, log, cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException or SocketException)
            {
                // A session's timeouts are short; a busy machine or a restarting server needs longer to open the first one.
                bool mayPass = e is not PostgresException { IsTransient: false }
                    && connections.Time.GetElapsedTime(begun) < StorageLimits.PostgresStartPatience;
                if (!mayPass)
                    throw new RelayStartException($"The node cannot register in the database {connections.Place} ({PostgresFault.Code(e)}). "
                        + "Check that the database runs and accepts further connections.", e);
                StorageLog.RegistrationRetried(log, PostgresFault.Code(e));
            }
            await Task.Delay(StorageLimits.MaxNodeSessionRetry, connections.Time, cancellation).ConfigureAwait(false);
        }
    }

    private static async Task<NodeRows> RegisterOnceAsync(PostgresConnections connections, NodeIdentity self, string version, ILogger log,
        CancellationToken cancellation)
    {
        var rows = new NodeRows(connections, self, log);
        try
        {
            await NodeSessionChecks.RefusePoolerAsync(rows._source, rows._place, cancellation).ConfigureAwait(false);
            var session = await rows.OpenAsync(cancellation).ConfigureAwait(false);
            await NodeSessionChecks.RefuseWrongClockAsync(session, rows._place, rows._time, cancellation).ConfigureAwait(false);
            await rows.TakeAddressAsync(session, version, cancellation).ConfigureAwait(false);
            rows._watching = rows.WatchAsync(rows._closing.Token);
            return rows;
        }
        catch
        {
            await rows.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask<IReadOnlyList<RegisteredNode>> ReadAsync(CancellationToken cancellation)
        => await UseAsync(session => ReadAllAsync(session, cancellation), cancellation).ConfigureAwait(false);

    /// <summary>Reads the node rows on any session; needs no lock.</summary>
    /// <exception cref="NpgsqlException"/>
    public static Task<List<RegisteredNode>> ReadAllAsync(NpgsqlConnection session, CancellationToken cancellation)
        => session.RowsAsync($"""
        SELECT n.address, n.incarnation, n.version, n.state, {s_isHeld} AS held,
            n.server_start = pg_postmaster_start_time(), clock_timestamp() - pg_postmaster_start_time()
        FROM relay.cluster_node n ORDER BY held DESC, n.address LIMIT $1
        """, ReadNode, cancellation, (long)StorageLimits.MaxNodes);

    private static RegisteredNode ReadNode(NpgsqlDataReader r) => new(new NodeIdentity(r.GetString(0), r.GetInt64(1)), r.GetString(2),
        (NodeState)r.GetInt16(3), IsHeld: r.GetBoolean(4), IsOfThisServerStart: r.GetBoolean(5), ServerUptime: r.GetTimeSpan(6));

    public async ValueTask<NodeEvidence> FindEvidenceAsync(NodeIdentity node, CancellationToken cancellation)
    {
        try
        {
            return await UseAsync(async session =>
            {
                // One statement reads this node's lock, process and server start together with the other node's lock: a verdict is
                // given only if the session is unchanged and still holds this node's lock.
                var found = await session.RowsAsync($"""
                    SELECT pg_backend_pid(), pg_postmaster_start_time(),
                        coalesce((SELECT {s_isOwn} FROM relay.cluster_node n WHERE n.address = $1), false),
                        o.incarnation, o.server_start = pg_postmaster_start_time(), o.held
                    FROM (SELECT n.incarnation, n.server_start, {s_isHeld} AS held FROM relay.cluster_node n WHERE n.address = $2) o
                    """, r => (Session: new SessionIdentity(r.GetInt32(0), r.GetDateTime(1)), IsOwn: r.GetBoolean(2),
                        Incarnation: r.GetInt64(3), IsOfThisStart: r.GetBoolean(4), IsHeld: r.GetBoolean(5)),
                    cancellation, Self.Address, node.Address).ConfigureAwait(false);
                if (found is not [var peer] || !peer.IsOwn || peer.Session != _identity) return NodeEvidence.None;
                if (peer.Incarnation != node.Incarnation) return NodeEvidence.Gone;
                if (peer.IsHeld) return NodeEvidence.Held;
                return peer.IsOfThisStart ? NodeEvidence.Gone : NodeEvidence.None;
            }, cancellation).ConfigureAwait(false);
        }
        catch (StoreException)
        {
            return NodeEvidence.None;
        }
    }

    public async ValueTask MarkAsync(NodeIdentity node, NodeState state, CancellationToken cancellation)
        => await UseAsync(session => MarkAsync(session, node, state, cancellation), cancellation).ConfigureAwait(false);

    private static Task<int> MarkAsync(NpgsqlConnection session, NodeIdentity node, NodeState state, CancellationToken cancellation)
        => session.ExecuteAsync("UPDATE relay.cluster_node SET state = $3 WHERE address = $1 AND incarnation = $2 AND state <> $4",
            cancellation, node.Address, node.Incarnation, (short)state, (short)NodeState.Down);

    public async ValueTask<bool> TryLockFoundingAsync(CancellationToken cancellation)
        => await UseAsync(session => session.ScalarAsync<bool>("SELECT pg_try_advisory_lock($1, 0)", cancellation,
            (int)AdvisoryLock.Founding), cancellation).ConfigureAwait(false);

    public async ValueTask<bool> EndFoundingAsync(bool isFounded, CancellationToken cancellation) => await UseAsync(async session =>
    {
        bool isLocked = await session.ScalarAsync<bool>("""
            SELECT EXISTS (SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
                AND l.classid = $1::bigint::oid AND l.objid = 0 AND l.pid = pg_backend_pid()
                AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
            """, cancellation, (long)AdvisoryLock.Founding).ConfigureAwait(false);
        if (!isLocked) return false;
        bool isMarked = !isFounded || await MarkAsync(session, Self, NodeState.Up, cancellation).ConfigureAwait(false) == 1;
        await session.ExecuteAsync("SELECT pg_advisory_unlock($1, 0)", cancellation, (int)AdvisoryLock.Founding).ConfigureAwait(false);
        return isMarked;
    }, cancellation).ConfigureAwait(false);

    public async ValueTask DisposeAsync()
    {
        // A node that was downed, or whose address another process has taken, must not delete the row.
        await EndAsync(async session =>
        {
            if (_lost.Task.IsCompleted) return;
            await session.ExecuteAsync("DELETE FROM relay.cluster_node WHERE address = $1 AND incarnation = $2", CancellationToken.None,
                Self.Address, Self.Incarnation).ConfigureAwait(false);
        }).ConfigureAwait(false);
        await _source.DisposeAsync().ConfigureAwait(false);
    }

    private async Task EndAsync(Func<NpgsqlConnection, Task> last)
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            bool wasHeld = _isHeld;
            _isHeld = false;
            if (Interlocked.Exchange(ref _session, null) is not { } session) return;
            if (wasHeld) await NodeSessionChecks.TryAsync(() => last(session)).ConfigureAwait(false);
            await session.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// Runs statements on the session, one caller at a time. A failed session is abandoned, and <see cref="WatchAsync"/> opens another.
    /// </summary>
    private async ValueTask<T> UseAsync<T>(Func<NpgsqlConnection, Task<T>> use, CancellationToken cancellation)
    {
        if (!_isHeld) throw new StoreException(SessionIsLost);
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (_session is not { } session || !_isHeld) throw new StoreException(SessionIsLost);
            try
            {
                return await use(session).ConfigureAwait(false);
            }
            catch (PostgresException e) when (e.Severity == "ERROR")
            {
                throw new StoreException($"The database refused ({PostgresFault.Code(e)}).", e);
            }
            catch (Exception e) when (IsOfConnection(e))
            {
                GiveUp();
                throw new StoreException($"The node's database session was lost ({PostgresFault.Code(e)}).", e);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    // The last two are thrown when the connection is closed while a statement runs.
    private static bool IsOfConnection(Exception e)
        => e is NpgsqlException or IOException or TimeoutException or SocketException
            or ObjectDisposedException or InvalidOperationException;

    private void GiveUp()
    {
        _isHeld = false;
        _broken.TrySetResult();
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellation)
    {
        var session = _session = await _source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
        var rows = await session.RowsAsync("SELECT pg_backend_pid(), pg_postmaster_start_time()",
            r => new SessionIdentity(r.GetInt32(0), r.GetDateTime(1)), cancellation).ConfigureAwait(false);
        _identity = rows[0];
        return session;
    }

    /// <summary>Locks the address for this process and then writes its row. The row of another holder is never changed.</summary>
    private async Task TakeAddressAsync(NpgsqlConnection session, string version, CancellationToken cancellation)
    {
        long begun = _time.GetTimestamp();
        while (true)
        {
            await session.ExecuteAsync("INSERT INTO relay.cluster_node (address) VALUES ($1) ON CONFLICT (address) DO NOTHING",
                cancellation, Self.Address).ConfigureAwait(false);
            if (await TryLockAsync(session, cancellation).ConfigureAwait(false) is true)
            {
                int written = await session.ExecuteAsync("""
                    UPDATE relay.cluster_node SET incarnation = $2, version = $3, state = $4,
                        server_start = pg_postmaster_start_time(), registered = clock_timestamp() WHERE address = $1
                    """, cancellation, Self.Address, Self.Incarnation, version, (short)NodeState.Starting).ConfigureAwait(false);
                if (written == 1) break;
                // Another node has deleted the row as expired, between the insert and the lock.
                await session.ExecuteAsync("SELECT pg_advisory_unlock_all()", cancellation).ConfigureAwait(false);
            }
            else if (_time.GetElapsedTime(begun) > StorageLimits.NodeAddressPatience)
            {
                throw new RelayStartException($"Another process is running as the node {Self.Address} of this cluster: it holds the node's "
                    + $"lock in the database {_place}. Stop it, or give this node another address (Relay:Cluster:Host and "
                    + "Relay:Cluster:Port).");
            }
            await Task.Delay(StorageLimits.NodeSessionRetry, _time, cancellation).ConfigureAwait(false);
        }
        await session.ExecuteAsync("DELETE FROM relay.cluster_node n WHERE n.registered < clock_timestamp() - $1 AND n.address <> $2 "
            + $"AND NOT {s_isHeld}", cancellation,
            StorageLimits.NodeRowLifetime, Self.Address).ConfigureAwait(false);
        _isHeld = true;
    }

    /// <returns>True if the lock of this node's address was taken; null if the row does not exist.</returns>
    private Task<bool?> TryLockAsync(NpgsqlConnection session, CancellationToken cancellation)
        => session.ScalarAsync<bool?>("SELECT pg_try_advisory_lock($2, slot) FROM relay.cluster_node WHERE address = $1", cancellation,
            Self.Address, (int)AdvisoryLock.Node);

    private async Task WatchAsync(CancellationToken closing)
    {
        try
        {
            while (!_lost.Task.IsCompleted)
            {
                await Task.WhenAny(_broken.Task, Task.Delay(StorageLimits.NodeSessionCheck, _time, closing)).ConfigureAwait(false);
                closing.ThrowIfCancellationRequested();
                if (!_broken.Task.IsCompleted) await TryLookAsync(closing).ConfigureAwait(false);
                if (_broken.Task.IsCompleted && !_lost.Task.IsCompleted) await RetakeAsync(closing).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The registration is being disposed of.
        }
    }

    /// <summary>Checks that the lock is still held and that the row still has this incarnation.</summary>
    private async Task TryLookAsync(CancellationToken closing)
    {
        try
        {
            await UseAsync(async session =>
            {
                var found = await session.RowsAsync("SELECT pg_backend_pid(), pg_postmaster_start_time(), n.incarnation, n.state, "
                    + $"{s_isOwn} FROM relay.cluster_node n WHERE n.address = $1",
                    r => (Session: new SessionIdentity(r.GetInt32(0), r.GetDateTime(1)), Incarnation: r.GetInt64(2),
                        State: (NodeState)r.GetInt16(3), IsOwn: r.GetBoolean(4)), closing, Self.Address).ConfigureAwait(false);
                if (found is not [var own]) Lose(NodeLoss.Forgotten);
                else if (own.Incarnation != Self.Incarnation) Lose(NodeLoss.Superseded);
                else if (own.State == NodeState.Down) Lose(NodeLoss.Downed);
                else if (!own.IsOwn || own.Session != _identity) GiveUp();
                return true;
            }, closing).ConfigureAwait(false);
        }
        catch (StoreException)
        {
            // Either the session was abandoned and is reopened, or the next check tries again.
        }
    }

    private void Lose(NodeLoss loss)
    {
        _isHeld = false;
        _lost.TrySetResult(loss);
    }

    /// <summary>Opens a new session and retakes the lock, unless the row says that this node must stop.</summary>
    private async Task RetakeAsync(CancellationToken closing)
    {
        StorageLog.NodeSessionLost(_log);
        var last = _identity;
        var pause = StorageLimits.NodeSessionRetry;
        await _turn.WaitAsync(closing).ConfigureAwait(false);
        try
        {
            while (true)
            {
                if (await TryRetakeAsync(last, closing).ConfigureAwait(false)) return;
                await Task.Delay(pause, _time, closing).ConfigureAwait(false);
                if (pause < StorageLimits.MaxNodeSessionRetry) pause *= 2;
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <returns>True if the lock is held again, or this node must stop; false to retry.</returns>
    private async Task<bool> TryRetakeAsync(SessionIdentity last, CancellationToken closing)
    {
        try
        {
            if (_session is not null) await _session.DisposeAsync().ConfigureAwait(false);
            _session = null;
            var session = await OpenAsync(closing).ConfigureAwait(false);
            var found = await session.RowsAsync("SELECT incarnation, state FROM relay.cluster_node WHERE address = $1",
                r => (Incarnation: r.GetInt64(0), State: (NodeState)r.GetInt16(1)), closing, Self.Address).ConfigureAwait(false);
            if (found is not [var row]) Lose(NodeLoss.Forgotten);
            else if (row.Incarnation != Self.Incarnation) Lose(NodeLoss.Superseded);
            else if (row.State == NodeState.Down) Lose(NodeLoss.Downed);
            if (_lost.Task.IsCompleted) return true;
            if (await TryLockAsync(session, closing).ConfigureAwait(false) is not true)
            {
                // The server has not detected yet that the last session is lost, and still holds the lock for it.
                if (last.ServerStart == _identity.ServerStart)
                    await session.ExecuteAsync("SELECT pg_terminate_backend(l.pid) FROM pg_locks l, relay.cluster_node n WHERE "
                        + $"n.address = $1 AND {s_lockOfRow} AND l.pid = $2", closing, Self.Address, last.Process).ConfigureAwait(false);
                return false;
            }
            await session.ExecuteAsync("UPDATE relay.cluster_node SET server_start = pg_postmaster_start_time() WHERE address = $1 "
                + "AND incarnation = $2", closing, Self.Address, Self.Incarnation).ConfigureAwait(false);
            _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _isHeld = true;
            StorageLog.NodeSessionRetaken(_log);
            return true;
        }
        catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException or SocketException)
        {
            return false;
        }
    }
}
