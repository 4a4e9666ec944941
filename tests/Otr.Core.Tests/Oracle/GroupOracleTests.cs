using Org.BouncyCastle.Crypto.Agreement;
using Org.BouncyCastle.Crypto.Parameters;
using Otr.Core.Crypto;
using Otr.Core.Tests.Crypto;
using Otr.Core.Tests.Kit;
using BcInteger = Org.BouncyCastle.Math.BigInteger;

namespace Otr.Core.Tests.Oracle;

/// <summary>Diffie-Hellman in both groups against BouncyCastle's group, agreement and integers, on every kernel.</summary>
public class GroupOracleTests
{
    private static readonly DHParameters Group = DHStandardGroups.rfc3526_1536;

    public static IEnumerable<TheoryDataRow<string>> KernelNames => KernelTheoryData.All;

    /// <summary>An exponent: random, or one of the patterns where windows, carries and the comb's teeth go wrong.</summary>
    private static byte[] Exponent(SeededRandom random, int length)
    {
        byte choice = random.Bytes(1)[0];
        var e = random.Bytes(length);
        if (choice >= 96) return e;
        e.AsSpan().Fill((choice % 6) switch { 0 => 0, 1 => 0xFF, 2 => 0x55, 3 => 0xAA, 4 => 0x80, _ => 0x01 });
        if (choice < 48) e[random.Bytes(1)[0] % length] ^= random.Bytes(1)[0];
        return e;
    }

    private static byte[] Element(SeededRandom random)
    {
        byte choice = random.Bytes(1)[0];
        BcInteger p = Group.P, one = BcInteger.One, top = one.ShiftLeft(1536).Subtract(one);
        BcInteger[] edges =
            [BcInteger.Zero, one, BcInteger.Two, p.Subtract(one), p, p.Add(one), top, one.ShiftLeft(1535), Group.Q,
                one.ShiftLeft(56).Subtract(one)];
        return choice < 64 ? Oracle.Bytes(edges[choice % edges.Length], Group1536.ElementSize) : random.Bytes(Group1536.ElementSize);
    }

    [Theory, MemberData(nameof(KernelNames))]
    public void Powers_products_and_inverses_are_BouncyCastles(string kernel)
    {
        var group = new ModpGroup1536(KernelTheoryData.Require(kernel));
        LongRuns.Search(Oracle.Box, 6, seed =>
        {
            var random = new SeededRandom(seed);
            byte[] a = Element(random), b = Element(random);
            byte[] x = Exponent(random, seed % 4 == 0 ? 192 : 40), y = Exponent(random, 32), z = Exponent(random, seed % 5 == 0 ? 192 : 40);
            BcInteger p = Group.P, ax = Power(Oracle.Integer(a), x), by = Power(Oracle.Integer(b), y), gz = Power(Group.G, z);
            var r = new byte[Group1536.ElementSize];
            group.MultiExp(r, a, x, b, y);
            Assert.Equal(ax.Multiply(by).Mod(p), Oracle.Integer(r));
            group.MultiExpG(r, z, a, x, b, y);
            Assert.Equal(gz.Multiply(ax).Multiply(by).Mod(p), Oracle.Integer(r));
            group.MultiExpG(r, z, default, default, default, default);
            Assert.Equal(gz, Oracle.Integer(r));
            group.Multiply(r, a, b);
            Assert.Equal(Oracle.Integer(a).Multiply(Oracle.Integer(b)).Mod(p), Oracle.Integer(r));
            if (Oracle.Integer(a).Mod(p).SignValue != 0)
            {
                group.Invert(r, a);
                Assert.Equal(Oracle.Integer(a).ModInverse(p), Oracle.Integer(r));
            }
            group.ScalarMulSub(r, b, a, y);
            Assert.Equal(Oracle.Integer(b).Subtract(Oracle.Integer(a).Multiply(Oracle.Integer(y))).Mod(Group.Q), Oracle.Integer(r));
        });

        static BcInteger Power(BcInteger @base, byte[] exponent) => @base.ModPow(Oracle.Integer(exponent), Group.P);
    }

    [Theory, MemberData(nameof(KernelNames))]
    public void Powers_and_membership_in_the_3072_bit_group_are_BouncyCastles(string kernel)
    {
        var group = new ModpGroup3072(KernelTheoryData.Require(kernel));
        var parameters = DHStandardGroups.rfc3526_3072;
        LongRuns.Search(Oracle.Box, 3, seed =>
        {
            var random = new SeededRandom(seed);
            byte[] a = random.Bytes(Group3072.ElementSize), r = new byte[Group3072.ElementSize];
            var x = Exponent(random, Group3072.ExponentSize);
            group.Exp(r, a, x);
            Assert.Equal(Oracle.Integer(a).ModPow(Oracle.Integer(x), parameters.P), Oracle.Integer(r));
            group.ExpG(r, x);
            Assert.Equal(parameters.G.ModPow(Oracle.Integer(x), parameters.P), Oracle.Integer(r));
            Assert.Equal(IsElement(Oracle.Integer(r)), Group3072.IsElement(r));
            Assert.Equal(IsElement(Oracle.Integer(a)), Group3072.IsElement(a));
        });

        bool IsElement(BcInteger value) => value.CompareTo(BcInteger.Two) >= 0 && value.CompareTo(parameters.P.Subtract(BcInteger.Two)) <= 0
            && value.ModPow(parameters.Q, parameters.P).Equals(BcInteger.One);
    }

    [Fact]
    public void A_key_agrees_with_BouncyCastles_key_on_one_secret() => LongRuns.Search(Oracle.Box, 4, seed =>
    {
        using var ours = DhKeyPair.Generate(new SeededRandom(seed));
        var x = Oracle.Below(new SeededRandom(seed + 1), Group.Q.Subtract(BcInteger.Two)).Add(BcInteger.One);
        var agreement = new DHBasicAgreement();
        agreement.Init(new DHPrivateKeyParameters(x, Group));
        var theirs = agreement.CalculateAgreement(new DHPublicKeyParameters(Oracle.Integer(ours.Public), Group));
        var secret = new byte[Group1536.ElementSize];
        ours.Agree(Oracle.Bytes(Group.G.ModPow(x, Group.P), Group1536.ElementSize), secret);
        Assert.Equal(theirs, Oracle.Integer(secret));
    });

    [Fact]
    public void Ranges_are_those_of_BouncyCastles_prime()
    {
        BcInteger p = Group.P, q = Group.Q, one = BcInteger.One;
        foreach (var n in new[] { p, q })
        {
            for (int d = -3; d <= 3; d++)
            {
                var value = n.Add(BcInteger.ValueOf(d));
                var bytes = Oracle.Bytes(value, Group1536.ElementSize);
                bool inRange = value.CompareTo(BcInteger.Two) >= 0 && value.CompareTo(p.Subtract(BcInteger.Two)) <= 0;
                Assert.Equal(inRange, Group1536.IsInRange(bytes));
                Assert.Equal(value.CompareTo(one) >= 0 && value.CompareTo(q) < 0, Group1536.IsScalarInRange(bytes));
            }
        }
    }
}
