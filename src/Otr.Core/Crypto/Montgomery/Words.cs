using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Otr.Core.Crypto.Montgomery;

/// <summary>
/// Numbers as little-endian arrays of 64-bit words. Time depends on the lengths only. Masks are all ones for true, zero for false, and are built
/// without comparisons: the JIT is free to turn a comparison into a branch.
/// </summary>
internal static class Words
{
    /// <summary>Reads a big-endian number; <paramref name="words"/> must have room, the rest is zero.</summary>
    public static void FromBigEndian(Span<ulong> words, ReadOnlySpan<byte> bytes)
    {
        words.Clear();
        int word = 0, end = bytes.Length;
        for (; end >= 8; end -= 8) words[word++] = BinaryPrimitives.ReadUInt64BigEndian(bytes.Slice(end - 8, 8));
        for (int i = 0; i < end; i++) words[word] = words[word] << 8 | bytes[i];
    }

    /// <summary>Writes the low <c>bytes.Length</c> bytes, big-endian.</summary>
    public static void ToBigEndian(Span<byte> bytes, ReadOnlySpan<ulong> words)
    {
        int word = 0, end = bytes.Length;
        for (; end >= 8; end -= 8) BinaryPrimitives.WriteUInt64BigEndian(bytes.Slice(end - 8, 8), words[word++]);
        for (int shift = 0; end > 0; shift += 8) bytes[--end] = (byte)(words[word] >> shift);
    }

    /// <summary>a − b − borrow (0 or 1); the borrow out replaces the one in.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong SubtractBorrow(ulong a, ulong b, ref ulong borrow)
    {
        ulong difference = a - b - borrow;
        // The top bit of a − b's borrow chain (Hacker's Delight 2-13), with no comparison.
        borrow = ((~a & b) | (~(a ^ b) & difference)) >> 63;
        return difference;
    }

    /// <summary>a + b + carry (0 or 1); the carry out replaces the one in.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong AddCarry(ulong a, ulong b, ref ulong carry)
    {
        ulong sum = a + b + carry;
        carry = ((a & b) | ((a | b) & ~sum)) >> 63;
        return sum;
    }

    /// <summary>All ones if a &lt; b; both of one length.</summary>
    public static ulong LessThan(ReadOnlySpan<ulong> a, ReadOnlySpan<ulong> b)
    {
        ulong borrow = 0;
        for (int i = 0; i < a.Length; i++) SubtractBorrow(a[i], b[i], ref borrow);
        return 0 - borrow;
    }

    /// <summary>All ones if a = 0.</summary>
    public static ulong IsZero(ReadOnlySpan<ulong> a)
    {
        ulong any = 0;
        foreach (ulong word in a) any |= word;
        return 0 - (1 ^ ((any | (0 - any)) >> 63));
    }

    /// <summary>a −= m·2^<paramref name="shift"/> if that is not negative; 0 ≤ shift ≤ 63, no bit of m is lost.</summary>
    public static void SubtractIfNotLess(Span<ulong> a, ReadOnlySpan<ulong> m, int shift)
    {
        ulong borrow = 0, below = 0;
        for (int i = 0; i < a.Length; i++)
        {
            SubtractBorrow(a[i], (m[i] << shift) | ((below >> 1) >> (63 - shift)), ref borrow);
            below = m[i];
        }
        ulong keep = borrow - 1;
        borrow = below = 0;
        for (int i = 0; i < a.Length; i++)
        {
            a[i] = SubtractBorrow(a[i], ((m[i] << shift) | ((below >> 1) >> (63 - shift))) & keep, ref borrow);
            below = m[i];
        }
    }
}
