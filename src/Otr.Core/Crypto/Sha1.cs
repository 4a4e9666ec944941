using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Otr.Core.Crypto;

/// <summary>
/// SHA-1 (FIPS 180-4). In-house because HMAC needs the state between blocks, which the base library does not give out. The message schedule runs four
/// words at a time; the rounds are scalar.
/// </summary>
internal static class Sha1
{
    /// <summary>Bytes of a digest.</summary>
    public const int Size = 20;
    /// <summary>Bytes of a block.</summary>
    public const int BlockSize = 64;

    /// <summary>The five words between blocks.</summary>
    [InlineArray(5)]
    internal struct State
    {
        private uint _word0;
    }

    /// <summary>H(0), FIPS 180-4 §5.3.1.</summary>
    public static State InitialState
    {
        get
        {
            State state = default;
            (state[0], state[1], state[2], state[3], state[4]) = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0);
            return state;
        }
    }

    /// <summary>digest = SHA-1(data).</summary>
    public static void Hash(ReadOnlySpan<byte> data, Span<byte> digest) => Finish(InitialState, 0, data, digest);

    /// <summary>Hashes the last <paramref name="data"/> after <paramref name="prefixBytes"/> (whole blocks) that led to <paramref name="state"/>.</summary>
    [SkipLocalsInit]
    public static void Finish(State state, ulong prefixBytes, ReadOnlySpan<byte> data, Span<byte> digest)
    {
        int whole = data.Length & ~(BlockSize - 1);
        if (whole > 0) Compress(ref state, data[..whole]);
        var rest = data[whole..];
        // One bit, zeros, the length in bits: one block if eight bytes are left for it after the bit's byte, else two.
        Span<byte> tail = stackalloc byte[2 * BlockSize];
        tail = tail[..(rest.Length < BlockSize - 8 ? BlockSize : 2 * BlockSize)];
        rest.CopyTo(tail);
        tail[rest.Length] = 0x80;
        tail[(rest.Length + 1)..^8].Clear();
        BinaryPrimitives.WriteUInt64BigEndian(tail[^8..], 8 * (prefixBytes + (ulong)data.Length));
        Compress(ref state, tail);
        for (int i = 0; i < 5; i++) BinaryPrimitives.WriteUInt32BigEndian(digest[(4 * i)..], state[i]);
        tail.Clear();
    }

    /// <summary>Takes whole blocks into the state.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe void Compress(ref State state, ReadOnlySpan<byte> blocks)
    {
        uint* w = stackalloc uint[80];
        uint a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
        for (; blocks.Length >= BlockSize; blocks = blocks[BlockSize..])
        {
            fixed (byte* block = blocks) Schedule(w, block);
            var (a0, b0, c0, d0, e0) = (a, b, c, d, e);
            // Five rounds at a time, so that the five names come round without moving the words.
            for (int t = 0; t < 20; t += 5)
            {
                e += w[t] + (d ^ (b & (c ^ d))) + BitOperations.RotateLeft(a, 5); b = BitOperations.RotateLeft(b, 30);
                d += w[t + 1] + (c ^ (a & (b ^ c))) + BitOperations.RotateLeft(e, 5); a = BitOperations.RotateLeft(a, 30);
                c += w[t + 2] + (b ^ (e & (a ^ b))) + BitOperations.RotateLeft(d, 5); e = BitOperations.RotateLeft(e, 30);
                b += w[t + 3] + (a ^ (d & (e ^ a))) + BitOperations.RotateLeft(c, 5); d = BitOperations.RotateLeft(d, 30);
                a += w[t + 4] + (e ^ (c & (d ^ e))) + BitOperations.RotateLeft(b, 5); c = BitOperations.RotateLeft(c, 30);
            }
            for (int t = 20; t < 40; t += 5)
            {
                e += w[t] + (b ^ c ^ d) + BitOperations.RotateLeft(a, 5); b = BitOperations.RotateLeft(b, 30);
                d += w[t + 1] + (a ^ b ^ c) + BitOperations.RotateLeft(e, 5); a = BitOperations.RotateLeft(a, 30);
                c += w[t + 2] + (e ^ a ^ b) + BitOperations.RotateLeft(d, 5); e = BitOperations.RotateLeft(e, 30);
                b += w[t + 3] + (d ^ e ^ a) + BitOperations.RotateLeft(c, 5); d = BitOperations.RotateLeft(d, 30);
                a += w[t + 4] + (c ^ d ^ e) + BitOperations.RotateLeft(b, 5); c = BitOperations.RotateLeft(c, 30);
            }
            for (int t = 40; t < 60; t += 5)
            {
                // Maj(b, c, d): the two terms share no bit, so they may be added.
                e += w[t] + (c & d) + (b & (c ^ d)) + BitOperations.RotateLeft(a, 5); b = BitOperations.RotateLeft(b, 30);
                d += w[t + 1] + (b & c) + (a & (b ^ c)) + BitOperations.RotateLeft(e, 5); a = BitOperations.RotateLeft(a, 30);
                c += w[t + 2] + (a & b) + (e & (a ^ b)) + BitOperations.RotateLeft(d, 5); e = BitOperations.RotateLeft(e, 30);
                b += w[t + 3] + (e & a) + (d & (e ^ a)) + BitOperations.RotateLeft(c, 5); d = BitOperations.RotateLeft(d, 30);
                a += w[t + 4] + (d & e) + (c & (d ^ e)) + BitOperations.RotateLeft(b, 5); c = BitOperations.RotateLeft(c, 30);
            }
            for (int t = 60; t < 80; t += 5)
            {
                e += w[t] + (b ^ c ^ d) + BitOperations.RotateLeft(a, 5); b = BitOperations.RotateLeft(b, 30);
                d += w[t + 1] + (a ^ b ^ c) + BitOperations.RotateLeft(e, 5); a = BitOperations.RotateLeft(a, 30);
                c += w[t + 2] + (e ^ a ^ b) + BitOperations.RotateLeft(d, 5); e = BitOperations.RotateLeft(e, 30);
                b += w[t + 3] + (d ^ e ^ a) + BitOperations.RotateLeft(c, 5); d = BitOperations.RotateLeft(d, 30);
                a += w[t + 4] + (c ^ d ^ e) + BitOperations.RotateLeft(b, 5); c = BitOperations.RotateLeft(c, 30);
            }
            a += a0; b += b0; c += c0; d += d0; e += e0;
        }
        (state[0], state[1], state[2], state[3], state[4]) = (a, b, c, d, e);
        new Span<uint>(w, 80).Clear();
    }

    /// <summary>w[t] = W(t) + K(t), §6.1.2 step 1 and the constants of §4.2.1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Schedule(uint* w, byte* block)
    {
        var swap = Vector128.Create((byte)3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
        Vector128<uint> k = Vector128.Create(0x5A827999u);
        var x0 = Vector128.Shuffle(Vector128.Load(block), swap).AsUInt32();
        var x1 = Vector128.Shuffle(Vector128.Load(block + 16), swap).AsUInt32();
        var x2 = Vector128.Shuffle(Vector128.Load(block + 32), swap).AsUInt32();
        var x3 = Vector128.Shuffle(Vector128.Load(block + 48), swap).AsUInt32();
        (x0 + k).Store(w);
        (x1 + k).Store(w + 4);
        (x2 + k).Store(w + 8);
        (x3 + k).Store(w + 12);
        for (int t = 16; t < 80; t += 4)
        {
            // W(t) = rotl(W(t−3) ⊕ W(t−8) ⊕ W(t−14) ⊕ W(t−16), 1). The fourth lane lacks W(t), which is in this very vector: it is added after the rotation.
            var minus14 = Vector128.Shuffle(x0, Vector128.Create(2u, 3, 8, 8)) | Vector128.Shuffle(x1, Vector128.Create(8u, 8, 0, 1));
            var minus3 = Vector128.Shuffle(x3, Vector128.Create(1u, 2, 3, 8));
            var sum = x0 ^ minus14 ^ x2 ^ minus3;
            var rotated = sum << 1 | sum >>> 31;
            var late = Vector128.Shuffle(rotated, Vector128.Create(8u, 8, 8, 0));
            (x0, x1, x2, x3) = (x1, x2, x3, rotated ^ (late << 1 | late >>> 31));
            k = Vector128.Create(t < 20 ? 0x5A827999u : t < 40 ? 0x6ED9EBA1u : t < 60 ? 0x8F1BBCDCu : 0xCA62C1D6u);
            (x3 + k).Store(w + t);
        }
    }
}
