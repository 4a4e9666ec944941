using Relay.Actors.Conversations;
using Relay.Storage;
using Relay.Storage.Backups;
using Relay.Storage.Sealing;

namespace Relay.Actors.Backups;

/// <summary>The contents of a backup's records, as docs/backups.md describes them.</summary>
internal static class BackupRecords
{
    private const byte Format = 1;

    public static void WriteAbout(RowWriter row, DateTimeOffset made, string version, ReadOnlySpan<byte> idsKey)
    {
        row.Byte(Format);
        row.Int64(made.ToUnixTimeMilliseconds());
        row.Text(version);
        row.Bytes(idsKey);
    }

    /// <returns>The third is the key of the keyed ids, which the caller wipes; null: another content, or of another format.</returns>
    public static (DateTimeOffset Made, string Version, byte[] IdsKey)? ReadAbout(ReadOnlySpan<byte> content)
    {
        var row = new RowReader(content);
        if (row.Byte() != Format) return null;
        long made = row.Int64();
        var version = row.Text();
        var key = row.Bytes();
        if (!row.IsComplete || key.Length != KeyedIds.KeySize) return null;
        if (made < 0 || made > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()) return null;
        return (DateTimeOffset.FromUnixTimeMilliseconds(made), version, key.ToArray());
    }

    public static void WriteApiKeys(RowWriter row, SharedDocument keys)
    {
        row.UInt64(keys.Version);
        row.Bytes(keys.Clear);
    }

    public static SharedDocument? ReadApiKeys(ReadOnlySpan<byte> content)
    {
        var row = new RowReader(content);
        ulong version = row.UInt64();
        var text = row.Bytes();
        return row.IsComplete && version < RelayLimits.MaxRestoredPosition ? new SharedDocument(version, text.ToArray()) : null;
    }

    /// <param name="clear">The content of the endpoint's row.</param>
    public static void WriteEndpoint(RowWriter row, EndpointRow stored, ReadOnlySpan<byte> clear)
    {
        row.Text(stored.Id);
        row.UInt128(stored.Address);
        row.UInt128(stored.Request);
        row.UInt128(stored.RequestContent);
        row.UInt64(stored.Revision);
        row.Bool(stored.PurgeMs is not null);
        if (stored.PurgeMs is { } purge) row.Int64(purge);
        row.Bytes(clear);
    }

    /// <param name="clear">The content of the endpoint's row.</param>
    /// <returns>Without its sealed part; null if it is another content.</returns>
    public static EndpointRow? ReadEndpoint(ReadOnlySpan<byte> content, out ReadOnlySpan<byte> clear)
    {
        var row = new RowReader(content);
        var (id, address, request, requestContent) = (row.Text(), row.UInt128(), row.UInt128(), row.UInt128());
        ulong revision = row.UInt64();
        long? purge = row.Bool() ? row.Int64() : null;
        clear = row.Bytes();
        return row.IsComplete && id.Length > 0 && revision is > 0 and < RelayLimits.MaxRestoredPosition
            ? new EndpointRow(id, address, request, requestContent, [], revision, purge) : null;
    }

    public static void WriteStream(RowWriter row, BackedUpStream stream)
    {
        row.Text(stream.Stream.EndpointId);
        row.Byte((byte)stream.Stream.Kind);
        row.UInt64(stream.Last);
    }

    public static BackedUpStream? ReadStream(ReadOnlySpan<byte> content)
    {
        var row = new RowReader(content);
        var stream = new BackedUpStream(new StreamKey(row.Text(), (StreamKind)row.Byte()), row.UInt64());
        return row.IsComplete && Enum.IsDefined(stream.Stream.Kind) && stream.Last < RelayLimits.MaxRestoredPosition ? stream : null;
    }

    public static void WriteIdentities(RowWriter row, ConversationKey key, ReadOnlySpan<byte> clear)
    {
        row.Text(key.EndpointId);
        row.Text(key.ConversationId);
        row.Bytes(clear);
    }

    public static bool TryReadIdentities(ReadOnlySpan<byte> content, out ConversationKey key, out ReadOnlySpan<byte> clear)
    {
        var row = new RowReader(content);
        key = new ConversationKey(row.Text(), row.Text());
        clear = row.Bytes();
        return row.IsComplete;
    }
}
