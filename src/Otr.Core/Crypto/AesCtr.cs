using System.Security.Cryptography;

namespace Otr.Core.Crypto;

/// <summary>
/// AES-128 in counter mode as OTR uses it: initial counter block = 8-byte top half ‖ 8 zero bytes, 128-bit big-endian
/// increment. One instance holds one expanded key. CONTRACT STUB: AES-NI and the portable path are to come.
/// </summary>
internal sealed class AesCtr : IDisposable
{
    private readonly Aes _aes = Aes.Create();

    /// <param name="key">16 bytes.</param>
    public AesCtr(ReadOnlySpan<byte> key) => _aes.Key = key.ToArray();

    /// <summary>Encrypts or decrypts; <paramref name="destination"/> may be the same memory as <paramref name="source"/>.</summary>
    /// <param name="counterTop">The top half of the initial counter as a number; 0 in the AKE.</param>
    public void Transform(ulong counterTop, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Span<byte> block = stackalloc byte[16], pad = stackalloc byte[16];
        for (int i = 0; i < source.Length; i += 16)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(block, counterTop);
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(block[8..], (ulong)(i / 16));
            _aes.EncryptEcb(block, pad, PaddingMode.None);
            for (int j = i; j < Math.Min(i + 16, source.Length); j++) destination[j] = (byte)(source[j] ^ pad[j - i]);
        }
    }

    /// <summary>One-shot.</summary>
    public static void Transform(ReadOnlySpan<byte> key, ulong counterTop, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        using var aes = new AesCtr(key);
        aes.Transform(counterTop, source, destination);
    }

    /// <summary>Wipes the key schedule.</summary>
    public void Dispose() => _aes.Dispose();
}
