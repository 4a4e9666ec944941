using System.Numerics;
using System.Security.Cryptography;
using Otr.Core.Crypto;
using Otr.Core.Tests.Kit;
using Otr.Core.V3;
using Otr.Core.V3.Ake;

namespace Otr.Core.Tests.Wire;

/// <summary>The known answers of checklist A21, which were computed with Python's hashlib.</summary>
public sealed class DerivationTests
{
    private static readonly byte[] S = Big.Bytes(Big.Pow(2, 0x1234567890abcdef), 192);

    private const string
        Ssid = "b0050816def6fb5d",
        C = "08d63c3d593b0cb3073eb57bae73aa8a", CPrime = "dc5b2ec21db8a845ee5ce0e9c27fda23",
        M1 = "413fc6aec4d93559a4bd00f5109ac0c74c5be954851d422ec085e5bded3b2c26",
        M2 = "423325b670fbb4fae090ab0123d37c4737d27ca9b4ecae5155bc1e40b629421a",
        M1Prime = "ea4ad4c9f71e5441741d92dca331bc7f3c2a4fb71c6569124b95e496df62f974",
        M2Prime = "e4fcad9b6d71e4385ef26fef20e0f206a78ce54d7e5fe82da7906f43b204ecae",
        Extra = "1f8d61fee7e4b26badbe73bf45eca76577952a81b95ff9821541d3a00289c815",
        H1Of1 = "4fafebfb490066f2b570b6a166936992d58a6eb5", MacOf1 = "b8d0e0b8ada80063a0b0dad2a4106b1adc470f5a",
        H1Of2 = "2ff54a7e8232d97b1c646b1f0f6d2758cc719b23", MacOf2 = "76927b229a836d798b593df28ada0ccd9f1ad212";

    [Fact]
    public void Keys_of_the_key_exchange()
    {
        using var keys = new AkeKeys(S);
        Assert.Equal(Convert.ToUInt64(Ssid, 16), keys.Ssid);
        Assert.Equal([C, CPrime, M1, M2, M1Prime, M2Prime],
            new[] { Hex(keys.C), Hex(keys.CPrime), Hex(keys.M1), Hex(keys.M2), Hex(keys.M1Prime), Hex(keys.M2Prime) });
    }

    [Theory]
    [InlineData(true, H1Of1, H1Of2, MacOf1, MacOf2)]
    [InlineData(false, H1Of2, H1Of1, MacOf2, MacOf1)]
    public void Data_keys_of_the_high_and_the_low_side(bool high, string send, string receive, string sendMac, string receiveMac)
    {
        byte[] larger = Big.Bytes(1000, 192), smaller = Big.Bytes(999, 192);
        using var keys = SessionKeys.Derive(S, high ? larger : smaller, high ? smaller : larger);
        Assert.Equal(send[..32] + receive[..32], Hex(keys.Raw));
        var revealed = new byte[20];
        keys.CopyReceiveMacKey(revealed);
        Assert.Equal(receiveMac, Hex(revealed));
        // The MACs are made with those keys.
        var mac = new byte[20];
        keys.MacToSend("x"u8, mac);
        Assert.Equal(HMACSHA1.HashData(Convert.FromHexString(sendMac), "x"u8), mac);
        keys.MacOfReceived("x"u8, mac);
        Assert.Equal(HMACSHA1.HashData(Convert.FromHexString(receiveMac), "x"u8), mac);
    }

    [Fact]
    public void The_extra_symmetric_key() => Assert.Equal(Extra, Hex(SessionKeys.DeriveExtraKey(S)));

    [Fact, Trait("hostile", "K18")]
    public void K18_a_short_s_is_hashed_without_leading_zeros()
    {
        var s = Big.Bytes(0x1234, 192);
        using var keys = new AkeKeys(s);
        Assert.Equal(0xa415e47f989e1008, keys.Ssid);
        using var data = SessionKeys.Derive(s, Big.Bytes(3, 192), Big.Bytes(2, 192));
        Assert.Equal("e21c1b9ff5909a19a1c94e8f425413c5", Hex(data.Raw[..16]));
    }

    [Fact]
    public void The_prime_is_the_formula_of_RFC_3526()
    {
        // Machin: π = 16·arctan(1/5) − 4·arctan(1/239), to 1600 bits.
        var one = BigInteger.One << 1600;
        BigInteger Arctan(int x)
        {
            BigInteger term = one / x, sum = 0;
            for (var n = 1; !term.IsZero; n += 2, term /= -(x * x)) sum += term / n;
            return sum;
        }
        var pi = 16 * Arctan(5) - 4 * Arctan(239);
        var p = (BigInteger.One << 1536) - (BigInteger.One << 1472) - 1 + (BigInteger.One << 64) * ((pi >> (1600 - 1406)) + 741804);
        Assert.Equal(p, Big.P);
        Assert.True(Group1536.IsInRange(Big.Bytes(p - 2, 192)));
        Assert.False(Group1536.IsInRange(Big.Bytes(p - 1, 192)));
        Assert.False(Group1536.IsInRange(Big.Bytes(1, 192)));
        Assert.True(Group1536.IsInRange(Big.Bytes(2, 192)));
    }

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);
}
