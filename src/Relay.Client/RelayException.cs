using Google.Rpc;
using Grpc.Core;

namespace Relay.Client;

/// <summary>A call or stream failed: the server refused it, or could not be reached.</summary>
public sealed class RelayException : Exception
{
    private RelayException(RpcException inner, string reason, IReadOnlyList<(string Field, string Description)> violations,
        TimeSpan? retryAfter)
        : base(inner.Status.Detail, inner)
    {
        // Grpc.Net.Client reports a failed TLS handshake as INTERNAL, although no server has answered.
        Code = inner is { StatusCode: StatusCode.Internal, Status.DebugException: HttpRequestException }
            ? StatusCode.Unavailable : inner.StatusCode;
        Reason = reason;
        Violations = violations;
        RetryAfter = retryAfter;
    }

    /// <summary>The gRPC status; UNAVAILABLE if no connection could be made, whatever the reason.</summary>
    public StatusCode Code { get; }

    /// <summary>The stable reason (<c>google.rpc.ErrorInfo</c>); empty if the server gave none.</summary>
    public string Reason { get; }

    /// <summary>The invalid fields of the request (<c>google.rpc.BadRequest</c>).</summary>
    public IReadOnlyList<(string Field, string Description)> Violations { get; }

    /// <summary>The server's delay before the same request may be retried; null if the server gave none.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>Reads the details of a status; malformed details are ignored.</summary>
    public static RelayException From(RpcException error)
    {
        var status = error.Trailers.GetRpcStatus(ignoreParseError: true);
        return new RelayException(error,
            status?.GetDetail<ErrorInfo>()?.Reason ?? "",
            [.. status?.GetDetail<BadRequest>()?.FieldViolations.Select(v => (v.Field, v.Description)) ?? []],
            status?.GetDetail<RetryInfo>()?.RetryDelay?.ToTimeSpan());
    }

    /// <summary>
    /// True for a transient error: the same request, with the same id, may succeed later. It may also have succeeded already.
    /// </summary>
    internal bool IsPassing => Code switch
    {
        StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Cancelled => true,
        StatusCode.ResourceExhausted => RetryAfter is not null,
        // Without a reason, the error comes from a broken connection and not from the server.
        StatusCode.Internal or StatusCode.Unknown => Reason.Length == 0,
        _ => false,
    };

    /// <summary>
    /// True if this server or the connection to it failed, so that another server may succeed; false if the cause is the request or the
    /// load.
    /// </summary>
    internal bool IsOfServer => IsPassing && Code != StatusCode.ResourceExhausted && Reason != OfConversation;

    /// <summary>
    /// True if the conversation's state or the text of the message is the cause, so that a peer may have brought it about; false if the
    /// key, the request or the server is. Retrying does not help.
    /// </summary>
    internal bool IsRefusal => Code switch
    {
        StatusCode.FailedPrecondition or StatusCode.DataLoss => true,
        StatusCode.NotFound => Reason == ConversationNotFound,
        StatusCode.ResourceExhausted => RetryAfter is null,
        StatusCode.InvalidArgument => Violations.Count > 0 && Violations.All(v => v.Field == "text"),
        _ => false,
    };

    /// <summary>True if the request id was used before for a request with another content.</summary>
    internal bool IsReusedRequestId => Reason == RequestIdReused;

    private const string ConversationNotFound = "CONVERSATION_NOT_FOUND", RequestIdReused = "REQUEST_ID_REUSED";

    /// <summary>The reason with which a server says that one conversation does not reply, while it serves others.</summary>
    private const string OfConversation = "CONVERSATION_UNAVAILABLE";
}
