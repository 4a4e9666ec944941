using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Otr.Core.Crypto.Montgomery;

/// <summary>Squaring with 7 vectors, and the carries at the end.</summary>
internal readonly unsafe partial struct Avx512Kernel
{
    /// <summary>
    /// a[u]·a[j] and a[j]·a[u] are one product: row u takes d[j] = 2·a[j] for j &lt; u, a[u] once, and nothing above. Each of the seven rows is
    /// therefore different and stands by itself; t0…t14 are the columns of one lane of b, and the upper seven of them the lower of the next.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Square7(ulong* r, ulong* a, ulong* modulus, ulong* scratch)
    {
        Vector512<ulong> mask = Vector512.Create((1UL << 28) - 1), zero = Vector512<ulong>.Zero;
        Vector512<uint>* v = (Vector512<uint>*)a;
        Vector512<uint>* n = (Vector512<uint>*)modulus;
        Vector512<uint>* d = (Vector512<uint>*)scratch;
        for (int j = 0; j < 6; j++) ((Vector512<ulong>*)d)[j] = v[j].AsUInt64() + v[j].AsUInt64();
        Vector512<ulong> t0 = zero, t1 = zero, t2 = zero, t3 = zero, t4 = zero, t5 = zero, t6 = zero, t7 = zero;
        Vector512<ulong> t8, t9, t10, t11, t12, t13, t14, low;
        Vector512<uint> x, q;

        for (int m = 0; m < Lanes; m++)
        {
            ulong* limb = a + m;

            x = Vector512.Create(limb[0]).AsUInt32();
            t0 += Avx512F.Multiply(x, v[0]);
            low = t0 & mask; q = Avx512F.BroadcastScalarToVector512(low.GetLower().GetLower()).AsUInt32();
            t1 += Avx512F.ShiftRightLogical(t0, 28);
            t7 += Avx512F.AlignRight64(zero, low, 1);
            t2 += Avx512F.Multiply(q, n[0]); t3 += Avx512F.Multiply(q, n[1]); t4 += Avx512F.Multiply(q, n[2]); t5 += Avx512F.Multiply(q, n[3]);
            t6 += Avx512F.Multiply(q, n[4]); t7 += Avx512F.Multiply(q, n[5]); t8 = Avx512F.Multiply(q, n[6]);

            x = Vector512.Create(limb[8]).AsUInt32();
            t1 += Avx512F.Multiply(x, d[0]); t2 += Avx512F.Multiply(x, v[1]);
            low = t1 & mask; q = Avx512F.BroadcastScalarToVector512(low.GetLower().GetLower()).AsUInt32();
            t2 += Avx512F.ShiftRightLogical(t1, 28);
            t8 += Avx512F.AlignRight64(zero, low, 1);
            t3 += Avx512F.Multiply(q, n[0]); t4 += Avx512F.Multiply(q, n[1]); t5 += Avx512F.Multiply(q, n[2]); t6 += Avx512F.Multiply(q, n[3]);
            t7 += Avx512F.Multiply(q, n[4]); t8 += Avx512F.Multiply(q, n[5]); t9 = Avx512F.Multiply(q, n[6]);

            x = Vector512.Create(limb[16]).AsUInt32();
            t2 += Avx512F.Multiply(x, d[0]); t3 += Avx512F.Multiply(x, d[1]); t4 += Avx512F.Multiply(x, v[2]);
            low = t2 & mask; q = Avx512F.BroadcastScalarToVector512(low.GetLower().GetLower()).AsUInt32();
            t3 += Avx512F.ShiftRightLogical(t2, 28);
            t9 += Avx512F.AlignRight64(zero, low, 1);
            t4 += Avx512F.Multiply(q, n[0]); t5 += Avx512F.Multiply(q, n[1]); t6 += Avx512F.Multiply(q, n[2]); t7 += Avx512F.Multiply(q, n[3]);
            t8 += Avx512F.Multiply(q, n[4]); t9 += Avx512F.Multiply(q, n[5]); t10 = Avx512F.Multiply(q, n[6]);

            x = Vector512.Create(limb[24]).AsUInt32();
            t3 += Avx512F.Multiply(x, d[0]); t4 += Avx512F.Multiply(x, d[1]); t5 += Avx512F.Multiply(x, d[2]); t6 += Avx512F.Multiply(x, v[3]);
            low = t3 & mask; q = Avx512F.BroadcastScalarToVector512(low.GetLower().GetLower()).AsUInt32();
            t4 += Avx512F.ShiftRightLogical(t3, 28);
            t10 += Avx512F.AlignRight64(zero, low, 1);
            t5 += Avx512F.Multiply(q, n[0]); t6 += Avx512F.Multiply(q, n[1]); t7 += Avx512F.Multiply(q, n[2]); t8 += Avx512F.Multiply(q, n[3]);
            t9 += Avx512F.Multiply(q, n[4]); t10 += Avx512F.Multiply(q, n[5]); t11 = Avx512F.Multiply(q, n[6]);

            x = Vector512.Create(limb[32]).AsUInt32();
            t4 += Avx512F.Multiply(x, d[0]); t5 += Avx512F.Multiply(x, d[1]); t6 += Avx512F.Multiply(x, d[2]); t7 += Avx512F.Multiply(x, d[3]);
            t8 += Avx512F.Multiply(x, v[4]);
            low = t4 & mask; q = Avx512F.BroadcastScalarToVector512(low.GetLower().GetLower()).AsUInt32();
            t5 += Avx512F.ShiftRightLogical(t4, 28);
            t11 += Avx512F.AlignRight64(zero, low, 1);
            t6 += Avx512F.Multiply(q, n[0]); t7 += Avx512F.Multiply(q, n[1]); t8 += Avx512F.Multiply(q, n[2]); t9 += Avx512F.Multiply(q, n[3]);
            t10 += Avx512F.Multiply(q, n[4]); t11 += Avx512F.Multiply(q, n[5]); t12 = Avx512F.Multiply(q, n[6]);

            x = Vector512.Create(limb[40]).AsUInt32();
            t5 += Avx512F.Multiply(x, d[0]); t6 += Avx512F.Multiply(x, d[1]); t7 += Avx512F.Multiply(x, d[2]); t8 += Avx512F.Multiply(x, d[3]);
            t9 += Avx512F.Multiply(x, d[4]); t10 += Avx512F.Multiply(x, v[5]);
            low = t5 & mask; q = Avx512F.BroadcastScalarToVector512(low.GetLower().GetLower()).AsUInt32();
            t6 += Avx512F.ShiftRightLogical(t5, 28);
            t12 += Avx512F.AlignRight64(zero, low, 1);
            t7 += Avx512F.Multiply(q, n[0]); t8 += Avx512F.Multiply(q, n[1]); t9 += Avx512F.Multiply(q, n[2]); t10 += Avx512F.Multiply(q, n[3]);
            t11 += Avx512F.Multiply(q, n[4]); t12 += Avx512F.Multiply(q, n[5]); t13 = Avx512F.Multiply(q, n[6]);

            x = Vector512.Create(limb[48]).AsUInt32();
            t6 += Avx512F.Multiply(x, d[0]); t7 += Avx512F.Multiply(x, d[1]); t8 += Avx512F.Multiply(x, d[2]); t9 += Avx512F.Multiply(x, d[3]);
            t10 += Avx512F.Multiply(x, d[4]); t11 += Avx512F.Multiply(x, d[5]); t12 += Avx512F.Multiply(x, v[6]);
            low = t6 & mask; q = Avx512F.BroadcastScalarToVector512(low.GetLower().GetLower()).AsUInt32();
            t7 += Avx512F.ShiftRightLogical(t6, 28);
            t13 += Avx512F.AlignRight64(zero, low, 1);
            t8 += Avx512F.Multiply(q, n[0]); t9 += Avx512F.Multiply(q, n[1]); t10 += Avx512F.Multiply(q, n[2]); t11 += Avx512F.Multiply(q, n[3]);
            t12 += Avx512F.Multiply(q, n[4]); t13 += Avx512F.Multiply(q, n[5]); t14 = Avx512F.Multiply(q, n[6]);

            t0 = t7; t1 = t8; t2 = t9; t3 = t10; t4 = t11; t5 = t12; t6 = t13; t7 = t14;
        }
        Normalise7(r, t0, t1, t2, t3, t4, t5, t6, t7);
    }

    /// <summary>
    /// Brings columns back to limbs below 2^28 + 2^9. Column V is column 0 one lane up, and so are the carries out of column V − 1; the lane that
    /// falls off the top is zero, as the result is below R.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Normalise7(ulong* r, Vector512<ulong> t0, Vector512<ulong> t1, Vector512<ulong> t2, Vector512<ulong> t3, Vector512<ulong> t4,
        Vector512<ulong> t5, Vector512<ulong> t6, Vector512<ulong> t7)
    {
        Vector512<ulong> mask = Vector512.Create((1UL << 28) - 1), zero = Vector512<ulong>.Zero;
        t0 += Avx512F.AlignRight64(t7, zero, 7);
        t1 += Avx512F.ShiftRightLogical(t0, 28);
        t2 += Avx512F.ShiftRightLogical(t1, 28);
        t3 += Avx512F.ShiftRightLogical(t2, 28);
        t4 += Avx512F.ShiftRightLogical(t3, 28);
        t5 += Avx512F.ShiftRightLogical(t4, 28);
        t6 += Avx512F.ShiftRightLogical(t5, 28);
        t0 = (t0 & mask) + Avx512F.AlignRight64(Avx512F.ShiftRightLogical(t6, 28), zero, 7);
        t1 = (t1 & mask) + Avx512F.ShiftRightLogical(t0, 28);
        (t0 & mask).StoreAligned(r);
        t1.StoreAligned(r + 8);
        (t2 & mask).StoreAligned(r + 16);
        (t3 & mask).StoreAligned(r + 24);
        (t4 & mask).StoreAligned(r + 32);
        (t5 & mask).StoreAligned(r + 40);
        (t6 & mask).StoreAligned(r + 48);
    }

    /// <summary>As <see cref="Normalise7"/>, for 5 vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Normalise5(ulong* r, Vector512<ulong> t0, Vector512<ulong> t1, Vector512<ulong> t2, Vector512<ulong> t3, Vector512<ulong> t4,
        Vector512<ulong> t5)
    {
        Vector512<ulong> mask = Vector512.Create((1UL << 28) - 1), zero = Vector512<ulong>.Zero;
        t0 += Avx512F.AlignRight64(t5, zero, 7);
        t1 += Avx512F.ShiftRightLogical(t0, 28);
        t2 += Avx512F.ShiftRightLogical(t1, 28);
        t3 += Avx512F.ShiftRightLogical(t2, 28);
        t4 += Avx512F.ShiftRightLogical(t3, 28);
        t0 = (t0 & mask) + Avx512F.AlignRight64(Avx512F.ShiftRightLogical(t4, 28), zero, 7);
        t1 = (t1 & mask) + Avx512F.ShiftRightLogical(t0, 28);
        (t0 & mask).StoreAligned(r);
        t1.StoreAligned(r + 8);
        (t2 & mask).StoreAligned(r + 16);
        (t3 & mask).StoreAligned(r + 24);
        (t4 & mask).StoreAligned(r + 32);
    }
}
