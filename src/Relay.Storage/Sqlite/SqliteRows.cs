namespace Relay.Storage.Sqlite;

/// <summary>The rows of a query, one at a time.</summary>
internal readonly ref struct SqliteRows(SqliteStatement statement) : IDisposable
{
    /// <summary>Moves to the next row; false if there is none.</summary>
    public bool Read() => statement.Step();

    public bool IsNull(int column) => statement.IsNull(column);

    public long Int64(int column) => statement.Int64(column);

    public string Text(int column) => statement.Text(column);

    public byte[] Blob(int column) => statement.Blob(column);

    public void Dispose() => statement.Reset();
}
