using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Digests;
using Org.BouncyCastle.Crypto.Engines;
using Org.BouncyCastle.Crypto.Macs;
using Org.BouncyCastle.Crypto.Modes;
using Org.BouncyCastle.Crypto.Parameters;
using Otr.Core.Crypto;
using Otr.Core.Tests.Crypto;
using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Oracle;

/// <summary>SHA-1, HMAC-SHA1 and AES-CTR against BouncyCastle's.</summary>
public class SymmetricOracleTests
{
    /// <summary>Lengths around blocks and around the switch to the base library, and now and then a long one.</summary>
    private static byte[] Data(SeededRandom random)
    {
        var bytes = random.Bytes(3);
        int length = bytes[0] < 240 ? bytes[1] + 8 * (bytes[2] % 200) : 256 * bytes[1] + bytes[2];
        return random.Bytes(length);
    }

    [Fact]
    public void Sha1_and_Hmac_are_BouncyCastles_for_keys_and_data_of_every_length() => LongRuns.Search(Oracle.Box, 200, seed =>
    {
        var random = new SeededRandom(seed);
        byte[] data = Data(random), key = random.Bytes(seed % 140), actual = new byte[Sha1.Size], expected = new byte[Sha1.Size];
        var digest = new Sha1Digest();
        digest.BlockUpdate(data, 0, data.Length);
        digest.DoFinal(expected, 0);
        Sha1.Hash(data, actual);
        Assert.Equal(expected, actual);

        var mac = new HMac(new Sha1Digest());
        mac.Init(new KeyParameter(key));
        mac.BlockUpdate(data, 0, data.Length);
        mac.DoFinal(expected, 0);
        HmacSha1.Compute(key, data, actual);
        Assert.Equal(expected, actual);

        // A prepared key is one of OTR's, 20 bytes.
        var key20 = random.Bytes(20);
        var prepared = new byte[HmacSha1.PreparedSize];
        HmacSha1.Prepare(key20, prepared);
        mac.Init(new KeyParameter(key20));
        mac.BlockUpdate(data, 0, data.Length);
        mac.DoFinal(expected, 0);
        HmacSha1.ComputePrepared(prepared, data, actual);
        Assert.Equal(expected, actual);
    });

    [Fact]
    public void Both_kinds_of_AesCtr_are_BouncyCastles_counter_mode() => LongRuns.Search(Oracle.Box, 200, seed =>
    {
        var random = new SeededRandom(seed);
        byte[] key = random.Bytes(16), data = Data(random);
        ulong top = BitConverter.ToUInt64(random.Bytes(8));
        var expected = new byte[data.Length];
        var counter = new BufferedBlockCipher(new SicBlockCipher(new AesEngine()));
        var iv = new byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(iv, top);
        counter.Init(true, new ParametersWithIV(new KeyParameter(key), iv));
        counter.DoFinal(data, expected, 0);

        var actual = new byte[data.Length];
        var expanded = new byte[AesCtr.ExpandedSize];
        AesCtr.Expand(key, expanded);
        AesCtr.TransformExpanded(expanded, top, data, actual);
        Assert.Equal(expected, actual);
        actual.AsSpan().Clear();
        AesCtr.Transform(key, top, data, actual);
        Assert.Equal(expected, actual);
        actual.AsSpan().Clear();
        using (var portable = new PortableAesCtr(key)) portable.Transform(top, data, actual);
        Assert.Equal(expected, actual);
    });
}
