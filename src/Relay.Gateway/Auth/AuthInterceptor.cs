using Grpc.Core;
using Grpc.Core.Interceptors;
using Relay.Gateway.Errors;
using Relay.Gateway.Telemetry;

namespace Relay.Gateway.Auth;

/// <summary>Lets a call through only if the table of scopes does. Everything else is denied.</summary>
internal sealed class AuthInterceptor(IApiKeyStore keys, TimeProvider time, GatewayMetrics metrics) : Interceptor
{
    private const string Header = "authorization";
    private const string Scheme = "Bearer ";

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        await AuthorizeAsync(context);
        return await continuation(request, context);
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        await AuthorizeAsync(context);
        return await continuation(requestStream, context);
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        await AuthorizeAsync(context);
        await continuation(request, responseStream, context);
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        await AuthorizeAsync(context);
        await continuation(requestStream, responseStream, context);
    }

    private async ValueTask AuthorizeAsync(ServerCallContext context)
    {
        try
        {
            await CheckAsync(context);
        }
        catch (RpcException denied)
        {
            metrics.Denied(denied.StatusCode);
            throw;
        }
    }

    private async ValueTask CheckAsync(ServerCallContext context)
    {
        var access = MethodScopes.Of(context.Method) ?? throw ApiErrors.PermissionDenied(Reasons.ScopeMissing, "No key may call this method.");
        if (access.IsPublic) return;

        var header = context.RequestHeaders.GetValue(Header);
        if (header is null) throw ApiErrors.Unauthenticated(Reasons.KeyMissing, "Send an API key as 'authorization: Bearer relay_…'.");
        if (!header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) || !ApiKeyToken.TryParse(header[Scheme.Length..], out var token))
            throw ApiErrors.Unauthenticated(Reasons.KeyInvalid, "The authorization header holds no API key of Relay.");
        // One answer for an unknown, wrong, expired and revoked key: a stranger learns nothing from it.
        var key = await keys.AuthenticateAsync(token, time.GetUtcNow(), context.CancellationToken);
        if (key is null) throw ApiErrors.Unauthenticated(Reasons.KeyInvalid, "The API key is unknown, expired or revoked.");
        if (!access.Scopes.Contains(key.Scope))
        {
            throw ApiErrors.PermissionDenied(Reasons.ScopeMissing,
                $"This method needs a key of scope {string.Join(" or ", access.Scopes.Select(s => s.ToString().ToLowerInvariant()))}.");
        }
        new Principal(key).Attach(context);
    }
}
