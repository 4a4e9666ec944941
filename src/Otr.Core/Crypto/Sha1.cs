using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;

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
        CryptographicOperations.ZeroMemory(tail);
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
            // Five rounds at a time, so that the five names come round without moving the words. The rotation of the newest word is added last:
            // it is what each round waits for.
            for (int t = 0; t < 20; t += 5)
            {
                e += w[t] + (d ^ (b & (c ^ d))); e += BitOperations.RotateLeft(a, 5); b = BitOperations.RotateLeft(b, 30);
                d += w[t + 1] + (c ^ (a & (b ^ c))); d += BitOperations.RotateLeft(e, 5); a = BitOperations.RotateLeft(a, 30);
                c += w[t + 2] + (b ^ (e & (a ^ b))); c += BitOperations.RotateLeft(d, 5); e = BitOperations.RotateLeft(e, 30);
                b += w[t + 3] + (a ^ (d & (e ^ a))); b += BitOperations.RotateLeft(c, 5); d = BitOperations.RotateLeft(d, 30);
                a += w[t + 4] + (e ^ (c & (d ^ e))); a += BitOperations.RotateLeft(b, 5); c = BitOperations.RotateLeft(c, 30);
            }
            for (int t = 20; t < 40; t += 5)
            {
                e += w[t] + (b ^ c ^ d); e += BitOperations.RotateLeft(a, 5); b = BitOperations.RotateLeft(b, 30);
                d += w[t + 1] + (a ^ b ^ c); d += BitOperations.RotateLeft(e, 5); a = BitOperations.RotateLeft(a, 30);
                c += w[t + 2] + (e ^ a ^ b); c += BitOperations.RotateLeft(d, 5); e = BitOperations.RotateLeft(e, 30);
                b += w[t + 3] + (d ^ e ^ a); b += BitOperations.RotateLeft(c, 5); d = BitOperations.RotateLeft(d, 30);
                a += w[t + 4] + (c ^ d ^ e); a += BitOperations.RotateLeft(b, 5); c = BitOperations.RotateLeft(c, 30);
            }
            for (int t = 40; t < 60; t += 5)
            {
                // Maj(b, c, d): the two terms share no bit, so they may be added.
                e += w[t] + (c & d) + (b & (c ^ d)); e += BitOperations.RotateLeft(a, 5); b = BitOperations.RotateLeft(b, 30);
                d += w[t + 1] + (b & c) + (a & (b ^ c)); d += BitOperations.RotateLeft(e, 5); a = BitOperations.RotateLeft(a, 30);
                c += w[t + 2] + (a & b) + (e & (a ^ b)); c += BitOperations.RotateLeft(d, 5); e = BitOperations.RotateLeft(e, 30);
                b += w[t + 3] + (e & a) + (d & (e ^ a)); b += BitOperations.RotateLeft(c, 5); d = BitOperations.RotateLeft(d, 30);
                a += w[t + 4] + (d & e) + (c & (d ^ e)); a += BitOperations.RotateLeft(b, 5); c = BitOperations.RotateLeft(c, 30);
            }
            for (int t = 60; t < 80; t += 5)
            {
                e += w[t] + (b ^ c ^ d); e += BitOperations.RotateLeft(a, 5); b = BitOperations.RotateLeft(b, 30);
                d += w[t + 1] + (a ^ b ^ c); d += BitOperations.RotateLeft(e, 5); a = BitOperations.RotateLeft(a, 30);
                c += w[t + 2] + (e ^ a ^ b); c += BitOperations.RotateLeft(d, 5); e = BitOperations.RotateLeft(e, 30);
                b += w[t + 3] + (d ^ e ^ a); b += BitOperations.RotateLeft(c, 5); d = BitOperations.RotateLeft(d, 30);
                a += w[t + 4] + (c ^ d ^ e); a += BitOperations.RotateLeft(b, 5); c = BitOperations.RotateLeft(c, 30);
            }
            a += a0; b += b0; c += c0; d += d0; e += e0;
        }
        (state[0], state[1], state[2], state[3], state[4]) = (a, b, c, d, e);
        CryptographicOperations.ZeroMemory(new Span<byte>(w, 80 * sizeof(uint)));
    }

    /// <summary>w[t] = W(t) + K(t), §6.1.2 step 1 and the constants of §4.2.1: four words at a time, the last eight vectors kept.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Schedule(uint* w, byte* block)
    {
        var swap = Vector128.Create((byte)3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
        Vector128<uint> k0 = Vector128.Create(0x5A827999u), k1 = Vector128.Create(0x6ED9EBA1u), k2 = Vector128.Create(0x8F1BBCDCu), k3 = Vector128.Create(0xCA62C1D6u);
        var x0 = Vector128.Shuffle(Vector128.Load(block), swap).AsUInt32();
        var x1 = Vector128.Shuffle(Vector128.Load(block + 16), swap).AsUInt32();
        var x2 = Vector128.Shuffle(Vector128.Load(block + 32), swap).AsUInt32();
        var x3 = Vector128.Shuffle(Vector128.Load(block + 48), swap).AsUInt32();
        (x0 + k0).Store(w); (x1 + k0).Store(w + 4); (x2 + k0).Store(w + 8); (x3 + k0).Store(w + 12);
        var x4 = To31(x0, x1, x2, x3); (x4 + k0).Store(w + 16);
        var x5 = To31(x1, x2, x3, x4); (x5 + k1).Store(w + 20);
        var x6 = To31(x2, x3, x4, x5); (x6 + k1).Store(w + 24);
        var x7 = To31(x3, x4, x5, x6); (x7 + k1).Store(w + 28);
        x0 = From32(x0, x1, x4, x6, x7); (x0 + k1).Store(w + 32);
        x1 = From32(x1, x2, x5, x7, x0); (x1 + k1).Store(w + 36);
        x2 = From32(x2, x3, x6, x0, x1); (x2 + k2).Store(w + 40);
        x3 = From32(x3, x4, x7, x1, x2); (x3 + k2).Store(w + 44);
        x4 = From32(x4, x5, x0, x2, x3); (x4 + k2).Store(w + 48);
        x5 = From32(x5, x6, x1, x3, x4); (x5 + k2).Store(w + 52);
        x6 = From32(x6, x7, x2, x4, x5); (x6 + k2).Store(w + 56);
        x7 = From32(x7, x0, x3, x5, x6); (x7 + k3).Store(w + 60);
        x0 = From32(x0, x1, x4, x6, x7); (x0 + k3).Store(w + 64);
        x1 = From32(x1, x2, x5, x7, x0); (x1 + k3).Store(w + 68);
        x2 = From32(x2, x3, x6, x0, x1); (x2 + k3).Store(w + 72);
        x3 = From32(x3, x4, x7, x1, x2); (x3 + k3).Store(w + 76);
    }

    /// <summary>
    /// Words 16 to 31: W(t) = rotl(W(t−3) ⊕ W(t−8) ⊕ W(t−14) ⊕ W(t−16), 1). The fourth lane lacks W(t), which is in this very vector: it is added
    /// after the rotation.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> To31(Vector128<uint> minus16, Vector128<uint> minus12, Vector128<uint> minus8, Vector128<uint> minus4)
    {
        var sum = minus16 ^ Straddle(minus16, minus12) ^ minus8 ^ Vector128.Shuffle(minus4, Vector128.Create(1u, 2, 3, 8));
        var late = Vector128.Shuffle(sum, Vector128.Create(8u, 8, 8, 0));
        return RotateLeft(sum, 1) ^ RotateLeft(late, 2);
    }

    /// <summary>Words from 32 on by the same recurrence applied to itself: W(t) = rotl(W(t−6) ⊕ W(t−16) ⊕ W(t−28) ⊕ W(t−32), 2). No lane waits for another.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> From32(Vector128<uint> minus32, Vector128<uint> minus28, Vector128<uint> minus16, Vector128<uint> minus8, Vector128<uint> minus4) =>
        RotateLeft(Straddle(minus8, minus4) ^ minus16 ^ minus28 ^ minus32, 2);

    /// <summary>The upper half of the earlier vector and the lower half of the later one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Straddle(Vector128<uint> earlier, Vector128<uint> later) => Ssse3.IsSupported
        ? Ssse3.AlignRight(later.AsByte(), earlier.AsByte(), 8).AsUInt32()
        : Vector128.Create(earlier.GetUpper(), later.GetLower());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> RotateLeft(Vector128<uint> x, int bits) => x << bits | x >>> (32 - bits);
}
