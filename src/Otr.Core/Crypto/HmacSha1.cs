using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Otr.Core.Crypto;

/// <summary>
/// HMAC-SHA1 (RFC 2104). The key is taken in once: the states after the inner and the outer padding block, 40 bytes, save each message two
/// compressions. Long messages go to the base library, which has the processor's SHA instructions where there are any, but takes microseconds to start.
/// </summary>
internal sealed class HmacSha1 : IDisposable
{
    public const int Size = Sha1.Size;

    /// <summary>From here on the base library is faster.</summary>
    private const int LibraryBytes = 1536;

    private Midstates _midstates;
    private ShortKey _key;
    private readonly bool _hasKey;

    /// <param name="key">20 bytes in OTR; any length is taken.</param>
    public HmacSha1(ReadOnlySpan<byte> key)
    {
        Prepare(key, out _midstates);
        // Kept for the base library alone. HMAC pads keys with zeros, so a shorter one is the same key.
        if (_hasKey = key.Length <= Size) key.CopyTo(_key);
    }

    /// <param name="mac">20 bytes.</param>
    public void Compute(ReadOnlySpan<byte> data, Span<byte> mac)
    {
        if (data.Length >= LibraryBytes && _hasKey) HMACSHA1.HashData(_key, data, mac);
        else Finish(_midstates, data, mac);
    }

    /// <summary>One-shot, without an object: for keys that are used once.</summary>
    public static void Compute(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, Span<byte> mac)
    {
        if (data.Length >= LibraryBytes)
        {
            HMACSHA1.HashData(key, data, mac);
            return;
        }
        Prepare(key, out var midstates);
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
        digest.Clear();
    }

    /// <summary>Wipes the midstates and the key.</summary>
    public void Dispose()
    {
        _midstates = default;
        CryptographicOperations.ZeroMemory(_key);
    }

    private struct Midstates
    {
        public Sha1.State Inner, Outer;
    }

    [InlineArray(Size)]
    private struct ShortKey
    {
        private byte _byte0;
    }
}
