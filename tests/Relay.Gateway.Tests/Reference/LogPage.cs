using System.Globalization;
using System.Reflection;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Relay.Gateway.Tests.Reference;

/// <summary>docs/log.md, made from the numbered log messages in the compiled code.</summary>
internal static class LogPage
{
    private static readonly string[] s_assemblies = ["Relay.Actors", "Relay.Storage", "Relay.Gateway", "Relay.Bridges", "Relay.Client", "relay"];

    public sealed record LogEvent(int Number, LogLevel Level, string Message, string Assembly);

    /// <summary>Every message, in order of its number.</summary>
    public static IReadOnlyList<LogEvent> Events { get; } =
    [
        .. s_assemblies.SelectMany(name => Assembly.Load(name).GetTypes()
            .SelectMany(t => t.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Select(m => m.GetCustomAttribute<LoggerMessageAttribute>()).OfType<LoggerMessageAttribute>()
            .Select(a => new LogEvent(a.EventId, a.Level, a.Message, name))).OrderBy(e => e.Number),
    ];

    public static string Make()
    {
        var page = new StringBuilder("""
            # Log events

            Every numbered message of the log, made from the code. A number is never given to another message. The log goes to standard
            error; `--log-json` writes one JSON object a line, with `EventId`, `LogLevel`, `Category`, `Message`, `Node`, the values of the
            message in `State`, and `TraceId` and `SpanId` where a span is current. By OTLP the same events go to a collector
            ([operations.md](operations.md)). No message contains text, wire text, an address, a fingerprint, a secret or the message of an
            exception; conversations are named by a keyed hash.

            | number | level | message |
            | --- | --- | --- |

            """.ReplaceLineEndings("\n"));
        foreach (var e in Events)
        {
            page.Append(CultureInfo.InvariantCulture, $"| {e.Number} | {e.Level} | {e.Message.Replace("|", "\\|", StringComparison.Ordinal)} |\n");
        }
        return page.ToString();
    }
}
