using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Telemetry;

/// <summary>Where log lines go: standard error, and OTLP if the environment says so.</summary>
internal static class Logs
{
    public static void Configure(ILoggingBuilder logging, GatewayOptions options, TelemetryExport telemetry)
    {
        logging.SetMinimumLevel(options.LogLevel);
        // ASP.NET Core's own lines tell requests one by one; what matters of them is in the metrics.
        logging.AddFilter("Microsoft", options.LogLevel > LogLevel.Warning ? options.LogLevel : LogLevel.Warning);
        logging.AddFilter("System", LogLevel.Warning);
        // Every status that is not OK is a line of Grpc.AspNetCore's, and a caller's reset an error: CallFaults judges those.
        logging.AddFilter("Grpc", LogLevel.Warning);
        logging.AddFilter("Grpc.AspNetCore.Server.ServerCallHandler", LogLevel.None);
        // That the server is not ready is the answer to a probe, not an error.
        logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
        // A start that fails is told by the exception, in one line; the host would add its stack.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        if (options.JsonLog) logging.AddJsonConsole(json => { json.UseUtcTimestamp = true; json.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ"; });
        else logging.AddSimpleConsole(line => { line.SingleLine = true; line.UseUtcTimestamp = true; line.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ "; line.ColorBehavior = LoggerColorBehavior.Disabled; });
        // Standard output belongs to the command's own answer.
        logging.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        telemetry.AddLogs(logging);
    }
}
