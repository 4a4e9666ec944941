using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Otr.Core.Keys;

/// <summary>Names public numbers in a cache. Not the OTR fingerprint: collisions of SHA-1 can be made, and a cache that vouches must not be fooled by one.</summary>
internal readonly record struct Sha256Digest(ulong W0, ulong W1, ulong W2, ulong W3)
{
    /// <summary>Over each number with its length before it; together at most four DSA numbers of the greatest size.</summary>
    [SkipLocalsInit]
    public static Sha256Digest OfNumbers(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, ReadOnlySpan<byte> c, ReadOnlySpan<byte> d = default)
    {
        Span<byte> buffer = stackalloc byte[4 * sizeof(int) + a.Length + b.Length + c.Length + d.Length];
        int length = Put(buffer, 0, a);
        length = Put(buffer, length, b);
        length = Put(buffer, length, c);
        length = Put(buffer, length, d);
        Span<ulong> digest = stackalloc ulong[4];
        SHA256.HashData(buffer[..length], MemoryMarshal.AsBytes(digest));
        return new Sha256Digest(digest[0], digest[1], digest[2], digest[3]);
    }

    private static int Put(Span<byte> buffer, int at, ReadOnlySpan<byte> number)
    {
        BinaryPrimitives.WriteInt32BigEndian(buffer[at..], number.Length);
        number.CopyTo(buffer[(at + 4)..]);
        return at + 4 + number.Length;
    }
}
