namespace Otr.Core.Crypto.Montgomery;

/// <summary>
/// Montgomery multiplication modulo an odd N with N ≡ −1 (mod 2^56), on residues of L limbs of 56 bits (or 2L of 28), R = 2^(56·L).
/// Such an N makes the quotient digit the low limb itself: for t the lowest limb of T and N = N'·2^56 − 1,
/// T + t·N = (T − t) + t·N'·2^56, whose lowest limb is zero. No multiplication by −N⁻¹ is needed; N' is what the frame holds.
///
/// Bounds: 4N ≤ R. If a, b &lt; 2N then (a·b + q·N)/R &lt; (4N² + R·N)/R ≤ 2N, so results can be fed back without any
/// subtraction. Multiplying by 1 leaves at most (2N + (R − 1)·N)/R &lt; N + 1, that is at most N.
///
/// Every member takes the same time and touches the same addresses for all values of the limbs and of the index.
/// </summary>
internal unsafe interface IMontgomeryKernel
{
    /// <summary>64-bit words that one residue takes in this kernel's own layout.</summary>
    static abstract int ResidueWords(int limbs);

    /// <summary>64-bit words of scratch space that <see cref="Multiply"/> and <see cref="Square"/> need.</summary>
    static abstract int ScratchWords(int limbs);

    /// <summary>r = a·b/R mod N, not fully reduced. r may be a or b.</summary>
    static abstract void Multiply(ulong* r, ulong* a, ulong* b, in MontgomeryFrame frame);

    /// <summary>r = a²/R mod N, not fully reduced. r may be a.</summary>
    static abstract void Square(ulong* r, ulong* a, in MontgomeryFrame frame);

    /// <summary>Spreads a number of ⌈56·L/64⌉ + 1 little-endian 64-bit words (the last one zero) over limbs.</summary>
    static abstract void Split(ulong* r, ulong* words, int limbs);

    /// <summary>The reverse, with all carries taken through.</summary>
    static abstract void Join(ulong* words, ulong* a, int limbs);

    /// <summary>Packs a residue into a table entry of L 64-bit words.</summary>
    static abstract void Store(ulong* entry, ulong* a, int limbs);

    /// <summary>r = table[index]: reads every entry and keeps one under a mask.</summary>
    static abstract void Select(ulong* r, ulong* table, int entries, uint index, int limbs);
}

/// <summary>What a kernel works with besides its operands. All pointers are aligned to 64 bytes.</summary>
/// <param name="modulus">N' = (N + 1)/2^56 in the kernel's layout.</param>
/// <param name="scratch">Working space, wiped by its owner.</param>
/// <param name="limbs">L.</param>
internal readonly unsafe struct MontgomeryFrame(ulong* modulus, ulong* scratch, int limbs)
{
    public readonly ulong* Modulus = modulus;
    public readonly ulong* Scratch = scratch;
    public readonly int Limbs = limbs;
}
