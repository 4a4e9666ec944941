using Otr.Core.Crypto.Montgomery;

namespace Otr.Core.Crypto;

/// <summary>
/// The 1536-bit MODP group of RFC 3526 §2, g = 2. Elements are big-endian values of at most 192 bytes, exponents big-endian of any public
/// length up to 192 bytes (an empty one is 0). Results have 192 bytes, are fully reduced and may be the same memory as an operand.
/// Constant-time in elements and exponents; working memory is wiped. Runs on the kernel that <see cref="Kernels"/> chose at start.
/// </summary>
internal static class Group1536
{
    public const int ElementSize = 192;

    private static readonly ModpGroup1536 Group = new(Kernels.Current);

    /// <summary>The kernel in use.</summary>
    public static KernelKind Kernel => Group.Kernel;

    /// <summary>
    /// Compiles the kernel and builds both combs, some tens of milliseconds that the first key exchange would otherwise wait for. For a server's start;
    /// calling it is never necessary.
    /// </summary>
    public static void WarmUp()
    {
        Span<byte> result = stackalloc byte[ElementSize], exponent = stackalloc byte[ElementSize];
        exponent.Fill(1);
        ExpG(result, exponent[..40]);
        MultiExpG(result, exponent, result, exponent[..40]);
        ScalarMulSub(result, result, exponent, exponent);
    }

    /// <summary>result = base^exponent mod p.</summary>
    public static void Exp(Span<byte> result, ReadOnlySpan<byte> @base, ReadOnlySpan<byte> exponent) => Group.MultiExp(result, @base, exponent, default, default);

    /// <summary>result = 2^exponent mod p, by a fixed-base comb.</summary>
    public static void ExpG(Span<byte> result, ReadOnlySpan<byte> exponent) => Group.MultiExpG(result, exponent, default, default, default, default);

    /// <summary>result = a^x · b^y mod p, with shared squarings.</summary>
    public static void MultiExp(Span<byte> result, ReadOnlySpan<byte> a, ReadOnlySpan<byte> x, ReadOnlySpan<byte> b, ReadOnlySpan<byte> y) =>
        Group.MultiExp(result, a, x, b, y);

    /// <summary>result = 2^z · a^x mod p: the comb for 2, a ladder only as long as x. Far cheaper than <see cref="MultiExp"/> when x is a 256-bit challenge.</summary>
    public static void MultiExpG(Span<byte> result, ReadOnlySpan<byte> z, ReadOnlySpan<byte> a, ReadOnlySpan<byte> x) =>
        Group.MultiExpG(result, z, a, x, default, default);

    /// <summary>result = 2^z · a^x · b^y mod p.</summary>
    public static void MultiExpG(Span<byte> result, ReadOnlySpan<byte> z, ReadOnlySpan<byte> a, ReadOnlySpan<byte> x, ReadOnlySpan<byte> b, ReadOnlySpan<byte> y) =>
        Group.MultiExpG(result, z, a, x, b, y);

    /// <summary>result = a · b mod p.</summary>
    public static void Multiply(Span<byte> result, ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => Group.Multiply(result, a, b);

    /// <summary>result = a⁻¹ mod p, for a ≠ 0; the inverse of 0 comes out as 0.</summary>
    public static void Invert(Span<byte> result, ReadOnlySpan<byte> a) => Group.Invert(result, a);

    /// <summary>2 ≤ value ≤ p − 2, the range check of every received element; false for any length but 192.</summary>
    public static bool IsInRange(ReadOnlySpan<byte> value) => ModpGroup1536.IsInRange(value);

    /// <summary>
    /// <see cref="IsInRange"/>, and a square mod p: one of the q elements that 2 generates. Half of those in range are not, and
    /// raised to a secret exponent they show whether it is odd. Takes time that depends on the value, which must be public.
    /// </summary>
    public static bool IsMember(ReadOnlySpan<byte> value) => ModpGroup1536.IsMember(value);

    /// <summary>d = r − a·c mod q, q = (p − 1)/2; all 192 bytes big-endian (a, c, r need not be reduced; any may be shorter).</summary>
    public static void ScalarMulSub(Span<byte> d, ReadOnlySpan<byte> r, ReadOnlySpan<byte> a, ReadOnlySpan<byte> c) => Group.ScalarMulSub(d, r, a, c);

    /// <summary>1 ≤ value &lt; q, libotr's check of the D values of SMP proofs; false for any length but 192.</summary>
    public static bool IsScalarInRange(ReadOnlySpan<byte> value) => ModpGroup1536.IsScalarInRange(value);
}
