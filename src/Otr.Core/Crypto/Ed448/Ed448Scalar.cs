using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Otr.Core.Crypto.Montgomery;

namespace Otr.Core.Crypto.Ed448;

/// <summary>
/// An integer modulo q, the prime order of Ed448's subgroup: always reduced, 57 bytes little-endian outside. Constant-time in values;
/// immutable until disposed, which wipes it.
/// </summary>
internal sealed class Ed448Scalar : IDisposable
{
    /// <summary>Bytes of a SCALAR.</summary>
    public const int Size = 57;

    /// <summary>Bytes of q; the last byte of a reduced SCALAR is zero.</summary>
    private const int QBytes = 56;

    private const int WordCount = QBytes / 8;

    // q = 2^446 − 13818066809895115352007386748515426880336692474882178609894547503885, RFC 8032 §5.2.
    private static readonly byte[] Q = Convert.FromHexString(
        "3FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF7CCA23E9C44EDB49AED63690216CC2728DC58F552378C292AB5844F3");

    private static readonly ulong[] QWords = ToWords(Q);

    private static readonly byte[] One = [.. new byte[QBytes - 1], 1];

    private static readonly MontgomeryField Field = MontgomeryField.Create(Q, Kernels.Current);

    /// <summary>2^448 mod q = 4·(2^446 − q), as q &lt; 2^446 lacks less than 2^224 of it.</summary>
    private static readonly byte[] TwoTo448 = MakeTwoTo448();

    /// <summary>Big-endian, as the field takes it.</summary>
    private readonly SecretBytes _value = new(QBytes);

    private Ed448Scalar()
    {
    }

    /// <summary>q as a SCALAR.</summary>
    public static ReadOnlySpan<byte> Order => EncodedOrder;

    private static readonly byte[] EncodedOrder = [.. Q.Reverse(), 0];

    /// <summary>The value mod q of a little-endian number of any length: a SCALAR need not be reduced (checklist C1.4).</summary>
    public static Ed448Scalar Reduce(ReadOnlySpan<byte> littleEndian)
    {
        var result = new Ed448Scalar();
        Span<byte> sum = result._value.Span, chunk = stackalloc byte[QBytes];
        // Horner's rule on 448 bits at a time; Multiply takes any 448 bits and reduces.
        for (int end = littleEndian.Length; end > 0;)
        {
            int length = end % QBytes == 0 ? QBytes : end % QBytes;
            chunk.Clear();
            for (int i = 0; i < length; i++) chunk[QBytes - length + i] = littleEndian[end - 1 - i];
            end -= length;
            Field.Multiply(sum, sum, TwoTo448);
            Field.Multiply(chunk, chunk, One);
            AddReduced(sum, sum, chunk);
        }
        CryptographicOperations.ZeroMemory(chunk);
        return result;
    }

    /// <summary>A random scalar of ring signatures and SMP (C1.6): 57 random bytes, hashed to 57, pruned, mod q.</summary>
    public static Ed448Scalar Draw(IRandomSource random)
    {
        Span<byte> seed = stackalloc byte[Size];
        random.Fill(seed);
        Shake256.Hash(seed, seed);
        Prune(seed);
        var scalar = Reduce(seed);
        CryptographicOperations.ZeroMemory(seed);
        return scalar;
    }

    /// <summary>RFC 8032 §5.2.5: a multiple of the cofactor with a fixed top bit.</summary>
    public static void Prune(Span<byte> scalar)
    {
        scalar[0] &= 0xFC;
        scalar[55] |= 0x80;
        scalar[56] = 0;
    }

    /// <summary>Whether an encoding is below q, as S of a signature has to be. For public values.</summary>
    public static bool IsReduced(ReadOnlySpan<byte> encoding)
    {
        if (encoding.Length != Size || encoding[^1] != 0) return false;
        for (int i = QBytes - 1; i >= 0; i--)
        {
            if (encoding[i] != EncodedOrder[i]) return encoding[i] < EncodedOrder[i];
        }
        return false;
    }

    /// <summary>a + b.</summary>
    public static Ed448Scalar Add(Ed448Scalar a, Ed448Scalar b)
    {
        var result = new Ed448Scalar();
        AddReduced(result._value.Span, a._value.Span, b._value.Span);
        return result;
    }

    /// <summary>a − b.</summary>
    public static Ed448Scalar Subtract(Ed448Scalar a, Ed448Scalar b)
    {
        var result = new Ed448Scalar();
        Span<ulong> difference = stackalloc ulong[WordCount], subtrahend = stackalloc ulong[WordCount];
        Words.FromBigEndian(difference, a._value.Span);
        Words.FromBigEndian(subtrahend, b._value.Span);
        ulong borrow = 0, carry = 0;
        for (int i = 0; i < WordCount; i++) difference[i] = Words.SubtractBorrow(difference[i], subtrahend[i], ref borrow);
        ulong negative = 0 - borrow;
        for (int i = 0; i < WordCount; i++) difference[i] = Words.AddCarry(difference[i], QWords[i] & negative, ref carry);
        Words.ToBigEndian(result._value.Span, difference);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(difference));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(subtrahend));
        return result;
    }

    /// <summary>a·b.</summary>
    public static Ed448Scalar Multiply(Ed448Scalar a, Ed448Scalar b)
    {
        var result = new Ed448Scalar();
        Field.Multiply(result._value.Span, a._value.Span, b._value.Span);
        return result;
    }

    /// <summary>r − c·a: the response of every proof and of a ring signature.</summary>
    public static Ed448Scalar SubtractProduct(Ed448Scalar r, Ed448Scalar c, Ed448Scalar a)
    {
        using var product = Multiply(c, a);
        return Subtract(r, product);
    }

    /// <summary>−a.</summary>
    public Ed448Scalar Negate()
    {
        using var zero = new Ed448Scalar();
        return Subtract(zero, this);
    }

    /// <summary>Writes the SCALAR, 57 bytes.</summary>
    public void Encode(Span<byte> encoding)
    {
        for (int i = 0; i < QBytes; i++) encoding[i] = _value.Span[QBytes - 1 - i];
        encoding[QBytes] = 0;
    }

    /// <summary>Constant-time.</summary>
    public bool FixedTimeEquals(Ed448Scalar other) => CryptographicOperations.FixedTimeEquals(_value.Span, other._value.Span);

    /// <summary>Wipes.</summary>
    public void Dispose() => _value.Dispose();

    /// <summary>It was wiped.</summary>
    public bool IsWiped => _value.IsWiped;

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(Ed448Scalar);

    /// <summary>sum = a + b mod q, all big-endian and below q: 2q needs 447 bits.</summary>
    private static void AddReduced(Span<byte> sum, ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        Span<ulong> words = stackalloc ulong[WordCount], addend = stackalloc ulong[WordCount];
        Words.FromBigEndian(words, a);
        Words.FromBigEndian(addend, b);
        ulong carry = 0;
        for (int i = 0; i < WordCount; i++) words[i] = Words.AddCarry(words[i], addend[i], ref carry);
        Words.SubtractIfNotLess(words, QWords, 0);
        Words.ToBigEndian(sum, words);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(words));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(addend));
    }

    private static ulong[] ToWords(byte[] value)
    {
        var words = new ulong[WordCount];
        Words.FromBigEndian(words, value);
        return words;
    }

    private static byte[] MakeTwoTo448()
    {
        // 2^448 − 4q, word by word: 4q is 2^448 less a number below 2^228, so its complement to 2^448 is that number.
        var words = new ulong[WordCount];
        ulong borrow = 0;
        for (int i = 0; i < WordCount; i++)
        {
            ulong fourQ = QWords[i] << 2 | (i > 0 ? QWords[i - 1] >> 62 : 0);
            words[i] = Words.SubtractBorrow(0, fourQ, ref borrow);
        }
        var bytes = new byte[QBytes];
        Words.ToBigEndian(bytes, words);
        return bytes;
    }
}
