using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Otr.Core.Keys;

namespace Otr.Core.Tests.Crypto;

public class DsaSigningTests
{
    private static readonly DsaScalarField Field = new(Rfc6979Key.Q);

    /// <summary>RFC 6979 A.2.1. The RFC signs the leftmost 160 bits of the hash, which is what is given here.</summary>
    [Theory]
    [InlineData("SHA1", "sample", "7BDB6B0FF756E1BB5D53583EF979082F9AD5BD5B", "2E1A0C2562B2912CAAF89186FB0F42001585DA55", "29EFB6B0AFF2D7A68EB70CA313022253B9A88DF5")]
    [InlineData("SHA256", "sample", "519BA0546D0C39202A7D34D7DFA5E760B318BCFB", "81F2F5850BE5BC123C43F71A3033E9384611C545", "4CDD914B65EB6C66A8AAAD27299BEE6B035F5E89")]
    [InlineData("SHA1", "test", "5C842DF4F9E344EE09F056838B42C7A17F4A6433", "42AB2052FD43E123F0607F115052A67DCD9C5C77", "183916B0230D45B9931491D4C6B0BD2FB4AAF088")]
    [InlineData("SHA256", "test", "5A67592E8128E03A417B0484410FB72C0B630E1A", "22518C127299B0F6FDC9872B282B9E70D0790812", "6837EC18F150D55DE95B5E29BE7AF5D01E4FE160")]
    public void Nonces_and_signatures_match_RFC_6979(string hashName, string message, string k, string r, string s)
    {
        var hash = new HashAlgorithmName(hashName);
        var digest = hashName == "SHA1" ? SHA1.HashData(Encoding.ASCII.GetBytes(message)) : SHA256.HashData(Encoding.ASCII.GetBytes(message));
        var h = Field.Reduce(digest.AsSpan(0, 20));

        using var nonce = new DsaNonce(new byte[64], DsaScalar.FromBigEndian(Rfc6979Key.X), h, hash);
        var drawn = new byte[20];
        nonce.Next(Field).ToBigEndian(drawn);
        Assert.Equal(k, Convert.ToHexString(drawn));

        using var key = Rfc6979Key.Import();
        var signature = new byte[40];
        key.Sign(h, hash, signature);
        Assert.Equal(r + s, Convert.ToHexString(signature));
        // 20 bytes are below 2^160 and taken mod q by Verify as by the RFC.
        Assert.True(key.PublicKey.Verify(digest.AsSpan(0, 20), signature));
    }

    [Fact]
    public void Signatures_and_those_of_the_base_library_verify_each_other()
    {
        using var ours = Rfc6979Key.Import();
        using var theirs = DSA.Create(new DSAParameters { P = Rfc6979Key.P, Q = Rfc6979Key.Q, G = Rfc6979Key.G, Y = Rfc6979Key.Y, X = Rfc6979Key.X });
        var random = new SeededRandom(21);
        var q = Numbers.Of(Rfc6979Key.Q);
        BigInteger top = (BigInteger.One << 256) - 1;
        BigInteger[] edges = [0, 1, q - 1, q, q + 1, top, top - top % q, BigInteger.One << 255, BigInteger.One << 128];
        foreach (var m in edges.Concat(Enumerable.Range(0, 30).Select(_ => Numbers.Of(random.Bytes(32)))))
        {
            byte[] bytes = Numbers.Bytes(m, 32), reduced = Numbers.Bytes(m % q, 20);
            var signature = new byte[40];
            ours.Sign(bytes, signature);
            Assert.True(theirs.VerifySignature(reduced, signature), "the base library refused ours");
            Assert.True(ours.PublicKey.Verify(bytes, theirs.CreateSignature(reduced)), "we refused the base library's");
            var again = new byte[40];
            ours.Sign(bytes, again);
            Assert.Equal(signature, again);
        }
    }

    [Fact]
    public void Messages_that_share_their_leftmost_160_bits_get_different_nonces()
    {
        using var key = Rfc6979Key.Import();
        byte[] m1 = new SeededRandom(1).Bytes(32), m2 = m1.ToArray();
        m2[31] ^= 1;
        byte[] s1 = new byte[40], s2 = new byte[40];
        key.Sign(m1, s1);
        key.Sign(m2, s2);
        Assert.NotEqual(s1[..20], s2[..20]);
    }

    [Fact]
    public void K10_Signatures_with_r_or_s_out_of_range_or_altered_are_refused()
    {
        using var key = Rfc6979Key.Import();
        var m = new SeededRandom(2).Bytes(32);
        var signature = new byte[40];
        key.Sign(m, signature);
        var q = Numbers.Of(Rfc6979Key.Q);
        Assert.True(key.PublicKey.Verify(m, signature));
        foreach (var bad in new[] { 0, q, q + 1, (BigInteger.One << 160) - 1 })
        {
            Assert.False(key.PublicKey.Verify(m, [.. Numbers.Bytes(bad, 20), .. signature[20..]]));
            Assert.False(key.PublicKey.Verify(m, [.. signature[..20], .. Numbers.Bytes(bad, 20)]));
        }
        Assert.False(key.PublicKey.Verify(m, new byte[40]));
        // The inverse of 0 comes out as 0, and g^0·y^0 = 1: without the check of the range these verify for every message.
        foreach (var s in new[] { 0, q }) Assert.False(key.PublicKey.Verify(m, [.. Numbers.Bytes(1, 20), .. Numbers.Bytes(s, 20)]));
        foreach (int length in new[] { 0, 39, 41, 46 }) Assert.False(key.PublicKey.Verify(m, new byte[length]));
        for (int bit = 0; bit < 320; bit += 7)
        {
            var flipped = signature.ToArray();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(key.PublicKey.Verify(m, flipped));
        }
        m[0] ^= 1;
        Assert.False(key.PublicKey.Verify(m, signature));
    }

    [Fact]
    public void Scalar_arithmetic_agrees_with_the_reference()
    {
        var random = new SeededRandom(31);
        foreach (var qBytes in new[] { Rfc6979Key.Q, Numbers.Hex("8000000000000000000000000000000000000001"), Numbers.Hex("ffffffffffffffffffffffffffffffffffffffff") })
        {
            var q = Numbers.Of(qBytes);
            var field = new DsaScalarField(qBytes);
            var values = new[] { 0, 1, 2, q - 1, q - 2, q >> 1, BigInteger.One << 64, (BigInteger.One << 128) - 1, BigInteger.One << 159 }
                .Select(v => v % q).Concat(Enumerable.Range(0, 20).Select(_ => Numbers.Of(random.Bytes(20)) % q)).ToArray();
            foreach (var a in values)
            {
                var am = field.ToMontgomery(Scalar(a));
                Assert.Equal(a, Value(field.FromMontgomery(am)));
                foreach (var b in values)
                {
                    Assert.Equal(a * b % q, Value(field.Multiply(am, Scalar(b))));
                    Assert.Equal((a + b) % q, Value(field.Add(Scalar(a), Scalar(b))));
                }
                if (BigInteger.GreatestCommonDivisor(a, q).IsOne && field.IsProbablyPrime(qBytes, 20))
                    Assert.Equal(BigInteger.One, a * Value(field.FromMontgomery(field.Invert(am))) % q);
            }
            for (int length = 0; length < 150; length++)
            {
                var bytes = random.Bytes(length);
                if (length % 3 == 0) bytes.AsSpan().Fill(0xFF);
                Assert.Equal(Numbers.Of(bytes) % q, Value(field.Reduce(bytes)));
            }
            Assert.True(field.IsInRange(Scalar(q - 1)) && field.IsInRange(Scalar(1)));
            Assert.False(field.IsInRange(Scalar(0)) || field.IsInRange(Scalar(q)) || field.IsInRange(Scalar((BigInteger.One << 160) - 1)));
        }

        static DsaScalar Scalar(BigInteger value) => DsaScalar.FromBigEndian(Numbers.Bytes(value, 20));
        static BigInteger Value(DsaScalar scalar)
        {
            var bytes = new byte[20];
            scalar.ToBigEndian(bytes);
            return Numbers.Of(bytes);
        }
    }
}
