using System.Security.Cryptography;

namespace Relay.Storage.Sealing;

/// <summary>
/// The key of a store's keyed ids, sealed in the store. Opening it at start proves that the sealing key is the right one before
/// anything is written.
/// </summary>
public static class StoreIdentity
{
    /// <summary>The name of the meta row or document that holds the key.</summary>
    public const string Row = "identity";

    private static readonly RowKey Place = new(Row, "", 1);

    /// <summary>Creates a random key and seals it.</summary>
    public static byte[] Make(Sealer sealer, FillRandom random)
    {
        var key = new byte[KeyedIds.KeySize];
        random(key);
        var value = sealer.Seal(SealedTable.Meta, Place, key);
        CryptographicOperations.ZeroMemory(key);
        return value;
    }

    /// <returns>Null if the value was sealed with another key, or is not authentic.</returns>
    public static KeyedIds? TryOpen(Sealer sealer, byte[] value)
    {
        if (sealer.TryOpen(SealedTable.Meta, Place, value) is not { Length: KeyedIds.KeySize } key) return null;
        var ids = new KeyedIds(key);
        CryptographicOperations.ZeroMemory(key);
        return ids;
    }
}
