namespace Relay.Storage;

/// <summary>
/// The store of files: each has a row with its keys, and portions of ciphertext, numbered from 0 without gaps, that are appended and never
/// changed.
/// </summary>
public interface IFileStore
{
    /// <summary>
    /// Inserts a file (<see cref="FileRow.Revision"/> 1) or replaces the row of the revision before. Files are also inserted and replaced by
    /// <see cref="CommitUnit.Files"/>.
    /// </summary>
    /// <exception cref="StoreException">It is unknown whether it was stored.</exception>
    ValueTask<SaveFileResult> SaveFileAsync(FileRow file, CancellationToken cancellation);

    /// <summary>Reads a file's row and the number of its portions; null if there is none, or it is being deleted.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<StoredFile?> LoadFileAsync(string endpointId, string id, CancellationToken cancellation);

    /// <summary>Lists an endpoint's files in order of id.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<StoredFile>> ListFilesAsync(string endpointId, string? afterId, int max, CancellationToken cancellation);

    /// <summary>Appends a portion.</summary>
    /// <returns>False if its number is not the next one, or there is no such file: nothing was stored.</returns>
    /// <exception cref="StoreException">It is unknown whether it was stored.</exception>
    ValueTask<bool> AppendPortionAsync(string endpointId, string id, uint number, byte[] value, CancellationToken cancellation);

    /// <summary>Reads portions from one on, in order.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<byte[]>> ReadPortionsAsync(string endpointId, string id, uint first, int max, CancellationToken cancellation);

    /// <summary>
    /// Deletes a file: first its sealed part, with the keys in it, then its portions, and its row last. Idempotent: a deletion that was
    /// interrupted is due (<see cref="ReadFilesDueAsync"/>).
    /// </summary>
    /// <exception cref="StoreException">It may be deleted in part; repeat.</exception>
    ValueTask DeleteFileAsync(string endpointId, string id, CancellationToken cancellation);

    /// <summary>
    /// Destroys what the database still has of the rows, and thus of the sealed keys, of files that were deleted or replaced before. May be
    /// called at any time, by several nodes.
    /// </summary>
    /// <returns>False if the database keeps them for somebody who reads, or they are too many for it: they stay for now.</returns>
    /// <exception cref="StoreException">They may be there; repeat.</exception>
    ValueTask<bool> ScrubFilesAsync(CancellationToken cancellation);

    /// <summary>Reads which files' life is over, the earliest first.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<(string EndpointId, string Id)>> ReadFilesDueAsync(long untilMs, int max, CancellationToken cancellation);
}

/// <param name="ConversationId">The conversation that it belongs to.</param>
/// <param name="Revision">1 when inserted; one more with each change. Authenticated by the seal.</param>
/// <param name="ExpiresMs">The end of its life, in Unix ms.</param>
/// <param name="Reserved">Bytes that count towards the bounds.</param>
/// <param name="Sealed">Not empty.</param>
public sealed record FileRow(
    string EndpointId, string Id, string ConversationId, ulong Revision, long ExpiresMs, long Reserved, byte[] Sealed);

/// <param name="Portions">The number of portions stored.</param>
public sealed record StoredFile(FileRow Row, uint Portions);

public enum SaveFileResult
{
    Saved,
    /// <summary>A file of this id exists, or its revision is another.</summary>
    Conflict,
    /// <summary>The endpoint, or the conversation, has the maximum of files or bytes.</summary>
    Full,
    /// <summary>The endpoint does not exist.</summary>
    NoEndpoint,
}
