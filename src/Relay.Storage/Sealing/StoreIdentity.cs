using System.Security.Cryptography;

namespace Relay.Storage.Sealing;

/// <summary>
/// The key of a store's keyed ids, which lies sealed in the store: opening it proves the sealing key before anything is
/// written.
/// </summary>
public static class StoreIdentity
{
    /// <summary>The name of its row.</summary>
    public const string Row = "identity";

    private static readonly RowKey Place = new(Row, "", 1);

    /// <summary>A new one, sealed.</summary>
    public static byte[] Make(Sealer sealer, FillRandom random)
    {
        var key = new byte[KeyedIds.KeySize];
        random(key);
        var value = sealer.Seal(SealedTable.Meta, Place, key);
        CryptographicOperations.ZeroMemory(key);
        return value;
    }

    /// <returns>Null if the sealing key is not the one that it was sealed with.</returns>
    public static KeyedIds? TryOpen(Sealer sealer, byte[] value)
    {
        if (sealer.TryOpen(SealedTable.Meta, Place, value) is not { Length: KeyedIds.KeySize } key) return null;
        var ids = new KeyedIds(key);
        CryptographicOperations.ZeroMemory(key);
        return ids;
    }
}
