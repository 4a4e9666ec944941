using System.Globalization;
using Microsoft.Extensions.Logging;
using Npgsql;
using Relay.Storage.Telemetry;

namespace Relay.Storage.Postgres;

/// <summary>Makes the first connection: waits for a server that is still starting, and explains what to do if it cannot be used.</summary>
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
                // Lanes of processes that crashed leave their rows behind. After this time no lane can still read its own.
                await connection.ExecuteAsync("DELETE FROM relay.lane WHERE used < now() - interval '7 days'",
                    cancellation).ConfigureAwait(false);
                return;
            }
            catch (PostgresException e) when (Advice(e) is { } advice)
            {
                throw new RelayStartException($"The database {connections.Place}: {advice}", e);
            }
            catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException or System.Net.Sockets.SocketException)
            {
                if (!PostgresFault.IsPassing(e) || patience.IsOver)
                    throw new RelayStartException(
                        $"The database {connections.Place} cannot be used ({PostgresFault.Code(e)}). Check that it runs, that the address "
                        + "is correct and that its certificate is the expected one.", e);
                StorageLog.DatabaseAgain(log, PostgresFault.Code(e));
            }
            await patience.PauseAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Explains what to do about an error of the server; null if the error is not a known one.</summary>
    public static string? Advice(PostgresException e) => e.SqlState switch
    {
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification =>
            "the server refuses the user or password of the connection string. Correct them, or check pg_hba.conf.",
        PostgresErrorCodes.InvalidCatalogName => "there is no database of that name. Create it: CREATE DATABASE relay OWNER relay",
        PostgresErrorCodes.InsufficientPrivilege => "the user may not create or use the schema `relay`. Allow it: "
            + "GRANT CREATE ON DATABASE … TO …, or make the user the owner of the database.",
        PostgresErrorCodes.LockNotAvailable => string.Create(CultureInfo.InvariantCulture,
            $"another node has been migrating the schema for more than {StorageLimits.PostgresStartPatience.TotalSeconds} s. "
            + $"Try again when it has finished."),
        _ => null,
    };

    private static async Task CheckDurabilityAsync(NpgsqlConnection connection, ILogger log, CancellationToken cancellation)
    {
        if (await connection.ScalarAsync<string>("SHOW synchronous_commit", cancellation).ConfigureAwait(false) is "off")
            throw new RelayStartException(
                $"The database {PostgresMigration.Place(connection)} has synchronous_commit = off: a crash can undo commits whose "
                + "messages were already sent. Set it for Relay's user: ALTER ROLE … SET synchronous_commit = on");
        foreach (var setting in new[] { "fsync", "full_page_writes" })
        {
            if (await connection.ScalarAsync<string>($"SHOW {setting}", cancellation).ConfigureAwait(false) is "off")
                StorageLog.DatabaseNotDurable(log, setting);
        }
    }
}
