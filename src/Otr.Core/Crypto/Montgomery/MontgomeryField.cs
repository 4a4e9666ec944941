using System.Numerics;

namespace Otr.Core.Crypto.Montgomery;

/// <summary>
/// Arithmetic modulo a public odd number m, on one kernel. Elements go in as big-endian bytes, need not be reduced (any value of at most
/// <see cref="ByteLength"/> bytes), and come out fully reduced in exactly that many. Results may be the same memory as operands.
/// Time and memory accesses depend on the lengths only, never on elements or exponents.
/// </summary>
internal abstract class MontgomeryField
{
    /// <summary>L: the kernels' residues have 56·L bits.</summary>
    protected readonly int Limbs;
    /// <summary>m, in <see cref="WordCount"/> little-endian words.</summary>
    protected readonly ulong[] Modulus;
    /// <summary>Bits of k where N = m·k; none if m itself is ≡ −1 (mod 2^56).</summary>
    protected readonly int ExcessBits;

    protected MontgomeryField(ReadOnlySpan<byte> modulus, Shape shape)
    {
        ByteLength = modulus.Length;
        Limbs = shape.Limbs;
        ExcessBits = shape.ExcessBits;
        Modulus = new ulong[WordCount];
        Words.FromBigEndian(Modulus, modulus);
    }

    /// <summary>Bytes of the modulus, and of every result.</summary>
    public int ByteLength { get; }

    /// <summary>64-bit words that hold any residue, and a zero.</summary>
    protected int WordCount => (56 * Limbs + 63) / 64 + 1;

    /// <param name="modulus">Big-endian, odd, first byte not zero. Public.</param>
    /// <param name="kind">The kernel; moduli that the vector kernels are not made for are served by the portable one.</param>
    public static MontgomeryField Create(ReadOnlySpan<byte> modulus, KernelKind kind)
    {
        if (modulus.IsEmpty || modulus[0] == 0 || (modulus[^1] & 1) == 0) throw new ArgumentException("The modulus must be odd and minimal.", nameof(modulus));
        var shape = Shape.Of(modulus);
        if (shape.Limbs is not (20 or 28 or 56)) kind = KernelKind.Portable;
        return kind switch
        {
            KernelKind.Avx512 => new MontgomeryField<Avx512Kernel>(modulus, shape),
            KernelKind.Avx2 => new MontgomeryField<Avx2Kernel>(modulus, shape),
            KernelKind.Portable => new MontgomeryField<PortableKernel>(modulus, shape),
            _ => throw new ArgumentOutOfRangeException(nameof(kind)),
        };
    }

    /// <summary>result = a·b mod m.</summary>
    public abstract void Multiply(Span<byte> result, ReadOnlySpan<byte> a, ReadOnlySpan<byte> b);

    /// <summary>result = a^x · b^y · comb^z mod m; an empty exponent leaves its factor out. Squarings are shared between a and b.</summary>
    public abstract void MultiExp(Span<byte> result, ReadOnlySpan<byte> a, ReadOnlySpan<byte> x, ReadOnlySpan<byte> b = default, ReadOnlySpan<byte> y = default,
        FixedBaseComb? comb = null, ReadOnlySpan<byte> z = default);

    /// <summary>Tables for powers of a base that is used often. The base is public.</summary>
    /// <param name="bits">The longest exponent.</param>
    /// <param name="teeth">h: bits of the exponent that one look-up takes.</param>
    /// <param name="blocks">v: tables; more of them save squarings.</param>
    public abstract FixedBaseComb CreateComb(ReadOnlySpan<byte> @base, int bits, int teeth, int blocks);

    /// <summary>N = m·k with N ≡ −1 (mod 2^56), and the number of limbs with 4N ≤ R.</summary>
    protected internal readonly record struct Shape(BigInteger N, int Limbs, int ExcessBits)
    {
        public static Shape Of(ReadOnlySpan<byte> modulus)
        {
            BigInteger m = new(modulus, isUnsigned: true, isBigEndian: true), one56 = BigInteger.One << 56;
            ulong low = (ulong)(m & ulong.MaxValue), inverse = 1;
            // Newton: each step doubles the correct bits of m⁻¹ mod 2^64.
            for (int i = 0; i < 6; i++) inverse *= 2 - low * inverse;
            BigInteger k = (0 - inverse) & (ulong)(one56 - 1);
            var n = m * k;
            int limbs = (int)((n.GetBitLength() + 2 + 55) / 56);
            // A 3072-bit prime of RFC 3526 needs 55, the vector kernels a multiple of four.
            return new Shape(n, limbs == 55 ? 56 : limbs, k.IsOne ? 0 : 56);
        }
    }
}
