using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Otr.Core.Crypto.Montgomery;

/// <summary>
/// Moduli of 3072 bits: 14 vectors, too many columns for the registers. They live in memory and take two rows at a time, as in
/// <see cref="Avx2Kernel"/>, whose bounds hold here too.
/// </summary>
internal readonly unsafe partial struct Avx512Kernel
{
    /// <summary>
    /// 9V + 1 columns for the product, each row pair reaching V + 2 beyond its own; two copies of V vectors for squaring.
    /// </summary>
    private static int WideScratchVectors(int vectors) => 9 * vectors + 1 + 2 * vectors;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyWide(ulong* r, ulong* a, ulong* b, in MontgomeryFrame frame)
    {
        int n = Vectors(frame.Limbs);
        Vector512<ulong>* column = (Vector512<ulong>*)frame.Scratch;
        for (int v = 0; v <= n; v++) column[v] = Vector512<ulong>.Zero;
        for (int m = 0; m < Lanes; m++)
        {
            for (int u = 0; u < n; u += 2, column += 2)
                RowPair((byte*)column, b + Lanes * u + m, (byte*)a, (byte*)a, 64 * n, 64 * n, (byte*)frame.Modulus);
        }
        NormaliseWide((Vector512<ulong>*)r, column, n);
    }

    /// <summary>
    /// Row u takes 2·a[j] for j &lt; u, a[u] once, and nothing above; even and odd hold just that for the two rows of a pair.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SquareWide(ulong* r, ulong* a, in MontgomeryFrame frame)
    {
        int n = Vectors(frame.Limbs);
        Vector512<ulong>* column = (Vector512<ulong>*)frame.Scratch;
        Vector512<ulong>* even = column + 9 * n + 1;
        Vector512<ulong>* odd = even + n;
        Vector512<ulong>* v = (Vector512<ulong>*)a;
        for (int i = 0; i <= n; i++) column[i] = Vector512<ulong>.Zero;
        for (int m = 0; m < Lanes; m++)
        {
            odd[n - 1] = Vector512<ulong>.Zero;
            for (int u = 0; u < n; u += 2, column += 2)
            {
                if (u > 0) even[u - 1] = odd[u - 1] = v[u - 1] + v[u - 1];
                even[u] = v[u];
                even[u + 1] = Vector512<ulong>.Zero;
                if (u + 2 < n) even[u + 2] = Vector512<ulong>.Zero;
                odd[u] = v[u] + v[u];
                odd[u + 1] = v[u + 1];
                RowPair((byte*)column, a + Lanes * u + m, (byte*)even, (byte*)odd, 64 * Math.Min(u + 3, n), 64 * n, (byte*)frame.Modulus);
                even[u] = odd[u];
            }
        }
        NormaliseWide((Vector512<ulong>*)r, column, n);
    }

    /// <summary>
    /// Two rows: column[i] += x0·even[i] + x1·odd[i − 1] + q0·N'[i − 2] + q1·N'[i − 3], with even and odd zero from <paramref name="end"/>
    /// on. The last two of its V + 3 columns are new. The lowest lane of the first two becomes the quotient digits; their other lanes
    /// belong, one lane lower, to the columns V further on. Offsets are in bytes.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void RowPair(byte* column, ulong* x, byte* even, byte* odd, nint end, nint n, byte* modulus)
    {
        const int One = 64, Two = 2 * One, Three = 3 * One;
        Vector512<ulong> mask = Vector512.Create((1UL << 28) - 1), zero = Vector512<ulong>.Zero;
        Vector512<uint> x0 = Vector512.Create(x[0]).AsUInt32(), x1 = Vector512.Create(x[Lanes]).AsUInt32();

        Vector512<ulong> t = Load(column) + Times(x0, even);
        Vector512<ulong> low0 = t & mask;
        Vector512<uint> q0 = Avx512F.BroadcastScalarToVector512(low0.GetLower().GetLower()).AsUInt32();
        t = Avx512F.ShiftRightLogical(t, 28) + (Load(column + One) + Times(x0, even + One) + Times(x1, odd));
        Vector512<ulong> low1 = t & mask;
        Vector512<uint> q1 = Avx512F.BroadcastScalarToVector512(low1.GetLower().GetLower()).AsUInt32();
        *(Vector512<ulong>*)(column + Two) +=
            Times(x0, even + Two) + Times(x1, odd + One) + Avx512F.ShiftRightLogical(t, 28) + Times(q0, modulus);

        byte* evenEnd = even + end;
        byte* last = column + n;
        column += Three;
        odd += Two;
        modulus += One;
        for (even += Three; even < evenEnd - One; even += Two)
        {
            *(Vector512<ulong>*)column = Load(column) + Times(x0, even) + Times(x1, odd) + Times(q0, modulus) + Times(q1, modulus - One);
            *(Vector512<ulong>*)(column + One) =
                Load(column + One) + Times(x0, even + One) + Times(x1, odd + One) + Times(q0, modulus + One) + Times(q1, modulus);
            column += Two;
            odd += Two;
            modulus += Two;
        }
        if (even < evenEnd)
        {
            *(Vector512<ulong>*)column = Load(column) + Times(x0, even) + Times(x1, odd) + Times(q0, modulus) + Times(q1, modulus - One);
            column += One;
            odd += One;
            modulus += One;
        }
        for (; column < last; column += One, modulus += One, odd += One)
        {
            *(Vector512<ulong>*)column = Load(column) + Times(q0, modulus) + Times(q1, modulus - One);
        }
        *(Vector512<ulong>*)column += Avx512F.AlignRight64(zero, low0, 1) + Times(x1, odd) + Times(q0, modulus) + Times(q1, modulus - One);
        *(Vector512<ulong>*)(column + One) = Avx512F.AlignRight64(zero, low1, 1) + Times(q0, modulus + One) + Times(q1, modulus);
        *(Vector512<ulong>*)(column + Two) = Times(q1, modulus + One);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Load(byte* column) => *(Vector512<ulong>*)column;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Times(Vector512<uint> limb, byte* operand) => Avx512F.Multiply(limb, *(Vector512<uint>*)operand);

    /// <summary>Brings columns back to limbs below 2^28 + 2^9: one pass of carries, then the ones that cross lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void NormaliseWide(Vector512<ulong>* r, Vector512<ulong>* column, int n)
    {
        Vector512<ulong> mask = Vector512.Create((1UL << 28) - 1), zero = Vector512<ulong>.Zero, carry = zero;
        // Column V + i is column i one lane up; the lane that falls off the top is zero, as the result is below R.
        column[0] += Avx512F.AlignRight64(column[n], zero, 7);
        for (int v = 0; v < n; v++)
        {
            Vector512<ulong> t = column[v] + carry;
            carry = Avx512F.ShiftRightLogical(t, 28);
            r[v] = t & mask;
        }
        Vector512<ulong> first = r[0] + Avx512F.AlignRight64(carry, zero, 7);
        r[1] += Avx512F.ShiftRightLogical(first, 28);
        r[0] = first & mask;
    }
}
