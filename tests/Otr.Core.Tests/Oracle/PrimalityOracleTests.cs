using Otr.Core.Keys;
using Otr.Core.Tests.Crypto;
using Otr.Core.Tests.Kit;
using BcInteger = Org.BouncyCastle.Math.BigInteger;

namespace Otr.Core.Tests.Oracle;

/// <summary>
/// Primality of numbers that an adversary would pick, against BouncyCastle. The answer to each is known by construction as well: products
/// of primes are composite however many bases call them prime.
/// </summary>
public class PrimalityOracleTests
{
    private const int Rounds = 32;

    public static IEnumerable<TheoryDataRow<string>> KernelNames => KernelTheoryData.All;

    private static BcInteger Number(long value) => BcInteger.ValueOf(value);

    private static BcInteger Prime(int bits, int seed) => new(bits, 128, Oracle.Random(seed));

    /// <summary>
    /// Arnault's composite of 1318 bits (Journal of Symbolic Computation 20, 1995), a strong pseudoprime to all bases below 307.
    /// </summary>
    private static (BcInteger N, BcInteger Prime) Arnault()
    {
        BcInteger one = BcInteger.One, p = new(
            "29674495668685510550154174642905332730771991799853043350995075531276838753171770" +
            "199594238596428121188033664754218345562493168782883");
        var less = p.Subtract(one);
        return (p.Multiply(Number(313).Multiply(less).Add(one)).Multiply(Number(353).Multiply(less).Add(one)), p);
    }

    private static BcInteger ManyLiars(int bits, int seed, bool carmichael)
    {
        for (int attempt = 0; ; attempt++)
        {
            var k = Oracle.Integer(new SeededRandom(1000 * seed + attempt).Bytes(bits / (carmichael ? 3 : 2) / 8));
            if (ManyLiars(k, carmichael) is { } n) return n;
        }
    }

    [Theory, MemberData(nameof(KernelNames))]
    public void Built_numbers_get_the_right_answer_on_every_kernel(string kernel)
    {
        var kind = KernelTheoryData.Require(kernel);
        var (arnault, arnaultPrime) = Arnault();
        BcInteger one = BcInteger.One, p = Prime(512, 1), q = Prime(512, 2);
        (BcInteger N, bool IsPrime)[] cases =
        [
            (arnault, false), (arnaultPrime, true), (p, true), (p.Multiply(q), false), (p.Multiply(p), false),
            (p.Multiply(p).Multiply(p), false), (ManyLiars(384, 1, carmichael: true), false),
            (ManyLiars(320, 2, carmichael: false), false), (ManyLiars(512, 3, carmichael: false), false),
            (one.ShiftLeft(521).Subtract(one), true), (one.ShiftLeft(1279).Subtract(one), true),
            (one.ShiftLeft(1277).Subtract(one), false), (one.ShiftLeft(256).Add(one), false), (one.ShiftLeft(1024).Add(one), false),
            (new BcInteger(ReferenceGroup.P.ToString()), true), (new BcInteger(ReferenceGroup.Q.ToString()), true),
            (Oracle.Integer(Rfc6979Key.P), true), (Oracle.Integer(OpenSslDsa2048.P), true),
            (Oracle.Integer(CompositeDsaParameters.CompositeP.P.ToByteArray(true, true)), false),
        ];
        foreach (var (n, isPrime) in cases)
        {
            Assert.Equal(isPrime, Oracle.IsPrime(n));
            var answer = MillerRabin.IsProbablyPrime(n.ToByteArrayUnsigned(), Rounds, kind);
            Assert.True(isPrime == answer, $"{n.BitLength} bits, prime: {isPrime}");
        }
    }

    [Theory, MemberData(nameof(KernelNames))]
    public void Random_odd_numbers_and_products_of_two_primes_get_BouncyCastles_answer(string kernel)
    {
        var kind = KernelTheoryData.Require(kernel);
        LongRuns.Search(Oracle.Box, 20, seed =>
        {
            var random = new SeededRandom(seed);
            var bytes = random.Bytes(seed % 5 == 0 ? 128 : 34 + seed % 30);
            bytes[0] |= 0x80;
            bytes[^1] |= 1;
            BcInteger n = Oracle.Integer(bytes), next = n;
            while (!next.IsProbablePrime(20)) next = next.Add(BcInteger.Two);
            foreach (var candidate in new[] { n, next, next.Multiply(next), next.Multiply(Prime(64, seed)), next.Add(BcInteger.Two) })
                Assert.Equal(Oracle.IsPrime(candidate), MillerRabin.IsProbablyPrime(candidate.ToByteArrayUnsigned(), Rounds, kind));
        });
    }

    [Fact]
    public void Numbers_of_160_bits_get_BouncyCastles_answer() => LongRuns.Search(Oracle.Box, 40, seed =>
    {
        var random = new SeededRandom(seed);
        var bytes = random.Bytes(20);
        bytes[0] |= 0x80;
        bytes[^1] |= 1;
        BcInteger n = Oracle.Integer(bytes), next = n;
        while (next.BitLength == 160 && !next.IsProbablePrime(20)) next = next.Add(BcInteger.Two);
        // A factor of 80 bits with its top two bits set makes products of 160 bits.
        BcInteger half = Half(), otherHalf = Half();
        BcInteger[] candidates = [n, next, next.Add(BcInteger.Two), half.Multiply(otherHalf), half.Multiply(half)];
        foreach (var candidate in candidates.Where(c => c.BitLength == 160))
        {
            var q = candidate.ToByteArrayUnsigned();
            Assert.Equal(Oracle.IsPrime(candidate), new DsaScalarField(q).IsProbablyPrime(q, Rounds));
        }

        BcInteger Half()
        {
            var odd = Oracle.Integer(random.Bytes(10)).SetBit(79).SetBit(78).SetBit(0);
            while (!odd.IsProbablePrime(20)) odd = odd.Add(BcInteger.Two);
            return odd;
        }
    });

    [Fact]
    public void A_160_bit_product_with_as_many_liars_as_can_be_is_called_composite()
    {
        foreach (bool carmichael in new[] { false, true })
        {
            for (int seed = 0; seed < 3; seed++)
            {
                var n = ManyLiarsOf160Bits(seed, carmichael);
                Assert.Equal(160, n.BitLength);
                Assert.False(Oracle.IsPrime(n));
                var q = n.ToByteArrayUnsigned();
                Assert.False(new DsaScalarField(q).IsProbablyPrime(q, Rounds));
            }
        }
    }

    private static BcInteger ManyLiarsOf160Bits(int seed, bool carmichael)
    {
        var random = new SeededRandom(seed);
        while (true)
        {
            // 1296·k³ and 8·k² have 160 bits for these.
            var k = carmichael
                ? Number(830_000_000_000_000).Add(Oracle.Below(random, Number(200_000_000_000_000)))
                : BcInteger.One.ShiftLeft(78).Add(Oracle.Below(random, BcInteger.One.ShiftLeft(76)));
            if (ManyLiars(k, carmichael) is { } n) return n;
        }
    }

    /// <summary>
    /// (6k + 1)(12k + 1)(18k + 1) after Chernick, a Carmichael number; or p(2p − 1) with p = 2k + 1, for which about one base in four lies.
    /// Null unless all factors are prime.
    /// </summary>
    private static BcInteger? ManyLiars(BcInteger k, bool carmichael)
    {
        BcInteger[] factors = carmichael ? [Times(6), Times(12), Times(18)] : [Times(2), Times(4)];
        return factors.All(f => f.IsProbablePrime(20)) ? factors.Aggregate((a, b) => a.Multiply(b)) : null;

        BcInteger Times(long factor) => k.Multiply(Number(factor)).Add(BcInteger.One);
    }
}
