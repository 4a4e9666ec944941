using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Telemetry;

/// <summary>
/// Traces, metrics and logs by OTLP, governed by OpenTelemetry's standard environment variables alone: each signal is
/// exported if its endpoint is set, and <c>OTEL_SDK_DISABLED=true</c> turns all of it off.
/// </summary>
internal sealed class TelemetryExport : IDisposable
{
    private const string SourceName = "Relay";
    private readonly TracerProvider? _traces;
    private readonly MeterProvider? _metrics;
    private readonly ResourceBuilder _resource = Resource();

    static TelemetryExport()
    {
        // Otherwise ASP.NET Core's server spans carry no tags.
        AppContext.SetSwitch("Microsoft.AspNetCore.Hosting.SuppressActivityOpenTelemetryData", false);
    }

    private TelemetryExport()
    {
        if (IsOn("TRACES"))
        {
            _traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(_resource)
                .AddSource(SourceName, "Microsoft.AspNetCore")
                .AddProcessor(new ConnectionDetailsRemover())
                .AddOtlpExporter().Build();
        }
        if (IsOn("METRICS"))
        {
            _metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(_resource)
                .AddMeter(SourceName, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
                .AddOtlpExporter().Build();
        }
    }

    public static TelemetryExport Start() => new();

    public void AddLogs(ILoggingBuilder logging)
    {
        if (!IsOn("LOGS")) return;
        logging.AddOpenTelemetry(otel =>
        {
            otel.SetResourceBuilder(_resource);
            otel.AddOtlpExporter();
        });
    }

    /// <summary>Exports what is left.</summary>
    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
    }

    private static bool IsOn(string signal)
    {
        if (string.Equals(Environment.GetEnvironmentVariable("OTEL_SDK_DISABLED"), "true", StringComparison.OrdinalIgnoreCase)) return false;
        if (Environment.GetEnvironmentVariable($"OTEL_{signal}_EXPORTER") is "none") return false;
        return !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT"))
            || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable($"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"));
    }

    private static ResourceBuilder Resource()
    {
        // The environment's OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win: they are added last.
        return ResourceBuilder.CreateEmpty()
            .AddService("relay", serviceVersion: GatewayHost.Version)
            .AddTelemetrySdk()
            .AddEnvironmentVariableDetector();
    }
}
