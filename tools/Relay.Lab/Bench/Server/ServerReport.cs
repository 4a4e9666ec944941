using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Relay.Lab.Bench.Server;

/// <summary>Writes the results of <c>relay bench server</c> and <c>relay bench bridge</c> as JSON and as a table.</summary>
internal static class ServerReport
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    // The fields with a column of their own, in order; all others share the last column.
    private static readonly (string Field, string Title, string Unit)[] s_serverColumns =
    [
        ("per_second", "per second", ""), ("p50_ms", "p50", " ms"), ("p99_ms", "p99", " ms"),
        ("low_load_p50_ms", "low load p50", " ms"), ("low_load_p99_ms", "low load p99", " ms"),
        ("relay_us", "relay CPU", " µs"), ("database_us", "database", " µs"), ("load_us", "load", " µs"),
    ];

    private static readonly (string Field, string Title, string Unit)[] s_bridgeColumns =
    [
        .. s_serverColumns.Where(c => c.Field is not ("database_us" or "load_us")), ("bridge_us", "bridge CPU", " µs"),
        ("chat_server_us", "chat server", " µs"), ("load_us", "load", " µs"),
    ];

    /// <summary>Writes an array of objects, each with `what` and the figures of its row (bench/README.md).</summary>
    public static Task WriteJsonAsync(string file, IReadOnlyList<ServerRow> rows, CancellationToken cancellation)
        => File.WriteAllTextAsync(
            file, new JsonArray([.. rows.Select(r => r.Fields.DeepClone())]).ToJsonString(s_indented) + "\n", cancellation);

    /// <summary>Prints a table in Markdown.</summary>
    public static void Print(IAnsiConsole console, IReadOnlyList<ServerRow> rows)
    {
        var columns = rows.Any(r => r.Fields.ContainsKey("bridge_us")) ? s_bridgeColumns : s_serverColumns;
        var table = new Table().Border(TableBorder.Markdown);
        table.AddColumn("what");
        foreach (var (_, title, _) in columns) table.AddColumn(new TableColumn(title).RightAligned());
        table.AddColumn("besides");
        foreach (var row in rows) table.AddRow([row.What, .. columns.Select(c => Cell(row, c.Field, c.Unit)), Besides(row, columns)]);
        console.Write(table);
    }

    /// <summary>
    /// Writes an array of objects, one for each row, with `what` and an object for each figure: `this`, `other` (medians), `ratio` (the
    /// median of the rounds' ratios), `lowest_ratio` and `highest_ratio`.
    /// </summary>
    public static Task WriteJsonAsync(string file, IReadOnlyList<ComparedFigure> figures, CancellationToken cancellation)
    {
        var rows = new JsonArray();
        foreach (var row in figures.GroupBy(f => f.What))
        {
            var fields = new JsonObject { ["what"] = row.Key };
            foreach (var figure in row)
            {
                var ratio = figure.Ratio;
                fields[figure.Field] = new JsonObject
                {
                    ["this"] = Math.Round(figure.This.Median, 3),
                    ["other"] = Math.Round(figure.Other.Median, 3),
                    ["ratio"] = Math.Round(ratio.Median, 3), ["lowest_ratio"] = Math.Round(ratio.Quantile(0), 3),
                    ["highest_ratio"] = Math.Round(ratio.Quantile(1), 3), ["rounds"] = ratio.Values.Count,
                };
            }
            rows.Add((JsonNode)fields);
        }
        return File.WriteAllTextAsync(file, rows.ToJsonString(s_indented) + "\n", cancellation);
    }

    /// <summary>Prints a comparison as a table in Markdown.</summary>
    public static void Print(IAnsiConsole console, IReadOnlyList<ComparedFigure> figures)
    {
        var table = new Table().Border(TableBorder.Markdown);
        foreach (var title in (string[])["what", "figure"]) table.AddColumn(title);
        foreach (var title in (string[])["this", "other", "ratio", "lowest – highest"])
            table.AddColumn(new TableColumn(title).RightAligned());
        foreach (var figure in figures)
        {
            var ratio = figure.Ratio;
            table.AddRow(figure.What, figure.Field, Number(figure.This.Median), Number(figure.Other.Median), Number(ratio.Median),
                $"{Number(ratio.Quantile(0))} – {Number(ratio.Quantile(1))}");
        }
        console.Write(table);
    }

    private static string Cell(ServerRow row, string field, string unit)
        => row.Fields[field] is { } value ? Number(value.GetValue<double>()) + unit : "–";

    private static string Besides(ServerRow row, (string Field, string Title, string Unit)[] columns)
    {
        var shown = columns.Select(c => c.Field).Append("what").ToHashSet();
        return string.Join(", ", row.Fields.Where(f => !shown.Contains(f.Key) && f.Value is not null)
            .Select(f => $"{f.Key} {Text(f.Value!)}"));
    }

    private static string Text(JsonNode value) =>
        value.GetValueKind() == JsonValueKind.Number ? Number(value.GetValue<double>()) : value.ToString();

    private static string Number(double value)
        => value.ToString(value == Math.Floor(value) || value >= 100 ? "N0" : value >= 10 ? "N1" : "N2", CultureInfo.InvariantCulture);
}
