using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Relay.Lab.Bench.Server;

/// <summary>The results, for machines and for people.</summary>
internal static class ServerReport
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    // What stands beside the name, in this order; the rest is told in one column.
    private static readonly (string Field, string Title, string Unit)[] s_columns =
    [
        ("per_second", "per second", ""), ("p50_ms", "p50", " ms"), ("p99_ms", "p99", " ms"),
        ("low_load_p50_ms", "low load p50", " ms"), ("low_load_p99_ms", "low load p99", " ms"),
        ("relay_us", "relay CPU", " µs"), ("database_us", "database", " µs"), ("load_us", "load", " µs"),
    ];

    /// <summary>An array of objects, each with `what` and the figures of its row (bench/README.md).</summary>
    public static Task WriteJsonAsync(string file, IReadOnlyList<ServerRow> rows, CancellationToken cancellation)
        => File.WriteAllTextAsync(file, new JsonArray([.. rows.Select(r => r.Fields.DeepClone())]).ToJsonString(s_indented) + "\n", cancellation);

    /// <summary>A table that is Markdown, too.</summary>
    public static void Print(IAnsiConsole console, IReadOnlyList<ServerRow> rows)
    {
        var table = new Table().Border(TableBorder.Markdown);
        table.AddColumn("what");
        foreach (var (_, title, _) in s_columns) table.AddColumn(new TableColumn(title).RightAligned());
        table.AddColumn("besides");
        foreach (var row in rows) table.AddRow([row.What, .. s_columns.Select(c => Cell(row, c.Field, c.Unit)), Besides(row)]);
        console.Write(table);
    }

    private static string Cell(ServerRow row, string field, string unit) => row.Fields[field] is { } value ? Number(value.GetValue<double>()) + unit : "–";

    private static string Besides(ServerRow row)
    {
        var shown = s_columns.Select(c => c.Field).Append("what").ToHashSet();
        return string.Join(", ", row.Fields.Where(f => !shown.Contains(f.Key) && f.Value is not null)
            .Select(f => $"{f.Key} {(f.Value!.GetValueKind() == JsonValueKind.Number ? Number(f.Value.GetValue<double>()) : f.Value.ToString())}"));
    }

    private static string Number(double value) => value.ToString(value == Math.Floor(value) || value >= 100 ? "N0" : value >= 10 ? "N1" : "N2", CultureInfo.InvariantCulture);
}
