using System.Buffers;
using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Relay.Storage.Sqlite;

/// <summary>
/// A prepared statement that is reused. It bypasses the ADO.NET provider, which allocates a reader, a list and boxed values for every
/// run and looks up parameters by name: several times the cost of SQLite's own work for a row.
/// </summary>
internal sealed class SqliteStatement : IDisposable
{
    private const int OnStack = 256;
    private readonly sqlite3 _connection;
    private readonly sqlite3_stmt _statement;
    // SQLite's indices of $1, $2, …: it numbers named parameters in order of their first occurrence in the text.
    private readonly int[] _places;

    /// <exception cref="SqliteException"/>
    public SqliteStatement(sqlite3 connection, string sql)
    {
        _connection = connection;
        Check(raw.sqlite3_prepare_v3(connection, sql, raw.SQLITE_PREPARE_PERSISTENT, out _statement));
        _places = new int[raw.sqlite3_bind_parameter_count(_statement)];
        for (int i = 0; i < _places.Length; i++)
            _places[i] = raw.sqlite3_bind_parameter_index(_statement, string.Create(CultureInfo.InvariantCulture, $"${i + 1}"));
    }

    /// <summary>Binds the values to the parameters $1, $2, …</summary>
    public void Bind(ReadOnlySpan<SqliteValue> parameters)
    {
        for (int i = 0; i < parameters.Length; i++)
        {
            Check(parameters[i] switch
            {
                { Number: { } number } => raw.sqlite3_bind_int64(_statement, _places[i], number),
                { Reference: string text } => BindText(_places[i], text),
                { Reference: byte[] { Length: 0 } } => raw.sqlite3_bind_zeroblob(_statement, _places[i], 0),
                { Reference: byte[] bytes } => raw.sqlite3_bind_blob(_statement, _places[i], bytes),
                _ => raw.sqlite3_bind_null(_statement, _places[i]),
            });
        }
    }

    /// <summary>Runs the statement to its next row; false if there are no more.</summary>
    /// <exception cref="SqliteException"/>
    public bool Step()
    {
        int result = raw.sqlite3_step(_statement);
        if (result == raw.SQLITE_ROW) return true;
        if (result != raw.SQLITE_DONE) Check(result);
        return false;
    }

    /// <summary>
    /// Prepares the statement for its next run. SQLite's result repeats an error that <see cref="Step"/> has thrown already.
    /// </summary>
    public void Reset() => raw.sqlite3_reset(_statement);

    public bool IsNull(int column) => raw.sqlite3_column_type(_statement, column) == raw.SQLITE_NULL;

    public long Int64(int column) => raw.sqlite3_column_int64(_statement, column);

    public string Text(int column) => raw.sqlite3_column_text(_statement, column).utf8_to_string() ?? "";

    public byte[] Blob(int column) => raw.sqlite3_column_blob(_statement, column).ToArray();

    /// <summary>The column as a long, a string, a byte array or null.</summary>
    public object? Value(int column) => raw.sqlite3_column_type(_statement, column) switch
    {
        raw.SQLITE_INTEGER => Int64(column),
        raw.SQLITE_TEXT => Text(column),
        raw.SQLITE_BLOB => Blob(column),
        _ => null,
    };

    public void Dispose() => _statement.Dispose();

    private int BindText(int index, string text)
    {
        // An empty span has a null address, which SQLite would bind as NULL.
        if (text.Length == 0) return raw.sqlite3_bind_text(_statement, index, text);
        int most = Encoding.UTF8.GetMaxByteCount(text.Length);
        byte[]? rented = most > OnStack ? ArrayPool<byte>.Shared.Rent(most) : null;
        Span<byte> bytes = rented ?? stackalloc byte[OnStack];
        int result = raw.sqlite3_bind_text(_statement, index, bytes[..Encoding.UTF8.GetBytes(text, bytes)]);
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        return result;
    }

    private void Check(int result) => SqliteException.ThrowExceptionForRC(result, _connection);
}
