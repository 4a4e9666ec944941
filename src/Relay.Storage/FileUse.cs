namespace Relay.Storage;

/// <summary>What the other files of an endpoint take up: those of all its conversations, and those of one.</summary>
internal readonly record struct FileUse(long Files, long Bytes, long ConversationFiles, long ConversationBytes)
{
    public bool HasRoomFor(FileRow file)
        => Files < StorageLimits.MaxFilesPerEndpoint && ConversationFiles < StorageLimits.MaxFilesPerConversation
            && (file.Reserved == 0 || (Bytes + file.Reserved <= StorageLimits.MaxFileBytesPerEndpoint
                && ConversationBytes + file.Reserved <= StorageLimits.MaxFileBytesPerConversation));
}
