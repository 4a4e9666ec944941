using Otr.Core.Smp;
using Otr.Core.V3.Smp;
using Otr.Core.Wire;

namespace Otr.Core.Tests.Smp;

/// <summary>Known answers, computed with Python's hashlib from the formulas of spec v3.</summary>
public sealed class SmpVectorTests
{
    [Fact]
    public void The_secret_matches_the_known_answer()
    {
        var fp1 = new Fingerprint(Enumerable.Range(0, 20).Select(i => (byte)i).ToArray());
        var fp2 = new Fingerprint(Enumerable.Range(20, 20).Select(i => (byte)i).ToArray());
        var derived = new byte[SmpSecret.Size];
        SmpSecret.Derive(fp1, fp2, 0x0011223344556677, "abc"u8, derived);
        Assert.Equal("3c0725325f42f6c1de574551b3a9eaa97516097355623093b133d59a66a5cd6b", Convert.ToHexStringLower(derived));
    }

    [Fact]
    public void The_secret_s_length_is_bounded()
    {
        var derived = new byte[SmpSecret.Size];
        SmpSecret.Derive(default, default, 0, new byte[OtrLimits.MaxSmpSecretBytes], derived);
        Assert.Throws<ArgumentException>(() => SmpSecret.Derive(default, default, 0, new byte[OtrLimits.MaxSmpSecretBytes + 1], derived));
    }

    [Fact]
    public void Hash_of_one_number() =>
        Assert.Equal("7452ace7401c53700730b80516801e13c5a8c82fcb51a17df0d3fb4bf648b78d", Hash(h => SmpProof.Hash(SmpPrefix.LogA2, Number(2), h)));

    [Fact]
    public void Hash_of_two_numbers() =>
        Assert.Equal("3094552a3b8eb577d6ece09a87d7c3350cc3a1dce91a476d4692779ffd6209af", Hash(h => SmpProof.Hash(SmpPrefix.CoordinatesB, Number(2), Number(3), h)));

    [Fact]
    public void The_prefixes_are_the_specification_s() =>
        Assert.Equal(Enumerable.Range(1, 8), Enum.GetValues<SmpPrefix>().Select(p => (int)p));

    [Fact]
    public void A_payload_s_numbers_are_minimal()
    {
        var payload = new SmpPayload(SmpPayload.Message4, new byte[3 * SmpPayload.SlotSize]);
        payload[0][^1] = 2;
        payload[1][^2] = 1;
        payload[2][^1] = 9;
        var bytes = payload.Write("q\0"u8);
        Assert.Equal("710000000003000000010200000002010000000001" + "09", Convert.ToHexStringLower(bytes));
    }

    private static byte[] Number(byte value)
    {
        var number = new byte[192];
        number[^1] = value;
        return number;
    }

    private static string Hash(Action<byte[]> compute)
    {
        var hash = new byte[32];
        compute(hash);
        return Convert.ToHexStringLower(hash);
    }
}
