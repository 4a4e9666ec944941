using System.Security.Cryptography;
using Otr.Core.Crypto;

namespace Otr.Core.V3.Smp;

/// <summary>The arithmetic that both sides of SMP share.</summary>
internal static class SmpGroup
{
    private const int Size = Group1536.ElementSize;

    /// <summary>P = g3^r, Q = g1^r·g2^secret.</summary>
    /// <param name="secret">x or y, 32 bytes.</param>
    public static void Coordinates(ReadOnlySpan<byte> g2, ReadOnlySpan<byte> g3, ReadOnlySpan<byte> r, ReadOnlySpan<byte> secret,
        Span<byte> p, Span<byte> q)
    {
        Group1536.Exp(p, g3, r);
        Group1536.MultiExpG(q, r, g2, secret);
    }

    /// <summary>
    /// p = pa/pb, q = qa/qb, with one inversion for both (Montgomery's trick): 1/pb = qb/(pb·qb). All of them are public.
    /// </summary>
    public static void Divide(
        Span<byte> p, ReadOnlySpan<byte> pa, ReadOnlySpan<byte> pb, Span<byte> q, ReadOnlySpan<byte> qa, ReadOnlySpan<byte> qb)
    {
        Span<byte> inverse = stackalloc byte[Size];
        Group1536.Multiply(inverse, pb, qb);
        Group1536.Invert(inverse, inverse);
        Group1536.Multiply(p, inverse, qb);
        Group1536.Multiply(p, p, pa);
        Group1536.Multiply(q, inverse, pb);
        Group1536.Multiply(q, q, qa);
    }

    /// <summary>Rab = R^exponent3 = Pa/Pb exactly if the secrets are equal.</summary>
    public static bool EqualSecrets(ReadOnlySpan<byte> r, ReadOnlySpan<byte> exponent3, ReadOnlySpan<byte> pRatio)
    {
        Span<byte> rab = stackalloc byte[Size];
        Group1536.Exp(rab, r, exponent3);
        var isEqual = CryptographicOperations.FixedTimeEquals(rab, pRatio);
        CryptographicOperations.ZeroMemory(rab);
        return isEqual;
    }
}
