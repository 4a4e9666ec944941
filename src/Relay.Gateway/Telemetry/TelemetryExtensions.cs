using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using OpenTelemetry;
using Relay.Actors.Telemetry;
using Relay.Gateway.Hosting;
using Relay.Storage.Telemetry;

namespace Relay.Gateway.Telemetry;

/// <summary>
/// Configures log lines on standard error, and what the server exports (<see cref="TelemetryExport"/>).
/// </summary>
internal static class TelemetryExtensions
{
    private const string TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";

    static TelemetryExtensions()
    {
        // Without this, ASP.NET Core's server spans have no tags.
        AppContext.SetSwitch("Microsoft.AspNetCore.Hosting.SuppressActivityOpenTelemetryData", false);
    }

    /// <summary>Adds the console logger; levels and format come from the section "Logging".</summary>
    public static void AddRelayLogging(this WebApplicationBuilder builder)
    {
        var logging = builder.Logging;
        logging.ClearProviders();
        logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        // Before the framework's formatter of the same name, of which the first counts.
        logging.Services.AddSingleton<ConsoleFormatter>(new JsonLogLines(Instance(builder.Configuration)));
        logging.AddConsole();
        // Standard output is reserved for the command's own output.
        logging.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        logging.Services.Configure<SimpleConsoleFormatterOptions>(line =>
        {
            (line.SingleLine, line.UseUtcTimestamp, line.TimestampFormat) = (true, true, TimestampFormat + " ");
            line.ColorBehavior = LoggerColorBehavior.Disabled;
        });
    }

    /// <summary>Adds traces, metrics and logs by OTLP, and metrics for Prometheus.</summary>
    public static void AddRelayTelemetry(this WebApplicationBuilder builder)
    {
        TelemetryExport.Add(builder.Services, builder.Configuration,
            new TelemetrySource("relay", ServerInfo.Version, Instance(builder.Configuration))
            {
                Meters =
                [
                    GatewayMetrics.MeterName, RelayTelemetry.MeterName, StorageTelemetry.MeterName, "Relay.Bridges",
                    "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime", "Npgsql",
                ],
                Activities = [RelayTelemetry.ActivitySourceName, GatewaySpans.SourceName, "Microsoft.AspNetCore"],
                HasLogs = true,
            }, PrometheusEndpoint.IsOn(builder.Configuration));
    }

    /// <summary>The name of the process among others: the node's in a cluster, otherwise the machine's.</summary>
    private static string Instance(IConfiguration configuration)
    {
        var relay = RelayOptionsValidator.Read(configuration).Options;
        return relay.IsClustered ? relay.Node : Environment.MachineName;
    }
}

/// <summary>
/// Removes the attributes of server spans that identify the caller (address, port, user agent), or that hold what it wrote: the query,
/// and the path, whose place the route takes.
/// </summary>
internal sealed class ConnectionDetailsRemover : BaseProcessor<Activity>
{
    private static readonly string[] s_removed =
    [
        "client.address", "client.port", "network.peer.address", "network.peer.port", "user_agent.original", "url.query", "url.full",
        "url.path",
    ];

    public override void OnEnd(Activity data)
    {
        foreach (var tag in s_removed) data.SetTag(tag, null);
        if (data.GetTagItem("http.route") is string route) data.SetTag("url.path", route);
    }
}
