using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Relay.Lab.Bench;

/// <summary>Writes the results of <c>relay bench otr</c> as JSON and as a table.</summary>
internal static class BenchReport
{
    /// <summary>Writes an array of objects with `what`, `relay_us`, `libotr_us`, `ratio` and further fields (bench/README.md).</summary>
    public static async Task WriteJsonAsync(string file, IReadOnlyList<BenchResult> results, CancellationToken cancellation)
    {
        await using var stream = File.Create(file);
        await using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartArray();
        foreach (var result in results)
        {
            json.WriteStartObject();
            json.WriteString("what", result.What);
            WriteNumber(json, $"relay_{result.Unit}", result.Relay);
            WriteNumber(json, $"libotr_{result.Unit}", result.Libotr);
            WriteNumber(json, "ratio", result.Ratio(result.Libotr));
            if (result.OpenSsl.Any)
            {
                WriteNumber(json, $"openssl_{result.Unit}", result.OpenSsl);
                WriteNumber(json, "openssl_ratio", result.Ratio(result.OpenSsl));
            }
            if (result.Allocated.Any) WriteNumber(json, "relay_allocated_bytes", result.Allocated);
            json.WriteNumber("rounds", result.Relay.Values.Count);
            WriteSpread(json, $"relay_{result.Unit}_spread", result.Relay);
            WriteSpread(json, "ratio_spread", result.Ratio(result.Libotr));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        await json.FlushAsync(cancellation);
    }

    /// <summary>Prints a table in Markdown.</summary>
    public static void Print(IAnsiConsole console, IReadOnlyList<BenchResult> results)
    {
        var table = new Table().Border(TableBorder.Markdown);
        table.AddColumn("what");
        foreach (var column in new[] { "relay", "libotr", "ratio", "10–90 %", "OpenSSL", "ratio", "allocated" })
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var result in results)
        {
            var ratio = result.Ratio(result.Libotr);
            table.AddRow(result.What, Quantity(result.Relay, result.Unit), Quantity(result.Libotr, result.Unit), Times(ratio),
                ratio.Values.Count > 1 ? $"{Times(ratio.Quantile(0.1))} – {Times(ratio.Quantile(0.9))}" : "",
                Quantity(result.OpenSsl, result.Unit), Times(result.Ratio(result.OpenSsl)),
                Quantity(result.Allocated, "bytes"));
        }
        console.Write(table);
    }

    private static string Quantity(Samples samples, string unit)
    {
        if (!samples.Any) return "–";
        var value = samples.Median;
        var digits = value >= 100 ? "N0" : value >= 10 ? "N1" : "N2";
        return $"{value.ToString(digits, CultureInfo.InvariantCulture)} {(unit == "us" ? "µs" : "B")}";
    }

    private static string Times(Samples ratio) => ratio.Any ? Times(ratio.Median) : "–";

    private static string Times(double ratio) => $"{ratio.ToString(ratio >= 10 ? "N1" : "N2", CultureInfo.InvariantCulture)}×";

    private static void WriteNumber(Utf8JsonWriter json, string name, Samples samples)
    {
        if (samples.Any) json.WriteNumber(name, Math.Round(samples.Median, 3));
        else json.WriteNull(name);
    }

    private static void WriteSpread(Utf8JsonWriter json, string name, Samples samples)
    {
        json.WriteStartArray(name);
        if (samples.Any)
        {
            json.WriteNumberValue(Math.Round(samples.Quantile(0.1), 3));
            json.WriteNumberValue(Math.Round(samples.Quantile(0.9), 3));
        }
        json.WriteEndArray();
    }
}
