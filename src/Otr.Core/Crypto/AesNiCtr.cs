using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using X86Aes = System.Runtime.Intrinsics.X86.Aes;

namespace Otr.Core.Crypto;

/// <summary>AES-128-CTR on the processor's AES instructions: eight blocks at a time, as a round takes several cycles but starts every cycle.</summary>
internal static unsafe class AesNiCtr
{
    /// <summary>The eleven round keys of FIPS 197 §5.2.</summary>
    [InlineArray(11)]
    internal struct KeySchedule
    {
        private Vector128<byte> _roundKey0;
    }

    public static void Expand(ReadOnlySpan<byte> key, out KeySchedule schedule)
    {
        Vector128<byte> k = Vector128.Create(key);
        schedule = default;
        schedule[0] = k;
        schedule[1] = k = Next(k, X86Aes.KeygenAssist(k, 0x01));
        schedule[2] = k = Next(k, X86Aes.KeygenAssist(k, 0x02));
        schedule[3] = k = Next(k, X86Aes.KeygenAssist(k, 0x04));
        schedule[4] = k = Next(k, X86Aes.KeygenAssist(k, 0x08));
        schedule[5] = k = Next(k, X86Aes.KeygenAssist(k, 0x10));
        schedule[6] = k = Next(k, X86Aes.KeygenAssist(k, 0x20));
        schedule[7] = k = Next(k, X86Aes.KeygenAssist(k, 0x40));
        schedule[8] = k = Next(k, X86Aes.KeygenAssist(k, 0x80));
        schedule[9] = k = Next(k, X86Aes.KeygenAssist(k, 0x1b));
        schedule[10] = Next(k, X86Aes.KeygenAssist(k, 0x36));
    }

    /// <summary>Each word is the exclusive or of all words of the last round key up to it, and of the assist's fourth word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Next(Vector128<byte> key, Vector128<byte> assist)
    {
        key ^= Sse2.ShiftLeftLogical128BitLane(key, 4);
        key ^= Sse2.ShiftLeftLogical128BitLane(key, 8);
        return key ^ Sse2.Shuffle(assist.AsInt32(), 0xFF).AsByte();
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transform(in KeySchedule schedule, ulong counterTop, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        ulong top = BinaryPrimitives.ReverseEndianness(counterTop), block = 0;
        int length = source.Length;
        fixed (KeySchedule* keys = &schedule)
        fixed (byte* sourceStart = source, destinationStart = destination)
        {
            Vector128<byte>* k = (Vector128<byte>*)keys;
            byte* from = sourceStart;
            byte* to = destinationStart;
            for (; length >= 128; length -= 128, from += 128, to += 128, block += 8)
            {
                Vector128<byte> key = k[0];
                Vector128<byte> a = Counter(top, block) ^ key, b = Counter(top, block + 1) ^ key, c = Counter(top, block + 2) ^ key, d = Counter(top, block + 3) ^ key;
                Vector128<byte> e = Counter(top, block + 4) ^ key, f = Counter(top, block + 5) ^ key, g = Counter(top, block + 6) ^ key, h = Counter(top, block + 7) ^ key;
                for (int round = 1; round < 10; round++)
                {
                    key = k[round];
                    a = X86Aes.Encrypt(a, key); b = X86Aes.Encrypt(b, key); c = X86Aes.Encrypt(c, key); d = X86Aes.Encrypt(d, key);
                    e = X86Aes.Encrypt(e, key); f = X86Aes.Encrypt(f, key); g = X86Aes.Encrypt(g, key); h = X86Aes.Encrypt(h, key);
                }
                key = k[10];
                (X86Aes.EncryptLast(a, key) ^ Vector128.Load(from)).Store(to);
                (X86Aes.EncryptLast(b, key) ^ Vector128.Load(from + 16)).Store(to + 16);
                (X86Aes.EncryptLast(c, key) ^ Vector128.Load(from + 32)).Store(to + 32);
                (X86Aes.EncryptLast(d, key) ^ Vector128.Load(from + 48)).Store(to + 48);
                (X86Aes.EncryptLast(e, key) ^ Vector128.Load(from + 64)).Store(to + 64);
                (X86Aes.EncryptLast(f, key) ^ Vector128.Load(from + 80)).Store(to + 80);
                (X86Aes.EncryptLast(g, key) ^ Vector128.Load(from + 96)).Store(to + 96);
                (X86Aes.EncryptLast(h, key) ^ Vector128.Load(from + 112)).Store(to + 112);
            }
            for (; length > 0; length -= 16, from += 16, to += 16, block++)
            {
                Vector128<byte> pad = Counter(top, block) ^ k[0];
                for (int round = 1; round < 10; round++) pad = X86Aes.Encrypt(pad, k[round]);
                pad = X86Aes.EncryptLast(pad, k[10]);
                if (length >= 16)
                {
                    (pad ^ Vector128.Load(from)).Store(to);
                }
                else
                {
                    for (int i = 0; i < length; i++) to[i] = (byte)(from[i] ^ pad.GetElement(i));
                }
            }
        }
    }

    /// <summary>The counter block; the top half is already in memory order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Counter(ulong top, ulong block) => Vector128.Create(top, BinaryPrimitives.ReverseEndianness(block)).AsByte();
}
