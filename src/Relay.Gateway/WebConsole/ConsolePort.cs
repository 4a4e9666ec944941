using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Relay.Gateway.WebConsole;

/// <summary>
/// The port of the console. It serves nothing else, and no other port serves it: requests are told apart by a mark on their connection, as
/// those of the probes' port are.
/// </summary>
internal static class ConsolePort
{
    private static readonly object s_mark = new();

    public static void MarkForConsole(this ListenOptions listen) => listen.Use(next => connection =>
    {
        connection.Items[s_mark] = s_mark;
        return next(connection);
    });

    /// <summary>True for a request that came to the console's port.</summary>
    public static bool IsOf(HttpContext context) => context.Features.Get<IConnectionItemsFeature>()?.Items.ContainsKey(s_mark) == true;

    /// <summary>Gives what comes to the console's port to the console. Must come before what serves the other ports.</summary>
    public static void ServeConsole(this IApplicationBuilder app) => app.MapWhen(IsOf, branch =>
        branch.Run(context => context.RequestServices.GetRequiredService<ConsoleRoutes>().ServeAsync(context)));

    /// <summary>
    /// True if the Host header may be answered. Without TLS only names of this machine are: a page of somebody else whose name was made to
    /// resolve to 127.0.0.1 (DNS rebinding) sends its own name. With TLS the certificate's names do the same. The port is not compared,
    /// so that a tunnel may end at another one.
    /// </summary>
    public static bool IsHostAllowed(HttpRequest request) => request.IsHttps
        ? request.Host.HasValue
        : request.Host.Host is var host && (host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address)));

    /// <summary>
    /// True if a form was sent by a page of this console: the browser says so in Origin, which a page of another site cannot set.
    /// </summary>
    public static bool IsSameOrigin(HttpRequest request) => request.Headers.Origin is [{ } origin]
        && string.Equals(origin, $"{request.Scheme}://{request.Host.Value}", StringComparison.OrdinalIgnoreCase)
        && request.Headers["Sec-Fetch-Site"] is not [not "same-origin"] and not [_, _, ..];
}
