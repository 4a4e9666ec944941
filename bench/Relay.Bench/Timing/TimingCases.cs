using System.Numerics;
using System.Security.Cryptography;
using Otr.Core;
using Otr.Core.Crypto;
using Otr.Core.Crypto.Montgomery;
using Otr.Core.Keys;

namespace Relay.Bench.Timing;

/// <summary>The cases of the timing test: every operation of Otr.Core on secrets, and two controls.</summary>
internal static class TimingCases
{
    private static readonly byte[] Result = new byte[Group1536.ElementSize];
    private static readonly byte[] Element = RandomElement();
    private static readonly byte[] Exponent = RandomNumberGenerator.GetBytes(40);
    private static readonly byte[] Mac = RandomNumberGenerator.GetBytes(20);
    private static readonly byte[] Signature = new byte[DsaPublicKey.SignatureSize];
    /// <summary>
    /// A key whose q is just below 2^160. RFC 6979 draws another nonce if the first is not below q; that takes longer, but reveals
    /// nothing about the nonce that is used. With such a q it almost never happens, so the test detects only relevant differences.
    /// </summary>
    private static readonly DsaPrivateKey Key = DsaPrivateKey.Generate(new HighScalars());
    private static readonly FixedBaseComb Comb = Key.PublicKey.Domain.Elements.CreateComb(Key.PublicKey.G, 160, teeth: 5, blocks: 4);
    private static readonly DsaScalarField Scalars = new(Key.PublicKey.Q);

    public static IEnumerable<TimingCase> All =>
    [
        new("control: BigInteger.ModPow, exponent", true, 40, One, RandomBytes,
            e => BigInteger.ModPow(5, new BigInteger(e, true, true), BigInteger.One << 1536 | 1), 20),
        new("control: comparison that stops early", true, 20, b => Mac.CopyTo(b), RandomBytes, b => StopsEarly(b, Mac)),
        new("Exp, 320-bit exponent: 1", false, 40, One, RandomBytes, e => Group1536.Exp(Result, Element, e), 10),
        new("Exp, 320-bit exponent: all ones", false, 40, AllOnes, RandomBytes, e => Group1536.Exp(Result, Element, e), 10),
        new("Exp, base 1", false, 192, One, RandomBytes, b => Group1536.Exp(Result, b, Exponent), 10),
        new("Exp, base all ones", false, 192, AllOnes, RandomBytes, b => Group1536.Exp(Result, b, Exponent), 10),
        new("Exp, 1536-bit exponent: 1", false, 192, One, RandomBytes, e => Group1536.Exp(Result, Element, e), 50),
        new("ExpG, 320-bit exponent: 1", false, 40, One, RandomBytes, e => Group1536.ExpG(Result, e), 4),
        new("ExpG, 1536-bit exponent: 0", false, 192, Zero, RandomBytes, e => Group1536.ExpG(Result, e), 10),
        new("MultiExp, second exponent 0", false, 32, Zero, RandomBytes,
            e => Group1536.MultiExp(Result, Element, Exponent, Element, e), 10),
        new("Invert, 1", false, 192, One, RandomBytes, a => Group1536.Invert(Result, a), 50),
        new("Multiply, 0", false, 192, Zero, RandomBytes, a => Group1536.Multiply(Result, a, Element)),
        new("ScalarMulSub, a = 0", false, 192, Zero, RandomBytes, a => Group1536.ScalarMulSub(Result, Element, a, Mac)),
        new("IsInRange, 2", false, 192, b => { b.Clear(); b[^1] = 2; }, RandomBytes, b => Group1536.IsInRange(b)),
        new("DSA g^k, k = 1", false, 20, One, RandomBytes,
            k => Key.PublicKey.Domain.Elements.MultiExp(Result, default, default, default, default, Comb, k), 4),
        new("DSA inverse of a nonce, 1", false, 20, One, Scalar, k => Scalars.Invert(DsaScalar.FromBigEndian(k))),
        new("DSA signature, message (and so the nonce) fixed", false, 32, b => b.Fill(7), RandomBytes, m => Key.Sign(m, Signature), 4),
        new("DSA reduction mod q, 0", false, 32, Zero, RandomBytes, m => Scalars.Reduce(m)),
        new("MAC comparison, equal", false, 20, b => Mac.CopyTo(b), RandomBytes, b => CryptographicOperations.FixedTimeEquals(b, Mac)),
        new("HMAC-SHA1, data 0", false, 200, Zero, RandomBytes, b => HmacSha1.Compute(Mac, b, Result)),
        new("AES-CTR, key 0", false, 16, Zero, RandomBytes, k => AesCtr.Transform(k, 1, Result, Result)),
    ];

    private static void Zero(Span<byte> input) => input.Clear();

    private static void One(Span<byte> input)
    {
        input.Clear();
        input[^1] = 1;
    }

    private static void AllOnes(Span<byte> input) => input.Fill(0xFF);

    private static void RandomBytes(Span<byte> input) => RandomNumberGenerator.Fill(input);

    private static void Scalar(Span<byte> input)
    {
        do RandomNumberGenerator.Fill(input);
        while (!Scalars.IsInRange(DsaScalar.FromBigEndian(input)));
    }

    private static byte[] RandomElement()
    {
        var element = RandomNumberGenerator.GetBytes(Group1536.ElementSize);
        element[0] = 1;
        return element;
    }

    private sealed class HighScalars : IRandomSource
    {
        public void Fill(Span<byte> destination)
        {
            RandomNumberGenerator.Fill(destination);
            if (destination.Length == DsaScalar.Size) destination[..4].Fill(0xFF);
        }
    }

    private static bool StopsEarly(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        for (int i = 0; i < a.Length; i++)
        {
            if (a[i] != b[i]) return false;
        }
        return true;
    }
}
