namespace Otr.Core;

/// <summary>The numbers of a DSA public key, for sealed storage and export: big-endian, without leading zeros.</summary>
public sealed record DsaPublicParameters(ReadOnlyMemory<byte> P, ReadOnlyMemory<byte> Q, ReadOnlyMemory<byte> G, ReadOnlyMemory<byte> Y)
{
    /// <summary>Of a key.</summary>
    public static DsaPublicParameters Of(DsaPublicKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return new DsaPublicParameters(key.P, key.Q, key.G, key.Y);
    }

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(DsaPublicParameters);
}
