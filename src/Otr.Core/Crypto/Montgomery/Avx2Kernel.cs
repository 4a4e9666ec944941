using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Otr.Core.Crypto.Montgomery;

/// <summary>
/// Radix 2^28 in four lanes (see <see cref="StridedLayout"/>). Two rows at a time are multiplied into columns that live in memory:
/// columns c, c + 1, … of row pair c receive x0·a, x1·a and the multiples of N' by the two quotient digits.
///
/// Bounds: limbs stay below 2^28 + 2^9, so a column of 2L ≤ 112 products a·b, as many q·N', a carry below 2^36 and a limb from
/// lower lanes stays below 224·(2^28 + 2^9)² + 2^37 &lt; 2^64, and a (doubled) factor below 2^32, which is all that the multiplier reads.
/// </summary>
internal readonly unsafe struct Avx2Kernel : IMontgomeryKernel
{
    private const int Lanes = 4;

    public static int ResidueWords(int limbs) => 2 * limbs;

    /// <summary>
    /// 5V + 1 columns for the product, each row pair reaching V + 2 beyond its own; two copies of V vectors for squaring.
    /// </summary>
    public static int ScratchWords(int limbs) => (5 * Vectors(limbs) + 1 + 2 * Vectors(limbs)) * Lanes;

    private static int Vectors(int limbs) => 2 * limbs / Lanes;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(ulong* r, ulong* a, ulong* b, in MontgomeryFrame frame)
    {
        int n = Vectors(frame.Limbs);
        Vector256<ulong>* column = (Vector256<ulong>*)frame.Scratch;
        for (int v = 0; v <= n; v++) column[v] = Vector256<ulong>.Zero;
        for (int m = 0; m < Lanes; m++)
        {
            for (int u = 0; u < n; u += 2, column += 2)
                RowPair((byte*)column, b + Lanes * u + m, (byte*)a, (byte*)a, 32 * n, 32 * n, (byte*)frame.Modulus);
        }
        Normalise((Vector256<ulong>*)r, column, n);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Square(ulong* r, ulong* a, in MontgomeryFrame frame)
    {
        // a[u]·a[j] and a[j]·a[u] are one product: row u takes 2·a[j] for j < u, a[u] once, and nothing above.
        // even and odd hold just that for the two rows of a pair, as far as the pair reads them, and grow with it.
        int n = Vectors(frame.Limbs);
        Vector256<ulong>* column = (Vector256<ulong>*)frame.Scratch;
        Vector256<ulong>* even = column + 5 * n + 1;
        Vector256<ulong>* odd = even + n;
        Vector256<ulong>* v = (Vector256<ulong>*)a;
        for (int i = 0; i <= n; i++) column[i] = Vector256<ulong>.Zero;
        for (int m = 0; m < Lanes; m++)
        {
            odd[n - 1] = Vector256<ulong>.Zero;
            for (int u = 0; u < n; u += 2, column += 2)
            {
                if (u > 0) even[u - 1] = odd[u - 1] = v[u - 1] + v[u - 1];
                even[u] = v[u];
                even[u + 1] = Vector256<ulong>.Zero;
                if (u + 2 < n) even[u + 2] = Vector256<ulong>.Zero;
                odd[u] = v[u] + v[u];
                odd[u + 1] = v[u + 1];
                RowPair((byte*)column, a + Lanes * u + m, (byte*)even, (byte*)odd, 32 * Math.Min(u + 3, n), 32 * n, (byte*)frame.Modulus);
                even[u] = odd[u];
            }
        }
        Normalise((Vector256<ulong>*)r, column, n);
    }

    /// <summary>
    /// Two rows: column[i] += x0·even[i] + x1·odd[i − 1] + q0·N'[i − 2] + q1·N'[i − 3], with even and odd zero from <paramref name="end"/>
    /// on. The last two of its V + 3 columns are new. The lowest lane of the first two becomes the quotient digits; their other lanes
    /// belong, one lane lower, to the columns V further on. Offsets are in bytes, which leaves the processor's addressing nothing to
    /// compute.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void RowPair(byte* column, ulong* x, byte* even, byte* odd, nint end, nint n, byte* modulus)
    {
        const int One = 32, Two = 2 * One, Three = 3 * One;
        Vector256<ulong> mask = Vector256.Create((1UL << 28) - 1);
        Vector256<uint> x0 = Vector256.Create(x[0]).AsUInt32(), x1 = Vector256.Create(x[Lanes]).AsUInt32();

        Vector256<ulong> t = *(Vector256<ulong>*)column + Avx2.Multiply(x0, *(Vector256<uint>*)even);
        Vector256<ulong> low0 = t & mask;
        Vector256<uint> q0 = Avx2.BroadcastScalarToVector256(low0.GetLower()).AsUInt32();
        t = Avx2.ShiftRightLogical(t, 28) + (*(Vector256<ulong>*)(column + One) + Avx2.Multiply(x0, *(Vector256<uint>*)(even + One))
            + Avx2.Multiply(x1, *(Vector256<uint>*)odd));
        Vector256<ulong> low1 = t & mask;
        Vector256<uint> q1 = Avx2.BroadcastScalarToVector256(low1.GetLower()).AsUInt32();
        *(Vector256<ulong>*)(column + Two) += Avx2.Multiply(x0, *(Vector256<uint>*)(even + Two)) + Avx2.Multiply(x1, *(Vector256<uint>*)(odd + One))
            + Avx2.ShiftRightLogical(t, 28) + Avx2.Multiply(q0, *(Vector256<uint>*)modulus);

        // The pointers move along and each access has a constant displacement: an indexed operand would cost a micro-operation of its own.
        byte* evenEnd = even + end;
        byte* last = column + n;
        column += Three;
        odd += Two;
        modulus += One;
        for (even += Three; even < evenEnd - One; even += Two)
        {
            *(Vector256<ulong>*)column = *(Vector256<ulong>*)column + Avx2.Multiply(x0, *(Vector256<uint>*)even) + Avx2.Multiply(x1, *(Vector256<uint>*)odd)
                + Avx2.Multiply(q0, *(Vector256<uint>*)modulus) + Avx2.Multiply(q1, *(Vector256<uint>*)(modulus - One));
            *(Vector256<ulong>*)(column + One) = *(Vector256<ulong>*)(column + One) + Avx2.Multiply(x0, *(Vector256<uint>*)(even + One))
                + Avx2.Multiply(x1, *(Vector256<uint>*)(odd + One)) + Avx2.Multiply(q0, *(Vector256<uint>*)(modulus + One)) + Avx2.Multiply(q1, *(Vector256<uint>*)modulus);
            column += Two;
            odd += Two;
            modulus += Two;
        }
        if (even < evenEnd)
        {
            *(Vector256<ulong>*)column = *(Vector256<ulong>*)column + Avx2.Multiply(x0, *(Vector256<uint>*)even) + Avx2.Multiply(x1, *(Vector256<uint>*)odd)
                + Avx2.Multiply(q0, *(Vector256<uint>*)modulus) + Avx2.Multiply(q1, *(Vector256<uint>*)(modulus - One));
            column += One;
            odd += One;
            modulus += One;
        }
        for (; column < last; column += One, modulus += One, odd += One)
        {
            *(Vector256<ulong>*)column = *(Vector256<ulong>*)column + Avx2.Multiply(q0, *(Vector256<uint>*)modulus) + Avx2.Multiply(q1, *(Vector256<uint>*)(modulus - One));
        }
        *(Vector256<ulong>*)column += Down(low0) + Avx2.Multiply(x1, *(Vector256<uint>*)odd)
            + Avx2.Multiply(q0, *(Vector256<uint>*)modulus) + Avx2.Multiply(q1, *(Vector256<uint>*)(modulus - One));
        *(Vector256<ulong>*)(column + One) = Down(low1) + Avx2.Multiply(q0, *(Vector256<uint>*)(modulus + One)) + Avx2.Multiply(q1, *(Vector256<uint>*)modulus);
        *(Vector256<ulong>*)(column + Two) = Avx2.Multiply(q1, *(Vector256<uint>*)(modulus + One));
    }

    /// <summary>Brings columns back to limbs below 2^28 + 2^9: one pass of carries, then the ones that cross lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Normalise(Vector256<ulong>* r, Vector256<ulong>* column, int n)
    {
        Vector256<ulong> mask = Vector256.Create((1UL << 28) - 1), carry = Vector256<ulong>.Zero;
        // Column V + i is column i one lane up; the lane that falls off the top is zero, as the result is below R.
        column[0] += Up(column[n]);
        for (int v = 0; v < n; v++)
        {
            Vector256<ulong> t = column[v] + carry;
            carry = Avx2.ShiftRightLogical(t, 28);
            r[v] = t & mask;
        }
        Vector256<ulong> first = r[0] + Up(carry);
        r[1] += Avx2.ShiftRightLogical(first, 28);
        r[0] = first & mask;
    }

    /// <summary>Every lane one lower; the lowest falls off.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Down(Vector256<ulong> t) =>
        Avx2.Blend(Avx2.Permute4x64(t, 0b00_11_10_01).AsUInt32(), Vector256<uint>.Zero, 0b1100_0000).AsUInt64();

    /// <summary>Every lane one higher; the highest falls off.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Up(Vector256<ulong> t) =>
        Avx2.Blend(Avx2.Permute4x64(t, 0b10_01_00_11).AsUInt32(), Vector256<uint>.Zero, 0b0000_0011).AsUInt64();

    public static void Split(ulong* r, ulong* words, int limbs) => StridedLayout.Split(r, words, limbs, Lanes);

    public static void Join(ulong* words, ulong* a, int limbs) => StridedLayout.Join(words, a, limbs, Lanes);

    /// <summary>Two vectors become one: the second's limbs go into the upper halves of the first's lanes.</summary>
    public static void Store(ulong* entry, ulong* a, int limbs)
    {
        Vector256<ulong>* from = (Vector256<ulong>*)a;
        for (int v = 0; v < Vectors(limbs); v += 2) (from[v] | Avx2.ShiftLeftLogical(from[v + 1], 32)).Store(entry + Lanes * (v / 2));
    }

    public static void Select(ulong* r, ulong* table, int entries, uint index, int limbs)
    {
        if (limbs == 56)
        {
            SelectPart(r, table, limbs, entries, index, wide: true);
            SelectPart(r + 56, table + 28, limbs, entries, index, wide: true);
        }
        else
        {
            SelectPart(r, table, limbs, entries, index, wide: limbs == 28);
        }
    }

    /// <summary>
    /// 20 words of an entry, or 28, as many as there are registers for; the next entry is <paramref name="stride"/> words on.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SelectPart(ulong* r, ulong* table, int stride, int entries, uint index, bool wide)
    {
        Vector256<ulong> wanted = Vector256.Create((ulong)index), half = Vector256.Create((ulong)uint.MaxValue), current = Vector256<ulong>.Zero;
        Vector256<ulong> s0 = current, s1 = current, s2 = current, s3 = current, s4 = current, s5 = current, s6 = current;
        for (int e = 0; e < entries; e++, table += stride)
        {
            Vector256<ulong> mask = Avx2.CompareEqual(current, wanted);
            current += Vector256<ulong>.One;
            s0 |= mask & Vector256.Load(table);
            s1 |= mask & Vector256.Load(table + 4);
            s2 |= mask & Vector256.Load(table + 8);
            s3 |= mask & Vector256.Load(table + 12);
            s4 |= mask & Vector256.Load(table + 16);
            if (!wide) continue;
            s5 |= mask & Vector256.Load(table + 20);
            s6 |= mask & Vector256.Load(table + 24);
        }
        Vector256<ulong>* to = (Vector256<ulong>*)r;
        (to[0], to[1]) = (s0 & half, Avx2.ShiftRightLogical(s0, 32));
        (to[2], to[3]) = (s1 & half, Avx2.ShiftRightLogical(s1, 32));
        (to[4], to[5]) = (s2 & half, Avx2.ShiftRightLogical(s2, 32));
        (to[6], to[7]) = (s3 & half, Avx2.ShiftRightLogical(s3, 32));
        (to[8], to[9]) = (s4 & half, Avx2.ShiftRightLogical(s4, 32));
        if (!wide) return;
        (to[10], to[11]) = (s5 & half, Avx2.ShiftRightLogical(s5, 32));
        (to[12], to[13]) = (s6 & half, Avx2.ShiftRightLogical(s6, 32));
    }
}
