using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Otr.Core.Crypto.Montgomery;

/// <summary>
/// Radix 2^28 in four lanes (see <see cref="StridedLayout"/>). Two rows at a time are multiplied into columns that live in memory:
/// columns c, c + 1, … of row pair c receive x0·a, x1·a and the multiples of N' by the two quotient digits.
///
/// Bounds: limbs stay below 2^28 + 2^9, so a column of 2L ≤ 56 products a·b, as many q·N', a carry below 2^36 and a limb from
/// lower lanes stays below 112·(2^28 + 2^9)² + 2^37 &lt; 2^63, and a (doubled) factor below 2^32, which is all that the multiplier reads.
/// </summary>
internal readonly unsafe struct Avx2Kernel : IMontgomeryKernel
{
    private const int Lanes = 4;

    public static int ResidueWords(int limbs) => 2 * limbs;

    /// <summary>5V + 3 columns for the product; two copies of V vectors for squaring.</summary>
    public static int ScratchWords(int limbs) => (5 * Vectors(limbs) + 3 + 2 * Vectors(limbs)) * Lanes;

    private static int Vectors(int limbs) => 2 * limbs / Lanes;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(ulong* r, ulong* a, ulong* b, in MontgomeryFrame frame)
    {
        int n = Vectors(frame.Limbs);
        Vector256<ulong>* column = (Vector256<ulong>*)frame.Scratch;
        new Span<Vector256<ulong>>(column, 5 * n + 3).Clear();
        for (int m = 0; m < Lanes; m++)
        {
            for (int u = 0; u < n; u += 2, column += 2)
                RowPair(column, b + Lanes * u + m, (Vector256<uint>*)a, (Vector256<uint>*)a, n, n, (Vector256<uint>*)frame.Modulus);
        }
        Normalise((Vector256<ulong>*)r, column, n);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Square(ulong* r, ulong* a, in MontgomeryFrame frame)
    {
        // a[u]·a[j] and a[j]·a[u] are one product: row u takes 2·a[j] for j < u, a[u] once, and nothing above.
        // even and odd hold just that for the two rows of a pair, and grow with it.
        int n = Vectors(frame.Limbs);
        Vector256<ulong>* column = (Vector256<ulong>*)frame.Scratch;
        Vector256<ulong>* even = column + 5 * n + 3;
        Vector256<ulong>* odd = even + n;
        Vector256<ulong>* v = (Vector256<ulong>*)a;
        new Span<Vector256<ulong>>(column, 5 * n + 3).Clear();
        for (int m = 0; m < Lanes; m++)
        {
            new Span<Vector256<ulong>>(even, 2 * n).Clear();
            for (int u = 0; u < n; u += 2, column += 2)
            {
                if (u > 0)
                {
                    even[u - 2] = odd[u - 2];
                    even[u - 1] = odd[u - 1] = v[u - 1] + v[u - 1];
                }
                even[u] = v[u];
                odd[u] = v[u] + v[u];
                odd[u + 1] = v[u + 1];
                RowPair(column, a + Lanes * u + m, (Vector256<uint>*)even, (Vector256<uint>*)odd, Math.Min(u + 3, n), n, (Vector256<uint>*)frame.Modulus);
            }
        }
        Normalise((Vector256<ulong>*)r, column, n);
    }

    /// <summary>
    /// Two rows: column[i] += x0·even[i] + x1·odd[i − 1] + q0·N'[i − 2] + q1·N'[i − 3], with even and odd zero from <paramref name="end"/> on.
    /// The lowest lane of the first two columns becomes the quotient digits; their other lanes belong, one lane lower, to the columns V further on.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void RowPair(Vector256<ulong>* column, ulong* x, Vector256<uint>* even, Vector256<uint>* odd, int end, int n, Vector256<uint>* modulus)
    {
        Vector256<ulong> mask = Vector256.Create((1UL << 28) - 1);
        Vector256<uint> x0 = Vector256.Create(x[0]).AsUInt32(), x1 = Vector256.Create(x[Lanes]).AsUInt32();

        Vector256<ulong> t = column[0] + Avx2.Multiply(x0, even[0]);
        Vector256<ulong> low0 = t & mask;
        Vector256<uint> q0 = Avx2.BroadcastScalarToVector256(low0.GetLower()).AsUInt32();
        t = Avx2.ShiftRightLogical(t, 28) + column[1] + Avx2.Multiply(x0, even[1]) + Avx2.Multiply(x1, odd[0]);
        Vector256<ulong> low1 = t & mask;
        Vector256<uint> q1 = Avx2.BroadcastScalarToVector256(low1.GetLower()).AsUInt32();
        column[2] += Avx2.ShiftRightLogical(t, 28) + Avx2.Multiply(x0, even[2]) + Avx2.Multiply(x1, odd[1]) + Avx2.Multiply(q0, modulus[0]);

        int i = 3;
        for (; i < end; i++)
        {
            column[i] = column[i] + Avx2.Multiply(x0, even[i]) + Avx2.Multiply(x1, odd[i - 1])
                + Avx2.Multiply(q0, modulus[i - 2]) + Avx2.Multiply(q1, modulus[i - 3]);
        }
        for (; i < n; i++)
            column[i] = column[i] + Avx2.Multiply(q0, modulus[i - 2]) + Avx2.Multiply(q1, modulus[i - 3]);

        column[n] += Down(low0) + Avx2.Multiply(x1, odd[n - 1]) + Avx2.Multiply(q0, modulus[n - 2]) + Avx2.Multiply(q1, modulus[n - 3]);
        column[n + 1] += Down(low1) + Avx2.Multiply(q0, modulus[n - 1]) + Avx2.Multiply(q1, modulus[n - 2]);
        column[n + 2] += Avx2.Multiply(q1, modulus[n - 1]);
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Select(ulong* r, ulong* table, int entries, uint index, int limbs)
    {
        Vector256<ulong> wanted = Vector256.Create((ulong)index), half = Vector256.Create((ulong)uint.MaxValue);
        int vectors = Vectors(limbs);
        // V/2 ≤ 7 packed vectors per entry: the sums stay in registers, one column of the table at a time.
        for (int v = 0; v < vectors; v += 2)
        {
            Vector256<ulong> sum = Vector256<ulong>.Zero, current = Vector256<ulong>.Zero;
            ulong* entry = table + Lanes * (v / 2);
            for (int e = 0; e < entries; e++, entry += limbs)
            {
                sum |= Avx2.CompareEqual(current, wanted) & Vector256.Load(entry);
                current += Vector256<ulong>.One;
            }
            (sum & half).StoreAligned(r + Lanes * v);
            Avx2.ShiftRightLogical(sum, 32).StoreAligned(r + Lanes * (v + 1));
        }
    }
}
