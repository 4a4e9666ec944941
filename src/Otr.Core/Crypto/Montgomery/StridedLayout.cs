namespace Otr.Core.Crypto.Montgomery;

/// <summary>
/// How the vector kernels hold a residue: 2L limbs of 28 bits, each in a 64-bit lane, limb i in lane i / V of vector i mod V where V is the
/// number of vectors. Multiplying all of a by one limb of b then lands column by column on whole vectors, so that every load is aligned and
/// lanes move only once per row.
/// </summary>
internal static unsafe class StridedLayout
{
    private const ulong Mask = (1UL << 28) - 1;

    public static void Split(ulong* r, ulong* words, int limbs, int lanes)
    {
        int vectors = 2 * limbs / lanes, bit = 0;
        for (int lane = 0; lane < lanes; lane++)
        {
            for (int v = 0; v < vectors; v++, bit += 28)
            {
                int word = bit >> 6, shift = bit & 63;
                ulong value = words[word] >> shift;
                if (shift > 36) value |= words[word + 1] << (64 - shift);
                r[v * lanes + lane] = value & Mask;
            }
        }
    }

    public static void Join(ulong* words, ulong* a, int limbs, int lanes)
    {
        new Span<ulong>(words, (56 * limbs + 63) / 64 + 1).Clear();
        int vectors = 2 * limbs / lanes, bit = 0;
        ulong carry = 0;
        for (int lane = 0; lane < lanes; lane++)
        {
            for (int v = 0; v < vectors; v++, bit += 28)
            {
                ulong value = a[v * lanes + lane] + carry;
                carry = value >> 28;
                value &= Mask;
                int word = bit >> 6, shift = bit & 63;
                words[word] |= value << shift;
                if (shift > 36) words[word + 1] |= value >> (64 - shift);
            }
        }
    }
}
