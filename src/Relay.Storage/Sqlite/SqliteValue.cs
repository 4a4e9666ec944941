namespace Relay.Storage.Sqlite;

/// <summary>A parameter of a statement: null, an integer, text or bytes. A struct, so that a parameter costs no allocation.</summary>
internal readonly struct SqliteValue
{
    private SqliteValue(long? number, object? reference) => (Number, Reference) = (number, reference);

    /// <summary>The integer; null if the parameter is not one.</summary>
    public long? Number { get; }

    /// <summary>The string or byte array; null if the parameter is neither.</summary>
    public object? Reference { get; }

    /// <param name="value">A 64-bit number, text or bytes.</param>
    public static SqliteValue Of(object value) => value is long number ? new(number, null) : new(null, value);

    public static implicit operator SqliteValue(long value) => new(value, null);

    public static implicit operator SqliteValue(long? value) => new(value, null);

    public static implicit operator SqliteValue(string? value) => new(null, value);

    public static implicit operator SqliteValue(byte[]? value) => new(null, value);
}
