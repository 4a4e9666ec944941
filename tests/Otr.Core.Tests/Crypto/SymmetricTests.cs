using System.Numerics;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using System.Text;
using Otr.Core.Crypto;

namespace Otr.Core.Tests.Crypto;

public class SymmetricTests
{
    private delegate void Ctr(byte[] key, ulong top, byte[] source, Span<byte> destination);

    private static readonly (string Name, Ctr Run)[] Paths =
    [
        ("expanded", (key, top, source, destination) => AesCtr.TransformExpanded(Expanded(key), top, source, destination)),
        ("one-shot", (key, top, source, destination) => AesCtr.Transform(key, top, source, destination)),
        ("portable", (key, top, source, destination) => { using var aes = new PortableAesCtr(key); aes.Transform(top, source, destination); }),
    ];

    /// <summary>Pads made by OpenSSL: aes-128-ecb of 0011223344556677 ‖ n, for n = 0, 1, 2.</summary>
    [Fact]
    public void Counter_blocks_are_the_top_half_and_a_big_endian_block_number()
    {
        foreach (var (name, run) in Paths)
        {
            var pad = new byte[48];
            run(Numbers.Hex("000102030405060708090a0b0c0d0e0f"), 0x0011223344556677, pad, pad);
            Assert.True("b61b9091935d3ee92634dcd8347796636b53a031bb9802f8718cf48f2637595d9e0588d77ee7d18798992e46ace24b0c" == Convert.ToHexStringLower(pad), name);
        }
    }

    /// <summary>The counter beyond 2^16 blocks (hostile list D19): SHA-256 of OpenSSL's aes-128-ctr over 1,100,000 zeros.</summary>
    [Fact]
    public void D19_The_counter_goes_on_beyond_65536_blocks()
    {
        foreach (var (name, run) in Paths)
        {
            var pad = new byte[1_100_000];
            run(Numbers.Hex("000102030405060708090a0b0c0d0e0f"), 0x0102030405060708, pad, pad);
            Assert.True("d3dcca8305c1e72956bd8766518efa9e65f5b21654d0b0b2371897dedb0faf0b" == Convert.ToHexStringLower(SHA256.HashData(pad)), name);
        }
    }

    /// <summary>FIPS 197 A.1, words w4 … w7 and w40 … w43.</summary>
    [Fact]
    public void The_key_schedule_matches_FIPS_197()
    {
        Assert.SkipUnless(System.Runtime.Intrinsics.X86.Aes.IsSupported, "This processor has no AES instructions.");
        AesNiCtr.Expand(Numbers.Hex("2b7e151628aed2a6abf7158809cf4f3c"), out var schedule);
        var roundKey = new byte[16];
        schedule[1].CopyTo(roundKey);
        Assert.Equal("a0fafe1788542cb123a339392a6c7605", Convert.ToHexStringLower(roundKey));
        schedule[10].CopyTo(roundKey);
        Assert.Equal("d014f9a8c9ee2589e13f0cc8b6630ca6", Convert.ToHexStringLower(roundKey));
    }

    [Fact]
    public void Every_length_and_alignment_agrees_with_the_base_library()
    {
        var random = new SeededRandom(5);
        byte[] key = random.Bytes(16), source = random.Bytes(1200);
        using var reference = Aes.Create();
        reference.SetKey(key);
        const ulong Top = 0xFEDCBA9876543210;
        var stream = new byte[1200];
        for (int i = 0; i < stream.Length; i += 16)
        {
            byte[] block = Numbers.Bytes(((BigInteger)Top << 64) + i / 16, 16);
            reference.EncryptEcb(block, stream.AsSpan(i), PaddingMode.None);
        }
        foreach (var (name, run) in Paths)
        {
            for (int length = 0; length <= 300; length++) Check(name, run, length);
            foreach (int length in new[] { 511, 512, 513, 1023, 1024, 1025, 1199, 1200 }) Check(name, run, length);
        }

        void Check(string name, Ctr run, int length)
        {
            var destination = new byte[length + 1];
            destination[length] = 0xA5;
            run(key, Top, source[..length], destination);
            for (int i = 0; i < length; i++) Assert.True(destination[i] == (byte)(source[i] ^ stream[i]), $"{name}, length {length}, byte {i}");
            Assert.Equal(0xA5, destination[length]);
        }
    }

    [Fact]
    public void Encryption_in_place_and_again_gives_the_text_back()
    {
        var text = new SeededRandom(6).Bytes(333);
        var buffer = text.ToArray();
        var key = Expanded(new byte[16]);
        AesCtr.TransformExpanded(key, 7, buffer, buffer);
        Assert.NotEqual(text, buffer);
        AesCtr.TransformExpanded(key, 7, buffer, buffer);
        Assert.Equal(text, buffer);
        Assert.Throws<ArgumentException>(() => AesCtr.TransformExpanded(key, 0, buffer, new byte[332]));
        Assert.Throws<ArgumentException>(() => AesCtr.Transform(new byte[16], 0, buffer, new byte[332]));
        Assert.Throws<ArgumentException>(() => AesCtr.Transform(new byte[15], 0, buffer, buffer));
        Assert.Throws<ArgumentException>(() => Expanded(new byte[15]));
    }

    private static byte[] Expanded(byte[] key)
    {
        var expanded = new byte[AesCtr.ExpandedSize];
        AesCtr.Expand(key, expanded);
        return expanded;
    }

    /// <summary>FIPS 180 examples, and the NIST long message.</summary>
    [Theory]
    [InlineData("", "da39a3ee5e6b4b0d3255bfef95601890afd80709")]
    [InlineData("abc", "a9993e364706816aba3e25717850c26c9cd0d89d")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1")]
    [InlineData("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        "a49b2446a02c645bf419f995b67091253a04a259")]
    public void Sha1_matches_the_published_digests(string text, string digest) => Assert.Equal(digest, Sha1Of(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void Sha1_of_a_million_letters_matches_the_published_digest() =>
        Assert.Equal("34aa973cd4c4daa4f61eeb2bdbad27316534016f", Sha1Of(Encoding.ASCII.GetBytes(new string('a', 1_000_000))));

    [Fact]
    public void Sha1_and_Hmac_agree_with_the_base_library_at_every_length()
    {
        var random = new SeededRandom(8);
        var mac = new byte[20];
        // From 1536 bytes on HMAC goes another way; keys of more than 20 bytes do not.
        foreach (int length in Enumerable.Range(0, 300).Concat(Enumerable.Range(1500, 140)))
        {
            byte[] data = random.Bytes(length), key = random.Bytes(length % 130);
            Assert.Equal(Convert.ToHexStringLower(SHA1.HashData(data)), Sha1Of(data));
            byte[] prepared = new byte[HmacSha1.PreparedSize], short20 = random.Bytes(HmacSha1.KeySize);
            HmacSha1.Prepare(short20, prepared);
            for (int again = 0; again < 2; again++)
            {
                HmacSha1.ComputePrepared(prepared, data, mac);
                Assert.Equal(HMACSHA1.HashData(short20, data), mac);
            }
            mac.AsSpan().Clear();
            HmacSha1.Compute(key, data, mac);
            Assert.Equal(HMACSHA1.HashData(key, data), mac);
        }
    }

    /// <summary>RFC 2202 §3.</summary>
    [Theory]
    [InlineData("0b*20", "4869205468657265", "b617318655057264e28bc0b6fb378c8ef146be00")]
    [InlineData("4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")]
    [InlineData("aa*20", "dd*50", "125d7342b9ac11cd91a39af48aa17b4f63f175d3")]
    [InlineData("0102030405060708090a0b0c0d0e0f10111213141516171819", "cd*50", "4c9007f4026250c6bc8414f9bf50c86c2d7235da")]
    [InlineData("0c*20", "546573742057697468205472756e636174696f6e", "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04")]
    [InlineData("aa*80", "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374",
        "aa4ae5e15272d00e95705637ce8a3b55ed402112")]
    [InlineData("aa*80", "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b657920616e64204c6172676572205468616e204f6e6520426c6f636b2d53697a652044617461",
        "e8e99d0f45237d786d6bbaa7965c7808bbff1a91")]
    public void Hmac_matches_RFC_2202(string key, string data, string digest)
    {
        var mac = new byte[20];
        HmacSha1.Compute(Expand(key), Expand(data), mac);
        Assert.Equal(digest, Convert.ToHexStringLower(mac));
        if (Expand(key).Length != HmacSha1.KeySize) return;
        var prepared = new byte[HmacSha1.PreparedSize];
        HmacSha1.Prepare(Expand(key), prepared);
        mac.AsSpan().Clear();
        HmacSha1.ComputePrepared(prepared, Expand(data), mac);
        Assert.Equal(digest, Convert.ToHexStringLower(mac));

        static byte[] Expand(string text) => text.Split('*') is [var octet, var count]
            ? Enumerable.Repeat(Convert.ToByte(octet, 16), int.Parse(count)).ToArray() : Convert.FromHexString(text);
    }

    private static string Sha1Of(byte[] data)
    {
        var digest = new byte[20];
        Sha1.Hash(data, digest);
        return Convert.ToHexStringLower(digest);
    }
}
