using System.Globalization;
using Microsoft.Extensions.Logging;
using Npgsql;
using Relay.Storage.Telemetry;

namespace Relay.Storage.Postgres;

/// <summary>The first connection: waits for a server that is still starting, and says what to do about one that will not serve.</summary>
internal static class PostgresStart
{
    /// <exception cref="RelayStartException"/>
    public static async Task PrepareAsync(PostgresConnections connections, ILogger log, CancellationToken cancellation)
    {
        var patience = new PostgresConnections.Patience(connections.Time, StorageLimits.PostgresStartPatience);
        while (true)
        {
            try
            {
                await using var connection = await connections.OpenAsync(cancellation).ConfigureAwait(false);
                await PostgresMigration.RunAsync(connection, cancellation).ConfigureAwait(false);
                await CheckDurabilityAsync(connection, log, cancellation).ConfigureAwait(false);
                // What processes left that did not end in order, long after any of them could still ask for it.
                await connection.ExecuteAsync("DELETE FROM relay.lane WHERE used < now() - interval '7 days'", cancellation).ConfigureAwait(false);
                return;
            }
            catch (PostgresException e) when (Advice(e) is { } advice)
            {
                throw new RelayStartException($"The database {connections.Place}: {advice}", e);
            }
            catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException or System.Net.Sockets.SocketException)
            {
                if (!PostgresFault.IsPassing(e) || patience.IsOver)
                    throw new RelayStartException($"The database {connections.Place} cannot be used ({PostgresFault.Code(e)}). See that it runs, that the address is right and that its certificate is the expected one.", e);
                StorageLog.DatabaseAgain(log, PostgresFault.Code(e));
            }
            await patience.PauseAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>What to do about what the server refuses; null if that is not known.</summary>
    public static string? Advice(PostgresException e) => e.SqlState switch
    {
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification => "it refuses the user or password of the connection string. Correct them, or see pg_hba.conf.",
        PostgresErrorCodes.InvalidCatalogName => "there is none of that name. Make it: CREATE DATABASE relay OWNER relay",
        PostgresErrorCodes.InsufficientPrivilege => "the user may not make or use the schema `relay`. Allow it: GRANT CREATE ON DATABASE … TO …, or make it the owner of the database.",
        PostgresErrorCodes.LockNotAvailable => string.Create(CultureInfo.InvariantCulture, $"another start has been changing its schema for more than {StorageLimits.PostgresStartPatience.TotalSeconds} s. Try again when it has ended."),
        _ => null,
    };

    private static async Task CheckDurabilityAsync(NpgsqlConnection connection, ILogger log, CancellationToken cancellation)
    {
        if (await connection.ScalarAsync<string>("SHOW synchronous_commit", cancellation).ConfigureAwait(false) is "off")
            throw new RelayStartException($"The database {PostgresMigration.Place(connection)} has synchronous_commit = off: a crash would take back what has already been sent. Set it for Relay's user: ALTER ROLE … SET synchronous_commit = on");
        foreach (var setting in new[] { "fsync", "full_page_writes" })
        {
            if (await connection.ScalarAsync<string>($"SHOW {setting}", cancellation).ConfigureAwait(false) is "off") StorageLog.DatabaseNotDurable(log, setting);
        }
    }
}
