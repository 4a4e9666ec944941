using System.Numerics;

namespace Otr.Core.Crypto;

/// <summary>
/// The 1536-bit MODP group of RFC 3526 §2, g = 2. Elements are 192-byte big-endian values, exponents big-endian of any
/// public length. Results are fully reduced. Constant-time in elements and exponents.
/// CONTRACT STUB: arithmetic to be replaced by the kernels; signatures stand.
/// </summary>
internal static class Group1536
{
    public const int ElementSize = 192;

    private static readonly BigInteger P = new(Convert.FromHexString(
        "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B" +
        "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6" +
        "49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D" +
        "670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF"), true, true);

    private static BigInteger B(ReadOnlySpan<byte> v) => new(v, true, true);
    private static void Put(Span<byte> o, BigInteger v)
    {
        o.Clear();
        var b = v.ToByteArray(true, true);
        b.CopyTo(o[(o.Length - b.Length)..]);
    }

    /// <summary>result = base^exponent mod p.</summary>
    public static void Exp(Span<byte> result, ReadOnlySpan<byte> @base, ReadOnlySpan<byte> exponent) => Put(result, BigInteger.ModPow(B(@base), B(exponent), P));

    /// <summary>result = 2^exponent mod p, by a fixed-base comb.</summary>
    public static void ExpG(Span<byte> result, ReadOnlySpan<byte> exponent) => Put(result, BigInteger.ModPow(2, B(exponent), P));

    /// <summary>result = a^x · b^y mod p, with shared squarings.</summary>
    public static void MultiExp(Span<byte> result, ReadOnlySpan<byte> a, ReadOnlySpan<byte> x, ReadOnlySpan<byte> b, ReadOnlySpan<byte> y)
        => Put(result, BigInteger.ModPow(B(a), B(x), P) * BigInteger.ModPow(B(b), B(y), P) % P);

    /// <summary>result = a · b mod p.</summary>
    public static void Multiply(Span<byte> result, ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => Put(result, B(a) * B(b) % P);

    /// <summary>result = a⁻¹ mod p, for a ≠ 0.</summary>
    public static void Invert(Span<byte> result, ReadOnlySpan<byte> a) => Put(result, BigInteger.ModPow(B(a), P - 2, P));

    /// <summary>2 ≤ value ≤ p − 2, the range check of every received element.</summary>
    public static bool IsInRange(ReadOnlySpan<byte> value) => value.Length == ElementSize && B(value) >= 2 && B(value) <= P - 2;

    /// <summary>d = r − a·c mod q, q = (p − 1)/2; all 192 bytes big-endian (a, c, r need not be reduced; c may be shorter).</summary>
    public static void ScalarMulSub(Span<byte> d, ReadOnlySpan<byte> r, ReadOnlySpan<byte> a, ReadOnlySpan<byte> c)
    {
        var q = (P - 1) / 2;
        var v = (B(r) - B(a) * B(c)) % q;
        Put(d, v.Sign < 0 ? v + q : v);
    }

    /// <summary>1 ≤ value &lt; q, libotr's check of the D values of SMP proofs. 192 bytes.</summary>
    public static bool IsScalarInRange(ReadOnlySpan<byte> value) => B(value) >= 1 && B(value) < (P - 1) / 2;
}
