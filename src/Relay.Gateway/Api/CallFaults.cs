using Google.Protobuf;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Relay.Gateway.Telemetry;

namespace Relay.Gateway.Api;

/// <summary>
/// Tells the faults of callers from those of the server, for calls that failed outside of the interceptors: while a
/// message was read, decoded or written. A caller's reset, and bytes that are no message, are counted; only the rest is
/// logged. The category of Grpc.AspNetCore that logs all of them as errors is turned off (<see cref="Logs"/>).
/// </summary>
internal static class CallFaults
{
    public static void CountCallFaults(this IApplicationBuilder app)
    {
        var metrics = app.ApplicationServices.GetRequiredService<GatewayMetrics>();
        var log = app.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger("Relay.Gateway");
        app.Use(next => async context =>
        {
            // Read afterwards, it could be that of a later call on the same connection.
            var reset = context.RequestAborted;
            try
            {
                await next(context);
            }
            catch (Exception) when (reset.IsCancellationRequested)
            {
                // Kestrel would log it as an error; there is nobody left to answer.
                metrics.CallerFault("RESET");
                return;
            }
            if (reset.IsCancellationRequested) metrics.CallerFault("RESET");
            else if (Fault(context) is { } fault) Judge(fault, context, metrics, log);
        });
    }

    private static void Judge(Exception fault, HttpContext context, GatewayMetrics metrics, ILogger log)
    {
        if (fault is InvalidProtocolBufferException or InvalidDataException) metrics.CallerFault("MALFORMED");
        else if (fault is IOException or ConnectionAbortedException or OperationCanceledException) metrics.CallerFault("RESET");
        else log.CallFailed(context.Request.Path, fault);
    }

    /// <summary>What Grpc.AspNetCore made the status UNKNOWN of.</summary>
    private static Exception? Fault(HttpContext context) =>
        context.Features.Get<IServerCallContextFeature>()?.ServerCallContext.Status.DebugException;
}
