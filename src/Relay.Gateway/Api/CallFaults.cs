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
/// Separates callers' faults from the server's for calls that failed outside the interceptors: while a message was read,
/// decoded or written. Resets by the caller and malformed messages are counted; only server faults are logged. The category
/// of Grpc.AspNetCore that logs all of them as errors is turned off by the default configuration
/// (<see cref="Hosting.RelayConfiguration"/>).
/// </summary>
internal static class CallFaults
{
    public static void CountCallFaults(this IApplicationBuilder app)
    {
        var metrics = app.ApplicationServices.GetRequiredService<GatewayMetrics>();
        var log = app.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger("Relay.Gateway");
        app.Use(next => async context =>
        {
            // Read before the call: afterwards the property may belong to a later request on the same connection.
            var reset = context.RequestAborted;
            try
            {
                await next(context);
            }
            catch (Exception) when (reset.IsCancellationRequested)
            {
                // Kestrel would log a rethrown exception as an error, and the caller no longer waits for an answer.
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

    /// <summary>The exception that Grpc.AspNetCore translated to the status UNKNOWN; null if there was none.</summary>
    private static Exception? Fault(HttpContext context) =>
        context.Features.Get<IServerCallContextFeature>()?.ServerCallContext.Status.DebugException;
}
