using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Relay.Gateway.Hosting;

/// <summary>
/// Health by plain HTTP, for probes that speak neither gRPC nor TLS: a port of its own, on which nothing else can be
/// reached. <c>GET /livez</c> is 200 while the process answers, <c>GET /readyz</c> 200 or 503.
/// </summary>
internal static class PlainHealth
{
    private static readonly object s_mark = new();

    public static void Listen(KestrelServerOptions kestrel, IPEndPoint address) => kestrel.Listen(address, listen =>
    {
        listen.Protocols = HttpProtocols.Http1;
        listen.Use(next => connection =>
        {
            connection.Items[s_mark] = s_mark;
            return next(connection);
        });
    });

    /// <summary>Answers everything that comes by that port, before any service sees it.</summary>
    public static void Map(IApplicationBuilder app)
    {
        var readiness = app.ApplicationServices.GetRequiredService<Readiness>();
        app.Use(next => context =>
        {
            if (context.Features.Get<IConnectionItemsFeature>()?.Items.ContainsKey(s_mark) != true) return next(context);
            bool? isWell = !HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method) ? null
                : context.Request.Path == "/livez" ? true
                : context.Request.Path == "/readyz" ? readiness.IsReady
                : null;
            context.Response.StatusCode = isWell switch { true => StatusCodes.Status200OK, false => StatusCodes.Status503ServiceUnavailable, null => StatusCodes.Status404NotFound };
            context.Response.Headers.CacheControl = "no-store";
            context.Response.ContentType = "text/plain";
            return context.Response.WriteAsync(isWell switch { true => "ok\n", false => "not ready\n", null => "not found\n" });
        });
    }
}
