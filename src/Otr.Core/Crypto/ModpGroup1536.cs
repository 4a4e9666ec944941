using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Otr.Core.Crypto.Montgomery;

namespace Otr.Core.Crypto;

/// <summary>The arithmetic behind <see cref="Group1536"/>, on a kernel of choice.</summary>
internal sealed class ModpGroup1536
{
    /// <summary>p of RFC 3526 §2. Its low 64 bits are all ones, and so are the low 63 of q = (p − 1)/2: both suit the kernels as they are.</summary>
    private static readonly byte[] PBytes = Convert.FromHexString(
        "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B" +
        "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6" +
        "49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D" +
        "670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF");

    private const int WordCount = Group1536.ElementSize / 8;

    /// <summary>The longest exponent of a D-H key, 320 bits; longer ones are scalars of SMP proofs.</summary>
    private const int ShortExponentBytes = 40;

    private static readonly byte[] PMinus2 = Offset(PBytes, 2);
    private static readonly ulong[] PWords = ToWords(PBytes);
    private static readonly ulong[] PMinus1Words = ToWords(Offset(PBytes, 1));
    private static readonly ulong[] QWords = Halve(PMinus1Words);

    private readonly MontgomeryField _elements, _scalars;
    private readonly FixedBaseComb _shortComb;
    private readonly Lazy<FixedBaseComb> _longComb;

    public ModpGroup1536(KernelKind kernel)
    {
        Kernel = kernel;
        _elements = MontgomeryField.Create(PBytes, kernel);
        var q = new byte[Group1536.ElementSize];
        Words.ToBigEndian(q, QWords);
        _scalars = MontgomeryField.Create(q, kernel);
        _shortComb = _elements.CreateComb([2], 8 * ShortExponentBytes, teeth: 5, blocks: 8);
        _longComb = new Lazy<FixedBaseComb>(() => _elements.CreateComb([2], 8 * Group1536.ElementSize, teeth: 5, blocks: 8));
    }

    public KernelKind Kernel { get; }

    public void MultiExp(Span<byte> result, ReadOnlySpan<byte> a, ReadOnlySpan<byte> x, ReadOnlySpan<byte> b, ReadOnlySpan<byte> y) =>
        _elements.MultiExp(result, a, x, b, y);

    public void MultiExpG(Span<byte> result, ReadOnlySpan<byte> z, ReadOnlySpan<byte> a, ReadOnlySpan<byte> x, ReadOnlySpan<byte> b, ReadOnlySpan<byte> y) =>
        _elements.MultiExp(result, a, x, b, y, z.Length <= ShortExponentBytes ? _shortComb : _longComb.Value, z);

    public void Multiply(Span<byte> result, ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => _elements.Multiply(result, a, b);

    /// <summary>By Fermat: a^(p − 2), the exponent being public and fixed.</summary>
    public void Invert(Span<byte> result, ReadOnlySpan<byte> a) => _elements.MultiExp(result, a, PMinus2);

    public void ScalarMulSub(Span<byte> d, ReadOnlySpan<byte> r, ReadOnlySpan<byte> a, ReadOnlySpan<byte> c)
    {
        Span<byte> product = stackalloc byte[Group1536.ElementSize];
        Span<ulong> difference = stackalloc ulong[WordCount], subtrahend = stackalloc ulong[WordCount];
        _scalars.Multiply(product, a, c);
        Words.FromBigEndian(subtrahend, product);
        Words.FromBigEndian(difference, r);
        // r < 2^1536 is below 2q + q: 2q = p − 1 lacks less than 2^1472 of 2^1536.
        Words.SubtractIfNotLess(difference, QWords, 1);
        Words.SubtractIfNotLess(difference, QWords, 0);
        ulong borrow = 0, carry = 0;
        for (int i = 0; i < WordCount; i++) difference[i] = Words.SubtractBorrow(difference[i], subtrahend[i], ref borrow);
        ulong negative = 0 - borrow;
        for (int i = 0; i < WordCount; i++) difference[i] = Words.AddCarry(difference[i], QWords[i] & negative, ref carry);
        Words.ToBigEndian(d, difference);
        CryptographicOperations.ZeroMemory(product);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(subtrahend));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(difference));
    }

    public static bool IsInRange(ReadOnlySpan<byte> value) => IsBetween(value, 2, PMinus1Words);

    /// <summary>In range and a square: p is a safe prime, so the squares are the subgroup of order q.</summary>
    public static bool IsMember(ReadOnlySpan<byte> value)
    {
        if (!IsInRange(value)) return false;
        Span<ulong> a = stackalloc ulong[WordCount], p = stackalloc ulong[WordCount];
        Words.FromBigEndian(a, value);
        PWords.CopyTo(p);
        return JacobiSymbol.Of(a, p) == 1;
    }

    public static bool IsScalarInRange(ReadOnlySpan<byte> value) => IsBetween(value, 1, QWords);

    /// <summary>least ≤ value &lt; end; only the answer depends on the value.</summary>
    private static bool IsBetween(ReadOnlySpan<byte> value, ulong least, ReadOnlySpan<ulong> end)
    {
        if (value.Length != Group1536.ElementSize) return false;
        Span<ulong> words = stackalloc ulong[WordCount], lower = stackalloc ulong[WordCount];
        Words.FromBigEndian(words, value);
        lower.Clear();
        lower[0] = least;
        ulong inside = ~Words.LessThan(words, lower) & Words.LessThan(words, end);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(words));
        return inside != 0;
    }

    /// <summary>p − amount; the last byte of p is 255, so nothing borrows.</summary>
    private static byte[] Offset(byte[] p, byte amount)
    {
        var result = (byte[])p.Clone();
        result[^1] -= amount;
        return result;
    }

    private static ulong[] ToWords(byte[] value)
    {
        var words = new ulong[WordCount];
        Words.FromBigEndian(words, value);
        return words;
    }

    private static ulong[] Halve(ulong[] value)
    {
        var half = new ulong[value.Length];
        for (int i = 0; i < value.Length; i++) half[i] = value[i] >> 1 | (i + 1 < value.Length ? value[i + 1] << 63 : 0);
        return half;
    }
}
