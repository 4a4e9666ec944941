using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Relay.Actors;

namespace Relay.Gateway.Hosting;

/// <summary>
/// Sends GOAWAY on a connection as soon as the server drains: calls under way end as usual, and the client opens its next
/// call on another connection. Clients that learn of the end of a connection only after the last stream on it has ended
/// may start the next call on the dead connection, and grpcio 1.51 then waits for its answer for ever.
/// </summary>
internal static class GracefulClose
{
    /// <summary>Covers the connections that are open when the server begins to drain, idle ones among them.</summary>
    public static void CloseWhenDraining(this ListenOptions listen)
    {
        var draining = listen.ApplicationServices.GetRequiredService<IRelay>().Draining;
        listen.Use(next => async connection =>
        {
            // A connection made later is served first: its callers get their answer, with its reason, and then GOAWAY.
            await using var registration = draining.IsCancellationRequested ? default : draining.UnsafeRegister(Close, connection.Features);
            await next(connection);
        });
    }

    /// <summary>Covers the connections that are made while the server drains: each ends with the calls under way on it.</summary>
    public static void CloseWhenDraining(this IApplicationBuilder app)
    {
        var draining = app.ApplicationServices.GetRequiredService<IRelay>().Draining;
        app.Use(next => context =>
        {
            if (draining.IsCancellationRequested) Close(context.Features);
            return next(context);
        });
    }

    private static void Close(object? features) =>
        ((Microsoft.AspNetCore.Http.Features.IFeatureCollection)features!).Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
}
