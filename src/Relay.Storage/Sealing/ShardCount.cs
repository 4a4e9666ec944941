using System.Buffers.Binary;

namespace Relay.Storage.Sealing;

/// <summary>
/// The number of shards of a cluster, sealed in a document. The first node sets it, and it cannot be changed later, because it
/// determines the shard of every conversation.
/// </summary>
public static class ShardCount
{
    /// <summary>The document's name.</summary>
    public const string Document = "shards";

    private static readonly RowKey Place = new(Document, "", 1);

    public static byte[] Seal(Sealer sealer, int shards)
    {
        var value = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(value, shards);
        return sealer.Seal(SealedTable.Meta, Place, value);
    }

    /// <returns>Null if the value is not authentic.</returns>
    public static int? TryOpen(Sealer sealer, byte[] value)
        => sealer.TryOpen(SealedTable.Meta, Place, value) is { Length: 4 } clear ? BinaryPrimitives.ReadInt32BigEndian(clear) : null;
}
