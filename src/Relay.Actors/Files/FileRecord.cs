using System.Security.Cryptography;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Files;

/// <summary>The row of a file: what is known of it, and the one key that its transfer needs at the time.</summary>
/// <param name="Key">
/// 32 bytes. Ours: the file's key. The peer's: the wrap key until the blob's header has come (<paramref name="Header"/>), then the
/// file's key.
/// </param>
/// <param name="Header">The blob's; empty while there is none.</param>
internal sealed record FileRecord(
    FileState State, string Peer, UInt128 TransferId, string Name, string MediaType, long Size, ReadOnlyMemory<byte> Sha256, string Url,
    ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Header, long CreatedMs)
{
    private const byte Format = 1;

    /// <summary>Why it is undeliverable; empty in any other state.</summary>
    public string Reason { get; init; } = "";

    public override string ToString() => $"FileRecord {{ {State} }}";

    /// <summary>What is offered; its digest must be known.</summary>
    public FileOffer Offer => new(TransferId, Size, Sha256, Name, MediaType, Url);

    /// <summary>The peer's file, as its offer says.</summary>
    /// <param name="wrapKey">Owned by the record.</param>
    public static FileRecord Of(FileOffer offer, string peer, byte[] wrapKey, long nowMs) => new(
        FileState.Offered, peer, offer.TransferId, offer.Name, offer.MediaType, offer.Size, offer.Sha256, offer.Url, wrapKey, default,
        nowMs);

    /// <summary>The id of a peer's file: the peer chooses the transfer id, and must not choose among the endpoint's files by it.</summary>
    public static string IncomingId(KeyedIds ids, string endpointId, string conversationId, UInt128 transferId)
    {
        var id = new byte[FileOffer.TransferIdSize];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(id, transferId);
        return KeyedIds.Base32(ids.Of("file/in", System.Text.Encoding.UTF8.GetBytes(endpointId),
            System.Text.Encoding.UTF8.GetBytes(conversationId), id));
    }

    /// <summary>Seals the row of a revision.</summary>
    /// <param name="reserved">Bytes that count towards the bounds.</param>
    public FileRow Seal(Sealer sealer, string endpointId, string id, string conversationId, ulong revision, long expiresMs, long reserved)
    {
        using var row = new RowWriter();
        Write(row);
        row.Text(conversationId);
        row.Int64(expiresMs);
        return new FileRow(endpointId, id, conversationId, revision, expiresMs, reserved,
            sealer.Seal(SealedTable.File, new RowKey(endpointId, id, revision), row.Written));
    }

    /// <returns>Null if the row does not open.</returns>
    public static FileRecord? TryOpen(Sealer sealer, FileRow stored)
    {
        if (sealer.TryOpen(SealedTable.File, new RowKey(stored.EndpointId, stored.Id, stored.Revision), stored.Sealed) is not { } clear)
            return null;
        try
        {
            var row = new RowReader(clear);
            var record = Read(ref row);
            bool isSame = row.Text() == stored.ConversationId && row.Int64() == stored.ExpiresMs;
            return row.IsComplete && isSame ? record : null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(clear);
        }
    }

    public void Write(RowWriter row)
    {
        row.Byte(Format);
        row.Byte((byte)State);
        row.Text(Peer);
        row.UInt128(TransferId);
        row.Text(Name);
        row.Text(MediaType);
        row.Int64(Size);
        row.Bytes(Sha256.Span);
        row.Text(Url);
        row.Bytes(Key.Span);
        row.Bytes(Header.Span);
        row.Int64(CreatedMs);
        if (State == FileState.Undeliverable) row.Text(Reason);
    }

    /// <summary>Null, or the reader has failed, if it is damaged.</summary>
    public static FileRecord? Read(ref RowReader row)
    {
        bool isKnown = row.Byte() == Format;
        var state = (FileState)row.Byte();
        var record = new FileRecord(state, row.Text(), row.UInt128(), row.Text(), row.Text(), row.Int64(), row.Bytes().ToArray(),
            row.Text(), row.Bytes().ToArray(), row.Bytes().ToArray(), row.Int64());
        if (state == FileState.Undeliverable) record = record with { Reason = row.Text() };
        bool isSound = isKnown && Enum.IsDefined(state) && record.Size is >= 0 and <= FileLimits.MaxFileBytes
            && record.Key.Length == FileCipher.KeySize && record.Sha256.Length is 0 or FileOffer.DigestSize
            && record.Header.Length is 0 or FileCipher.HeaderSize;
        if (!isSound) row.Fail();
        return isSound ? record : null;
    }

    /// <param name="portions">The number of portions stored.</param>
    public FileView View(string endpointId, string id, string conversationId, uint portions, long expiresMs)
    {
        long stored = Math.Min(Size, (long)portions * FileCipher.PortionSize);
        return new FileView(endpointId, id, conversationId, Peer, Name, MediaType, Size, stored, Sha256, State, Url, Time(CreatedMs),
            Time(expiresMs))
        {
            TransferId = TransferId,
            Reason = Reason,
            BlobStored = Header.IsEmpty ? 0 : FileCipher.HeaderSize + stored + (long)portions * FileCipher.TagSize,
            NextBlobPart = Header.IsEmpty ? FileCipher.HeaderSize
                : portions < FileCipher.Portions(Size) ? FileCipher.PortionLength(Size, portions) + FileCipher.TagSize : 0,
        };
    }

    private static DateTimeOffset Time(long ms)
        => DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(ms, 0, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()));
}
