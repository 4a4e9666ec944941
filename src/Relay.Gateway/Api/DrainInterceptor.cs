using Grpc.Core;
using Grpc.Core.Interceptors;
using Relay.Actors;

namespace Relay.Gateway.Api;

/// <summary>
/// Sends new calls elsewhere once the server drains. Streams are let in, because they are told so in their own words;
/// health and administration go on as long as the server listens.
/// </summary>
internal sealed class DrainInterceptor(IRelay relay) : Interceptor
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        relay.Draining.IsCancellationRequested && IsWork(context.Method)
            ? throw ApiErrors.Unavailable("The server is draining; repeat it with the same request id, on another node if there is one.", RelayLimits.UnavailableRetryAfter)
            : continuation(request, context);

    private static bool IsWork(string method) =>
        method.StartsWith("/relay.", StringComparison.Ordinal) && !method.StartsWith("/relay.v1.AdminService/", StringComparison.Ordinal);
}
