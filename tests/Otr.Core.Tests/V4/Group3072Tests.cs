using System.Numerics;
using Otr.Core.Crypto;
using Otr.Core.Crypto.Montgomery;
using Otr.Core.Tests.Crypto;
using Otr.Core.V4;

namespace Otr.Core.Tests.V4;

/// <summary>The 3072-bit group against the published vectors and System.Numerics.</summary>
public class Group3072Tests
{
    private static readonly BigInteger P = ReferenceGroup.P3072;

    [Theory, MemberData(nameof(KernelTheoryData.All), MemberType = typeof(KernelTheoryData))]
    public void Exchanges_match_on_every_kernel(string kernel)
    {
        var group = new ModpGroup3072(KernelTheoryData.Require(kernel));
        var result = new byte[Group3072.ElementSize];
        foreach (var v in Vector.Of("dh3072", "exchange"))
        {
            foreach (var (secret, own, peer) in new[] { ("a", "A", "B"), ("b", "B", "A") })
            {
                group.ExpG(result, v.Bytes(secret));
                Assert.Equal(v.Bytes(own), Dh3072KeyPair.Minimal(result));
                group.Exp(result, v.Bytes(peer), v.Bytes(secret));
                Assert.Equal(v.Bytes("k_dh"), Dh3072KeyPair.Minimal(result));
            }
        }
    }

    [Fact]
    public void Key_pairs_agree_on_the_published_secrets_and_brace_keys()
    {
        int shorter = 0;
        foreach (var v in Vector.Of("dh3072", "exchange"))
        {
            using Dh3072KeyPair a = Dh3072KeyPair.Generate(new Draws(v.Bytes("a"))), b = Dh3072KeyPair.Restore(v.Bytes("b"));
            Assert.True(Group3072.IsElement(b.Public));
            using SecretBytes secret = a.Agree(b.Public), again = b.Agree(a.Public);
            Assert.Equal(secret.Span, again.Span);
            var k = Dh3072KeyPair.Minimal(secret.Span);
            Assert.Equal(v.Bytes("k_dh"), k);
            if (k.Length < Group3072.ElementSize) shorter++;
            var brace = new byte[32];
            Kdf.Derive(KdfUsage.ThirdBraceKey, brace, k);
            Assert.Equal(v.Bytes("brace_key"), brace);
        }
        Assert.Equal(1, shorter);
    }

    [Fact]
    public void Elements_outside_the_range_or_the_subgroup_are_refused()
    {
        int valid = 0;
        foreach (var v in Vector.Of("dh3072", "validity"))
        {
            var text = v.Text("value");
            var bytes = Convert.FromHexString(text.Length % 2 == 0 ? text : "0" + text);
            byte[] padded = [.. new byte[Group3072.ElementSize - bytes.Length], .. bytes];
            Assert.True(v.Flag("valid") == Group3072.IsElement(padded), v.Note);
            if (v.Flag("valid")) valid++;
        }
        Assert.True(valid > 3);
        Assert.False(Group3072.IsElement([]));
        Assert.False(Group3072.IsElement(Numbers.Bytes(4, 383)));
        Assert.False(Group3072.IsElement(Numbers.Bytes(4, 385)));
    }

    [Fact]
    public void The_Jacobi_symbol_is_the_power_that_it_stands_for()
    {
        var random = new SeededRandom(12);
        var q = (P - 1) / 2;
        for (int i = 0; i < 4; i++)
        {
            var value = Numbers.Of(random.Bytes(384)) % P;
            Assert.Equal(BigInteger.ModPow(value, q, P).IsOne, Group3072.IsElement(Numbers.Bytes(value, 384)));
        }
        // All of a small modulus, and of one that is not prime: the product of the symbols of its factors.
        foreach (int a in Enumerable.Range(0, 105))
        {
            Assert.Equal(Legendre(a, 101), Symbol(a, 101));
            Assert.Equal(Legendre(a, 3) * Legendre(a, 5) * Legendre(a, 7), Symbol(a, 105));
        }
        Assert.Throws<ArgumentException>(() => Symbol(1, 2));

        static int Legendre(int a, int p) => (int)BigInteger.ModPow(a, (p - 1) / 2, p) is var power && power == p - 1 ? -1 : power;
        static int Symbol(int a, int n) => JacobiSymbol.Of([(ulong)a, 0], [(ulong)n, 0]);
    }

    [Theory, MemberData(nameof(KernelTheoryData.All), MemberType = typeof(KernelTheoryData))]
    public void Powers_of_edge_and_random_operands_agree_with_the_reference(string kernel)
    {
        var group = new ModpGroup3072(KernelTheoryData.Require(kernel));
        var random = new SeededRandom(7);
        var result = new byte[Group3072.ElementSize];
        BigInteger[] bases = [0, 1, 2, P - 1, P, (BigInteger.One << 3072) - 1, Numbers.Of(random.Bytes(384))];
        byte[][] exponents = [new byte[80], [.. Enumerable.Repeat((byte)0xFF, 80)], random.Bytes(80), [1], []];
        foreach (var e in exponents)
        {
            group.ExpG(result, e);
            Assert.Equal(BigInteger.ModPow(2, Numbers.Of(e), P), Numbers.Of(result));
            foreach (var b in bases)
            {
                group.Exp(result, Numbers.Bytes(b, 384), e);
                Assert.Equal(BigInteger.ModPow(b, Numbers.Of(e), P), Numbers.Of(result));
            }
        }
        Assert.Throws<ArgumentException>(() => group.ExpG(new byte[384], new byte[81]));
    }
}
