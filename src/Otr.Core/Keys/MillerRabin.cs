using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using Otr.Core.Crypto.Montgomery;

namespace Otr.Core.Keys;

/// <summary>
/// Miller–Rabin primality test on public candidates (FIPS 186-4 C.3.1). Bases are hashed from the candidate, see <see
/// cref="DsaScalarField.IsProbablyPrime"/>.
/// </summary>
internal static class MillerRabin
{
    /// <param name="candidate">Big-endian, odd, above 2^256 (the bases have 256 bits), no leading zeros.</param>
    public static bool IsProbablyPrime(ReadOnlySpan<byte> candidate, int rounds, KernelKind kernel)
    {
        var field = MontgomeryField.Create(candidate, kernel);
        var n = new BigInteger(candidate, isUnsigned: true, isBigEndian: true);
        var minusOne = Bytes(n - 1, candidate.Length);
        var one = Bytes(BigInteger.One, candidate.Length);
        int s = (int)BigInteger.TrailingZeroCount(n - 1);
        var d = Bytes((n - 1) >> s, candidate.Length);

        Span<byte> seed = stackalloc byte[32 + sizeof(int)], @base = stackalloc byte[32], x = stackalloc byte[candidate.Length];
        SHA256.HashData(candidate, seed);
        for (int round = 0; round < rounds; round++)
        {
            // 256-bit bases do: they are below n, and the bound of 1/4 per round holds on average over any set that n's maker does not
            // control.
            BinaryPrimitives.WriteInt32BigEndian(seed[32..], round);
            SHA256.HashData(seed, @base);
            field.MultiExp(x, @base, d);
            bool passes = x.SequenceEqual(one) || x.SequenceEqual(minusOne);
            for (int i = 1; i < s && !passes; i++)
            {
                field.Multiply(x, x, x);
                passes = x.SequenceEqual(minusOne);
            }
            if (!passes) return false;
        }
        return true;
    }

    private static byte[] Bytes(BigInteger value, int length)
    {
        var bytes = new byte[length];
        var minimal = value.ToByteArray(isUnsigned: true, isBigEndian: true);
        minimal.CopyTo(bytes, length - minimal.Length);
        return bytes;
    }
}
