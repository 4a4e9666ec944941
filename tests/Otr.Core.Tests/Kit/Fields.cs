using System.Buffers.Binary;
using System.Numerics;

namespace Otr.Core.Tests.Kit;

/// <summary>Writes the encodings of spec v3, "Data types", without the core's writer.</summary>
internal sealed class Fields
{
    private readonly List<byte> _bytes = [];

    public Fields Byte(int value) { _bytes.Add((byte)value); return this; }
    public Fields Short(int value) => Raw([(byte)(value >> 8), (byte)value]);
    public Fields Int(uint value) { var b = new byte[4]; BinaryPrimitives.WriteUInt32BigEndian(b, value); return Raw(b); }
    public Fields Ctr(ulong value) { var b = new byte[8]; BinaryPrimitives.WriteUInt64BigEndian(b, value); return Raw(b); }
    public Fields Raw(byte[] bytes) { _bytes.AddRange(bytes); return this; }
    public Fields Data(byte[] bytes) => Int((uint)bytes.Length).Raw(bytes);
    public Fields Mpi(BigInteger value) => Data(Big.Bytes(value));
    public byte[] ToArray() => [.. _bytes];

    /// <summary>Version, type and in version 3 the tags.</summary>
    public static Fields Header(int version, int type, uint sender, uint receiver)
    {
        var fields = new Fields().Short(version).Byte(type);
        return version == 3 ? fields.Int(sender).Int(receiver) : fields;
    }
}

/// <summary>Numbers of the 1536-bit group by the BCL's big integers, which share nothing with the core's arithmetic.</summary>
internal static class Big
{
    /// <summary>RFC 3526, group 5, by its formula: 2^1536 − 2^1472 − 1 + 2^64·(⌊2^1406·π⌋ + 741804).</summary>
    public static readonly BigInteger P = Parse(
        "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245" +
        "E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F" +
        "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF");

    public static BigInteger Parse(string hex) => Number(Convert.FromHexString(hex));
    public static BigInteger Number(ReadOnlySpan<byte> bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    /// <summary>Minimal; nothing for zero.</summary>
    public static byte[] Bytes(BigInteger value) => value.IsZero ? [] : value.ToByteArray(isUnsigned: true, isBigEndian: true);

    public static byte[] Bytes(BigInteger value, int length)
    {
        var minimal = Bytes(value);
        return [.. new byte[length - minimal.Length], .. minimal];
    }

    public static BigInteger Pow(BigInteger @base, BigInteger exponent) => BigInteger.ModPow(@base, exponent, P);
}
