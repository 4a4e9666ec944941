using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Otr.Core.Crypto;

/// <summary>
/// HMAC-SHA1 (RFC 2104). A key can be taken in once: the states after the inner and the outer padding block, 40 bytes, save each message
/// two compressions. Long messages go to the base library, which has the processor's SHA instructions where there are any, but takes
/// microseconds to start. Keeps nothing: a prepared key is the caller's memory, and the caller's to wipe.
/// </summary>
internal static class HmacSha1
{
    public const int Size = Sha1.Size;

    /// <summary>Bytes of a prepared key: both midstates, and for the base library the key itself.</summary>
    public const int PreparedSize = 2 * Size + KeySize;

    /// <summary>Bytes of OTR's keys, which can be prepared.</summary>
    public const int KeySize = 20;

    /// <summary>From here on the base library is faster.</summary>
    private const int LibraryBytes = 1536;

    /// <summary>Prepares a key for <see cref="ComputePrepared"/>.</summary>
    /// <param name="key">20 bytes.</param>
    /// <param name="prepared"><see cref="PreparedSize"/> bytes.</param>
    public static void Prepare(ReadOnlySpan<byte> key, Span<byte> prepared)
    {
        if (key.Length != KeySize) throw new ArgumentException("A key to be prepared has 20 bytes.", nameof(key));
        Prepare(key, out Unsafe.As<byte, Midstates>(ref prepared[..PreparedSize][0]));
        key.CopyTo(prepared[(2 * Size)..]);
    }

    /// <param name="prepared">From <see cref="Prepare(ReadOnlySpan{byte}, Span{byte})"/>.</param>
    /// <param name="mac">20 bytes.</param>
    public static void ComputePrepared(ReadOnlySpan<byte> prepared, ReadOnlySpan<byte> data, Span<byte> mac)
    {
        ref readonly byte first = ref prepared[..PreparedSize][0];
        if (data.Length >= LibraryBytes) HMACSHA1.HashData(prepared[(2 * Size)..PreparedSize], data, mac);
        else Finish(Unsafe.As<byte, Midstates>(ref Unsafe.AsRef(in first)), data, mac);
    }

    /// <summary>For keys that are used once, of any length.</summary>
    public static void Compute(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, Span<byte> mac)
    {
        if (data.Length >= LibraryBytes)
        {
            HMACSHA1.HashData(key, data, mac);
            return;
        }
        Prepare(key, out Midstates midstates);
        Finish(midstates, data, mac);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(new Span<Midstates>(ref midstates)));
    }

    private static void Prepare(ReadOnlySpan<byte> key, out Midstates midstates)
    {
        Span<byte> block = stackalloc byte[Sha1.BlockSize];
        block.Clear();
        if (key.Length > Sha1.BlockSize) Sha1.Hash(key, block);
        else key.CopyTo(block);
        foreach (ref byte b in block) b ^= 0x36;
        midstates.Inner = Sha1.InitialState;
        Sha1.Compress(ref midstates.Inner, block);
        foreach (ref byte b in block) b ^= 0x36 ^ 0x5c;
        midstates.Outer = Sha1.InitialState;
        Sha1.Compress(ref midstates.Outer, block);
        CryptographicOperations.ZeroMemory(block);
    }

    private static void Finish(in Midstates midstates, ReadOnlySpan<byte> data, Span<byte> mac)
    {
        Span<byte> digest = stackalloc byte[Sha1.Size];
        Sha1.Finish(midstates.Inner, Sha1.BlockSize, data, digest);
        Sha1.Finish(midstates.Outer, Sha1.BlockSize, digest, mac);
        CryptographicOperations.ZeroMemory(digest);
    }

    private struct Midstates
    {
        public Sha1.State Inner, Outer;
    }
}
