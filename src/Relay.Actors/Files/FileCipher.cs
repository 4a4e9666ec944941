using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Relay.Actors.Files;

/// <summary>
/// The blob of a file (docs/files.md, "Blob"): a header with the file's key wrapped under a key from OTR's extra symmetric key, then
/// portions of 64 KiB, each AES-256-GCM with its number and whether it is the last in the nonce (the STREAM construction).
/// </summary>
internal static class FileCipher
{
    public const int KeySize = 32, TagSize = 16;
    /// <summary>Plaintext of a portion; the last is shorter, but not empty unless the file is.</summary>
    public const int PortionSize = FileLimits.PortionBytes;
    public const int SealedPortionSize = PortionSize + TagSize;
    private const int NonceSize = 12;
    private const int PrefixSize = 4 + 1 + FileOffer.TransferIdSize;
    public const int HeaderSize = PrefixSize + KeySize + TagSize;

    private static ReadOnlySpan<byte> Magic => "OTRF"u8;
    private const byte Version = 1;
    private static readonly byte[] s_wrapInfo = Encoding.ASCII.GetBytes("OTR file 1 wrap\0");

    /// <summary>How many portions a file has: at least one.</summary>
    public static uint Portions(long size) => size == 0 ? 1 : checked((uint)((size + PortionSize - 1) / PortionSize));

    /// <summary>The plaintext length of one portion.</summary>
    public static int PortionLength(long size, uint number) => (int)Math.Clamp(size - (long)number * PortionSize, 0, PortionSize);

    public static long BlobSize(long size) => HeaderSize + size + (long)Portions(size) * TagSize;

    /// <summary>
    /// The key that wraps the file's: HKDF-SHA256 of the extra symmetric key (32 bytes in OTR 2 and 3, 64 in OTR 4) with the transfer id
    /// as salt, bound to the whole offer.
    /// </summary>
    /// <param name="offer">The use-specific data, as it was sent.</param>
    public static byte[] DeriveWrapKey(ReadOnlySpan<byte> extraKey, UInt128 transferId, ReadOnlySpan<byte> offer)
    {
        Span<byte> salt = stackalloc byte[FileOffer.TransferIdSize];
        BinaryPrimitives.WriteUInt128BigEndian(salt, transferId);
        Span<byte> info = stackalloc byte[s_wrapInfo.Length + SHA256.HashSizeInBytes];
        s_wrapInfo.CopyTo(info);
        SHA256.HashData(offer, info[s_wrapInfo.Length..]);
        var key = new byte[KeySize];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, extraKey, key, salt, info);
        return key;
    }

    /// <summary>The header. A wrap key is used once, because it depends on the transfer id: its nonce is zero.</summary>
    public static byte[] Wrap(ReadOnlySpan<byte> wrapKey, UInt128 transferId, ReadOnlySpan<byte> fileKey)
    {
        var header = new byte[HeaderSize];
        WritePrefix(header, transferId);
        Span<byte> nonce = stackalloc byte[NonceSize];
        nonce.Clear();
        using var gcm = new AesGcm(wrapKey, TagSize);
        gcm.Encrypt(nonce, fileKey, header.AsSpan(PrefixSize, KeySize), header.AsSpan(PrefixSize + KeySize), header.AsSpan(0, PrefixSize));
        return header;
    }

    /// <returns>The file's key; null if the header is of another file, damaged or forged.</returns>
    public static byte[]? TryUnwrap(ReadOnlySpan<byte> wrapKey, UInt128 transferId, ReadOnlySpan<byte> header)
    {
        Span<byte> prefix = stackalloc byte[PrefixSize];
        WritePrefix(prefix, transferId);
        if (header.Length != HeaderSize || !header[..PrefixSize].SequenceEqual(prefix)) return null;
        Span<byte> nonce = stackalloc byte[NonceSize];
        nonce.Clear();
        var key = new byte[KeySize];
        using var gcm = new AesGcm(wrapKey, TagSize);
        return TryDecrypt(gcm, nonce, header[PrefixSize..], key, prefix) ? key : null;
    }

    public static byte[] Seal(ReadOnlySpan<byte> fileKey, long size, uint number, ReadOnlySpan<byte> clear)
    {
        var portion = new byte[clear.Length + TagSize];
        Span<byte> nonce = stackalloc byte[NonceSize];
        WriteNonce(nonce, size, number);
        using var gcm = new AesGcm(fileKey, TagSize);
        gcm.Encrypt(nonce, clear, portion.AsSpan(0, clear.Length), portion.AsSpan(clear.Length));
        return portion;
    }

    /// <returns>The plaintext; null if the portion is of another place or file, cut, damaged or forged.</returns>
    public static byte[]? TryOpen(ReadOnlySpan<byte> fileKey, long size, uint number, ReadOnlySpan<byte> portion)
    {
        int length = PortionLength(size, number);
        if (number >= Portions(size) || portion.Length != length + TagSize) return null;
        Span<byte> nonce = stackalloc byte[NonceSize];
        WriteNonce(nonce, size, number);
        var clear = new byte[length];
        using var gcm = new AesGcm(fileKey, TagSize);
        return TryDecrypt(gcm, nonce, portion, clear, default) ? clear : null;
    }

    private static bool TryDecrypt(
        AesGcm gcm, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> value, Span<byte> clear, ReadOnlySpan<byte> associated)
    {
        try
        {
            gcm.Decrypt(nonce, value[..^TagSize], value[^TagSize..], clear, associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    /// <summary>zero (3) ‖ number (8) ‖ 1 for the last portion, otherwise 0 (1).</summary>
    private static void WriteNonce(Span<byte> nonce, long size, uint number)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(nonce[3..], number);
        nonce[^1] = number == Portions(size) - 1 ? (byte)1 : (byte)0;
    }

    private static void WritePrefix(Span<byte> header, UInt128 transferId)
    {
        Magic.CopyTo(header);
        header[Magic.Length] = Version;
        BinaryPrimitives.WriteUInt128BigEndian(header[(Magic.Length + 1)..], transferId);
    }
}
