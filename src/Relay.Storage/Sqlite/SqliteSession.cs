using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Relay.Storage.Sqlite;

/// <summary>A connection with its cache of prepared statements. Not thread-safe.</summary>
internal sealed class SqliteSession : IDisposable
{
    private const int BusyTimeoutMs = 5000;
    private readonly SqliteConnection _connection;
    private readonly sqlite3 _handle;
    private readonly Dictionary<string, SqliteStatement> _prepared = [];

    private SqliteSession(SqliteConnection connection)
    {
        _connection = connection;
        _handle = connection.Handle!;
        raw.sqlite3_busy_timeout(_handle, BusyTimeoutMs);
    }

    /// <exception cref="SqliteException"/>
    public static SqliteSession Open(string path, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false }.ToString());
        try
        {
            connection.Open();
            var session = new SqliteSession(connection);
            session.Execute("PRAGMA trusted_schema = OFF");
            session.Execute("PRAGMA secure_delete = ON");
            session.Execute("PRAGMA synchronous = FULL");
            session.Execute("PRAGMA temp_store = MEMORY");
            return session;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Runs a statement with parameters $1, $2, … and returns the number of changed rows.</summary>
    public int Execute(string sql, params ReadOnlySpan<SqliteValue> parameters)
    {
        using var rows = Query(sql, parameters);
        while (rows.Read())
        {
            // A pragma may return rows, which are ignored.
        }
        return raw.sqlite3_changes(_handle);
    }

    /// <summary>
    /// Runs a query and returns the first column of the first row (long, string or byte[]); null if there is no row or it is NULL.
    /// </summary>
    public object? Scalar(string sql, params ReadOnlySpan<SqliteValue> parameters)
    {
        var statement = Prepare(sql, parameters);
        using var rows = new SqliteRows(statement);
        return rows.Read() ? statement.Value(0) : null;
    }

    /// <summary>
    /// Runs a query. Dispose of the rows before the next statement with the same text, which shares the prepared statement.
    /// </summary>
    public SqliteRows Query(string sql, params ReadOnlySpan<SqliteValue> parameters) => new(Prepare(sql, parameters));

    /// <summary>Runs several statements without parameters.</summary>
    public void Script(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private SqliteStatement Prepare(string sql, ReadOnlySpan<SqliteValue> parameters)
    {
        if (!_prepared.TryGetValue(sql, out var statement)) _prepared.Add(sql, statement = new SqliteStatement(_handle, sql));
        statement.Bind(parameters);
        return statement;
    }

    public void Dispose()
    {
        foreach (var statement in _prepared.Values) statement.Dispose();
        _connection.Dispose();
    }
}
