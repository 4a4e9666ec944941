using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace Relay.Gateway.Api;

/// <summary>
/// Builds every error of the API with its <c>google.rpc</c> details. Texts name fields and rules, never the values that were sent.
/// </summary>
internal static class ApiErrors
{
    public static RpcException InvalidArgument(
        IEnumerable<BadRequest.Types.FieldViolation> violations, string reason = Reasons.InvalidArgument)
    {
        var request = new BadRequest();
        request.FieldViolations.AddRange(violations);
        var text = string.Join("; ", request.FieldViolations.Select(v => $"{v.Field}: {v.Description}"));
        return Make(StatusCode.InvalidArgument, text, Info(reason), request);
    }

    public static RpcException InvalidArgument(string field, string description, string reason = Reasons.InvalidArgument) =>
        InvalidArgument([new BadRequest.Types.FieldViolation { Field = field, Description = description }], reason);

    /// <param name="cause">For <see cref="CallFaults"/>; it is not sent.</param>
    public static RpcException MalformedMessage(Exception cause)
    {
        var error = Make(StatusCode.InvalidArgument, "The request is not a message of this method: it cannot be decoded.",
            Info(Reasons.MalformedMessage));
        return new RpcException(new Grpc.Core.Status(error.StatusCode, error.Status.Detail, cause), error.Trailers);
    }

    public static RpcException Unauthenticated(string reason, string text) => Make(StatusCode.Unauthenticated, text, Info(reason));

    public static RpcException PermissionDenied(string reason, string text) => Make(StatusCode.PermissionDenied, text, Info(reason));

    public static RpcException NotFound(string reason, string type, string name) =>
        Make(StatusCode.NotFound, $"There is no {type} of this name.", Info(reason),
            new ResourceInfo { ResourceType = type, ResourceName = name });

    public static RpcException NoRoute() =>
        Make(StatusCode.NotFound, "The API has no such path, or not with this verb; /openapi/v1.json describes them.",
            Info(Reasons.RouteNotFound));

    public static RpcException AlreadyExists(string reason, string type, string name, string text) =>
        Make(StatusCode.AlreadyExists, text, Info(reason), new ResourceInfo { ResourceType = type, ResourceName = name });

    public static RpcException FailedPrecondition(string reason, string text) => Make(StatusCode.FailedPrecondition, text, Info(reason));

    public static RpcException OutOfRange(string field, string text) =>
        Make(StatusCode.OutOfRange, $"{field}: {text}", Info(Reasons.CursorBeyondEnd), new BadRequest
        {
            FieldViolations = { new BadRequest.Types.FieldViolation { Field = field, Description = text } },
        });

    public static RpcException Aborted(string reason, string text) => Make(StatusCode.Aborted, text, Info(reason));

    public static RpcException DataLoss(string reason, string text) => Make(StatusCode.DataLoss, text, Info(reason));

    /// <param name="retryAfter">Null: retrying with the same request id cannot succeed.</param>
    public static RpcException ResourceExhausted(string reason, string text, TimeSpan? retryAfter) =>
        retryAfter is { } delay
            ? Make(StatusCode.ResourceExhausted, text, Info(reason), Retry(delay))
            : Make(StatusCode.ResourceExhausted, text, Info(reason));

    /// <param name="limit">The name of the caller's limit, as GetCaller tells it.</param>
    /// <param name="subject">Whose it is.</param>
    public static RpcException QuotaExceeded(string limit, string subject, string text, TimeSpan retryAfter)
    {
        var failure = new QuotaFailure
        {
            Violations = { new QuotaFailure.Types.Violation { Subject = subject, Description = $"{limit}: {text}" } },
        };
        return Make(StatusCode.ResourceExhausted, text, Info(Reasons.QuotaExceeded), Retry(retryAfter), failure);
    }

    public static RpcException Unavailable(string text, TimeSpan retryAfter, string reason = Reasons.Unavailable) =>
        Make(StatusCode.Unavailable, text, Info(reason), Retry(retryAfter));

    public static RpcException Internal() =>
        Make(StatusCode.Internal, "The server failed; its log has the details.", Info(Reasons.Internal));

    private static ErrorInfo Info(string reason) => new() { Reason = reason, Domain = Reasons.Domain };

    private static RetryInfo Retry(TimeSpan delay) => new() { RetryDelay = Duration.FromTimeSpan(delay) };

    private static RpcException Make(StatusCode code, string text, params IMessage[] details)
    {
        var status = new Google.Rpc.Status { Code = (int)code, Message = text };
        status.Details.AddRange(details.Select(d => Any.Pack(d)));
        return status.ToRpcException();
    }
}
