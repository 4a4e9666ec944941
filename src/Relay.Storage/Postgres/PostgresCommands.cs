using Npgsql;
using Relay.Storage.Sealing;

namespace Relay.Storage.Postgres;

/// <summary>Extensions that run a statement with positional parameters.</summary>
internal static class PostgresCommands
{
    public static async Task<int> ExecuteAsync(this NpgsqlConnection connection, string sql, CancellationToken cancellation,
        params object?[] parameters)
    {
        await using var command = connection.Command(sql, parameters);
        return await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Runs a statement that stores a sealed value, unless the value's sealing epoch has ended; both in one transaction.</summary>
    public static async Task<int> ExecuteAdmittedAsync(this NpgsqlConnection connection, byte[] value, string sql,
        CancellationToken cancellation, params object?[] parameters)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(PostgresStore.AdmitEpoch, (long)Sealer.EpochOf(value));
        batch.Add(sql, parameters);
        return await batch.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Returns the first column of the first row; default if there is no row or it is NULL.</summary>
    public static async Task<T?> ScalarAsync<T>(this NpgsqlConnection connection, string sql, CancellationToken cancellation,
        params object?[] parameters)
    {
        await using var command = connection.Command(sql, parameters);
        return await command.ExecuteScalarAsync(cancellation).ConfigureAwait(false) is { } value and not DBNull ? (T)value : default;
    }

    public static async Task<List<T>> RowsAsync<T>(this NpgsqlConnection connection, string sql, Func<NpgsqlDataReader, T> read,
        CancellationToken cancellation, params object?[] parameters)
    {
        await using var command = connection.Command(sql, parameters);
        var reader = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            var rows = new List<T>();
            while (await reader.ReadAsync(cancellation).ConfigureAwait(false)) rows.Add(read(reader));
            return rows;
        }
    }

    public static void Add(this NpgsqlBatch batch, string sql, params object?[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in parameters) command.Parameters.Add(Parameter(value));
        batch.BatchCommands.Add(command);
    }

    private static NpgsqlCommand Command(this NpgsqlConnection connection, string sql, object?[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in parameters) command.Parameters.Add(Parameter(value));
        return command;
    }

    private static NpgsqlParameter Parameter(object? value) => new() { Value = value ?? DBNull.Value };
}
