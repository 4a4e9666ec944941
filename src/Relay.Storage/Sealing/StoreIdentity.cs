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
        var value = Seal(sealer, key);
        CryptographicOperations.ZeroMemory(key);
        return value;
    }

    /// <summary>Seals the key of another store, whose ids this one takes over.</summary>
    /// <param name="key"><see cref="KeyedIds.KeySize"/> bytes.</param>
    public static byte[] Seal(Sealer sealer, ReadOnlySpan<byte> key) => sealer.Seal(SealedTable.Meta, Place, key);

    /// <returns>Null if the value was sealed with another key, or is not authentic.</returns>
    public static KeyedIds? TryOpen(Sealer sealer, byte[] value)
    {
        if (TryOpenKey(sealer, value) is not { } key) return null;
        var ids = new KeyedIds(key);
        CryptographicOperations.ZeroMemory(key);
        return ids;
    }

    /// <returns>The key itself, which the caller wipes; null if the value was sealed with another key, or is not authentic.</returns>
    public static byte[]? TryOpenKey(Sealer sealer, byte[] value)
        => sealer.TryOpen(SealedTable.Meta, Place, value) is { Length: KeyedIds.KeySize } key ? key : null;
}
