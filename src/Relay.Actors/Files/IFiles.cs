using Relay.Storage;

namespace Relay.Actors.Files;

/// <summary>
/// The files of endpoints. A bot writes one of ours in portions and completes it, which offers it to the peer, and reads a peer's; a bridge
/// reads and writes the blobs, which are ciphertext. All of it throws <see cref="StoreException"/> when the store fails; what was done then
/// can be repeated.
/// </summary>
public interface IFiles
{
    /// <summary>Creates a file for a peer. Idempotent by the request id.</summary>
    ValueTask<FileReply> CreateAsync(CreateFile create, CancellationToken cancellation);

    ValueTask<FileReply> GetAsync(string endpointId, string fileId, CancellationToken cancellation);

    /// <summary>Files of an endpoint in order of id; one that does not open is left out.</summary>
    ValueTask<FilePage> ListAsync(string endpointId, string? afterId, int max, CancellationToken cancellation);

    /// <summary>
    /// Writes a portion of one of ours: <see cref="FileLimits.PortionBytes"/> bytes from a multiple of it, or the rest. The next one in order
    /// is stored; one that is stored already is compared.
    /// </summary>
    ValueTask<FileReply> WriteAsync(
        string endpointId, string fileId, long offset, ReadOnlyMemory<byte> data, CancellationToken cancellation);

    /// <summary>
    /// Offers a complete file of ours to the peer, in the best private session. What the conversation replied is in
    /// <see cref="FileReply.NotOffered"/> if that was not done.
    /// </summary>
    /// <param name="sha256">What the caller expects the digest to be; null: it expects none.</param>
    ValueTask<FileReply> CompleteAsync(
        string endpointId, string fileId, string requestId, ReadOnlyMemory<byte>? sha256, CancellationToken cancellation);

    /// <summary>Reads plaintext, up to <paramref name="max"/> bytes: of ours what is stored, of a peer's once it is received.</summary>
    ValueTask<FileReply> ReadAsync(string endpointId, string fileId, long offset, int max, CancellationToken cancellation);

    /// <summary>Reads a part of the blob of a file of ours that was sent.</summary>
    ValueTask<FileReply> ReadBlobAsync(string endpointId, string fileId, long offset, int max, CancellationToken cancellation);

    /// <summary>
    /// Writes the next part of the blob of a peer's file, of <see cref="FileView.NextBlobPart"/> bytes; one that is stored already is
    /// compared. Without data: tells how far it is.
    /// </summary>
    ValueTask<FileReply> WriteBlobAsync(
        string endpointId, string fileId, long offset, ReadOnlyMemory<byte> data, CancellationToken cancellation);

    /// <summary>
    /// Tells that the network does not bring a file of ours that was sent: it becomes undeliverable, and the bot is told. In any other state
    /// nothing happens.
    /// </summary>
    /// <param name="reason">A stable name.</param>
    ValueTask<FileReply> RefuseAsync(string endpointId, string fileId, string reason, CancellationToken cancellation);

    /// <summary>The public URL of the blob of one of ours; null if the server has no public URL.</summary>
    string? Link(string endpointId, string fileId);

    /// <summary>The file that the token at the end of a link is of; null if this server has not made it. The file may be gone.</summary>
    (string EndpointId, string FileId)? TryOpenLink(string token);

    /// <summary>Deletes a file and its keys; also one that is not there.</summary>
    ValueTask DeleteAsync(string endpointId, string fileId, CancellationToken cancellation);

    /// <summary>The id of a peer's file by the transfer id that its blob begins with, whether there is one or not.</summary>
    string IncomingId(string endpointId, string peer, UInt128 transferId);
}

/// <param name="RequestId">Unique in the endpoint; a retry gets the same file.</param>
/// <param name="Name">See <see cref="FileNames.IsName"/>.</param>
/// <param name="MediaType">See <see cref="FileNames.IsMediaType"/>.</param>
public sealed record CreateFile(
    string RequestId, string EndpointId, string ConversationId, string Peer, string Name, string MediaType, long Size)
{
    public override string ToString() => nameof(CreateFile);
}

/// <param name="NextAfterId">Null on the last page.</param>
public sealed record FilePage(IReadOnlyList<FileView> Files, string? NextAfterId);

/// <summary>The result of an operation on a file.</summary>
public abstract record FileReply
{
    public sealed record Done(FileView File) : FileReply;

    /// <param name="Data">Empty at the end.</param>
    public sealed record Read(FileView File, ReadOnlyMemory<byte> Data) : FileReply
    {
        public override string ToString() => nameof(Read);
    }

    public sealed record NotFound : FileReply { public static NotFound Instance { get; } = new(); }

    /// <summary>The endpoint does not exist, or is not active.</summary>
    public sealed record NoEndpoint : FileReply { public static NoEndpoint Instance { get; } = new(); }

    /// <summary>The endpoint or the peer has the maximum of files or bytes.</summary>
    public sealed record Full : FileReply { public static Full Instance { get; } = new(); }

    /// <summary>The request id was used for another file.</summary>
    public sealed record RequestIdReused : FileReply { public static RequestIdReused Instance { get; } = new(); }

    /// <summary>The file's state does not allow it.</summary>
    public sealed record WrongState(FileView File) : FileReply;

    /// <summary>The offset is not where the file ends, or the data is not what follows there; the file tells how far it is.</summary>
    public sealed record WrongPlace(FileView File) : FileReply;

    /// <summary>Other data is stored there. Nothing was changed.</summary>
    public sealed record Different(FileView File) : FileReply;

    /// <summary>The blob's part does not open: it is not of this file, or was changed on its way. Nothing was stored.</summary>
    public sealed record NotAuthentic(FileView File) : FileReply;

    /// <summary>The digest is not what the caller expects.</summary>
    public sealed record DigestDiffers(FileView File) : FileReply;

    /// <summary>The conversation did not take the offer, or the report that a file has come, for the reason that its reply gives.</summary>
    public sealed record NotOffered(FileView File, ConversationReply Reply) : FileReply;

    /// <summary>The stored file does not open: its rows are damaged or were sealed with another key.</summary>
    public sealed record Unreadable : FileReply { public static Unreadable Instance { get; } = new(); }
}
