using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Otr.Core.Crypto;

/// <summary>
/// HMAC-SHA1 (RFC 2104). The key is taken in once: what remains of it are the states after the inner and the outer padding block, 40 bytes, and each
/// message saves two compressions.
/// </summary>
internal sealed class HmacSha1 : IDisposable
{
    public const int Size = Sha1.Size;

    private Sha1.State _inner, _outer;

    /// <param name="key">20 bytes in OTR; any length is taken.</param>
    public HmacSha1(ReadOnlySpan<byte> key) => Prepare(key, out _inner, out _outer);

    /// <param name="mac">20 bytes.</param>
    public void Compute(ReadOnlySpan<byte> data, Span<byte> mac) => Compute(_inner, _outer, data, mac);

    /// <summary>One-shot, without an object: for keys that are used once.</summary>
    public static void Compute(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, Span<byte> mac)
    {
        Prepare(key, out var inner, out var outer);
        Compute(inner, outer, data, mac);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(new Span<Sha1.State>(ref inner)));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(new Span<Sha1.State>(ref outer)));
    }

    private static void Prepare(ReadOnlySpan<byte> key, out Sha1.State inner, out Sha1.State outer)
    {
        Span<byte> block = stackalloc byte[Sha1.BlockSize];
        block.Clear();
        if (key.Length > Sha1.BlockSize) Sha1.Hash(key, block);
        else key.CopyTo(block);
        foreach (ref byte b in block) b ^= 0x36;
        inner = Sha1.InitialState;
        Sha1.Compress(ref inner, block);
        foreach (ref byte b in block) b ^= 0x36 ^ 0x5c;
        outer = Sha1.InitialState;
        Sha1.Compress(ref outer, block);
        CryptographicOperations.ZeroMemory(block);
    }

    private static void Compute(in Sha1.State inner, in Sha1.State outer, ReadOnlySpan<byte> data, Span<byte> mac)
    {
        Span<byte> digest = stackalloc byte[Sha1.Size];
        Sha1.Finish(inner, Sha1.BlockSize, data, digest);
        Sha1.Finish(outer, Sha1.BlockSize, digest, mac);
        digest.Clear();
    }

    /// <summary>Wipes the midstates.</summary>
    public void Dispose()
    {
        _inner = default;
        _outer = default;
    }
}
