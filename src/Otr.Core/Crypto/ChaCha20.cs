using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace Otr.Core.Crypto;

/// <summary>
/// ChaCha20 of RFC 8439 (the 7539 of the specification) as version 4 uses it: a nonce of zeros and the block counter from 0, since no key
/// encrypts twice. The four words of a row are one vector; the state lives on the stack and is wiped.
/// </summary>
internal static class ChaCha20
{
    public const int KeySize = 32;

    private const int BlockSize = 64;

    /// <summary>destination = source ⊕ key stream. The two may be the same memory.</summary>
    /// <param name="key">32 bytes, used for one message.</param>
    public static void Transform(ReadOnlySpan<byte> key, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (key.Length != KeySize) throw new ArgumentException("A ChaCha20 key has 32 bytes.", nameof(key));
        if (destination.Length < source.Length)
            throw new ArgumentException("The destination is shorter than the source.", nameof(destination));
        Span<byte> stream = stackalloc byte[BlockSize];
        Span<Vector128<uint>> state = stackalloc Vector128<uint>[4];
        // "expand 32-byte k"
        state[0] = Vector128.Create(0x61707865u, 0x3320646e, 0x79622d32, 0x6b206574);
        state[1] = Row(key);
        state[2] = Row(key[16..]);
        state[3] = default;
        for (uint counter = 0; !source.IsEmpty; counter++)
        {
            // 2^32 blocks are 256 GiB: no message comes near.
            state[3] = Vector128.Create(counter, 0, 0, 0);
            Block(state, stream);
            int length = Math.Min(BlockSize, source.Length);
            if (length == BlockSize)
            {
                for (int i = 0; i < BlockSize; i += 16)
                    (Vector128.Create(source.Slice(i, 16)) ^ Vector128.Create(stream.Slice(i, 16))).CopyTo(destination[i..]);
            }
            else
            {
                for (int i = 0; i < length; i++) destination[i] = (byte)(source[i] ^ stream[i]);
            }
            source = source[length..];
            destination = destination[length..];
        }
        CryptographicOperations.ZeroMemory(stream);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(state));
    }

    private static Vector128<uint> Row(ReadOnlySpan<byte> key) => Vector128.Create(
        BinaryPrimitives.ReadUInt32LittleEndian(key), BinaryPrimitives.ReadUInt32LittleEndian(key[4..]),
        BinaryPrimitives.ReadUInt32LittleEndian(key[8..]), BinaryPrimitives.ReadUInt32LittleEndian(key[12..]));

    private static void Block(ReadOnlySpan<Vector128<uint>> state, Span<byte> stream)
    {
        Vector128<uint> a = state[0], b = state[1], c = state[2], d = state[3];
        for (int i = 0; i < 10; i++)
        {
            QuarterRounds(ref a, ref b, ref c, ref d);
            // The diagonals become columns, and back.
            b = Vector128.Shuffle(b, Vector128.Create(1u, 2, 3, 0));
            c = Vector128.Shuffle(c, Vector128.Create(2u, 3, 0, 1));
            d = Vector128.Shuffle(d, Vector128.Create(3u, 0, 1, 2));
            QuarterRounds(ref a, ref b, ref c, ref d);
            b = Vector128.Shuffle(b, Vector128.Create(3u, 0, 1, 2));
            c = Vector128.Shuffle(c, Vector128.Create(2u, 3, 0, 1));
            d = Vector128.Shuffle(d, Vector128.Create(1u, 2, 3, 0));
        }
        Write(a + state[0], stream);
        Write(b + state[1], stream[16..]);
        Write(c + state[2], stream[32..]);
        Write(d + state[3], stream[48..]);
    }

    /// <summary>Four quarter rounds at once, RFC 8439 §2.1.</summary>
    private static void QuarterRounds(ref Vector128<uint> a, ref Vector128<uint> b, ref Vector128<uint> c, ref Vector128<uint> d)
    {
        a += b; d ^= a; d = d << 16 | d >>> 16;
        c += d; b ^= c; b = b << 12 | b >>> 20;
        a += b; d ^= a; d = d << 8 | d >>> 24;
        c += d; b ^= c; b = b << 7 | b >>> 25;
    }

    private static void Write(Vector128<uint> row, Span<byte> stream)
    {
        for (int i = 0; i < 4; i++) BinaryPrimitives.WriteUInt32LittleEndian(stream[(4 * i)..], row[i]);
    }
}
