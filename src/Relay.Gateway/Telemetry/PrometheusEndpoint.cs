using System.Net;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Relay.Gateway.Auth;

namespace Relay.Gateway.Telemetry;

/// <summary>
/// Metrics for Prometheus, on the probes' port. OpenTelemetry's own variable turns them on: <c>OTEL_METRICS_EXPORTER</c> names
/// <c>prometheus</c>, alone or beside <c>otlp</c>.
/// </summary>
public static class PrometheusEndpoint
{
    public const string Variable = "OTEL_METRICS_EXPORTER";
    private const string Exporter = "prometheus";

    public static bool IsOn(IConfiguration configuration) =>
        !string.Equals(configuration["OTEL_SDK_DISABLED"], "true", StringComparison.OrdinalIgnoreCase)
        && Exporters(configuration).Contains(Exporter, StringComparer.OrdinalIgnoreCase);

    /// <summary>The exporters that the variable names; none if it is not set.</summary>
    public static string[] Exporters(IConfiguration configuration) =>
        (configuration[Variable] ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>
    /// Lets callers on this machine pass, and others with a key that may administer or monitor. The probes' port has no TLS, so that a
    /// key is as safe as the network between.
    /// </summary>
    public static async Task ProtectAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address))
        {
            await next(context);
            return;
        }
        var caller = await context.AuthenticateAsync();
        if (caller.Principal?.Identity is PrincipalIdentity { Principal: var principal }
            && (principal.Has(KeyScope.Monitor) || principal.Has(KeyScope.Admin)))
        {
            await next(context);
            return;
        }
        context.Response.StatusCode = caller.Succeeded ? StatusCodes.Status403Forbidden : StatusCodes.Status401Unauthorized;
        context.Response.Headers.WWWAuthenticate = "Bearer";
        context.Response.ContentType = "text/plain";
        await context.Response.WriteAsync("metrics are for callers on this machine, and for keys of scope monitor or admin\n");
    }
}
