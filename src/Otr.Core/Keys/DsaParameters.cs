using System.Numerics;
using Otr.Core.Crypto.Montgomery;

namespace Otr.Core.Keys;

/// <summary>Makes DSA domain parameters with L = 1024 and N = 160 in the way of FIPS 186 (a random q, then p in the residue class 1 mod 2q). They are public.</summary>
internal static class DsaParameters
{
    private const int PBytes = 128;
    private const int PBits = 8 * PBytes;
    /// <summary>FIPS 186-4 C.3 asks for 40 rounds at 1024/160 where bases are random and nothing else is tested.</summary>
    private const int Rounds = 40;
    /// <summary>Candidates for p per q (FIPS 186-4 A.1.1.2 step 11: 4L).</summary>
    private const int CandidatesPerQ = 4 * PBits;

    /// <summary>Product of the odd primes up to 751, about as long as p: one gcd sieves nine candidates in ten.</summary>
    private static readonly BigInteger OddPrimorial = Enumerable.Range(3, 749).Where(n => Enumerable.Range(2, n - 2).TakeWhile(d => d * d <= n).All(d => n % d != 0))
        .Aggregate(BigInteger.One, (product, prime) => product * prime);

    public static DsaDomain Generate(IRandomSource random)
    {
        while (true)
        {
            var q = GenerateQ(random);
            if (!TryGenerateP(random, q, out var p)) continue;
            var g = GenerateG(p, q);
            if (DsaDomain.TryGet(Minimal(p), Minimal(q), Minimal(g), out var domain)) return domain;
            throw new InvalidOperationException("Parameters that were just made failed their checks.");
        }
    }

    private static BigInteger GenerateQ(IRandomSource random)
    {
        Span<byte> q = stackalloc byte[DsaScalar.Size];
        while (true)
        {
            random.Fill(q);
            q[0] |= 0x80;
            q[^1] |= 1;
            if (new DsaScalarField(q).IsProbablyPrime(q, Rounds)) return new BigInteger(q, isUnsigned: true, isBigEndian: true);
        }
    }

    private static bool TryGenerateP(IRandomSource random, BigInteger q, out BigInteger p)
    {
        Span<byte> x = stackalloc byte[PBytes];
        for (int i = 0; i < CandidatesPerQ; i++)
        {
            random.Fill(x);
            x[0] |= 0x80;
            p = new BigInteger(x, isUnsigned: true, isBigEndian: true);
            p -= p % (2 * q) - 1;
            if (p.GetBitLength() == PBits && BigInteger.GreatestCommonDivisor(p, OddPrimorial).IsOne
                && MillerRabin.IsProbablyPrime(Minimal(p), Rounds, Kernels.Current)) return true;
        }
        p = default;
        return false;
    }

    /// <summary>FIPS 186-4 A.2.1: h^((p − 1)/q) for the first h that does not give 1.</summary>
    private static BigInteger GenerateG(BigInteger p, BigInteger q)
    {
        for (int h = 2; ; h++)
        {
            var g = BigInteger.ModPow(h, (p - 1) / q, p);
            if (!g.IsOne) return g;
        }
    }

    private static byte[] Minimal(BigInteger value) => value.ToByteArray(isUnsigned: true, isBigEndian: true);
}
