using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Otr.Core.Crypto.Montgomery;

/// <summary>
/// The field on one kernel. Everything that was ever secret lies in one block of the stack (operands, the windows' tables, the kernel's scratch
/// space), which is wiped before returning.
/// </summary>
internal sealed unsafe class MontgomeryField<TKernel> : MontgomeryField where TKernel : struct, IMontgomeryKernel
{
    private readonly AlignedWords _modulus, _rSquared, _one, _plainOne;

    public MontgomeryField(ReadOnlySpan<byte> modulus, Shape shape) : base(modulus, shape)
    {
        _modulus = Constant((shape.N + 1) >> 56);
        _one = Constant((BigInteger.One << (56 * Limbs)) % shape.N);
        _rSquared = Constant((BigInteger.One << (112 * Limbs)) % shape.N);
        _plainOne = Constant(BigInteger.One);
    }

    private int ResidueWords => TKernel.ResidueWords(Limbs);

    private AlignedWords Constant(BigInteger value)
    {
        var words = new ulong[WordCount];
        Words.FromBigEndian(words, value.ToByteArray(isUnsigned: true, isBigEndian: true));
        var residue = new AlignedWords(ResidueWords);
        fixed (ulong* w = words) TKernel.Split(residue.Pointer, w, Limbs);
        return residue;
    }

    [SkipLocalsInit]
    public override void Multiply(Span<byte> result, ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        int size = FrameWords + 2 * ResidueWords;
        ulong* raw = stackalloc ulong[size + 7];
        ulong* x = Begin(raw, out var frame);
        ulong* y = x + ResidueWords;
        Load(x, a, frame);
        Load(y, b, frame);
        TKernel.Multiply(x, x, y, frame);
        Finish(result, x, frame);
        Wipe(raw, size + 7);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void MultiExp(Span<byte> result, ReadOnlySpan<byte> a, ReadOnlySpan<byte> x, ReadOnlySpan<byte> b, ReadOnlySpan<byte> y,
        FixedBaseComb? comb, ReadOnlySpan<byte> z)
    {
        // Fixed windows: w squarings, then one multiplication by a table entry, whatever the digit (Handbook of Applied Cryptography, 14.82).
        int bits = 8 * Math.Max(x.Length, y.Length), window = bits <= 512 ? 4 : 5, entries = 1 << window;
        int residue = ResidueWords, table = entries * Limbs;
        int size = FrameWords + 2 * residue + (x.IsEmpty ? 0 : table) + (y.IsEmpty ? 0 : table);
        ulong* raw = stackalloc ulong[size + 7];
        ulong* accumulator = Begin(raw, out var frame);
        ulong* factor = accumulator + residue;
        ulong* tableA = factor + residue;
        ulong* tableB = x.IsEmpty ? tableA : tableA + table;

        if (!x.IsEmpty) Tabulate(tableA, entries, a, factor, accumulator, frame);
        if (!y.IsEmpty) Tabulate(tableB, entries, b, factor, accumulator, frame);

        // Straus: both exponents go down one ladder of squarings. Where each begins is public, as are the lengths.
        bool started = false;
        for (int position = (bits + window - 1) / window * window - window; position >= 0; position -= window)
        {
            if (started)
            {
                for (int i = 0; i < window; i++) TKernel.Square(accumulator, accumulator, frame);
            }
            if (position < 8 * x.Length) Take(accumulator, factor, tableA, entries, Digit(x, position, window), ref started, frame);
            if (position < 8 * y.Length) Take(accumulator, factor, tableB, entries, Digit(y, position, window), ref started, frame);
        }

        if (!started) Copy(accumulator, _one.Pointer);
        if (comb is not null && !z.IsEmpty)
        {
            if (started)
            {
                // The ladder is over: its tables' space serves as the comb's accumulator.
                comb.Power<TKernel>(tableA, factor, z, frame);
                TKernel.Multiply(accumulator, accumulator, tableA, frame);
            }
            else
            {
                comb.Power<TKernel>(accumulator, factor, z, frame);
            }
        }
        Finish(result, accumulator, frame);
        Wipe(raw, size + 7);
    }

    /// <summary>table[i] = base^i in Montgomery form.</summary>
    private void Tabulate(ulong* table, int entries, ReadOnlySpan<byte> @base, ulong* first, ulong* power, in MontgomeryFrame frame)
    {
        Load(first, @base, frame);
        TKernel.Store(table, _one.Pointer, Limbs);
        TKernel.Store(table + Limbs, first, Limbs);
        TKernel.Square(power, first, frame);
        TKernel.Store(table + 2 * Limbs, power, Limbs);
        for (int i = 3; i < entries; i++)
        {
            TKernel.Multiply(power, power, first, frame);
            TKernel.Store(table + i * Limbs, power, Limbs);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Take(ulong* accumulator, ulong* factor, ulong* table, int entries, uint digit, ref bool started, in MontgomeryFrame frame)
    {
        if (started)
        {
            TKernel.Select(factor, table, entries, digit, Limbs);
            TKernel.Multiply(accumulator, accumulator, factor, frame);
        }
        else
        {
            TKernel.Select(accumulator, table, entries, digit, Limbs);
            started = true;
        }
    }

    /// <summary>Bits [position, position + width) of a big-endian exponent; the position is public, the result may be secret.</summary>
    private static uint Digit(ReadOnlySpan<byte> exponent, int position, int width)
    {
        int index = exponent.Length - 1 - (position >> 3);
        uint two = exponent[index];
        if (index > 0) two |= (uint)exponent[index - 1] << 8;
        return (two >> (position & 7)) & ((1u << width) - 1);
    }

    [SkipLocalsInit]
    public override FixedBaseComb CreateComb(ReadOnlySpan<byte> @base, int bits, int teeth, int blocks)
    {
        int residue = ResidueWords, size = FrameWords + 2 * residue;
        ulong* raw = stackalloc ulong[size + 7];
        ulong* power = Begin(raw, out var frame);
        ulong* product = power + residue;
        var comb = new FixedBaseComb(bits, teeth, blocks, Limbs);

        // Entry i of block j is the product over the bits s of i of base^(2^(s·a + j·b)); those positions rise in the order (s, j).
        for (int j = 0; j < blocks; j++) TKernel.Store(comb.Entry(j, 0), _one.Pointer, Limbs);
        Load(power, @base, frame);
        int reached = 0;
        for (int s = 0; s < teeth; s++)
        {
            for (int j = 0; j < blocks; j++)
            {
                for (; reached < comb.Position(s, j, 0); reached++) TKernel.Square(power, power, frame);
                for (int i = 0; i < 1 << s; i++)
                {
                    TKernel.Select(product, comb.Entry(j, i), 1, 0, Limbs);
                    TKernel.Multiply(product, product, power, frame);
                    TKernel.Store(comb.Entry(j, i + (1 << s)), product, Limbs);
                }
            }
        }
        GC.KeepAlive(this);
        return comb;
    }

    /// <summary>Words before the residues: the kernel's scratch space and room to convert one number.</summary>
    private int FrameWords => Aligned(TKernel.ScratchWords(Limbs)) + Aligned(WordCount);

    private static int Aligned(int words) => (words + 7) & ~7;

    /// <summary>Lays out the block at <paramref name="raw"/>; returns the place of the first residue.</summary>
    private ulong* Begin(ulong* raw, out MontgomeryFrame frame)
    {
        ulong* start = AlignedWords.Align(raw);
        frame = new MontgomeryFrame(_modulus.Pointer, start, Limbs);
        return start + FrameWords;
    }

    private Span<ulong> Conversion(in MontgomeryFrame frame) => new(frame.Scratch + Aligned(TKernel.ScratchWords(Limbs)), WordCount);

    /// <summary>
    /// Into Montgomery form: value·R² /R. The value is below 2^(8·ByteLength) ≤ R/4 and R² mod N below N, so the result is below
    /// (R/4·N + R·N)/R &lt; 2N.
    /// </summary>
    private void Load(ulong* r, ReadOnlySpan<byte> value, in MontgomeryFrame frame)
    {
        if (value.Length > ByteLength) throw new ArgumentException("The element is longer than the modulus.", nameof(value));
        var words = Conversion(frame);
        Words.FromBigEndian(words, value);
        fixed (ulong* w = words) TKernel.Split(r, w, Limbs);
        TKernel.Multiply(r, r, _rSquared.Pointer, frame);
    }

    /// <summary>Out of Montgomery form and below m. Multiplying by 1 leaves at most N = m·k, and k is below 2^<see cref="MontgomeryField.ExcessBits"/>.</summary>
    private void Finish(Span<byte> result, ulong* a, in MontgomeryFrame frame)
    {
        TKernel.Multiply(a, a, _plainOne.Pointer, frame);
        var words = Conversion(frame);
        fixed (ulong* w = words) TKernel.Join(w, a, Limbs);
        for (int shift = Math.Max(ExcessBits - 1, 0); shift >= 0; shift--) Words.SubtractIfNotLess(words, Modulus, shift);
        Words.ToBigEndian(result[..ByteLength], words);
        GC.KeepAlive(this);
    }

    private void Copy(ulong* to, ulong* from) => new Span<ulong>(from, ResidueWords).CopyTo(new Span<ulong>(to, ResidueWords));

    private static void Wipe(ulong* raw, int words) => CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(new Span<ulong>(raw, words)));
}
