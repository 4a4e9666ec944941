using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Relay.Gateway.Telemetry;

/// <summary>What a process of Relay exports.</summary>
/// <param name="Service">The name of the kind of process: <c>relay</c>, <c>relay-bridge</c>.</param>
/// <param name="Instance">The name of the process. It stays the same when it starts again, so that restarts begin no new series.</param>
public sealed record TelemetrySource(string Service, string Version, string Instance)
{
    /// <summary>The meters whose instruments are exported.</summary>
    public IReadOnlyList<string> Meters { get; init; } = [];

    /// <summary>The activity sources whose spans are exported; none: no traces.</summary>
    public IReadOnlyList<string> Activities { get; init; } = [];

    /// <summary>Whether log events are exported.</summary>
    public bool HasLogs { get; init; }
}

/// <summary>
/// Exports by OTLP and for Prometheus. Only OpenTelemetry's standard variables control OTLP: each signal is exported if its endpoint is set,
/// and <c>OTEL_SDK_DISABLED=true</c> turns all of them off.
/// </summary>
public static class TelemetryExport
{
    /// <param name="prometheus">Whether metrics are for Prometheus too; the caller serves them.</param>
    /// <returns>Whether anything is exported.</returns>
    public static bool Add(IServiceCollection services, IConfiguration configuration, TelemetrySource source, bool prometheus)
    {
        // Prometheus alone: an endpoint for OTLP is then for the other signals.
        bool metrics = IsOn("METRICS") && !(PrometheusEndpoint.IsOn(configuration) && PrometheusEndpoint.Exporters(configuration).Length == 1);
        bool traces = source.Activities.Count > 0 && IsOn("TRACES"), logs = source.HasLogs && IsOn("LOGS");
        if (!traces && !metrics && !logs && !prometheus) return false;
        services.Configure<OtlpExporterOptions>(otlp =>
        {
            // A collector that accepts and does not answer must not hold up the end of the process.
            if (configuration["OTEL_EXPORTER_OTLP_TIMEOUT"] is null) otlp.TimeoutMilliseconds = (int)TelemetryFlush.Limit.TotalMilliseconds;
        });
        services.AddHostedService<TelemetryFlush>();
        var telemetry = services.AddOpenTelemetry()
            // Added last, so that OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES take precedence.
            .ConfigureResource(resource => resource.Clear()
                .AddService(source.Service, serviceVersion: source.Version, serviceInstanceId: source.Instance)
                .AddTelemetrySdk().AddEnvironmentVariableDetector());
        if (traces)
        {
            telemetry.WithTracing(tracing => tracing
                .AddSource([.. source.Activities])
                .AddProcessor(new ConnectionDetailsRemover())
                .AddOtlpExporter());
        }
        if (metrics || prometheus)
        {
            telemetry.WithMetrics(metering =>
            {
                metering.AddMeter([.. source.Meters]);
                if (metrics) metering.AddOtlpExporter();
                if (prometheus) metering.AddPrometheusExporter(p => p.ScopeInfoEnabled = false);
            });
        }
        if (logs) telemetry.WithLogging(logging => logging.AddOtlpExporter());
        return true;

        bool IsOn(string signal) =>
            !string.Equals(configuration["OTEL_SDK_DISABLED"], "true", StringComparison.OrdinalIgnoreCase)
            && configuration[$"OTEL_{signal}_EXPORTER"] is not "none"
            && (configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is { Length: > 0 }
                || configuration[$"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"] is { Length: > 0 });
    }
}
