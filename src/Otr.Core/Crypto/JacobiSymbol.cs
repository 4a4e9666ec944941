using System.Numerics;

namespace Otr.Core.Crypto;

/// <summary>
/// The Jacobi symbol (a/n) by the binary algorithm (Cohen, "A Course in Computational Algebraic Number Theory", 1.4.12): shifts,
/// comparisons and subtractions on little-endian words. Modulo a prime it is 1 exactly for the squares. For public numbers only: its
/// time depends on them.
/// </summary>
internal static class JacobiSymbol
{
    /// <summary>1, −1, or 0 if a and n have a common divisor.</summary>
    /// <param name="a">As many words as <paramref name="n"/>; overwritten.</param>
    /// <param name="n">Odd; overwritten.</param>
    public static int Of(Span<ulong> a, Span<ulong> n)
    {
        if (a.Length != n.Length || n.IsEmpty || (n[0] & 1) == 0)
            throw new ArgumentException("The modulus must be odd, and both numbers of one length.", nameof(n));
        bool isNegative = false;
        int length = n.Length;
        if (!ShiftToOdd(a, n[0], ref isNegative)) return IsOne(n) ? 1 : 0;
        while (true)
        {
            while (length > 1 && (a[length - 1] | n[length - 1]) == 0) length--;
            int order = Compare(a, n, length);
            // gcd(a, n) is what both have become.
            if (order == 0) return !IsOne(n[..length]) ? 0 : isNegative ? -1 : 1;
            if (order < 0)
            {
                // Quadratic reciprocity: both ≡ 3 (mod 4).
                isNegative ^= (a[0] & n[0] & 2) != 0;
                var smaller = a;
                a = n;
                n = smaller;
            }
            SubtractToOdd(a, n, length, ref isNegative);
        }
    }

    /// <summary>a = (a − n)/2^z, odd, for odd a &gt; n.</summary>
    private static void SubtractToOdd(Span<ulong> a, Span<ulong> n, int length, ref bool isNegative)
    {
        a = a[..length];
        n = n[..length];
        ulong low = a[0] - n[0];
        if (low == 0)
        {
            Subtract(a, n);
            ShiftToOdd(a, n[0], ref isNegative);
            return;
        }
        int shift = BitOperations.TrailingZeroCount(low);
        TakeTwos(shift, n[0], ref isNegative);
        ulong borrow = a[0] < n[0] ? 1ul : 0;
        for (int i = 1; i < a.Length; i++)
        {
            ulong difference = a[i] - n[i], next = difference - borrow;
            borrow = (a[i] < n[i] ? 1ul : 0) | (difference < borrow ? 1ul : 0);
            a[i - 1] = low >> shift | next << (64 - shift);
            low = next;
        }
        a[^1] = low >> shift;
    }

    private static void Subtract(Span<ulong> a, ReadOnlySpan<ulong> n)
    {
        ulong borrow = 0;
        for (int i = 0; i < a.Length; i++)
        {
            ulong difference = a[i] - n[i], next = difference - borrow;
            borrow = (a[i] < n[i] ? 1ul : 0) | (difference < borrow ? 1ul : 0);
            a[i] = next;
        }
    }

    /// <summary>Divides by the highest power of two in a. False if a = 0.</summary>
    private static bool ShiftToOdd(Span<ulong> a, ulong n, ref bool isNegative)
    {
        int words = a.IndexOfAnyExcept(0ul);
        if (words < 0) return false;
        int bits = BitOperations.TrailingZeroCount(a[words]);
        TakeTwos(bits, n, ref isNegative);
        for (int i = 0; i < a.Length; i++)
        {
            ulong low = i + words < a.Length ? a[i + words] : 0, high = i + words + 1 < a.Length ? a[i + words + 1] : 0;
            a[i] = bits == 0 ? low : low >> bits | high << (64 - bits);
        }
        return true;
    }

    /// <summary>(2/n) = −1 for n ≡ ±3 (mod 8); whole words of zeros are an even number of twos.</summary>
    private static void TakeTwos(int count, ulong n, ref bool isNegative) => isNegative ^= (count & 1) != 0 && (n & 7) is 3 or 5;

    private static int Compare(ReadOnlySpan<ulong> a, ReadOnlySpan<ulong> n, int length)
    {
        for (int i = length - 1; i >= 0; i--)
        {
            if (a[i] != n[i]) return a[i] < n[i] ? -1 : 1;
        }
        return 0;
    }

    private static bool IsOne(ReadOnlySpan<ulong> n) => n[0] == 1 && n[1..].IndexOfAnyExcept(0ul) < 0;
}
