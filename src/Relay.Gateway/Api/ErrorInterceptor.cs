using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;
using Relay.Actors;
using Relay.Gateway.Telemetry;
using Relay.Storage;

namespace Relay.Gateway.Api;

/// <summary>Turns what is left over into statuses: a cancelled call into CANCELLED, our own fault into INTERNAL without its text.</summary>
internal sealed class ErrorInterceptor(ILogger<ErrorInterceptor> log) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try { return await continuation(request, context); }
        catch (Exception e) when (Translate(e, context) is { } error) { throw error; }
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try { return await continuation(requestStream, context); }
        catch (Exception e) when (Translate(e, context) is { } error) { throw error; }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try { await continuation(request, responseStream, context); }
        catch (Exception e) when (Translate(e, context) is { } error) { throw error; }
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try { await continuation(requestStream, responseStream, context); }
        catch (Exception e) when (Translate(e, context) is { } error) { throw error; }
    }

    /// <summary>Null: leave it as it is.</summary>
    private RpcException? Translate(Exception e, ServerCallContext context)
    {
        if (e is RpcException) return null;
        if (context.CancellationToken.IsCancellationRequested) return new RpcException(new Status(StatusCode.Cancelled, "The call was cancelled."));
        if (e is IOException) return new RpcException(new Status(StatusCode.Unavailable, "The connection broke."));
        if (e is StoreException) return ApiErrors.Unavailable("The server's store does not answer; repeat it with the same request id.", RelayLimits.UnavailableRetryAfter);
        log.CallFailed(context.Method, e);
        return ApiErrors.Internal();
    }
}
