using System.Collections.Frozen;
using System.Diagnostics;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;
using Relay.Gateway.Telemetry;

namespace Relay.Gateway.Api;

/// <summary>Measures calls, and logs who opens streams. The outermost interceptor: it sees the status that the caller gets.</summary>
internal sealed class CallMetrics(GatewayMetrics metrics, ILogger<CallMetrics> log) : Interceptor
{
    /// <summary>Calls that may wait for something to happen: their time says nothing of the server.</summary>
    private static readonly FrozenSet<string> s_waiting =
        new[] { "PullEvents", "PullWire", "PullSubscription" }.ToFrozenSet(StringComparer.Ordinal);

    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        MeasureAsync(() => continuation(request, context), context,
            s_waiting.Contains(context.Method[(context.Method.LastIndexOf('/') + 1)..]) ? "wait" : "unary");

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        MeasureAsync(() => continuation(requestStream, context), context, "stream");

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        MeasureAsync(async () =>
        {
            await continuation(request, responseStream, context);
            return 0;
        }, context, "stream");

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        MeasureAsync(async () =>
        {
            await continuation(requestStream, responseStream, context);
            return 0;
        }, context, "stream");

    private async Task<T> MeasureAsync<T>(Func<Task<T>> call, ServerCallContext context, string kind)
    {
        long start = Stopwatch.GetTimestamp();
        var status = StatusCode.Unknown;
        bool isStream = kind == "stream";
        if (isStream) log.StreamOpened(context);
        try
        {
            var result = await call();
            status = context.Status.StatusCode;
            return result;
        }
        catch (RpcException e)
        {
            status = e.StatusCode;
            // Only services refuse so from within a call: the caller's scope was checked before.
            if (status == StatusCode.PermissionDenied) metrics.Denied("endpoint");
            throw;
        }
        finally
        {
            metrics.Called(context.Method, kind, status, Stopwatch.GetElapsedTime(start));
            if (isStream) log.StreamEnded(context, status, Stopwatch.GetElapsedTime(start));
        }
    }
}
