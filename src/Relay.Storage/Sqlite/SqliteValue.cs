namespace Relay.Storage.Sqlite;

/// <summary>A parameter of a statement: null, a number, text or bytes; made from any of them without an allocation.</summary>
internal readonly struct SqliteValue
{
    private SqliteValue(long? number, object? reference) => (Number, Reference) = (number, reference);

    /// <summary>Null if it is no number.</summary>
    public long? Number { get; }

    /// <summary>A string, an array of bytes, or null.</summary>
    public object? Reference { get; }

    public static implicit operator SqliteValue(long value) => new(value, null);

    public static implicit operator SqliteValue(long? value) => new(value, null);

    public static implicit operator SqliteValue(string? value) => new(null, value);

    public static implicit operator SqliteValue(byte[]? value) => new(null, value);
}
