using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Spectre.Console;

namespace Relay.Cli;

/// <summary>Prints the output of commands: tables and lines for people, JSON for machines.</summary>
public static class Report
{
    private static readonly JsonSerializerOptions s_indented =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions s_line = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonFormatter s_messages = new(JsonFormatter.Settings.Default.WithFormatDefaultValues(true));

    /// <summary>Converts an API message by protobuf's JSON mapping.</summary>
    public static JsonNode ToNode(IMessage message) => JsonNode.Parse(s_messages.Format(message))!;

    public static JsonArray ToArray(IEnumerable<IMessage> messages) => new([.. messages.Select(ToNode)]);

    public static void Json(JsonNode node) => Console.Out.WriteLine(node.ToJsonString(s_indented));

    /// <summary>Prints one event of a running command as one line.</summary>
    public static void JsonLine(JsonNode node) => Console.Out.WriteLine(node.ToJsonString(s_line));

    public static int Failure(bool json, CommandFailure failure)
    {
        if (json)
        {
            var error = new JsonObject { ["exitCode"] = failure.Code, ["message"] = failure.Message };
            if (failure.Reason is { Length: > 0 }) error["reason"] = failure.Reason;
            if (failure.More.Count > 0) error["more"] = new JsonArray([.. failure.More.Select(m => (JsonNode)m)]);
            if (failure.Hint is not null) error["hint"] = failure.Hint;
            Console.Error.WriteLine(new JsonObject { ["error"] = error }.ToJsonString(s_line));
        }
        else
        {
            Console.Error.WriteLine("relay: " + Safe(failure.Message));
            foreach (var more in failure.More) Console.Error.WriteLine("       " + Safe(more));
            if (failure.Hint is not null) Console.Error.WriteLine("       " + failure.Hint);
        }
        return failure.Code;
    }

    public static void Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows, string ifEmpty)
    {
        var all = rows.ToList();
        if (all.Count == 0)
        {
            Console.Out.WriteLine(ifEmpty);
            return;
        }
        var table = new Table().Border(TableBorder.None);
        foreach (var column in columns) table.AddColumn(new TableColumn(new Text(column, new Style(decoration: Decoration.Bold))).NoWrap());
        foreach (var row in all) table.AddRow(row.Select(cell => new Text(Safe(cell))));
        Terminal().Write(table);
    }

    /// <summary>Prints names and values, one pair on each line.</summary>
    public static void Fields(IEnumerable<(string Name, string Value)> fields)
    {
        foreach (var (name, value) in fields) Console.Out.WriteLine($"{name,-16} {Safe(value)}");
    }

    /// <summary>
    /// Makes untrusted text safe for a terminal: replaces control characters, which could move the cursor or forge lines, and characters
    /// that reorder text.
    /// </summary>
    public static string Safe(string text) =>
        string.Concat(text.Select(c =>
            c is '\n' or '\t' ? ' '
            : char.IsControl(c) || c is (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069') ? '\ufffd'
            : c));

    /// <summary>
    /// The console on standard output. When redirected it is very wide, so that nothing is cut off for a program that reads it.
    /// </summary>
    public static IAnsiConsole Terminal() => Terminal(Console.Out, Console.IsOutputRedirected);

    /// <summary>The console on standard error, for messages beside the output.</summary>
    public static IAnsiConsole ErrorTerminal() => Terminal(Console.Error, Console.IsErrorRedirected);

    private static IAnsiConsole Terminal(TextWriter writer, bool isFile)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = isFile ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = isFile || Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 }
                ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
        });
        if (isFile) console.Profile.Width = 1000;
        return console;
    }
}
