using System.Numerics;

namespace Otr.Core.Crypto.Montgomery;

/// <summary>The Jacobi symbol of public numbers, in little-endian words. Its time depends on them.</summary>
internal static class JacobiSymbol
{
    /// <summary>
    /// (a/n) for odd n, by the binary algorithm (Cohen, A Course in Computational Algebraic Number Theory, 1.4.12): 1, −1, or 0 if they
    /// share a factor.
    /// </summary>
    public static int Of(ReadOnlySpan<ulong> a, ReadOnlySpan<ulong> n)
    {
        if ((n[0] & 1) == 0 || a.Length != n.Length) throw new ArgumentException("n must be odd and have as many words as a.", nameof(n));
        Span<ulong> u = stackalloc ulong[a.Length], v = stackalloc ulong[a.Length];
        a.CopyTo(u);
        n.CopyTo(v);
        // Invariant: the symbol is (u/v) or its opposite; v is odd.
        bool negative = false;
        while (true)
        {
            u = Trim(u);
            v = Trim(v);
            if (u.IsEmpty) return v is [1] ? negative ? -1 : 1 : 0;
            // (2/v) = −1 iff v ≡ 3 or 5 mod 8.
            if ((ShiftOutZeros(u) & 1) == 1 && (v[0] & 7) is 3 or 5) negative = !negative;
            u = Trim(u);
            if (IsLess(u, v))
            {
                // Reciprocity: both odd, the sign changes iff both are 3 mod 4.
                var swap = u;
                u = v;
                v = swap;
                if ((u[0] & v[0] & 3) == 3) negative = !negative;
            }
            ulong borrow = 0;
            for (int i = 0; i < v.Length; i++) u[i] = Words.SubtractBorrow(u[i], v[i], ref borrow);
            for (int i = v.Length; borrow != 0; i++) u[i] = Words.SubtractBorrow(u[i], 0, ref borrow);
        }
    }

    private static Span<ulong> Trim(Span<ulong> value)
    {
        int length = value.Length;
        while (length > 0 && value[length - 1] == 0) length--;
        return value[..length];
    }

    private static bool IsLess(ReadOnlySpan<ulong> a, ReadOnlySpan<ulong> b)
    {
        if (a.Length != b.Length) return a.Length < b.Length;
        for (int i = a.Length - 1; i >= 0; i--)
        {
            if (a[i] != b[i]) return a[i] < b[i];
        }
        return false;
    }

    /// <summary>Divides by the largest power of two; returns its exponent.</summary>
    private static int ShiftOutZeros(Span<ulong> value)
    {
        int words = value.IndexOfAnyExcept(0UL), bits = BitOperations.TrailingZeroCount(value[words]);
        for (int i = 0; i < value.Length; i++)
        {
            ulong low = i + words < value.Length ? value[i + words] : 0, high = i + words + 1 < value.Length ? value[i + words + 1] : 0;
            value[i] = bits == 0 ? low : low >> bits | high << (64 - bits);
        }
        return 64 * words + bits;
    }
}
