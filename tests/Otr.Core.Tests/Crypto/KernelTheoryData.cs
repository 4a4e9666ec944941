using System.Numerics;
using System.Security.Cryptography;
using Otr.Core.Crypto.Montgomery;

namespace Otr.Core.Tests.Crypto;

/// <summary>Every kernel, by its word in the environment switch.</summary>
internal static class KernelTheoryData
{
    public static readonly string[] Names = ["portable", "avx2", "avx512"];

    public static IEnumerable<TheoryDataRow<string>> All => Names.Select(name => new TheoryDataRow<string>(name));

    /// <summary>The kernel of that name; skips the test where the processor lacks it.</summary>
    public static KernelKind Require(string name)
    {
        var kind = Enum.Parse<KernelKind>(name, ignoreCase: true);
        Assert.SkipUnless(Kernels.IsSupported(kind), $"This processor has no {name}.");
        return kind;
    }
}

/// <summary>Big-endian numbers and the reference arithmetic of System.Numerics.</summary>
internal static class Numbers
{
    public static BigInteger Of(ReadOnlySpan<byte> value) => new(value, isUnsigned: true, isBigEndian: true);

    public static byte[] Bytes(BigInteger value, int length)
    {
        var minimal = value.IsZero ? [] : value.ToByteArray(isUnsigned: true, isBigEndian: true);
        var bytes = new byte[length];
        minimal.CopyTo(bytes, length - minimal.Length);
        return bytes;
    }

    public static byte[] Hex(string hex) => Convert.FromHexString(hex.Replace(" ", "").Replace("\n", "").Replace("\r", ""));
}

/// <summary>
/// The primes of RFC 3526 §2 and §4 by their definition, 2^n − 2^(n − 64) − 1 + 2^64·(⌊2^(n − 130)·π⌋ + c), independent of the digits in
/// the product.
/// </summary>
internal static class ReferenceGroup
{
    public static readonly BigInteger P = Prime(1536, 741804);
    public static readonly BigInteger Q = (P - 1) / 2;

    public static readonly BigInteger P3072 = Prime(3072, 1690314);

    private static BigInteger Prime(int n, int c) =>
        (BigInteger.One << n) - (BigInteger.One << (n - 64)) - 1 + (BigInteger.One << 64) * (Pi(n - 130) + c);

    /// <summary>⌊2^bits·π⌋ by Machin's formula, with guard bits.</summary>
    private static BigInteger Pi(int bits)
    {
        const int Guard = 64;
        return 4 * (4 * ArcTan(5) - ArcTan(239)) >> Guard;

        BigInteger ArcTan(int inverse)
        {
            BigInteger power = (BigInteger.One << (bits + Guard)) / inverse, sum = power;
            for (int n = 3; !power.IsZero; n += 2)
            {
                power /= inverse * inverse;
                sum += n % 4 == 3 ? -(power / n) : power / n;
            }
            return sum;
        }
    }
}

/// <summary>Reproducible bytes: SHA-256 of seed and counter.</summary>
internal sealed class SeededRandom(int seed) : IRandomSource
{
    private int _counter;

    public void Fill(Span<byte> destination)
    {
        Span<byte> input = stackalloc byte[8], block = stackalloc byte[32];
        for (int done = 0; done < destination.Length; done += 32)
        {
            BitConverter.TryWriteBytes(input, seed);
            BitConverter.TryWriteBytes(input[4..], _counter++);
            SHA256.HashData(input, block);
            block[..Math.Min(32, destination.Length - done)].CopyTo(destination[done..]);
        }
    }

    public byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        Fill(bytes);
        return bytes;
    }
}
