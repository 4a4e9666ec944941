using System.Globalization;
using Microsoft.Extensions.Logging;
using Npgsql;
using Relay.Storage.Telemetry;

namespace Relay.Storage.Postgres;

/// <summary>
/// The connections of one node: a small pool, and single connections for the lanes and the node's lock. Every session has timeouts on
/// the server, so that a process that hangs does not block others indefinitely.
/// </summary>
internal sealed class PostgresConnections : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20), LongestPause = TimeSpan.FromMilliseconds(500);

    private readonly NpgsqlConnectionStringBuilder _string;
    private readonly NpgsqlDataSource _pool;
    private readonly ILogger _log;
    private readonly string _instance = Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture);
    private volatile bool _isClosed;

    /// <exception cref="RelayStartException">The connection string is not valid.</exception>
    public PostgresConnections(string connectionString, TimeProvider time, ILogger log)
    {
        (Time, _log) = (time, log);
        try
        {
            _string = new NpgsqlConnectionStringBuilder(connectionString)
            {
                MaxPoolSize = StorageLimits.PostgresPoolSize,
                MinPoolSize = 0,
                Multiplexing = false,
                NoResetOnClose = true,
                MaxAutoPrepare = 64,
                AutoPrepareMinUsages = 2,
                WriteBufferSize = 64 << 10,
                ReadBufferSize = 32 << 10,
                Timeout = (int)StorageLimits.PostgresConnectTimeout.TotalSeconds,
                // Longer than statement_timeout: this one is for a server that does not answer at all.
                CommandTimeout = (int)StorageLimits.PostgresStatementTimeout.TotalSeconds + 2,
                TcpKeepAlive = true,
                IncludeErrorDetail = false,
                ApplicationName = "relay",
            };
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            // The exception's text may quote a password.
            throw new RelayStartException("The connection string of the database is not valid. Example: "
                + "Host=db;Username=relay;Password=…;Database=relay;SSL Mode=VerifyFull");
        }
        if (string.IsNullOrEmpty(_string.Host))
            throw new RelayStartException("The connection string of the database names no host. Example: "
                + "Host=db;Username=relay;Password=…;Database=relay;SSL Mode=VerifyFull");
        _string.Options = $"{_string.Options} {SessionOptions()}".Trim();
        _pool = NpgsqlDataSource.Create(_string);
    }

    public TimeProvider Time { get; }

    /// <summary>The database's name and server, without user and password, for messages.</summary>
    public string Place => string.Create(CultureInfo.InvariantCulture,
        $"{_string.Database ?? _string.Username} at {_string.Host}:{_string.Port}");

    /// <summary>
    /// Creates a source of connections for one lane, which a later session of the lane finds on the server by their name.
    /// </summary>
    public NpgsqlDataSource Lane(int number) => NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(_string.ConnectionString)
    {
        Pooling = false,
        ApplicationName = string.Create(CultureInfo.InvariantCulture, $"relay-{_instance}-{number}"),
    });

    /// <summary>
    /// Creates a source of the session that holds a node's lock. PostgreSQL detects within seconds that the node's host is gone, and ends
    /// the session: by TCP keepalives, or, while an answer to the node is in flight, by tcp_user_timeout.
    /// </summary>
    public NpgsqlDataSource NodeSession() => NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(_string.ConnectionString)
    {
        Pooling = false,
        ApplicationName = $"relay-{_instance}-node",
        Timeout = (int)StorageLimits.NodeSessionTimeout.TotalSeconds,
        CommandTimeout = (int)StorageLimits.NodeSessionTimeout.TotalSeconds,
        Options = $"{_string.Options} -c tcp_keepalives_idle=1 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=2 "
            + "-c tcp_user_timeout=3000",
    });

    /// <summary>Opens a connection without retries, for the start, which classifies errors itself.</summary>
    public ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellation) => _pool.OpenConnectionAsync(cancellation);

    /// <summary>
    /// Runs an idempotent operation and retries it after transient errors for up to <see cref="StorageLimits.PostgresPatience"/>.
    /// </summary>
    /// <param name="run">The operation; its second argument is true if an earlier attempt may have succeeded.</param>
    /// <exception cref="StoreException"/>
    public async ValueTask<T> RunAsync<T>(Func<NpgsqlConnection, bool, CancellationToken, Task<T>> run, CancellationToken cancellation)
    {
        var patience = new Patience(Time, StorageLimits.PostgresPatience);
        bool isAgain = false;
        while (true)
        {
            if (_isClosed) throw new StoreException("The store is closed.");
            try
            {
                await using var connection = await _pool.OpenConnectionAsync(cancellation).ConfigureAwait(false);
                return await run(connection, isAgain, cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not (StoreException or OperationCanceledException))
            {
                if (_isClosed) throw new StoreException("The store is closed.", e);
                if (!PostgresFault.IsPassing(e) || patience.IsOver)
                    throw new StoreException($"The database refused ({PostgresFault.Code(e)}).", e);
                StorageLog.DatabaseAgain(_log, PostgresFault.Code(e));
                // The other pooled connections are most likely broken as well.
                if (PostgresFault.IsConnectionLost(e)) _pool.Clear();
                isAgain = true;
            }
            await patience.PauseAsync(cancellation).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _isClosed = true;
        await _pool.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// The session settings: timeouts, and planner settings that make every join use an index, whatever the statistics of a table that was
    /// empty a moment ago say. So plans can be cached, and JIT compilation gains nothing.
    /// </summary>
    private static string SessionOptions()
    {
        (string Name, string Value)[] settings =
        [
            ("search_path", "pg_catalog"),
            ("statement_timeout", Milliseconds(StorageLimits.PostgresStatementTimeout)),
            ("lock_timeout", Milliseconds(StorageLimits.PostgresLockTimeout)),
            ("idle_in_transaction_session_timeout", Milliseconds(StorageLimits.PostgresIdleInTransaction)),
            ("default_transaction_isolation", "read\\ committed"),
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_seqscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("jit", "off"),
        ];
        return string.Join(' ', settings.Select(s => $"-c {s.Name}={s.Value}"));
    }

    private static string Milliseconds(TimeSpan time) => ((long)time.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);

    /// <summary>Limits the time of retries, with growing pauses between them.</summary>
    internal sealed class Patience(TimeProvider time, TimeSpan length)
    {
        private readonly long _start = time.GetTimestamp();
        private TimeSpan _pause = FirstPause;

        public bool IsOver => time.GetElapsedTime(_start) >= length;

        public async Task PauseAsync(CancellationToken cancellation)
        {
            await Task.Delay(_pause, time, cancellation).ConfigureAwait(false);
            if (_pause < LongestPause) _pause *= 2;
        }
    }
}
