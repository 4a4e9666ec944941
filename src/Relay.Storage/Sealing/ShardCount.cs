using System.Buffers.Binary;

namespace Relay.Storage.Sealing;

/// <summary>How many shards a cluster has, sealed in a document: fixed by the first node, as conversations are spread by it.</summary>
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

    /// <returns>Null if the record does not open.</returns>
    public static int? TryOpen(Sealer sealer, byte[] value)
        => sealer.TryOpen(SealedTable.Meta, Place, value) is { Length: 4 } clear ? BinaryPrimitives.ReadInt32BigEndian(clear) : null;
}
