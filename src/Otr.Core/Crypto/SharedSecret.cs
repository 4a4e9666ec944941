using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Otr.Core.Crypto;

/// <summary>The hashes over a Diffie-Hellman result: h1 and h2 of spec v3, over secbytes = MPI(s).</summary>
internal static class SharedSecret
{
    /// <summary>h1(b) = SHA-1(b ‖ MPI(s)), 20 bytes.</summary>
    public static void H1(byte b, ReadOnlySpan<byte> s, Span<byte> hash)
    {
        Span<byte> input = stackalloc byte[5 + Group1536.ElementSize];
        Sha1.Hash(input[..SecBytes(b, s, input)], hash);
        CryptographicOperations.ZeroMemory(input);
    }

    /// <summary>h2(b) = SHA-256(b ‖ MPI(s)), 32 bytes.</summary>
    public static void H2(byte b, ReadOnlySpan<byte> s, Span<byte> hash)
    {
        Span<byte> input = stackalloc byte[5 + Group1536.ElementSize];
        SHA256.HashData(input[..SecBytes(b, s, input)], hash);
        CryptographicOperations.ZeroMemory(input);
    }

    // The encoding drops leading zero bytes, so its length depends on s: the specification makes that unavoidable (the
    // hash input itself is shorter), and it tells an observer of time no more than that s < 2^1528 (1 run in 256).
    private static int SecBytes(byte b, ReadOnlySpan<byte> s, Span<byte> input)
    {
        var minimal = s.TrimStart((byte)0);
        input[0] = b;
        BinaryPrimitives.WriteInt32BigEndian(input[1..], minimal.Length);
        minimal.CopyTo(input[5..]);
        return 5 + minimal.Length;
    }
}
