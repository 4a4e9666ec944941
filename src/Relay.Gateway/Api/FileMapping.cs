using System.Diagnostics;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Otr.Core;
using Relay.Actors;
using Relay.Actors.Files;

namespace Relay.Gateway.Api;

/// <summary>Converts files to messages of the API, and the replies about them to errors.</summary>
internal static class FileMapping
{
    public static V1.FileTransfer File(FileView view) => new()
    {
        Name = ResourceNames.File(view.EndpointId, view.Id),
        Conversation = ResourceNames.Conversation(view.EndpointId, view.ConversationId),
        Peer = view.Peer,
        State = State(view.State),
        FileName = view.Name,
        MediaType = view.MediaType,
        Size = view.Size,
        StoredSize = view.Stored,
        Sha256 = ByteString.CopyFrom(view.Sha256.Span),
        Url = view.Url,
        Reason = view.Reason,
        CreateTime = view.Created.ToTimestamp(),
        ExpireTime = view.Expires.ToTimestamp(),
    };

    public static V1.FileTransfer.Types.State State(FileState state) => state switch
    {
        FileState.Uploading => V1.FileTransfer.Types.State.Uploading,
        FileState.Sent => V1.FileTransfer.Types.State.Sent,
        FileState.Offered => V1.FileTransfer.Types.State.Offered,
        FileState.Received => V1.FileTransfer.Types.State.Received,
        FileState.Damaged => V1.FileTransfer.Types.State.Damaged,
        FileState.Undeliverable => V1.FileTransfer.Types.State.Undeliverable,
        _ => throw new UnreachableException($"FileState {(int)state}"),
    };

    /// <summary>The file of a reply.</summary>
    /// <exception cref="RpcException">It was not done; the status says why.</exception>
    public static FileView RequireDone(FileReply reply, string endpointId, string fileId)
        => reply is FileReply.Done { File: var file } ? file : throw Error(reply, endpointId, fileId);

    /// <summary>The error for a reply that means that nothing was done.</summary>
    public static RpcException Error(FileReply reply, string endpointId, string fileId) => reply switch
    {
        FileReply.NotFound => ApiErrors.NotFound(Reasons.FileNotFound, "file", ResourceNames.File(endpointId, fileId)),
        FileReply.NoEndpoint => Replies.EndpointNotFound(endpointId),
        FileReply.Full => ApiErrors.ResourceExhausted(
            Reasons.TooManyFiles, "The endpoint or the peer has as many files, or bytes of files, as it may have: delete some.", null),
        FileReply.RequestIdReused => ApiErrors.InvalidArgument(
            "request_id", "was already used in this endpoint for a different file", Reasons.RequestIdReused),
        FileReply.WrongState { File.State: var state } => ApiErrors.FailedPrecondition(
            Reasons.FileWrongState, $"The file is {NameOf(state)}: this cannot be done with it."),
        FileReply.WrongPlace { File: { IsFromPeer: true } file } => ApiErrors.FailedPrecondition(Reasons.FileWrongOffset,
            $"{file.BlobStored} of {file.BlobSize} bytes of the blob are stored; the next part begins there and has "
                + $"{file.NextBlobPart} bytes."),
        FileReply.WrongPlace { File: var file } => ApiErrors.FailedPrecondition(Reasons.FileWrongOffset,
            $"{file.Stored} of {file.Size} bytes of the file are stored; the next portion begins there and has "
                + $"{FileLimits.PortionBytes} bytes, or the rest."),
        FileReply.Different => ApiErrors.FailedPrecondition(
            Reasons.FileDataDiffers, "Other data is stored at this place, and was left as it is: create another file."),
        FileReply.NotAuthentic => ApiErrors.InvalidArgument(
            "data", "is not of this file's blob, or was changed on its way; it was not stored", Reasons.BlobNotAuthentic),
        FileReply.DigestDiffers => ApiErrors.FailedPrecondition(
            Reasons.FileDigestDiffers, "The file has another SHA-256 than the request says; it was not offered."),
        FileReply.NotOffered { Reply: ConversationReply.Refused { Reason: RefusalReason.NotEncrypted } } => ApiErrors.FailedPrecondition(
            Reasons.EncryptionRequired, "No private session is established: the file was not offered. Start one, and complete the "
                + "file with another request id."),
        FileReply.NotOffered { Reply: ConversationReply.Refused { Reason: var reason } } => Replies.Refusal(reason, "name"),
        FileReply.NotOffered { File.ConversationId: var conversationId, Reply: var why } => Replies.Error(
            why, new ConversationAddress.ById(endpointId, conversationId)),
        FileReply.Unreadable => ApiErrors.DataLoss(
            Reasons.FileUnreadable, "The stored file cannot be decrypted: its rows are damaged. Delete it."),
        _ => throw new UnreachableException($"{reply.GetType().Name} is not an error."),
    };

    private static string NameOf(FileState state) => state.ToString().ToUpperInvariant();
}
