using System.Diagnostics;
using Grpc.Core;
using Relay.Actors;
using Relay.Gateway.Api;

namespace Relay.Gateway.Services;

/// <summary>Translates the replies about endpoints to results and errors of the API.</summary>
internal static class EndpointReplies
{
    /// <exception cref="RpcException">The endpoint was not changed; the status says why.</exception>
    public static V1.Endpoint Changed(string id, UpdateEndpointReply reply) => reply switch
    {
        UpdateEndpointReply.Updated updated => EndpointMapping.ToMessage(updated.Endpoint),
        UpdateEndpointReply.NotFound => throw Replies.EndpointNotFound(id),
        UpdateEndpointReply.Deleted => throw ApiErrors.FailedPrecondition(
            Reasons.EndpointDeleted, "The endpoint is deleted, and cannot be changed: undelete it first."),
        UpdateEndpointReply.Conflict => throw ApiErrors.Aborted(
            Reasons.EtagMismatch, "The endpoint has been changed since: get it again, and repeat the change with its etag."),
        UpdateEndpointReply.TooManyRotations => throw ApiErrors.FailedPrecondition(Reasons.TooManyRotations,
            $"The endpoint has had {RelayLimits.MaxFormerIdentities} keys before this one: create another endpoint with a new key."),
        UpdateEndpointReply.Unavailable => throw ApiErrors.Unavailable(
            "The server cannot do this now; retry.", RelayLimits.UnavailableRetryAfter),
        _ => throw new UnreachableException(reply.GetType().Name),
    };

    /// <summary>The error for an endpoint that was not created.</summary>
    /// <param name="id">The id that was asked for; null or empty: none.</param>
    public static RpcException NotCreated(CreateEndpointReply reply, string? id) => reply switch
    {
        CreateEndpointReply.AlreadyExists exists => ApiErrors.AlreadyExists(Reasons.EndpointExists, "endpoint",
            id is { Length: > 0 } ? ResourceNames.Endpoint(id) : "",
            $"{exists.Field}: is already in use by another endpoint, which may be deleted and not yet purged."),
        CreateEndpointReply.RequestIdReused => ApiErrors.InvalidArgument(
            "request_id", "was already used for a different endpoint", Reasons.RequestIdReused),
        CreateEndpointReply.Unavailable => ApiErrors.Unavailable(
            "The server cannot do this now; retry with the same request id.", RelayLimits.UnavailableRetryAfter),
        _ => throw new UnreachableException(reply.GetType().Name),
    };
}
