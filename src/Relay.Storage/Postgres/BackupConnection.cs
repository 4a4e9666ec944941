using System.Globalization;
using Npgsql;

namespace Relay.Storage.Postgres;

/// <summary>A single session of a backup, restore or check, outside the pools of a node, and what its errors mean.</summary>
internal static class BackupConnection
{
    /// <param name="name">Told to the server as the application's name. It must not begin as a node's does.</param>
    /// <exception cref="RelayStartException">The database cannot be reached or refuses; the message says what to do.</exception>
    public static async Task<NpgsqlConnection> OpenAsync(string connectionString, string name, CancellationToken cancellation)
    {
        NpgsqlConnection? connection = null;
        try
        {
            connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString)
            {
                Timeout = (int)StorageLimits.PostgresConnectTimeout.TotalSeconds,
                CommandTimeout = 0,
                Pooling = false,
                ApplicationName = name,
                IncludeErrorDetail = false,
            }.ConnectionString);
            await connection.OpenAsync(cancellation).ConfigureAwait(false);
            // Rows are read by their keys, in portions: no plan may read a whole table for each.
            await connection.ExecuteAsync("SELECT set_config('search_path', 'pg_catalog', false), set_config('enable_seqscan', 'off', "
                + "false), set_config('jit', 'off', false), set_config('lock_timeout', $1, false), "
                + "set_config('idle_in_transaction_session_timeout', $2, false)", cancellation,
                Milliseconds(StorageLimits.PostgresLockTimeout), Milliseconds(StorageLimits.BackupPatience)).ConfigureAwait(false);
            return connection;
        }
        catch (Exception e)
        {
            if (connection is not null) await connection.DisposeAsync().ConfigureAwait(false);
            if (Explain(e, "The database") is { } explained) throw explained;
            throw;
        }
    }

    /// <summary>The schema's version, read without changing anything; null: there is no schema yet.</summary>
    /// <exception cref="RelayStartException">The schema is not Relay's.</exception>
    public static async Task<int?> ReadVersionAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (!await connection.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", cancellation,
            PostgresSchema.Name).ConfigureAwait(false)) return null;
        if (await connection.ScalarAsync<bool>("SELECT to_regclass($1) IS NOT NULL", cancellation, PostgresSchema.Name + ".schema_version")
                .ConfigureAwait(false)
            && await connection.ScalarAsync<int?>("SELECT version FROM relay.schema_version WHERE product = $1", cancellation,
                PostgresSchema.Product).ConfigureAwait(false) is { } version) return version;
        throw new RelayStartException($"The database {PostgresMigration.Place(connection)} has a schema `{PostgresSchema.Name}` that Relay "
            + "did not create. Choose another database. Nothing was changed.");
    }

    /// <summary>Connections of nodes, other than this one: a node that starts has some before its row and lock show it.</summary>
    public static async Task<long> CountNodeSessionsAsync(NpgsqlConnection connection, CancellationToken cancellation)
        => await connection.ScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            + "AND pid <> pg_backend_pid() AND (application_name = 'relay' OR application_name LIKE 'relay-%')", cancellation)
            .ConfigureAwait(false);

    /// <summary>What an operator should do about an error; null if it is not one of the database.</summary>
    /// <param name="what">What failed, as the beginning of a sentence.</param>
    public static RelayStartException? Explain(Exception e, string what) => e switch
    {
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } => new($"{what} failed: the database's disk is full. Nothing was "
            + "changed: make room, and try again.", e),
        PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable } => new($"{what} failed: something else uses the tables, as a "
            + "dump or another restore. Nothing was changed: try again when it has finished.", e) { IsTemporary = true },
        PostgresException p when PostgresStart.Advice(p) is { } advice => new($"{what} failed: {advice}", e),
        NpgsqlException or IOException or TimeoutException or System.Net.Sockets.SocketException
            => new($"{what} failed ({PostgresFault.Code(e)}). Check that the database runs, that its address is correct and that its "
                + "certificate is the expected one.", e),
        // The exception's text may quote a password.
        ArgumentException or FormatException => new("The database's address is not valid. Use "
            + "postgresql://user:password@host:port/database, or Host=…;Username=…;Password=…;Database=…"),
        _ => null,
    };

    private static string Milliseconds(TimeSpan time) => ((long)time.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
}
