using System.Diagnostics;
using Grpc.Core;
using Otr.Core;
using Relay.Actors;

namespace Relay.Gateway.Api;

/// <summary>
/// Translates the actors' replies to results and errors of the API. Every reply, reason and refusal is handled; a test enumerates them.
/// </summary>
internal static class Replies
{
    /// <summary>Returns the reply of a command that was carried out.</summary>
    /// <exception cref="RpcException">The command was not carried out; the status says why.</exception>
    /// <param name="field">The request's field that holds the text.</param>
    public static ConversationReply.Done RequireDone(
        ConversationReply reply, ConversationAddress address, string field = "text") => reply switch
    {
        ConversationReply.Done done => done,
        ConversationReply.Refused refused => throw Refusal(refused.Reason, field),
        ConversationReply.WireRejected => throw new UnreachableException("Only wire text is rejected."),
        _ => throw Error(reply, address),
    };

    /// <summary>The error for a reply that means that nothing was done.</summary>
    public static RpcException Error(ConversationReply reply, ConversationAddress address) => reply switch
    {
        ConversationReply.NotFound { What: "identity" } => IdentityNotFound(ResourceNames.Endpoint(address.EndpointId)),
        ConversationReply.NotFound => NotFound(address),
        ConversationReply.Conflict => ApiErrors.Aborted(
            Reasons.EtagMismatch, "The conversation's labels have been changed since: get it again, and repeat the change with its etag."),
        ConversationReply.RequestIdReused => ApiErrors.InvalidArgument(
            "request_id", "was already used in this conversation for a different request", Reasons.RequestIdReused),
        ConversationReply.Overloaded o => ApiErrors.ResourceExhausted(
            Reasons.Overloaded, $"A limit of the server is reached ({o.Bound}); nothing was done.", o.RetryAfter),
        ConversationReply.Unavailable { IsOfConversation: true } u => ApiErrors.Unavailable(
            "The conversation does not reply now; retry with the same request id.", u.RetryAfter, Reasons.ConversationUnavailable),
        ConversationReply.Unavailable u => ApiErrors.Unavailable(
            "The server cannot do this now; retry with the same request id.", u.RetryAfter),
        ConversationReply.Quarantined => ApiErrors.DataLoss(
            Reasons.ConversationQuarantined, "The stored conversation cannot be decrypted; an operator must restore its row."),
        _ => throw new UnreachableException($"{reply.GetType().Name} is not an error."),
    };

    /// <summary>
    /// The error for a refused request. A refusal is stored with its request id, so a retry gets the same answer: no status here
    /// suggests retrying.
    /// </summary>
    public static RpcException Refusal(RefusalReason reason, string field = "text") => reason switch
    {
        RefusalReason.SessionFinished => ApiErrors.FailedPrecondition(
            Reasons.SessionFinished,
            "The peer has ended the private session: nothing was sent. End the session here too, or start a new one."),
        RefusalReason.NotEncrypted => ApiErrors.FailedPrecondition(
            Reasons.EncryptionRequired, "No private session is established: nothing was sent."),
        RefusalReason.NotTrusted => ApiErrors.FailedPrecondition(
            Reasons.NotTrusted, "The private session's key is not trusted, and text is sent to trusted keys only: nothing was sent. "
                + "Compare the fingerprint."),
        RefusalReason.NotAllowed => ApiErrors.FailedPrecondition(Reasons.OtrNotAllowed, "The endpoint's policy allows no version of OTR."),
        RefusalReason.TooLarge => ApiErrors.InvalidArgument(field, "is too long"),
        RefusalReason.InvalidText => ApiErrors.InvalidArgument(field, "must not contain U+0000"),
        RefusalReason.TooManyHeld => ApiErrors.FailedPrecondition(
            Reasons.TooManyHeld, "Too many messages wait for the key exchange, or for a decision about the peer's key: this one was not "
                + "accepted. Send it with a new request id once the session is established, or the key accepted."),
        RefusalReason.SmpNotExpected => ApiErrors.FailedPrecondition(
            Reasons.SmpNotExpected, "The verification is not open, or does not wait for an answer."),
        RefusalReason.KeyHeld => ApiErrors.FailedPrecondition(
            Reasons.KeyHeld, "The peer has shown another key, and nobody has decided about it: accept, verify or refuse it."),
        RefusalReason.NotHeld => ApiErrors.FailedPrecondition(
            Reasons.MessageNotHeld, "The message is not held, or not any more: it cannot be taken back."),
        _ => throw new UnreachableException($"RefusalReason {(int)reason}"),
    };

    /// <summary>The stable name of a rejection, as <c>InboundResult.reject_reason</c> carries it.</summary>
    public static string RejectName(RejectReason reason) => reason switch
    {
        RejectReason.Malformed => "MALFORMED",
        RejectReason.TooLarge => "TOO_LARGE",
        RejectReason.VersionNotAllowed => "VERSION_NOT_ALLOWED",
        RejectReason.UnknownType => "UNKNOWN_TYPE",
        RejectReason.OtherInstance => "OTHER_INSTANCE",
        RejectReason.InvalidInstanceTag => "INVALID_INSTANCE_TAG",
        RejectReason.UnexpectedAkeMessage => "UNEXPECTED_AKE_MESSAGE",
        RejectReason.InvalidGroupElement => "INVALID_GROUP_ELEMENT",
        RejectReason.CommitMismatch => "COMMIT_MISMATCH",
        RejectReason.BadMac => "BAD_MAC",
        RejectReason.BadSignature => "BAD_SIGNATURE",
        RejectReason.InvalidPublicKey => "INVALID_PUBLIC_KEY",
        RejectReason.InvalidProfile => "INVALID_PROFILE",
        RejectReason.Reflected => "REFLECTED",
        RejectReason.NotEncrypted => "NOT_ENCRYPTED",
        RejectReason.UnknownKeyId => "UNKNOWN_KEY_ID",
        RejectReason.Replay => "REPLAY",
        RejectReason.BadFragment => "BAD_FRAGMENT",
        RejectReason.UnknownMessage => "UNKNOWN_MESSAGE",
        RejectReason.RateLimited => "RATE_LIMITED",
        RejectReason.NoRoom => "NO_ROOM",
        RejectReason.KeyChanged => "KEY_CHANGED",
        RejectReason.NotInvited => "NOT_INVITED",
        // Never the stored answer of a message: the actors reply ConversationReply.Overloaded instead, so that the bridge retries.
        RejectReason.Overloaded => Reasons.Overloaded,
        _ => throw new UnreachableException($"RejectReason {(int)reason}"),
    };

    private static RpcException NotFound(ConversationAddress address) => address switch
    {
        // The first command by peer creates the conversation, so only its endpoint can be missing.
        ConversationAddress.ByPeer => EndpointNotFound(address.EndpointId),
        ConversationAddress.ById byId => ApiErrors.NotFound(
            Reasons.ConversationNotFound, "conversation", ResourceNames.Conversation(byId.EndpointId, byId.ConversationId)),
        _ => throw new UnreachableException(),
    };

    public static RpcException IdentityNotFound(string name) => ApiErrors.NotFound(Reasons.IdentityNotFound, "identity", name);

    public static RpcException EndpointNotFound(string endpointId) =>
        ApiErrors.NotFound(Reasons.EndpointNotFound, "endpoint", ResourceNames.Endpoint(endpointId));
}
