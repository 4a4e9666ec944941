namespace Relay.Storage.Sqlite;

/// <summary>A cursor over the rows of a query. Disposing of it resets the statement for its next run.</summary>
internal readonly ref struct SqliteRows(SqliteStatement statement) : IDisposable
{
    /// <summary>Advances to the next row; false if there is none.</summary>
    public bool Read() => statement.Step();

    public bool IsNull(int column) => statement.IsNull(column);

    public long Int64(int column) => statement.Int64(column);

    public string Text(int column) => statement.Text(column);

    public byte[] Blob(int column) => statement.Blob(column);

    public void Dispose() => statement.Reset();
}
