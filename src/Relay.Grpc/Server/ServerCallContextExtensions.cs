using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Http;

namespace Grpc.Core;

/// <summary>From a call to its HTTP request.</summary>
public static class ServerCallContextExtensions
{
    /// <summary>The HTTP request that carries the call.</summary>
    /// <exception cref="InvalidOperationException">The call does not come from HTTP.</exception>
    public static HttpContext GetHttpContext(this ServerCallContext serverCallContext)
    {
        ArgumentNullException.ThrowIfNull(serverCallContext);
        if (serverCallContext is HttpContextServerCallContext call)
            return call.HttpContext;
        return serverCallContext.UserState.TryGetValue(HttpContextServerCallContext.HttpContextKey, out object? value) && value is HttpContext httpContext
            ? httpContext
            : throw new InvalidOperationException("Could not get HttpContext from ServerCallContext.");
    }
}
