using System.Numerics;
using Otr.Core.Crypto.Montgomery;

namespace Otr.Core.Tests.Crypto;

/// <summary>
/// Every kernel against System.Numerics, on moduli of every shape and on the operands where carries and reductions go wrong.
/// </summary>
public class MontgomeryFieldTests
{
    private static readonly BigInteger P = ReferenceGroup.P, P3072 = ReferenceGroup.P3072;

    public static IEnumerable<TheoryDataRow<string, int>> KernelsAndModuli =>
        from kernel in KernelTheoryData.Names from modulus in Enumerable.Range(0, kernel == "portable" ? Moduli.Length : ForEveryKernel) select new TheoryDataRow<string, int>(kernel, modulus);

    /// <summary>Moduli that every kernel has code for.</summary>
    private const int ForEveryKernel = 13;

    /// <summary>The groups' p and q, 1024-bit and other moduli of as many limbs; then some that only the portable kernel serves.</summary>
    private static readonly BigInteger[] Moduli =
    [
        P, (P - 1) / 2,
        (BigInteger.One << 1024) - 1, (BigInteger.One << 1023) + 1, (BigInteger.One << 1024) - 105, Random(1024), Random(1024), Random(1020),
        Random(1536), P3072, (P3072 - 1) / 2, Random(3072), (BigInteger.One << 3072) - 1, Random(2048), Random(520), Random(1025),
    ];

    private static BigInteger Random(int bits) => Numbers.Of(new SeededRandom(bits).Bytes((bits + 7) / 8)) % (BigInteger.One << (bits - 1)) | BigInteger.One | BigInteger.One << (bits - 1);

    private static IEnumerable<BigInteger> Operands(BigInteger m, int bytes)
    {
        BigInteger end = BigInteger.One << (8 * bytes);
        BigInteger alternating = 0;
        for (int i = 0; i < bytes; i++) alternating = alternating << 8 | (i % 7 < 4 ? 0xFF : 0);
        var edges = new[]
        {
            0, 1, 2, m - 2, m - 1, m, m + 1, end - 1, end - 2, end >> 1, (end >> 1) - 1, BigInteger.One << 28, (BigInteger.One << 56) - 1, (BigInteger.One << 224) - 1,
            end - (end >> 28), alternating, m >> 1, m ^ 1,
        };
        var random = new SeededRandom(bytes);
        return edges.Where(v => v >= 0 && v < end).Concat(Enumerable.Range(0, 4).Select(_ => Numbers.Of(random.Bytes(bytes))));
    }

    [Theory]
    [MemberData(nameof(KernelsAndModuli))]
    public void Products_of_edge_and_random_operands_are_right_and_reduced(string kernel, int index)
    {
        var kind = KernelTheoryData.Require(kernel);
        var m = Moduli[index];
        var modulus = m.ToByteArray(true, true);
        var field = MontgomeryField.Create(modulus, kind);
        var operands = Operands(m, modulus.Length).ToArray();
        var result = new byte[modulus.Length];
        foreach (var a in operands)
        {
            foreach (var b in operands)
            {
                field.Multiply(result, Numbers.Bytes(a, modulus.Length), Numbers.Bytes(b, modulus.Length));
                Assert.Equal(a * b % m, Numbers.Of(result));
            }
        }
    }

    [Theory]
    [MemberData(nameof(KernelsAndModuli))]
    public void Powers_of_edge_and_random_operands_are_right_and_reduced(string kernel, int index)
    {
        var kind = KernelTheoryData.Require(kernel);
        var m = Moduli[index];
        var modulus = m.ToByteArray(true, true);
        var field = MontgomeryField.Create(modulus, kind);
        var random = new SeededRandom(3);
        byte[][] exponents = [[], [0], [1], [2], [0xFF, 0xFF, 0xFF], [0x80, 0, 0, 0, 0, 0], random.Bytes(20)];
        var result = new byte[modulus.Length];
        foreach (var a in Operands(m, modulus.Length))
        {
            foreach (var e in exponents)
            {
                field.MultiExp(result, Numbers.Bytes(a, modulus.Length), e);
                Assert.Equal(BigInteger.ModPow(a, Numbers.Of(e), m), Numbers.Of(result));
            }
        }
    }

    [Theory]
    [MemberData(nameof(KernelTheoryData.All), MemberType = typeof(KernelTheoryData))]
    public void Squarings_in_a_chain_never_leave_the_bounds(string kernel)
    {
        var kind = KernelTheoryData.Require(kernel);
        // 2^2048 − 1 as exponent squares and multiplies in turn; a column or limb that grows would show after a few steps.
        var exponent = new byte[256];
        exponent.AsSpan().Fill(0xFF);
        foreach (var m in new[] { P, (P - 1) / 2, (BigInteger.One << 1024) - 1, Random(1024), P3072, (BigInteger.One << 3072) - 1, Random(3072) })
        {
            var modulus = m.ToByteArray(true, true);
            var field = MontgomeryField.Create(modulus, kind);
            var result = new byte[modulus.Length];
            foreach (var a in new[] { m - 1, (BigInteger.One << (8 * modulus.Length)) - 1, Random(1000) })
            {
                field.MultiExp(result, Numbers.Bytes(a, modulus.Length), exponent);
                Assert.Equal(BigInteger.ModPow(a, Numbers.Of(exponent), m), Numbers.Of(result));
            }
        }
    }

    [Theory]
    [MemberData(nameof(KernelTheoryData.All), MemberType = typeof(KernelTheoryData))]
    public void Two_powers_and_a_comb_multiply_together_whatever_their_lengths(string kernel)
    {
        var kind = KernelTheoryData.Require(kernel);
        var field = MontgomeryField.Create(P.ToByteArray(true, true), kind);
        var random = new SeededRandom(9);
        var g = Numbers.Of(random.Bytes(100));
        var comb = field.CreateComb(Numbers.Bytes(g, 192), 320, 5, 8);
        var result = new byte[192];
        int[] lengths = [0, 1, 40];
        foreach (int lx in lengths)
        {
            foreach (int ly in lengths.Append(70))
            {
                foreach (int lz in lengths)
                {
                    byte[] a = random.Bytes(192), b = random.Bytes(192), x = random.Bytes(lx), y = random.Bytes(ly), z = random.Bytes(lz);
                    field.MultiExp(result, a, x, b, y, comb, z);
                    var expected = BigInteger.ModPow(Numbers.Of(a), Numbers.Of(x), P) * BigInteger.ModPow(Numbers.Of(b), Numbers.Of(y), P)
                        * BigInteger.ModPow(g, Numbers.Of(z), P) % P;
                    Assert.Equal(expected, Numbers.Of(result));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(KernelTheoryData.All), MemberType = typeof(KernelTheoryData))]
    public void Combs_of_every_shape_agree_with_the_plain_power(string kernel)
    {
        var kind = KernelTheoryData.Require(kernel);
        var m = Random(1024);
        var field = MontgomeryField.Create(m.ToByteArray(true, true), kind);
        var result = new byte[128];
        foreach (var (teeth, blocks) in new[] { (1, 1), (2, 3), (5, 4), (5, 8), (6, 1), (7, 5) })
        {
            var comb = field.CreateComb([3], 160, teeth, blocks);
            foreach (var fill in new byte[] { 0, 1, 0x80, 0xFF })
            {
                var exponent = new byte[20];
                exponent.AsSpan().Fill(fill);
                field.MultiExp(result, default, default, default, default, comb, exponent);
                Assert.Equal(BigInteger.ModPow(3, Numbers.Of(exponent), m), Numbers.Of(result));
            }
            Assert.Throws<ArgumentException>(() => field.MultiExp(result, default, default, default, default, comb, new byte[21]));
        }
    }

    [Fact]
    public void Moduli_that_cannot_work_are_refused()
    {
        Assert.Throws<ArgumentException>(() => MontgomeryField.Create([], KernelKind.Portable));
        Assert.Throws<ArgumentException>(() => MontgomeryField.Create([0, 3], KernelKind.Portable));
        Assert.Throws<ArgumentException>(() => MontgomeryField.Create([4], KernelKind.Portable));
        var field = MontgomeryField.Create([0x80, 1], KernelKind.Portable);
        Assert.Throws<ArgumentException>(() => field.Multiply(new byte[2], new byte[3], new byte[2]));
    }
}
