using System.Diagnostics;
using System.Numerics;
using System.Security.Cryptography;
using Otr.Core.Crypto.Montgomery;
using Otr.Core.Keys;

namespace Otr.Core.Tests.Crypto;

public class DsaKeyTests
{
    private static readonly BigInteger P = Numbers.Of(Rfc6979Key.P), Q = Numbers.Of(Rfc6979Key.Q);

    private static bool Accepts(BigInteger p, BigInteger q, BigInteger g, BigInteger y) =>
        DsaPublicKey.TryCreate(Minimal(p), Minimal(q), Minimal(g), Minimal(y), out _);

    private static byte[] Minimal(BigInteger value) => value.IsZero ? [] : value.ToByteArray(true, true);

    private static readonly BigInteger G = Numbers.Of(Rfc6979Key.G), Y = Numbers.Of(Rfc6979Key.Y);

    [Fact]
    public void A_sound_key_is_accepted_with_or_without_leading_zeros()
    {
        Assert.True(Accepts(P, Q, G, Y));
        Assert.True(DsaPublicKey.TryCreate([0, 0, .. Rfc6979Key.P], [0, .. Rfc6979Key.Q], [0, .. Rfc6979Key.G], [0, .. Rfc6979Key.Y], out var key));
        Assert.Equal(Rfc6979Key.P, key.P);
        // RFC 6979's g has a leading zero nibble, no leading zero byte.
        Assert.Equal(Rfc6979Key.G, key.G);
    }

    [Fact]
    public void K10_Every_check_of_A6_1_refuses_what_it_is_there_for()
    {
        Assert.True(Accepts(P, Q, G, Y));
        Assert.False(Accepts(P + 1, Q, G, Y));                          // p even
        Assert.False(Accepts(P >> 8 | 1, Q, G >> 16, Y >> 16));         // p too short
        Assert.False(Accepts((P << 2049) + 1, Q, G, Y));                // p too long
        Assert.False(Accepts(P, Q + 1, G, Y));                          // q even
        Assert.False(Accepts(P, Q >> 1 | 1, G, Y));                     // q of 159 bits
        Assert.False(Accepts(P, Q << 1 | 1, G, Y));                     // q of 161 bits
        Assert.False(Accepts(P, Q + 2, G, Y));                          // q does not divide p − 1
        Assert.False(Accepts(P, 0, G, Y));
        Assert.False(Accepts(0, Q, G, Y));
        Assert.False(Accepts(1, 1, 1, 1));
        foreach (var bad in new[] { 0, 1, P - 1, P, P + 1, P + 2, P << 64 })
        {
            Assert.False(Accepts(P, Q, bad, Y));
            Assert.False(Accepts(P, Q, G, bad));
        }
        Assert.False(Accepts(P, Q, 2, Y));                              // g not of order q
        Assert.False(Accepts(P, Q, G, 2));                              // y not in the subgroup
        Assert.False(Accepts(P, Q, G, P - Y));
    }

    [Fact]
    public void K10_A_composite_q_is_refused_even_if_everything_else_fits()
    {
        var (p, q, g) = CompositeDsaParameters.CompositeQ;
        Assert.True(((p - 1) % q).IsZero && BigInteger.ModPow(g, q, p).IsOne);
        Assert.False(Accepts(p, q, g, g * g % p));
    }

    [Fact]
    public void K10_The_costliest_hostile_numbers_are_refused_in_bounded_time()
    {
        // 3072-bit composite p with q | p − 1: every cheap check passes, the exponentiations run and fail. CPU time of this thread would be
        // fairer, but a bound of a second for what takes milliseconds holds on a busy machine too.
        var random = new SeededRandom(3072);
        var hostile = new List<(BigInteger P, BigInteger G)>();
        while (hostile.Count < 5)
        {
            var x = Numbers.Of(random.Bytes(384)) | BigInteger.One << 3071;
            var p = x - x % (2 * Q) + 1;
            if (p.GetBitLength() == 3072) hostile.Add((p, x % p));
        }
        foreach (var (p, g) in hostile)
        {
            long start = Stopwatch.GetTimestamp();
            Assert.False(Accepts(p, Q, g, g));
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(1));
        }
        // 16 KiB of p cost no more than looking at its length.
        Assert.False(Accepts(BigInteger.Pow(2, 131072) - 1, Q, G, Y));
    }

    [Fact]
    public void The_cache_is_bounded_and_refuses_no_good_key()
    {
        for (int i = 1; i <= 2 * DsaPublicKey.CacheSize + 50; i++) Assert.True(Accepts(P, Q, G, BigInteger.ModPow(G, i + 1, P)));
        Assert.InRange(DsaPublicKey.Remembered, DsaPublicKey.CacheSize, 2 * DsaPublicKey.CacheSize);
        Assert.True(Accepts(P, Q, G, Y));
    }

    [Fact]
    public void Import_asks_for_x_in_range_y_its_power_and_p_prime()
    {
        Assert.True(DsaPrivateKey.TryImport(Rfc6979Key.P, Rfc6979Key.Q, Rfc6979Key.G, Rfc6979Key.Y, Rfc6979Key.X, out var key));
        Assert.Equal(Rfc6979Key.X, key.ExportX());
        Assert.True(DsaPrivateKey.TryImport(Rfc6979Key.P, Rfc6979Key.Q, Rfc6979Key.G, Rfc6979Key.Y, [0, 0, .. Rfc6979Key.X], out _));
        var x = Numbers.Of(Rfc6979Key.X);
        foreach (var bad in new[] { 0, 1, x + 1, Q, x + Q, x << 8 }) Assert.False(DsaPrivateKey.TryImport(Rfc6979Key.P, Rfc6979Key.Q, Rfc6979Key.G, Rfc6979Key.Y, Minimal(bad), out _));
        Assert.False(DsaPrivateKey.TryImport(Rfc6979Key.P, Rfc6979Key.Q, Rfc6979Key.G, Minimal(Y * G % P), Rfc6979Key.X, out _));
        key.Dispose();
        Assert.Throws<ObjectDisposedException>(key.ExportX);
        Assert.Throws<ObjectDisposedException>(() => key.Sign(new byte[32], new byte[40]));
        Assert.Equal(nameof(DsaPrivateKey), key.ToString());
    }

    [Fact]
    public void Import_refuses_a_composite_p_that_every_equation_fits()
    {
        var (p, g) = CompositeDsaParameters.CompositeP;
        var y = BigInteger.ModPow(g, 12345, p);
        Assert.True(Accepts(p, Q, g, y));
        Assert.False(DsaPrivateKey.TryImport(Minimal(p), Minimal(Q), Minimal(g), Minimal(y), Minimal(12345), out _));
    }

    [Fact]
    public void Generated_keys_are_sound_by_the_base_library_and_follow_the_seed()
    {
        using var key = DsaPrivateKey.Generate(new SeededRandom(4));
        using var same = DsaPrivateKey.Generate(new SeededRandom(4));
        using var other = DsaPrivateKey.Generate(new SeededRandom(5));
        Assert.Equal(key.PublicKey.Fingerprint, same.PublicKey.Fingerprint);
        Assert.Equal(key.ExportX(), same.ExportX());
        Assert.NotEqual(key.PublicKey.Fingerprint, other.PublicKey.Fingerprint);

        BigInteger p = Numbers.Of(key.PublicKey.P), q = Numbers.Of(key.PublicKey.Q), g = Numbers.Of(key.PublicKey.G);
        Assert.Equal(1024, p.GetBitLength());
        Assert.Equal(160, q.GetBitLength());
        Assert.Equal(BigInteger.Zero, (p - 1) % q);
        Assert.True(BigInteger.ModPow(3, p - 1, p).IsOne && BigInteger.ModPow(3, q - 1, q).IsOne && BigInteger.ModPow(g, q, p).IsOne && g > 1);
        Assert.Equal(Numbers.Of(key.PublicKey.Y), BigInteger.ModPow(g, Numbers.Of(key.ExportX()), p));

        using var reference = DSA.Create(new DSAParameters
        {
            P = key.PublicKey.P, Q = key.PublicKey.Q, G = Numbers.Bytes(g, 128), Y = Numbers.Bytes(Numbers.Of(key.PublicKey.Y), 128), X = key.ExportX(),
        });
        var signature = new byte[40];
        key.Sign(new byte[32], signature);
        Assert.True(reference.VerifySignature(new byte[20], signature));
        Assert.True(DsaPrivateKey.TryImport(key.PublicKey.P, key.PublicKey.Q, key.PublicKey.G, key.PublicKey.Y, key.ExportX(), out _));
    }

    [Fact]
    public void A_key_longer_than_the_vector_kernels_signs_and_verifies()
    {
        Assert.True(DsaPrivateKey.TryImport(OpenSslDsa2048.P, OpenSslDsa2048.Q, OpenSslDsa2048.G, OpenSslDsa2048.Y, OpenSslDsa2048.X, out var key));
        byte[] m = new SeededRandom(2048).Bytes(32), signature = new byte[40];
        key.Sign(m, signature);
        Assert.True(key.PublicKey.Verify(m, signature));
        BigInteger p = Numbers.Of(OpenSslDsa2048.P), q = Numbers.Of(OpenSslDsa2048.Q), g = Numbers.Of(OpenSslDsa2048.G), y = Numbers.Of(OpenSslDsa2048.Y);
        var s = Numbers.Of(signature.AsSpan(20));
        var w = BigInteger.ModPow(s, q - 2, q);
        var v = BigInteger.ModPow(g, Numbers.Of(m) * w % q, p) * BigInteger.ModPow(y, Numbers.Of(signature.AsSpan(0, 20)) * w % q, p) % p % q;
        Assert.Equal(Numbers.Of(signature.AsSpan(0, 20)), v);
    }

    [Theory]
    [MemberData(nameof(KernelTheoryData.All), MemberType = typeof(KernelTheoryData))]
    public void Primes_pass_and_strong_pseudoprimes_do_not(string kernel)
    {
        var kind = KernelTheoryData.Require(kernel);
        Assert.True(MillerRabin.IsProbablyPrime(Minimal(ReferenceGroup.P), 8, kind));
        Assert.True(MillerRabin.IsProbablyPrime(Rfc6979Key.P, 8, kind));
        Assert.False(MillerRabin.IsProbablyPrime(Minimal(ReferenceGroup.P + 2), 8, kind));
        Assert.False(MillerRabin.IsProbablyPrime(Minimal(P * P), 8, kind));
        // Arnault (1995): a strong pseudoprime to every prime base below 307.
        var p1 = BigInteger.Parse("29674495668685510550154174642905332730771991799853043350995075531276838753171770199594238596428121188033664754218345562493168782883");
        Assert.False(MillerRabin.IsProbablyPrime(Minimal(p1 * (313 * (p1 - 1) + 1) * (353 * (p1 - 1) + 1)), 8, kind));
    }

    [Fact]
    public void A_restored_key_is_the_imported_one_and_all_but_the_primality_of_p_is_checked_again()
    {
        Assert.True(DsaPrivateKey.TryRestore(Rfc6979Key.P, Rfc6979Key.Q, Rfc6979Key.G, Rfc6979Key.Y, Rfc6979Key.X, out var key));
        Assert.Equal(Rfc6979Key.X, key.ExportX());
        byte[] m = SHA256.HashData("m"u8), signature = new byte[40];
        key.Sign(m, signature);
        Assert.True(key.PublicKey.Verify(m, signature));
        Assert.False(DsaPrivateKey.TryRestore(Rfc6979Key.P, Rfc6979Key.Q, Rfc6979Key.G, Rfc6979Key.G, Rfc6979Key.X, out _));
        Assert.False(DsaPrivateKey.TryRestore(Rfc6979Key.P, Rfc6979Key.Q, Rfc6979Key.G, Rfc6979Key.Y, new byte[20], out _));
        Assert.False(DsaPrivateKey.TryRestore(Rfc6979Key.P, Rfc6979Key.Q, Rfc6979Key.Y, Minimal(2), Rfc6979Key.X, out _));
        var (p, q, g) = CompositeDsaParameters.CompositeQ;
        Assert.False(DsaPrivateKey.TryRestore(Minimal(p), Minimal(q), Minimal(g), Minimal(g * g % p), [2], out _));
    }

    [Fact]
    public void Restoring_does_not_ask_whether_p_is_prime_which_importing_does()
    {
        // The only difference, and the costly one: a key over a composite p shows which of the two asked.
        var (p, g) = CompositeDsaParameters.CompositeP;
        Assert.False(DsaPrivateKey.TryImport(Minimal(p), Rfc6979Key.Q, Minimal(g), Minimal(g * g % p), [2], out _));
        Assert.True(DsaPrivateKey.TryRestore(Minimal(p), Rfc6979Key.Q, Minimal(g), Minimal(g * g % p), [2], out _));
    }
}
