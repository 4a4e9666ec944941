using System.Runtime.CompilerServices;

namespace Otr.Core.Crypto.Montgomery;

/// <summary>
/// Product scanning in radix 2^56. There is no add-with-carry here, so the eight spare bits of a word stand in for it: with one
/// factor shifted left by 8, the high half of the 128-bit product is ⌊x·y/2^56⌋ and the low half, shifted back, x·y mod 2^56. A column
/// sums at most 4L + 2 such halves below 2^56, which fits a word for L ≤ 60.
/// </summary>
internal readonly unsafe struct PortableKernel : IMontgomeryKernel
{
    private const ulong Mask = (1UL << 56) - 1;

    public static int ResidueWords(int limbs) => limbs;

    /// <summary>The shifted factor, the quotient digits, the shifted modulus, the result.</summary>
    public static int ScratchWords(int limbs) => 4 * limbs;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(ulong* r, ulong* a, ulong* b, in MontgomeryFrame frame) => Scan(r, a, b, false, frame);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Square(ulong* r, ulong* a, in MontgomeryFrame frame) => Scan(r, a, a, true, frame);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Scan(ulong* r, ulong* a, ulong* b, bool square, in MontgomeryFrame frame)
    {
        int n = frame.Limbs;
        ulong* shifted = frame.Scratch;
        ulong* q = shifted + n;
        ulong* modulus = q + n;
        ulong* t = modulus + n;
        for (int i = 0; i < n; i++)
        {
            shifted[i] = b[i] << 8;
            modulus[i] = frame.Modulus[i] << 8;
        }

        // Column k holds Σ a[i]·b[k − i] + Σ q[i]·N'[k − 1 − i]. Below L its low limb is the quotient digit and vanishes; from L on it is the result.
        ulong low = 0, high = 0;
        for (int k = 0; k < 2 * n; k++)
        {
            int first = Math.Max(0, k - n + 1), last = Math.Min(k, n - 1);
            if (square)
            {
                // a[i]·a[k − i] and its mirror image are one product, twice; the middle one of an even column is alone.
                ulong halfLow = 0, halfHigh = 0;
                Dot(a + first, shifted + k - first, (last - first + 1) / 2, ref halfLow, ref halfHigh);
                low += 2 * halfLow;
                high += 2 * halfHigh;
                if ((k & 1) == 0) Dot(a + k / 2, shifted + k / 2, k / 2 < n ? 1 : 0, ref low, ref high);
            }
            else
            {
                Dot(a + first, shifted + k - first, last - first + 1, ref low, ref high);
            }

            // The top limb of N' is zero (4N ≤ R), so i ≥ k − L suffices and the sum is empty in column 0.
            int from = Math.Max(0, k - n), to = Math.Min(k - 1, n - 1);
            Dot(q + from, modulus + k - 1 - from, to - from + 1, ref low, ref high);
            (k < n ? q + k : t + k - n)[0] = low & Mask;
            low = (low >> 56) + high;
            high = 0;
        }
        for (int i = 0; i < n; i++) r[i] = t[i];
    }

    /// <summary>Adds Σ x[i]·y[−i], i &lt; count, to (high·2^56 + low); y is shifted left by 8.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Dot(ulong* x, ulong* y, int count, ref ulong low, ref ulong high)
    {
        ulong l = low, h = high;
        for (; count >= 4; count -= 4, x += 4, y -= 4)
        {
            ulong h0 = Math.BigMul(x[0], y[0], out ulong l0), h1 = Math.BigMul(x[1], y[-1], out ulong l1);
            ulong h2 = Math.BigMul(x[2], y[-2], out ulong l2), h3 = Math.BigMul(x[3], y[-3], out ulong l3);
            h += h0 + h1 + (h2 + h3);
            l += (l0 >> 8) + (l1 >> 8) + ((l2 >> 8) + (l3 >> 8));
        }
        for (; count > 0; count--, x++, y--)
        {
            h += Math.BigMul(*x, *y, out ulong l0);
            l += l0 >> 8;
        }
        low = l;
        high = h;
    }

    public static void Split(ulong* r, ulong* words, int limbs)
    {
        for (int i = 0, bit = 0; i < limbs; i++, bit += 56)
        {
            int word = bit >> 6, shift = bit & 63;
            ulong value = words[word] >> shift;
            if (shift > 8) value |= words[word + 1] << (64 - shift);
            r[i] = value & Mask;
        }
    }

    public static void Join(ulong* words, ulong* a, int limbs)
    {
        new Span<ulong>(words, (56 * limbs + 63) / 64 + 1).Clear();
        for (int i = 0, bit = 0; i < limbs; i++, bit += 56)
        {
            int word = bit >> 6, shift = bit & 63;
            words[word] |= a[i] << shift;
            if (shift > 8) words[word + 1] |= a[i] >> (64 - shift);
        }
    }

    public static void Store(ulong* entry, ulong* a, int limbs)
    {
        for (int i = 0; i < limbs; i++) entry[i] = a[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Select(ulong* r, ulong* table, int entries, uint index, int limbs)
    {
        for (int i = 0; i < limbs; i++) r[i] = 0;
        for (uint e = 0; e < (uint)entries; e++, table += limbs)
        {
            // All ones if e = index: only then is (e ⊕ index) − 1 negative, both being far below 2^63.
            ulong mask = (ulong)(((long)(e ^ index) - 1) >> 63);
            for (int i = 0; i < limbs; i++) r[i] |= table[i] & mask;
        }
    }
}
