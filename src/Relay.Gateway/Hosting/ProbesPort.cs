using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Relay.Gateway.Hosting;

/// <summary>
/// Health by plain HTTP, for probes that speak neither gRPC nor TLS: a port of its own, on which nothing else can be
/// reached, and which is the only one that has it. The two are told apart by the connection: the host name in a request,
/// by which endpoints are usually bound to a port, is the caller's to choose.
/// </summary>
internal static class ProbesPort
{
    private static readonly object s_mark = new();

    public static void MarkForProbes(this ListenOptions listen) => listen.Use(next => connection =>
    {
        connection.Items[s_mark] = s_mark;
        return next(connection);
    });

    /// <summary>Lets through what belongs to the port that a request came by. Routing must have chosen the endpoint.</summary>
    public static void KeepProbesApart(this IApplicationBuilder app) => app.Use(next => context =>
    {
        // By the path as it is: routing takes /livez/ for /livez.
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
