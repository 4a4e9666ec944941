using Google.Rpc;
using Grpc.Core;

namespace Relay.Client;

/// <summary>What the server refused, and why.</summary>
public sealed class RelayException : Exception
{
    private RelayException(RpcException inner, string reason, IReadOnlyList<(string Field, string Description)> violations, TimeSpan? retryAfter)
        : base(inner.Status.Detail, inner)
    {
        // No server answered this: Grpc.Net.Client gives INTERNAL to a connection that fails in TLS.
        Code = inner is { StatusCode: StatusCode.Internal, Status.DebugException: HttpRequestException } ? StatusCode.Unavailable : inner.StatusCode;
        Reason = reason;
        Violations = violations;
        RetryAfter = retryAfter;
    }

    /// <summary>The gRPC status; UNAVAILABLE also if no connection could be made, for whatever reason.</summary>
    public StatusCode Code { get; }

    /// <summary>The stable reason (<c>google.rpc.ErrorInfo</c>); empty if the server gave none.</summary>
    public string Reason { get; }

    /// <summary>The fields that were wrong.</summary>
    public IReadOnlyList<(string Field, string Description)> Violations { get; }

    /// <summary>How long to wait before the same request may be tried again; null: in vain.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>Reads the details of a status; damaged ones count as none.</summary>
    public static RelayException From(RpcException error)
    {
        var status = error.Trailers.GetRpcStatus(ignoreParseError: true);
        return new RelayException(error,
            status?.GetDetail<ErrorInfo>()?.Reason ?? "",
            [.. status?.GetDetail<BadRequest>()?.FieldViolations.Select(v => (v.Field, v.Description)) ?? []],
            status?.GetDetail<RetryInfo>()?.RetryDelay?.ToTimeSpan());
    }

    /// <summary>True if the same request, with the same id, may do better later: nothing, or not everything, is known to have been done.</summary>
    internal bool IsPassing => Code switch
    {
        StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Cancelled => true,
        StatusCode.ResourceExhausted => RetryAfter is not null,
        // Without a reason it is the connection that broke, not the server that failed.
        StatusCode.Internal or StatusCode.Unknown => Reason.Length == 0,
        _ => false,
    };

    /// <summary>True if it is the server, or the way to it, that failed: another one may do it. False if it is the request's or the service's.</summary>
    internal bool IsOfServer => IsPassing && Code != StatusCode.ResourceExhausted;
}
