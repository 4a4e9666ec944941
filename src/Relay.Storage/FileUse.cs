namespace Relay.Storage;

/// <summary>
/// How many files, and reserved bytes, one endpoint and one conversation may have. When reached, a file gets
/// <see cref="SaveFileResult.Full"/>; exceeded by at most what is inserted at the same time.
/// </summary>
public sealed record FileQuota
{
    public static FileQuota Default { get; } = new();

    public long Files { get; init; } = StorageLimits.FilesPerEndpoint;
    public long Bytes { get; init; } = StorageLimits.FileBytesPerEndpoint;
    public long ConversationFiles { get; init; } = StorageLimits.FilesPerConversation;
    public long ConversationBytes { get; init; } = StorageLimits.FileBytesPerConversation;
}

/// <summary>What the other files of an endpoint take up: those of all its conversations, and those of one.</summary>
internal readonly record struct FileUse(long Files, long Bytes, long ConversationFiles, long ConversationBytes)
{
    public bool HasRoomFor(FileRow file, FileQuota quota)
        => Files < quota.Files && ConversationFiles < quota.ConversationFiles
            && (file.Reserved == 0
                || (Bytes + file.Reserved <= quota.Bytes && ConversationBytes + file.Reserved <= quota.ConversationBytes));
}
