using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Relay.Actors.Telemetry;
using Relay.Gateway.Hosting;
using Relay.Storage.Telemetry;

namespace Relay.Gateway.Telemetry;

/// <summary>
/// Configures log lines on standard error, and traces, metrics and logs by OTLP. Only OpenTelemetry's standard variables
/// control OTLP: each signal is exported if its endpoint is set, and <c>OTEL_SDK_DISABLED=true</c> turns all of them off.
/// </summary>
internal static class TelemetryExtensions
{
    private const string SourceName = "Relay";
    private static readonly TimeSpan s_exportTimeout = TimeSpan.FromSeconds(2);
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
        logging.AddConsole();
        // Standard output is reserved for the command's own output.
        logging.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        logging.Services.Configure<JsonConsoleFormatterOptions>(
            json => (json.UseUtcTimestamp, json.TimestampFormat) = (true, TimestampFormat));
        logging.Services.Configure<SimpleConsoleFormatterOptions>(line =>
        {
            (line.SingleLine, line.UseUtcTimestamp, line.TimestampFormat) = (true, true, TimestampFormat + " ");
            line.ColorBehavior = LoggerColorBehavior.Disabled;
        });
    }

    public static void AddRelayTelemetry(this WebApplicationBuilder builder)
    {
        var configuration = builder.Configuration;
        bool IsOn(string signal) =>
            !string.Equals(configuration["OTEL_SDK_DISABLED"], "true", StringComparison.OrdinalIgnoreCase)
            && configuration[$"OTEL_{signal}_EXPORTER"] is not "none"
            && (configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is { Length: > 0 }
                || configuration[$"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"] is { Length: > 0 });

        bool prometheus = PrometheusEndpoint.IsOn(configuration);
        // Prometheus alone: an endpoint for OTLP is then for the other signals.
        bool metrics = IsOn("METRICS") && !(prometheus && PrometheusEndpoint.Exporters(configuration).Length == 1);
        bool traces = IsOn("TRACES"), logs = IsOn("LOGS");
        if (!traces && !metrics && !logs && !prometheus) return;
        builder.Services.Configure<OtlpExporterOptions>(otlp =>
        {
            // A collector that accepts and does not answer must not hold up the end of the process.
            if (configuration["OTEL_EXPORTER_OTLP_TIMEOUT"] is null) otlp.TimeoutMilliseconds = (int)s_exportTimeout.TotalMilliseconds;
        });
        var relay = RelayOptionsValidator.Read(configuration).Options;
        var instance = relay.IsClustered ? relay.Node : Environment.MachineName;
        var telemetry = builder.Services.AddOpenTelemetry()
            // Added last, so that OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES take precedence.
            .ConfigureResource(resource => resource.Clear()
                // The node's name, not one for each start: restarts begin no new series.
                .AddService("relay", serviceVersion: ServerInfo.Version, serviceInstanceId: instance).AddTelemetrySdk().AddEnvironmentVariableDetector());
        if (traces)
        {
            telemetry.WithTracing(tracing => tracing
                .AddSource(SourceName, "Microsoft.AspNetCore")
                .AddProcessor(new ConnectionDetailsRemover())
                .AddOtlpExporter());
        }
        if (metrics || prometheus)
        {
            telemetry.WithMetrics(metering =>
            {
                metering.AddMeter(GatewayMetrics.MeterName, RelayTelemetry.MeterName, StorageTelemetry.MeterName,
                    "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime", "Npgsql");
                if (metrics) metering.AddOtlpExporter();
                if (prometheus) metering.AddPrometheusExporter(p => p.ScopeInfoEnabled = false);
            });
        }
        if (logs) telemetry.WithLogging(logging => logging.AddOtlpExporter());
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
