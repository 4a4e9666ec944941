using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Relay.Gateway.Telemetry;

namespace Relay.Gateway.Hosting;

/// <summary>
/// Serves health checks by plain HTTP, for probes that support neither gRPC nor TLS. The probes' port serves nothing else but
/// metrics, and no other port serves either. Requests are assigned to a port by a mark on their connection: the Host header, which ASP.NET
/// Core's RequireHost compares, is chosen by the caller.
/// </summary>
internal static class ProbesPort
{
    private static readonly object s_mark = new();

    public static void MarkForProbes(this ListenOptions listen) => listen.Use(next => connection =>
    {
        connection.Items[s_mark] = s_mark;
        return next(connection);
    });

    /// <summary>
    /// Answers 404 to probes on the clients' port and to everything else on the probes' port. Must run after routing.
    /// </summary>
    public static void KeepProbesApart(this IApplicationBuilder app) => app.Use(next => context =>
    {
        // The exact path is compared: routing also matches /livez/ to /livez.
        bool isProbe = context.GetEndpoint()?.Metadata.GetMetadata<Probe>() is { } probe && context.Request.Path.Value == probe.Path;
        bool isByProbesPort = context.Features.Get<IConnectionItemsFeature>()?.Items.ContainsKey(s_mark) == true;
        if (isProbe == isByProbesPort) return next(context);
        context.SetEndpoint(null);
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        context.Response.ContentType = "text/plain";
        return context.Response.WriteAsync("not found\n");
    });

    /// <summary><c>GET /livez</c> is 200 while the process answers, <c>GET /readyz</c> 200 or 503.</summary>
    public static void MapProbes(this IEndpointRouteBuilder app)
    {
        Map(app, "/livez", _ => false);
        Map(app, "/readyz", check => check.Name == Readiness.CheckName);
    }

    /// <summary><c>GET /metrics</c>: the metrics for Prometheus, to callers on this machine and to keys that may see them.</summary>
    public static void MapMetrics(this IEndpointRouteBuilder app)
    {
        const string path = "/metrics";
        if (!PrometheusEndpoint.IsOn(app.ServiceProvider.GetRequiredService<IConfiguration>())) return;
        app.MapPrometheusScrapingEndpoint(path, null, branch => branch.Use(PrometheusEndpoint.ProtectAsync), null)
            .WithMetadata(new Probe(path), new AllowAnonymousAttribute());
    }

    private static void Map(IEndpointRouteBuilder app, string path, Func<HealthCheckRegistration, bool> checks) =>
        app.MapHealthChecks(path, new HealthCheckOptions
        {
            Predicate = checks,
            ResponseWriter = (context, report) =>
            {
                context.Response.ContentType = "text/plain";
                return context.Response.WriteAsync(report.Status == HealthStatus.Healthy ? "ok\n" : "not ready\n");
            },
        }).WithMetadata(new Probe(path), new AllowAnonymousAttribute(), new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head]));

    private sealed record Probe(string Path);
}
