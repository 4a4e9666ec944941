using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Relay.Actors;
using Relay.Gateway.Api;
using Relay.Gateway.Auth;
using Relay.Storage;

namespace Relay.Gateway.Audit;

/// <summary>
/// Records the calls that <see cref="MethodRules"/> says are audited. The entry is written before the call is carried out; if it cannot be
/// written, the call is refused.
/// </summary>
internal sealed class AuditInterceptor(AuditLog audit) : Interceptor
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        => MethodRules.Of(context.Method) is { IsAudited: true } rule && audit.IsEnabled
            ? RecordAsync(rule, request, context, continuation) : continuation(request, context);

    private async Task<TResponse> RecordAsync<TRequest, TResponse>(
        MethodRule rule, TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        where TRequest : class
        where TResponse : class
    {
        var resource = RequestResources.WithoutPeer((IMessage)request);
        var draft = AuditLog.Draft(AuditKind.Begun) with { Caller = Principal.Of(context).Name, Method = rule.Method, Resource = resource };
        draft = draft with { Refers = await BeginAsync(draft, context.CancellationToken) };
        TResponse response;
        try
        {
            response = await continuation(request, context);
        }
        catch (Exception e)
        {
            await TryAppendAsync(draft with { Kind = AuditKind.Failed, Status = (int)StatusOf(e) });
            throw;
        }
        var created = RequestResources.WithoutPeer((IMessage)response);
        if (created.Length > 0 && created != resource) await TryAppendAsync(draft with { Kind = AuditKind.Done, Resource = created });
        return response;
    }

    private async Task<ulong> BeginAsync(AuditEntry draft, CancellationToken cancellation)
    {
        try
        {
            return await audit.AppendAsync(draft, cancellation);
        }
        catch (StoreException)
        {
            throw ApiErrors.Unavailable("The audit log cannot be written, so nothing was done; retry with the same request id.",
                RelayLimits.UnavailableRetryAfter, Reasons.AuditUnavailable);
        }
    }

    /// <summary>Appends an entry that tells more of a call that is recorded. What was done is not undone if that fails.</summary>
    private async Task TryAppendAsync(AuditEntry entry)
    {
        try
        {
            await audit.AppendAsync(entry, CancellationToken.None);
        }
        catch (StoreException)
        {
            // The entry of the call's beginning says that its outcome may be unknown.
        }
    }

    private static StatusCode StatusOf(Exception e) => e switch
    {
        RpcException refused => refused.StatusCode,
        StoreException => StatusCode.Unavailable,
        OperationCanceledException => StatusCode.Cancelled,
        _ => StatusCode.Internal,
    };
}
