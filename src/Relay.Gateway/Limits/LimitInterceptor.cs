using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Relay.Gateway.Api;
using Relay.Gateway.Auth;

namespace Relay.Gateway.Limits;

/// <summary>
/// Refuses calls beyond the limits of their caller. Messages on an open stream are not calls. GetCaller, which tells the limits, has none.
/// </summary>
internal sealed class LimitInterceptor(CallerQuotas quotas) : Interceptor
{
    private const string GetCaller = "AdminService/GetCaller", CreateEndpoint = "EndpointService/CreateEndpoint";

    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        if (Find(context) is var (caller, rule) && rule.Method != GetCaller)
        {
            quotas.Call(caller, RequestResources.Endpoint((IMessage)request));
            if (rule.Method == CreateEndpoint) quotas.CreateEndpoint(caller);
        }
        return continuation(request, context);
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        using var open = Open(context, request as IMessage);
        await continuation(request, responseStream, context);
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        using var open = Open(context, null);
        await continuation(requestStream, responseStream, context);
    }

    /// <summary>Null for a method without a caller, such as a health check.</summary>
    private IDisposable? Open(ServerCallContext context, IMessage? request)
    {
        if (Find(context) is not var (caller, _)) return null;
        quotas.Call(caller, request is null ? null : RequestResources.Endpoint(request));
        return quotas.OpenStream(caller);
    }

    private static (Principal Caller, MethodRule Rule)? Find(ServerCallContext context) =>
        MethodRules.Of(context.Method) is { } rule && Principal.Find(context.GetHttpContext()) is { } caller ? (caller, rule) : null;
}
