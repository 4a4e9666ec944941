using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Relay.Gateway.Telemetry;

namespace Relay.Gateway.Hosting;

/// <summary>
/// Sends GOAWAY on every connection when the server drains: calls in progress complete, and the client opens its next call on
/// another connection. A client that receives GOAWAY only after its last stream has ended may start the next call on the dead
/// connection, and grpcio 1.51 then waits for the response indefinitely.
/// </summary>
internal static class GracefulClose
{
    /// <summary>
    /// Closes the connections that are open when the drain begins, including idle ones, and aborts those that are still open at
    /// <see cref="DrainService.Overdue"/>.
    /// </summary>
    public static void CloseWhenDraining(this ListenOptions listen)
    {
        var services = listen.ApplicationServices;
        var log = services.GetRequiredService<ILoggerFactory>().CreateLogger("Relay.Gateway.Connections");
        listen.Use(next => async connection =>
        {
            var draining = services.GetRequiredService<RelayService>().Relay.Draining;
            // A connection that is opened during the drain is not closed at once: its first call gets a status with a reason, then GOAWAY.
            await using var closing = draining.IsCancellationRequested ? default : draining.UnsafeRegister(Close, connection.Features);
            await using var aborting = services.GetRequiredService<DrainService>().Overdue
                .UnsafeRegister(static c => ((ConnectionContext)c!).Abort(), connection);
            long start = Stopwatch.GetTimestamp();
            log.ConnectionOpened(connection.ConnectionId);
            try
            {
                await next(connection);
            }
            finally
            {
                log.ConnectionClosed(connection.ConnectionId, (long)Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        });
    }

    /// <summary>Closes the connections that are opened during the drain: each closes when its calls in progress complete.</summary>
    public static void CloseWhenDraining(this IApplicationBuilder app)
    {
        var relay = app.ApplicationServices.GetRequiredService<RelayService>();
        app.Use(next => context =>
        {
            if (relay.Relay.Draining.IsCancellationRequested) Close(context.Features);
            return next(context);
        });
    }

    private static void Close(object? features) =>
        ((IFeatureCollection)features!).Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
}
