namespace Relay.Actors.Files;

/// <summary>Where a file is on its way. The numbers are stored.</summary>
public enum FileState : byte
{
    /// <summary>Ours: the bot uploads it; nobody else knows of it.</summary>
    Uploading = 1,
    /// <summary>Ours: it is complete, and the peer was offered it in the private session.</summary>
    Sent = 2,
    /// <summary>The peer's: it was offered; its blob has not come, or not wholly.</summary>
    Offered = 3,
    /// <summary>The peer's: all of it has come and is what was offered.</summary>
    Received = 4,
    /// <summary>The peer's: all of it has come and is not what was offered: its digest is another.</summary>
    Damaged = 5,
    /// <summary>Ours: the network did not take the offer, or carries no blobs: the peer does not have the offer. It can be offered again.</summary>
    Undeliverable = 6,
}

/// <summary>A file as callers see it.</summary>
/// <param name="Id">26 characters of base32, lowercase; unique in the endpoint.</param>
/// <param name="Peer">The peer's address.</param>
/// <param name="Size">Of the plaintext, in bytes.</param>
/// <param name="Stored">Bytes of the plaintext that are stored.</param>
/// <param name="Sha256">Of the plaintext; empty until it is known.</param>
public sealed record FileView(
    string EndpointId, string Id, string ConversationId, string Peer, string Name, string MediaType, long Size, long Stored,
    ReadOnlyMemory<byte> Sha256, FileState State, string Url, DateTimeOffset Created, DateTimeOffset Expires)
{
    public bool IsFromPeer => State is FileState.Offered or FileState.Received or FileState.Damaged;

    /// <summary>Why it is undeliverable, as the bridge has said it; empty otherwise.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The blob's size in bytes.</summary>
    public long BlobSize => FileCipher.BlobSize(Size);

    /// <summary>Bytes of the blob that are stored.</summary>
    public long BlobStored { get; init; }

    /// <summary>Bytes that the next part of the blob has, as it is to be written; 0 if all of it is stored.</summary>
    public int NextBlobPart { get; init; }

    /// <summary>Random; the blob begins with it, after its mark.</summary>
    public UInt128 TransferId { get; init; }

    public override string ToString() => $"FileView {{ {Id} }}";
}
