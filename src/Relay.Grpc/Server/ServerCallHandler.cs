using Grpc.Core;
using Grpc.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Grpc.AspNetCore.Server;

/// <summary>Runs the calls of one method: checks the request, runs the handler under the deadline, sends the status.</summary>
internal sealed class ServerCallHandler(IMethod method, ServerMethodOptions options, Func<HttpContextServerCallContext, Task> invoke, ILogger logger)
{
    public async Task HandleAsync(HttpContext httpContext)
    {
        if (!await CheckProtocolAsync(httpContext, options).ConfigureAwait(false))
            return;
        // Routes do not tell upper from lower case, but gRPC does.
        if (!string.Equals(httpContext.Request.Path.Value, method.FullName, StringComparison.Ordinal))
        {
            await UnimplementedAsync(httpContext, options, "Method is unimplemented.").ConfigureAwait(false);
            return;
        }
        LiftTransportLimits(httpContext);
        using var call = new HttpContextServerCallContext(httpContext, options);
        // A call without a status of its own has ended well.
        call.Status = Status.DefaultSuccess;
        Task handler = RunAsync(call);
        if (call.HasDeadline)
        {
            await Task.WhenAny(handler, call.DeadlineReached).ConfigureAwait(false);
            if (!handler.IsCompleted)
            {
                GrpcServerLog.DeadlineExceeded(logger, call.Method);
                await call.FinishAsync(new Status(StatusCode.DeadlineExceeded, "Deadline Exceeded")).ConfigureAwait(false);
            }
        }
        // The request's objects belong to the handler until it has returned, also when the answer has gone already.
        await handler.ConfigureAwait(false);
        await call.FinishAsync(call.Status).ConfigureAwait(false);
    }

    /// <summary>Runs the handler; whatever it throws becomes the call's status.</summary>
    private async Task RunAsync(HttpContextServerCallContext call)
    {
        try
        {
            call.Start();
            await invoke(call).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            call.Status = call.ToStatus(exception);
            if (call.Status.StatusCode == StatusCode.Unknown && exception is not RpcException)
                GrpcServerLog.HandlerFailed(logger, call.Method, exception);
        }
    }

    /// <summary>Answers what is no gRPC request as HTTP does.</summary>
    public static async Task<bool> CheckProtocolAsync(HttpContext httpContext, ServerMethodOptions options)
    {
        if (!GrpcProtocol.IsGrpcContentType(httpContext.Request.ContentType))
        {
            await RefuseAsync(httpContext, options, StatusCodes.Status415UnsupportedMediaType, "The content-type is not application/grpc.").ConfigureAwait(false);
            return false;
        }
        if (!HttpProtocol.IsHttp2(httpContext.Request.Protocol) && !HttpProtocol.IsHttp3(httpContext.Request.Protocol))
        {
            await RefuseAsync(httpContext, options, StatusCodes.Status426UpgradeRequired, "gRPC needs HTTP/2.").ConfigureAwait(false);
            return false;
        }
        return true;
    }

    /// <summary>Answers a call that has no handler.</summary>
    public static Task UnimplementedAsync(HttpContext httpContext, ServerMethodOptions options, string detail)
    {
        options.WriteCommonHeaders(httpContext.Response);
        return new ResponseWriter(httpContext, options).FinishAsync(new Status(StatusCode.Unimplemented, detail), null);
    }

    private static Task RefuseAsync(HttpContext httpContext, ServerMethodOptions options, int httpStatus, string detail)
    {
        httpContext.Response.StatusCode = httpStatus;
        options.WriteCommonHeaders(httpContext.Response);
        httpContext.Response.Headers[GrpcProtocol.StatusHeader] = ((int)StatusCode.Internal).ToString(System.Globalization.CultureInfo.InvariantCulture);
        httpContext.Response.Headers[GrpcProtocol.MessageHeader] = PercentEncoding.Encode(detail);
        return httpContext.Response.CompleteAsync();
    }

    /// <summary>A stream may live for days: the limit is on each message, and the rate is the peer's business.</summary>
    private static void LiftTransportLimits(HttpContext httpContext)
    {
        if (httpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = null;
        if (httpContext.Features.Get<Microsoft.AspNetCore.Server.Kestrel.Core.Features.IHttpMinRequestBodyDataRateFeature>() is { } rate)
            rate.MinDataRate = null;
    }
}
