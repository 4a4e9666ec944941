using System.Runtime.CompilerServices;

namespace Otr.Core.Crypto.Montgomery;

/// <summary>
/// Powers of a fixed base after Lim and Lee ("More flexible exponentiation with precomputation", CRYPTO '94). The exponent is cut into h teeth of
/// a bits and each tooth into v blocks of b bits; one look-up takes one bit of every tooth. That costs b − 1 squarings and a
/// multiplications in place of one squaring per bit. Look-ups read the whole table.
/// </summary>
internal sealed unsafe class FixedBaseComb
{
    private readonly int _teeth, _blocks, _toothBits, _blockBits, _limbs;
    private readonly AlignedWords _table;

    internal FixedBaseComb(int bits, int teeth, int blocks, int limbs)
    {
        Bits = bits;
        _teeth = teeth;
        _blocks = blocks;
        _limbs = limbs;
        _toothBits = (bits + teeth - 1) / teeth;
        _blockBits = (_toothBits + blocks - 1) / blocks;
        _table = new AlignedWords(blocks * (limbs << teeth));
    }

    /// <summary>The longest exponent that it serves.</summary>
    public int Bits { get; }

    /// <summary>Bytes of all tables.</summary>
    public int TableBytes => 8 * _blocks * (_limbs << _teeth);

    internal ulong* Entry(int block, int index) => _table.Pointer + _limbs * ((block << _teeth) + index);

    /// <summary>The exponent's bit that tooth s, block j, column k looks at.</summary>
    internal int Position(int tooth, int block, int column) => tooth * _toothBits + block * _blockBits + column;

    /// <summary>r = base^exponent in Montgomery form, not fully reduced.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Power<TKernel>(ulong* r, ulong* factor, ReadOnlySpan<byte> exponent, in MontgomeryFrame frame) where TKernel : struct, IMontgomeryKernel
    {
        if (8 * exponent.Length > Bits) throw new ArgumentException("The exponent is longer than the comb.", nameof(exponent));
        bool started = false;
        for (int column = _blockBits - 1; column >= 0; column--)
        {
            if (started) TKernel.Square(r, r, frame);
            for (int block = _blocks - 1; block >= 0; block--)
            {
                if (block * _blockBits + column >= _toothBits) continue;
                uint digit = 0;
                for (int tooth = 0; tooth < _teeth; tooth++)
                {
                    int position = Position(tooth, block, column), index = exponent.Length - 1 - (position >> 3);
                    if (index >= 0) digit |= (uint)((exponent[index] >> (position & 7)) & 1) << tooth;
                }
                TKernel.Select(started ? factor : r, Entry(block, 0), 1 << _teeth, digit, _limbs);
                if (started) TKernel.Multiply(r, r, factor, frame);
                started = true;
            }
        }
        GC.KeepAlive(this);
    }
}
