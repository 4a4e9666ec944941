using System.Globalization;
using Microsoft.Data.Sqlite;
using Relay.Storage.Postgres;
using Relay.Storage.Sqlite;

namespace Relay.Storage;

/// <summary>Which schema a store has and which nodes use it, read before a program of another version starts on it.</summary>
/// <param name="Schema">The schema's version; null: there is no store yet.</param>
/// <param name="Supported">The version that this program reads, and migrates older ones to.</param>
/// <param name="Nodes">The nodes of a cluster that run.</param>
public sealed record StoreVersions(int? Schema, int Supported, IReadOnlyList<RegisteredNode> Nodes)
{
    /// <summary>Reads a database file without writing to it.</summary>
    /// <param name="isServed">True if a server has it open.</param>
    /// <exception cref="RelayStartException">The file is foreign or damaged, or cannot be read.</exception>
    public static StoreVersions OfSqlite(string path, bool isServed)
    {
        if (!File.Exists(path)) return new StoreVersions(null, SqliteSchema.Version, []);
        try
        {
            if (SqliteCheck.Source(path, isServed) is { } source)
            {
                using var session = SqliteSession.Open(source, SqliteOpenMode.ReadOnly);
                if (session.Scalar("PRAGMA application_id") is not (long)SqliteSchema.ApplicationId)
                    throw new RelayStartException($"{path} is a database of another program.");
                return new StoreVersions(SqliteSchema.ReadVersion(session), SqliteSchema.Version, []);
            }
        }
        catch (SqliteException e)
        {
            throw new RelayStartException(string.Create(CultureInfo.InvariantCulture,
                $"{path} cannot be read (SQLite error {e.SqliteExtendedErrorCode})."), e);
        }
        throw new RelayStartException($"{path}-wal holds changes that were not yet taken into the database: start the version that wrote "
            + "it, and stop it.");
    }

    /// <summary>Reads a cluster's database without writing to it.</summary>
    /// <exception cref="RelayStartException">It cannot be reached, or its schema is another program's.</exception>
    public static async Task<StoreVersions> OfPostgresAsync(string connectionString, CancellationToken cancellation)
    {
        var connection = await BackupConnection.OpenAsync(connectionString, "relay upgrade", cancellation).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            try
            {
                int? schema = await BackupConnection.ReadVersionAsync(connection, cancellation).ConfigureAwait(false);
                bool hasNodes = schema is not null && await connection.ScalarAsync<bool>("SELECT to_regclass('relay.cluster_node') IS NOT NULL",
                    cancellation).ConfigureAwait(false);
                var nodes = hasNodes ? await NodeRows.ReadAllAsync(connection, cancellation).ConfigureAwait(false) : [];
                return new StoreVersions(schema, PostgresSchema.Version, [.. nodes.Where(n => n.IsHeld)]);
            }
            catch (Exception e) when (e is not RelayStartException && BackupConnection.Explain(e, "Reading the database") is { } explained)
            {
                throw explained;
            }
        }
    }
}
