using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Relay.Gateway.Hosting;

/// <summary>
/// Sends GOAWAY on a connection as soon as the server drains: calls under way end as usual, and the client opens its next
/// call on another connection. Clients that learn of the end of a connection only after the last stream on it has ended
/// may start the next call on the dead connection, and grpcio 1.51 then waits for its answer for ever.
/// </summary>
internal static class GracefulClose
{
    /// <summary>Covers the connections that are open when the server begins to drain, idle ones among them. Those that are left when the drain is long over are aborted.</summary>
    public static void CloseWhenDraining(this ListenOptions listen)
    {
        var services = listen.ApplicationServices;
        listen.Use(next => async connection =>
        {
            var draining = services.GetRequiredService<RelayService>().Relay.Draining;
            // A connection made later is served first: its callers get their answer, with its reason, and then GOAWAY.
            await using var closing = draining.IsCancellationRequested ? default : draining.UnsafeRegister(Close, connection.Features);
            await using var aborting = services.GetRequiredService<DrainService>().Overdue.UnsafeRegister(static c => ((ConnectionContext)c!).Abort(), connection);
            await next(connection);
        });
    }

    /// <summary>Covers the connections that are made while the server drains: each ends with the calls under way on it.</summary>
    public static void CloseWhenDraining(this IApplicationBuilder app)
    {
        var relay = app.ApplicationServices.GetRequiredService<RelayService>();
        app.Use(next => context =>
        {
            if (relay.Relay.Draining.IsCancellationRequested) Close(context.Features);
            return next(context);
        });
    }

    private static void Close(object? features) => ((IFeatureCollection)features!).Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
}
