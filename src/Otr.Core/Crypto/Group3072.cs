using Otr.Core.Crypto.Montgomery;

namespace Otr.Core.Crypto;

/// <summary>
/// The 3072-bit MODP group of RFC 3526 §4, g = 2, from which version 4 takes its brace keys. Elements are big-endian, results have 384
/// bytes and are fully reduced. Constant-time in elements and exponents. Runs on the kernel that <see cref="Kernels"/> chose at start.
/// </summary>
internal static class Group3072
{
    public const int ElementSize = 384;

    /// <summary>Bytes of a secret: the specification's 640 bits.</summary>
    public const int ExponentSize = 80;

    private static readonly Lazy<ModpGroup3072> Group = new(() => new ModpGroup3072(Kernels.Current));

    /// <summary>Compiles the kernel and builds the comb, for a server's start.</summary>
    public static void WarmUp()
    {
        Span<byte> result = stackalloc byte[ElementSize], exponent = stackalloc byte[ExponentSize];
        exponent.Fill(1);
        ExpG(result, exponent);
        Exp(result, result, exponent);
    }

    /// <summary>result = base^exponent mod p.</summary>
    public static void Exp(Span<byte> result, ReadOnlySpan<byte> @base, ReadOnlySpan<byte> exponent) =>
        Group.Value.Exp(result, @base, exponent);

    /// <summary>result = 2^exponent mod p, for exponents of at most <see cref="ExponentSize"/> bytes.</summary>
    public static void ExpG(Span<byte> result, ReadOnlySpan<byte> exponent) => Group.Value.ExpG(result, exponent);

    /// <summary>
    /// 2 ≤ value ≤ p − 2 and value^q = 1, the checks of a received element (checklist C1.9). For public values; false for any length but
    /// 384.
    /// </summary>
    public static bool IsElement(ReadOnlySpan<byte> value) => ModpGroup3072.IsElement(value);
}

/// <summary>The arithmetic behind <see cref="Group3072"/>, on a kernel of choice.</summary>
internal sealed class ModpGroup3072
{
    /// <summary>p of RFC 3526 §4. Its low 64 bits are all ones, which suits the kernels as it is.</summary>
    private static readonly byte[] PBytes = Convert.FromHexString(
        "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B" +
        "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6" +
        "49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D" +
        "670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718" +
        "3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7D" +
        "B3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C" +
        "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF");

    private const int WordCount = Group3072.ElementSize / 8;

    private static readonly ulong[] PWords = ToWords(PBytes);

    private readonly MontgomeryField _elements;
    private readonly FixedBaseComb _comb;

    public ModpGroup3072(KernelKind kernel)
    {
        _elements = MontgomeryField.Create(PBytes, kernel);
        _comb = _elements.CreateComb([2], 8 * Group3072.ExponentSize, teeth: 5, blocks: 8);
    }

    public void Exp(Span<byte> result, ReadOnlySpan<byte> @base, ReadOnlySpan<byte> exponent) =>
        _elements.MultiExp(result, @base, exponent);

    public void ExpG(Span<byte> result, ReadOnlySpan<byte> exponent) =>
        _elements.MultiExp(result, default, default, default, default, _comb, exponent);

    public static bool IsElement(ReadOnlySpan<byte> value)
    {
        if (value.Length != Group3072.ElementSize) return false;
        Span<ulong> words = stackalloc ulong[WordCount];
        Words.FromBigEndian(words, value);
        // p = 2q + 1, so value^q is the Legendre symbol of value. Of 0, 1 and p − 1 it is 0, 1 and −1 (p ≡ 3 mod 4): 1 alone needs to be
        // asked for.
        bool isOne = words[0] == 1 && words[1..].IndexOfAnyExcept(0UL) < 0;
        if (Words.LessThan(words, PWords) == 0 || isOne) return false;
        Span<ulong> p = stackalloc ulong[WordCount];
        PWords.CopyTo(p);
        return JacobiSymbol.Of(words, p) == 1;
    }

    private static ulong[] ToWords(byte[] value)
    {
        var words = new ulong[WordCount];
        Words.FromBigEndian(words, value);
        return words;
    }
}
