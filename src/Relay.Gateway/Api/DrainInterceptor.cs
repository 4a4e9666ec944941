using Grpc.Core;
using Grpc.Core.Interceptors;
using Relay.Actors;

namespace Relay.Gateway.Api;

/// <summary>
/// Refuses new unary calls with UNAVAILABLE while the server drains. Streams are accepted, because they receive a draining
/// message; health checks and administration are served as long as the server listens.
/// </summary>
internal sealed class DrainInterceptor(IRelay relay) : Interceptor
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        relay.Draining.IsCancellationRequested && IsWork(context.Method)
            ? throw ApiErrors.Unavailable("The server is draining; retry with the same request id, on another node if there is one.",
                RelayLimits.UnavailableRetryAfter)
            : continuation(request, context);

    private static bool IsWork(string method) =>
        method.StartsWith("/relay.", StringComparison.Ordinal) && !method.StartsWith("/relay.v1.AdminService/", StringComparison.Ordinal);
}
