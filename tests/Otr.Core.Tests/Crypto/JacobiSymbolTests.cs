using System.Numerics;
using Otr.Core.Crypto;
using Otr.Core.Crypto.Montgomery;
using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Crypto;

/// <summary>The Jacobi symbol against Euler's criterion and a composite's prime factors, by the BCL's big integers.</summary>
public sealed class JacobiSymbolTests
{
    private static readonly int[] Primes = [3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 97, 257];
    private static readonly BigInteger Q = (Big.P - 1) / 2;

    [Fact]
    public void Small_numbers_have_the_product_of_their_prime_factors_symbols()
    {
        foreach (var first in Primes)
        foreach (var second in Primes)
        {
            var n = first * second;
            for (var a = 0; a < n; a++) Assert.Equal((a, n, Legendre(a, first) * Legendre(a, second)), (a, n, Of(a, n, 1)));
        }
        for (var a = 0; a < 50; a++) Assert.Equal(1, Of(a, 1, 1));
    }

    [Fact]
    public void Modulo_p_it_is_Euler_s_criterion()
    {
        var random = new Random(5);
        var bytes = new byte[Group1536.ElementSize];
        for (var i = 0; i < 60; i++)
        {
            random.NextBytes(bytes);
            // Sparse numbers and short ones, too: long runs of zeros at either end.
            BigInteger a = (i % 4) switch
            {
                0 => Big.Number(bytes) % Big.P,
                1 => BigInteger.One << random.Next(1530),
                2 => Big.P - (BigInteger.One << random.Next(1530)),
                _ => (Big.Number(bytes.AsSpan(0, 1 + random.Next(60))) << random.Next(1000)) % Big.P,
            };
            Assert.Equal(Legendre(a, Big.P), Of(a, Big.P, 24));
        }
    }

    [Fact]
    public void Whole_words_of_zeros_are_passed_over()
    {
        foreach (var bits in new[] { 63, 64, 65, 127, 128, 129, 1472 })
        {
            Assert.Equal(1, Of(BigInteger.One << bits, Big.P, 24));
            Assert.Equal(-1, Of(Big.P - (BigInteger.One << bits), Big.P, 24));
            // n − a is a multiple of 2^bits: after the subtraction whole words are zero.
            var n = Big.P;
            var a = n % (BigInteger.One << bits);
            Assert.Equal(Legendre(a, n), Of(a, n, 24));
        }
    }

    [Fact]
    public void Numbers_with_a_common_divisor_have_none()
    {
        Assert.Equal(0, Of(0, Big.P, 24));
        Assert.Equal(0, Of(Big.P, Big.P, 24));
        var n = (BigInteger.One << 300) + 1;
        var divisor = new BigInteger(17);
        Assert.Equal(BigInteger.Zero, n % divisor);
        Assert.Equal(0, Of(divisor * 4, n, 6));
        Assert.Equal(0, Of(divisor, n, 6));
    }

    [Fact]
    public void A_member_is_in_range_and_a_square()
    {
        var random = new Random(6);
        var bytes = new byte[Group1536.ElementSize];
        for (var i = 0; i < 20; i++)
        {
            random.NextBytes(bytes);
            var square = BigInteger.ModPow(Big.Number(bytes), 2, Big.P);
            Assert.True(IsMember(square));
            // −1 is no square, as p ≡ 3 (mod 4).
            Assert.False(IsMember(Big.P - square));
        }
        foreach (var outside in new[] { 0, 1, Big.P - 1, Big.P, Big.P + 2, Big.P + 4 }) Assert.False(IsMember(outside));
        Assert.True(IsMember(2));
        Assert.False(IsMember(Big.P - 2));
        Assert.False(Group1536.IsMember(new byte[Group1536.ElementSize - 1]));
        Assert.Equal(BigInteger.One, BigInteger.ModPow(2, Q, Big.P));
    }

    [Fact]
    public void An_even_modulus_or_two_lengths_are_the_caller_s_mistake()
    {
        Assert.Throws<ArgumentException>(() => JacobiSymbol.Of(new ulong[1], new ulong[] { 4 }));
        Assert.Throws<ArgumentException>(() => JacobiSymbol.Of(new ulong[2], new ulong[] { 5 }));
    }

    private static bool IsMember(BigInteger value) => Group1536.IsMember(Big.Bytes(value, Group1536.ElementSize));

    private static int Of(BigInteger a, BigInteger n, int words) => JacobiSymbol.Of(ToWords(a, words), ToWords(n, words));

    private static ulong[] ToWords(BigInteger value, int count)
    {
        var words = new ulong[count];
        Words.FromBigEndian(words, Big.Bytes(value));
        return words;
    }

    private static int Legendre(BigInteger a, BigInteger prime)
    {
        var power = BigInteger.ModPow(a, (prime - 1) / 2, prime);
        return power == prime - 1 ? -1 : (int)power;
    }
}
