using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Relay.Gateway.Telemetry;

/// <summary>
/// Log events as JSON, one a line: with number, trace and span, and the node. In place of the framework's formatter, which writes neither
/// traces nor the node without all scopes (the path of a request is one), and which writes exceptions with their messages.
/// </summary>
/// <param name="node">The name of the process among others.</param>
public sealed class JsonLogLines(string node) : ConsoleFormatter("json")
{
    private const string Format = "{OriginalFormat}";

    /// <inheritdoc/>
    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("Timestamp", DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
            json.WriteNumber("EventId", logEntry.EventId.Id);
            json.WriteString("LogLevel", logEntry.LogLevel.ToString());
            json.WriteString("Category", logEntry.Category);
            json.WriteString("Message", message);
            json.WriteString("Node", node);
            if (Activity.Current is { IdFormat: ActivityIdFormat.W3C } span)
            {
                json.WriteString("TraceId", span.TraceId.ToHexString());
                json.WriteString("SpanId", span.SpanId.ToHexString());
            }
            if (logEntry.Exception is { } fault) WriteFault(json, fault);
            if (logEntry.State is IReadOnlyList<KeyValuePair<string, object?>> { Count: > 1 } values) WriteValues(json, values);
            json.WriteEndObject();
        }
        textWriter.WriteLine(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    /// <summary>Types and frames: the message of an exception may contain what was sent.</summary>
    private static void WriteFault(Utf8JsonWriter json, Exception fault)
    {
        json.WriteStartObject("Exception");
        json.WriteString("Type", fault.GetType().FullName);
        if (fault.InnerException is { } inner) json.WriteString("Inner", inner.GetType().FullName);
        json.WriteStartArray("Frames");
        foreach (var frame in new StackTrace(fault, fNeedFileInfo: false).GetFrames())
        {
            if (frame.GetMethod() is { } method) json.WriteStringValue($"{method.DeclaringType?.FullName}.{method.Name}");
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteValues(Utf8JsonWriter json, IReadOnlyList<KeyValuePair<string, object?>> values)
    {
        json.WriteStartObject("State");
        foreach (var (name, value) in values)
        {
            if (name == Format) continue;
            switch (value)
            {
                case null:
                    json.WriteNull(name);
                    break;
                case bool flag:
                    json.WriteBoolean(name, flag);
                    break;
                case sbyte or byte or short or ushort or int or uint or long:
                    json.WriteNumber(name, Convert.ToInt64(value, CultureInfo.InvariantCulture));
                    break;
                case ulong number:
                    json.WriteNumber(name, number);
                    break;
                default:
                    json.WriteString(name, Convert.ToString(value, CultureInfo.InvariantCulture));
                    break;
            }
        }
        json.WriteEndObject();
    }
}
