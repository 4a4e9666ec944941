using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace Otr.Core.Tests.Kit;

/// <summary>The specification's formulas over the BCL's primitives, without the core's.</summary>
internal static class Primitives
{
    /// <summary>AES-128-CTR: counter block = 8-byte top half ‖ 8 zero bytes, counting as one big-endian number.</summary>
    public static byte[] Ctr(byte[] key, ulong top, byte[] data)
    {
        using var aes = Aes.Create();
        aes.Key = key;
        var blocks = new byte[(data.Length + 15) / 16 * 16];
        for (var i = 0; i < blocks.Length; i += 16)
        {
            BinaryPrimitives.WriteUInt64BigEndian(blocks.AsSpan(i), top);
            BinaryPrimitives.WriteUInt64BigEndian(blocks.AsSpan(i + 8), (ulong)i / 16);
        }
        var stream = aes.EncryptEcb(blocks, PaddingMode.None);
        return [.. data.Select((b, i) => (byte)(b ^ stream[i]))];
    }

    public static byte[] H1(byte b, BigInteger s) => SHA1.HashData(new Fields().Byte(b).Mpi(s).ToArray());
    public static byte[] H2(byte b, BigInteger s) => SHA256.HashData(new Fields().Byte(b).Mpi(s).ToArray());

    /// <summary>OTR's DSA: M is a number taken mod q.</summary>
    public static byte[] Sign(DsaPrivateKey key, byte[] m)
    {
        BigInteger p = Big.Number(key.PublicKey.P), q = Big.Number(key.PublicKey.Q), g = Big.Number(key.PublicKey.G), x = Big.Number(key.ExportX());
        var k = Big.Number(SHA256.HashData([.. m, 1])) % (q - 1) + 1;
        var r = BigInteger.ModPow(g, k, p) % q;
        var s = BigInteger.ModPow(k, q - 2, q) * (Big.Number(m) + x * r) % q;
        return [.. Big.Bytes(r, 20), .. Big.Bytes(s, 20)];
    }

    /// <summary>PUBKEY of a key.</summary>
    public static byte[] PublicKey(DsaPublicKey key) =>
        new Fields().Short(0).Data(key.P).Data(key.Q).Data(key.G).Data(key.Y).ToArray();
}
