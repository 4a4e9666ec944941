using System.Globalization;

namespace Relay.Storage.Sealing;

/// <summary>How a table stores where its sealed values are, and statements on it that both databases understand.</summary>
/// <param name="Name">The table's name, without a schema.</param>
/// <param name="Key">The columns of the table's key, in its order, and what of a <see cref="SealedPlace"/> they hold.</param>
/// <param name="Revision">The column with the version, if the key has none.</param>
internal sealed record SealedColumns(string Name, (string Column, SealedColumns.Holds Of)[] Key, string? Revision = null)
{
    /// <summary>The fields of a <see cref="SealedPlace"/>.</summary>
    internal enum Holds { Owner, Id, Version, Part }

    private static readonly Dictionary<SealedTable, SealedColumns> s_tables = new()
    {
        [SealedTable.Conversation] = new("conversation", [("endpoint", Holds.Owner), ("id", Holds.Id)], "version"),
        [SealedTable.Seen] = new("seen", [("endpoint", Holds.Owner), ("conversation", Holds.Id), ("version", Holds.Version)]),
        [SealedTable.Outbox] = new("outbox", [("endpoint", Holds.Owner), ("kind", Holds.Part), ("sequence", Holds.Version)]),
        [SealedTable.Subscription] = new("subscription", [("endpoint", Holds.Owner), ("name", Holds.Id), ("part", Holds.Part)], "revision"),
        [SealedTable.File] = new("file", [("endpoint", Holds.Owner), ("id", Holds.Id)], "revision"),
        [SealedTable.FilePortion] = new("file_portion", [("endpoint", Holds.Owner), ("file", Holds.Id), ("number", Holds.Version)]),
    };

    /// <exception cref="ArgumentOutOfRangeException">The table's values are not sealed again.</exception>
    public static SealedColumns Of(SealedTable table)
        => s_tables.TryGetValue(table, out var columns) ? columns : throw new ArgumentOutOfRangeException(nameof(table), table, null);

    /// <summary>
    /// Selects owner, id, version and part of the rows after the place <see cref="KeyOf"/>, and the values of those that are stale: their
    /// first five bytes (<see cref="Sealer.KeyHeaderSize"/>) are not the last parameter but one. The last is the number of rows. An empty value
    /// is that of a file being deleted.
    /// </summary>
    /// <param name="schema">Put before the table's name.</param>
    public string SelectStale(string schema)
    {
        var key = string.Join(", ", Key.Select(k => k.Column));
        return $"SELECT {Column(Holds.Owner, "''")}, {Column(Holds.Id, "''")}, "
            + $"{Column(Holds.Version, "0")}, {Column(Holds.Part, "0")}, CASE WHEN length(sealed) = 0 "
            + $"OR substr(sealed, 1, 5) = {Parameter(Key.Length + 1)} THEN NULL ELSE sealed END FROM {schema}{Name} "
            + $"WHERE ({key}) > ({string.Join(", ", Enumerable.Range(1, Key.Length).Select(Parameter))}) ORDER BY {key} "
            + $"LIMIT {Parameter(Key.Length + 2)}";
    }

    /// <summary>Replaces the value of the row at <see cref="PlaceOf"/>, if it is the last parameter, by the last but one.</summary>
    public string ReplaceValue(string schema)
    {
        var columns = Key.Select(k => k.Column).Concat(Revision is null ? [] : [Revision]).ToArray();
        var at = string.Join(" AND ", columns.Select((c, i) => $"{c} = {Parameter(i + 1)}"));
        return $"UPDATE {schema}{Name} SET sealed = {Parameter(columns.Length + 1)} WHERE {at} AND sealed = {Parameter(columns.Length + 2)}";
    }

    /// <summary>The values of the key's columns: text or a 64-bit number.</summary>
    public IEnumerable<object> KeyOf(SealedPlace place) => Key.Select(k => Value(place, k.Of));

    /// <summary>The values of the key's columns, and of the one with the version.</summary>
    public IEnumerable<object> PlaceOf(SealedPlace place) => Revision is null ? KeyOf(place) : KeyOf(place).Append(place.Version);

    private string Column(Holds of, string none)
        => Key.Where(k => k.Of == of).Select(k => k.Column).FirstOrDefault() ?? (of == Holds.Version ? Revision : null) ?? none;

    private static string Parameter(int number) => string.Create(CultureInfo.InvariantCulture, $"${number}");

    private static object Value(SealedPlace place, Holds of) => of switch
    {
        Holds.Owner => place.Owner,
        Holds.Id => place.Id,
        Holds.Version => place.Version,
        _ => place.Part,
    };
}
