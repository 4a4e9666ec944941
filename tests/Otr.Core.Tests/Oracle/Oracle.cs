using Org.BouncyCastle.Crypto.Digests;
using Org.BouncyCastle.Crypto.Prng;
using Org.BouncyCastle.Math;
using Org.BouncyCastle.Security;
using Otr.Core.Tests.Crypto;
using BcInteger = Org.BouncyCastle.Math.BigInteger;

namespace Otr.Core.Tests.Oracle;

/// <summary>Shared by the differential tests against BouncyCastle: conversions, seeded randomness, and how long they run.</summary>
internal static class Oracle
{
    /// <summary>The time box of one differential test; LongRuns multiplies it where RELAY_LONG=1 is set.</summary>
    public static readonly TimeSpan Box = TimeSpan.FromSeconds(1);

    public static BcInteger Integer(ReadOnlySpan<byte> bigEndian) => new(1, bigEndian.ToArray());

    /// <summary>Big-endian, left-padded with zeros to <paramref name="length"/>.</summary>
    public static byte[] Bytes(BcInteger value, int length)
    {
        var minimal = value.ToByteArrayUnsigned();
        return [.. new byte[length - minimal.Length], .. minimal];
    }

    /// <summary>Big-endian without leading zeros.</summary>
    public static byte[] Minimal(BcInteger value) => value.SignValue == 0 ? [] : value.ToByteArrayUnsigned();

    /// <summary>A number that is uniform below <paramref name="end"/> but for a bias of 2^-64.</summary>
    public static BcInteger Below(SeededRandom random, BcInteger end) => Integer(random.Bytes(end.BitLength / 8 + 9)).Mod(end);

    /// <summary>Miller–Rabin with 64 random bases: the bound of 4^-64 holds for numbers that an adversary chose, too.</summary>
    public static bool IsPrime(BcInteger odd) => Primes.IsMRProbablePrime(odd, Random(odd.BitLength), 64);

    /// <summary>BouncyCastle's generator of pseudo-random bytes, fed with a seed only.</summary>
    public static SecureRandom Random(int seed)
    {
        var generator = new DigestRandomGenerator(new Sha256Digest());
        generator.AddSeedMaterial(seed);
        return new SecureRandom(generator);
    }
}
