using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Otr.Core.Crypto.Montgomery;

/// <summary>
/// Radix 2^28 in eight lanes (see <see cref="StridedLayout"/>), for V = 7 (L = 28, the 1536-bit group) and V = 5 (L = 20, 1024-bit DSA).
/// Operands, modulus and the V + 1 live columns all fit the 32 registers, so a row is the same few instructions every time and the columns
/// move up by renaming. The intrinsics are written out: the JIT's budget for inlined calls does not stretch to helpers in methods of this
/// size.
///
/// One row takes one limb x of b: columns += x·a; the lowest column's lowest lane is the quotient digit q and vanishes; the columns from
/// the second next on += q·N'; the lowest column's other lanes belong, one lane lower, to the column V further on; its carry goes to the
/// next.
///
/// Bounds as for <see cref="Avx2Kernel"/>: limbs below 2^28 + 2^9, columns below 2^63 for these two; V = 14 (L = 56, the 3072-bit group)
/// has code of its own.
/// </summary>
internal readonly unsafe partial struct Avx512Kernel : IMontgomeryKernel
{
    private const int Lanes = 8;

    public static int ResidueWords(int limbs) => 2 * limbs;

    /// <summary>The doubled operand of a squaring; where columns do not fit the registers, those and two operands.</summary>
    public static int ScratchWords(int limbs) => limbs <= 28 ? 2 * limbs : WideScratchVectors(Vectors(limbs)) * Lanes;

    private static int Vectors(int limbs) => 2 * limbs / Lanes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply(ulong* r, ulong* a, ulong* b, in MontgomeryFrame frame)
    {
        if (frame.Limbs == 28) Multiply7(r, a, b, frame.Modulus);
        else if (frame.Limbs == 20) Multiply5(r, a, b, frame.Modulus);
        else MultiplyWide(r, a, b, frame);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Square(ulong* r, ulong* a, in MontgomeryFrame frame)
    {
        if (frame.Limbs == 28) Square7(r, a, frame.Modulus, frame.Scratch);
        else if (frame.Limbs == 20) Multiply5(r, a, a, frame.Modulus);
        else SquareWide(r, a, frame);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply7(ulong* r, ulong* a, ulong* b, ulong* modulus)
    {
        Vector512<ulong> mask = Vector512.Create((1UL << 28) - 1), zero = Vector512<ulong>.Zero;
        Vector512<uint>* av = (Vector512<uint>*)a;
        Vector512<uint>* nv = (Vector512<uint>*)modulus;
        Vector512<uint> a0 = av[0], a1 = av[1], a2 = av[2], a3 = av[3], a4 = av[4], a5 = av[5], a6 = av[6];
        Vector512<uint> n0 = nv[0], n1 = nv[1], n2 = nv[2], n3 = nv[3], n4 = nv[4], n5 = nv[5], n6 = nv[6];
        Vector512<ulong> t0 = zero, t1 = zero, t2 = zero, t3 = zero, t4 = zero, t5 = zero, t6 = zero, t7 = zero;

        for (int m = 0; m < Lanes; m++)
        {
            ulong* limb = b + m;
            for (int u = 0; u < 7; u++, limb += Lanes)
            {
                Vector512<uint> x = Vector512.Create(*limb).AsUInt32();
                t0 += Avx512F.Multiply(x, a0);
                Vector512<ulong> low = t0 & mask;
                Vector512<uint> q = Avx512F.BroadcastScalarToVector512(low.GetLower().GetLower()).AsUInt32();
                t0 = t1 + Avx512F.ShiftRightLogical(t0, 28) + Avx512F.Multiply(x, a1);
                t1 = t2 + Avx512F.Multiply(x, a2) + Avx512F.Multiply(q, n0);
                t2 = t3 + Avx512F.Multiply(x, a3) + Avx512F.Multiply(q, n1);
                t3 = t4 + Avx512F.Multiply(x, a4) + Avx512F.Multiply(q, n2);
                t4 = t5 + Avx512F.Multiply(x, a5) + Avx512F.Multiply(q, n3);
                t5 = t6 + Avx512F.Multiply(x, a6) + Avx512F.Multiply(q, n4);
                t6 = t7 + Avx512F.AlignRight64(zero, low, 1) + Avx512F.Multiply(q, n5);
                t7 = Avx512F.Multiply(q, n6);
            }
        }
        Normalise7(r, t0, t1, t2, t3, t4, t5, t6, t7);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply5(ulong* r, ulong* a, ulong* b, ulong* modulus)
    {
        Vector512<ulong> mask = Vector512.Create((1UL << 28) - 1), zero = Vector512<ulong>.Zero;
        Vector512<uint>* av = (Vector512<uint>*)a;
        Vector512<uint>* nv = (Vector512<uint>*)modulus;
        Vector512<uint> a0 = av[0], a1 = av[1], a2 = av[2], a3 = av[3], a4 = av[4];
        Vector512<uint> n0 = nv[0], n1 = nv[1], n2 = nv[2], n3 = nv[3], n4 = nv[4];
        Vector512<ulong> t0 = zero, t1 = zero, t2 = zero, t3 = zero, t4 = zero, t5 = zero;

        for (int m = 0; m < Lanes; m++)
        {
            ulong* limb = b + m;
            for (int u = 0; u < 5; u++, limb += Lanes)
            {
                Vector512<uint> x = Vector512.Create(*limb).AsUInt32();
                t0 += Avx512F.Multiply(x, a0);
                Vector512<ulong> low = t0 & mask;
                Vector512<uint> q = Avx512F.BroadcastScalarToVector512(low.GetLower().GetLower()).AsUInt32();
                t0 = t1 + Avx512F.ShiftRightLogical(t0, 28) + Avx512F.Multiply(x, a1);
                t1 = t2 + Avx512F.Multiply(x, a2) + Avx512F.Multiply(q, n0);
                t2 = t3 + Avx512F.Multiply(x, a3) + Avx512F.Multiply(q, n1);
                t3 = t4 + Avx512F.Multiply(x, a4) + Avx512F.Multiply(q, n2);
                t4 = t5 + Avx512F.AlignRight64(zero, low, 1) + Avx512F.Multiply(q, n3);
                t5 = Avx512F.Multiply(q, n4);
            }
        }
        Normalise5(r, t0, t1, t2, t3, t4, t5);
    }

    public static void Split(ulong* r, ulong* words, int limbs) => StridedLayout.Split(r, words, limbs, Lanes);

    public static void Join(ulong* words, ulong* a, int limbs) => StridedLayout.Join(words, a, limbs, Lanes);

    public static void Store(ulong* entry, ulong* a, int limbs)
    {
        for (int v = 0; v < Vectors(limbs); v++)
            Avx512F.ConvertToVector256UInt32(Vector512.LoadAligned(a + Lanes * v)).Store((uint*)entry + Lanes * v);
    }

    public static void Select(ulong* r, ulong* table, int entries, uint index, int limbs)
    {
        if (limbs == 56)
        {
            SelectPart(r, (uint*)table, 112, entries, index, 56);
            SelectPart(r + 56, (uint*)table + 56, 112, entries, index, 56);
        }
        else
        {
            SelectPart(r, (uint*)table, 2 * limbs, entries, index, 2 * limbs);
        }
    }

    /// <summary>40 or 56 limbs of an entry; the next entry is <paramref name="stride"/> limbs on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SelectPart(ulong* r, uint* entry, int stride, int entries, uint index, int width)
    {
        // 2L·4 bytes an entry are V half vectors: 3½ or 2½ whole ones. Half the work on 512 bits would do; loads bound it either way.
        Vector512<uint> wanted = Vector512.Create(index), current = Vector512<uint>.Zero;
        Vector512<uint> s0 = current, s1 = current, s2 = current;
        Vector256<uint> s3 = Vector256<uint>.Zero;
        bool wide = width == 56;
        for (int e = 0; e < entries; e++, entry += stride)
        {
            Vector512<uint> mask = Vector512.Equals(current, wanted);
            current += Vector512<uint>.One;
            s0 |= mask & Vector512.Load(entry);
            s1 |= mask & Vector512.Load(entry + 16);
            if (wide) s2 |= mask & Vector512.Load(entry + 32);
            s3 |= mask.GetLower() & Vector256.Load(entry + width - 8);
        }
        Avx512F.ConvertToVector512UInt64(s0.GetLower()).StoreAligned(r);
        Avx512F.ConvertToVector512UInt64(s0.GetUpper()).StoreAligned(r + 8);
        Avx512F.ConvertToVector512UInt64(s1.GetLower()).StoreAligned(r + 16);
        Avx512F.ConvertToVector512UInt64(s1.GetUpper()).StoreAligned(r + 24);
        if (wide)
        {
            Avx512F.ConvertToVector512UInt64(s2.GetLower()).StoreAligned(r + 32);
            Avx512F.ConvertToVector512UInt64(s2.GetUpper()).StoreAligned(r + 40);
        }
        Avx512F.ConvertToVector512UInt64(s3).StoreAligned(r + width - 8);
    }
}
