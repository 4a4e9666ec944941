using System.Globalization;
using Npgsql;

namespace Relay.Storage.Postgres;

/// <summary>Migrates a database to this program's schema, or refuses it without changing it.</summary>
internal static class PostgresMigration
{
    private const int OldestServer = 13;

    /// <summary>Migrates in one transaction under an advisory lock, so that nodes that start at the same time take turns.</summary>
    /// <exception cref="RelayStartException">The schema is not Relay's or newer, or the server is too old or a standby.</exception>
    /// <exception cref="NpgsqlException"/>
    public static async Task RunAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (connection.PostgreSqlVersion.Major < OldestServer)
            throw new RelayStartException($"PostgreSQL {connection.PostgreSqlVersion} is too old: Relay needs {OldestServer} or newer.");
        await using var transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
        await connection.ExecuteAsync("SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', $1, true), "
            + "set_config('idle_in_transaction_session_timeout', '0', true)", cancellation,
            Milliseconds(StorageLimits.PostgresStartPatience)).ConfigureAwait(false);
        if (await connection.ScalarAsync<bool>("SELECT pg_is_in_recovery()", cancellation).ConfigureAwait(false))
            throw new RelayStartException($"The database {Place(connection)} is a standby and accepts no writes. Name the primary in the "
                + "connection string (or several hosts with Target Session Attributes=primary).");
        await connection.ExecuteAsync("SELECT pg_advisory_xact_lock($1, $2)", cancellation, (int)AdvisoryLock.Migration, 0)
            .ConfigureAwait(false);
        int version = await ReadVersionAsync(connection, cancellation).ConfigureAwait(false);
        if (version > PostgresSchema.Version)
            throw new RelayStartException(string.Create(CultureInfo.InvariantCulture,
                $"The database {Place(connection)} has schema version {version}, written by a newer Relay; this one supports versions up "
                + $"to {PostgresSchema.Version}. Start the newer one. Nothing was changed."));
        if (version == PostgresSchema.Version) return;
        for (; version < PostgresSchema.Version; version++)
            await connection.ExecuteAsync(PostgresSchema.Migrations[version], cancellation).ConfigureAwait(false);
        await connection.ExecuteAsync("UPDATE relay.schema_version SET version = $1", cancellation, version).ConfigureAwait(false);
        await transaction.CommitAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Reads the schema version, or creates the schema and returns 0.</summary>
    private static async Task<int> ReadVersionAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (!await connection.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", cancellation,
            PostgresSchema.Name).ConfigureAwait(false))
        {
            await connection.ExecuteAsync("CREATE SCHEMA relay", cancellation).ConfigureAwait(false);
            await connection.ExecuteAsync("CREATE TABLE relay.schema_version (product text NOT NULL, version integer NOT NULL)",
                cancellation).ConfigureAwait(false);
            await connection.ExecuteAsync("INSERT INTO relay.schema_version VALUES ($1, 0)", cancellation,
                PostgresSchema.Product).ConfigureAwait(false);
            return 0;
        }
        try
        {
            if (await connection.ScalarAsync<int?>("SELECT version FROM relay.schema_version WHERE product = $1 AND version > 0",
                cancellation, PostgresSchema.Product).ConfigureAwait(false) is { } version) return version;
        }
        catch (PostgresException e) when (e.SqlState
            is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.UndefinedFunction)
        {
            throw Foreign(connection, e);
        }
        throw Foreign(connection, null);
    }

    private static RelayStartException Foreign(NpgsqlConnection connection, Exception? e)
        => new($"The database {Place(connection)} has a schema `relay` that Relay did not create. Choose another database, or rename that "
            + "schema. Nothing was changed.", e);

    /// <summary>The database's name and server, without user and password, for messages.</summary>
    public static string Place(NpgsqlConnection connection)
        => string.Create(CultureInfo.InvariantCulture, $"{connection.Database} at {connection.Host}:{connection.Port}");

    private static string Milliseconds(TimeSpan time) => ((long)time.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
}
