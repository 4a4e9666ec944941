using System.Buffers.Binary;
using System.Security.Cryptography;
using Otr.Core.Crypto.Archive;

namespace Otr.Core;

/// <summary>
/// A file of any length that only the holder of a passphrase or of a private key can read, and that nobody can change, shorten or
/// rearrange unnoticed. It is sealed and opened in chunks, so that it never is in memory as a whole: a head (<c>"relay-bk"</c>, format
/// BYTE (1), kind BYTE, then as of <see cref="SealedFile"/> a salt or an ephemeral key), and chunks of <see cref="ChunkSize"/> bytes,
/// of which the last may be shorter, each with a tag of 16 bytes.
/// </summary>
/// <remarks>
/// Chunk i is AES-256-GCM under the base nonce XOR i, as HPKE's messages are (RFC 9180, section 5.2). Its additional data are the head and
/// a byte that is 1 for the last chunk only. Keys are those of <see cref="SealedFile"/>, for kind 2 with the info string
/// <c>relay backup 1</c>. Not thread-safe.
/// </remarks>
public sealed class SealedChunks : IDisposable
{
    /// <summary>Bytes of content in every chunk but the last.</summary>
    public const int ChunkSize = 64 << 10;

    /// <summary>Bytes that sealing adds to a chunk.</summary>
    public const int TagSize = 16;

    /// <summary>Bytes at the beginning of a file that tell the length of its head.</summary>
    public const int PrefixSize = 10;

    private const byte Format = 1, ToPassphrase = 1, ToKey = 2;
    private const int NonceSize = 12;

    private readonly AesGcm _aes;
    private readonly byte[] _baseNonce;
    private readonly byte[] _associated;
    private ulong _next;

    private SealedChunks(ReadOnlySpan<byte> head, byte[] key, byte[] baseNonce)
    {
        _aes = new AesGcm(key, TagSize);
        CryptographicOperations.ZeroMemory(key);
        _baseNonce = baseNonce;
        _associated = [.. head, 0];
    }

    /// <summary>What the file begins with.</summary>
    public ReadOnlyMemory<byte> Head => _associated.AsMemory(0, _associated.Length - 1);

    private static ReadOnlySpan<byte> Magic => "relay-bk"u8;

    private static ReadOnlySpan<byte> Info => "relay backup 1"u8;

    /// <summary>Begins a file that is sealed to a passphrase. Takes tenths of a second and 64 MiB.</summary>
    /// <exception cref="ArgumentException">The passphrase is empty or too long.</exception>
    public static SealedChunks ToPassphraseOf(ReadOnlySpan<byte> passphrase, IRandomSource random)
    {
        if (passphrase.Length is 0 or > SealedFile.MaxPassphraseBytes)
            throw new ArgumentException("A passphrase has 1 to 1024 bytes.", nameof(passphrase));
        var salt = new byte[PassphraseKey.SaltSize];
        random.Fill(salt);
        return new SealedChunks([.. Magic, Format, ToPassphrase, .. salt], PassphraseKey.Derive(passphrase, salt), new byte[NonceSize]);
    }

    /// <summary>Begins a file that is sealed to the holder of the private half of a key.</summary>
    /// <returns>Null if the public key is not one.</returns>
    public static SealedChunks? ToHolderOf(ReadOnlySpan<byte> publicKey, IRandomSource random)
        => Hpke.Encapsulate(publicKey, Info, random) is var (encapsulated, key, nonce)
            ? new SealedChunks([.. Magic, Format, ToKey, .. encapsulated], key, nonce) : null;

    /// <summary>The length of the head of a file that begins with these bytes.</summary>
    /// <param name="prefix"><see cref="PrefixSize"/> bytes.</param>
    /// <returns>0 if it is no such file, or one of another format.</returns>
    public static int HeadLength(ReadOnlySpan<byte> prefix) =>
        !IsSealedChunks(prefix) || prefix.Length < PrefixSize || prefix[8] != Format ? 0
        : prefix[9] switch
        {
            ToPassphrase => PrefixSize + PassphraseKey.SaltSize,
            ToKey => PrefixSize + SealedFile.KeySize,
            _ => 0,
        };

    /// <summary>Whether these bytes begin like such a file, of whatever format.</summary>
    public static bool IsSealedChunks(ReadOnlySpan<byte> file) => file.StartsWith(Magic);

    /// <summary>Whether a file with this head is sealed to a passphrase, rather than to a key.</summary>
    public static bool IsToPassphrase(ReadOnlySpan<byte> head) => HeadLength(head) > 0 && head[9] == ToPassphrase;

    /// <summary>Begins to open a file that was sealed to a passphrase. Whether it is the right one shows with the first chunk.</summary>
    /// <returns>Null if the head is not that of such a file.</returns>
    public static SealedChunks? OpenWithPassphrase(ReadOnlySpan<byte> head, ReadOnlySpan<byte> passphrase)
    {
        if (!IsToPassphrase(head) || head.Length != HeadLength(head)) return null;
        if (passphrase.Length is 0 or > SealedFile.MaxPassphraseBytes) return null;
        return new SealedChunks(head, PassphraseKey.Derive(passphrase, head[PrefixSize..]), new byte[NonceSize]);
    }

    /// <summary>
    /// Begins to open a file that was sealed to the public half of a key. Whether it is the right one shows with the first chunk.
    /// </summary>
    /// <returns>Null if the head is not that of such a file.</returns>
    public static SealedChunks? OpenWithKey(ReadOnlySpan<byte> head, ReadOnlySpan<byte> privateKey)
    {
        if (HeadLength(head) == 0 || head.Length != HeadLength(head) || head[9] != ToKey) return null;
        if (privateKey.Length != SealedFile.KeySize) return null;
        return Hpke.Decapsulate(head[PrefixSize..], privateKey, Info) is var (key, nonce) ? new SealedChunks(head, key, nonce) : null;
    }

    /// <summary>Seals the next chunk.</summary>
    /// <param name="content"><see cref="ChunkSize"/> bytes, or of the last one at most as many.</param>
    /// <param name="output">Receives <see cref="TagSize"/> bytes more than the content.</param>
    public void Seal(ReadOnlySpan<byte> content, bool isLast, Span<byte> output)
    {
        if (content.Length > ChunkSize || (content.Length < ChunkSize && !isLast))
            throw new ArgumentException("Only the last chunk may be shorter.", nameof(content));
        Span<byte> nonce = stackalloc byte[NonceSize];
        Next(nonce, isLast);
        _aes.Encrypt(nonce, content, output[..content.Length], output.Slice(content.Length, TagSize), _associated);
    }

    /// <summary>Opens the next chunk.</summary>
    /// <param name="content">Receives <see cref="TagSize"/> bytes less than the input.</param>
    /// <returns>False if it was changed, is another chunk, or the passphrase or key is another.</returns>
    public bool TryOpen(ReadOnlySpan<byte> input, bool isLast, Span<byte> content)
    {
        if (input.Length < TagSize || input.Length > ChunkSize + TagSize || (input.Length < ChunkSize + TagSize && !isLast)) return false;
        Span<byte> nonce = stackalloc byte[NonceSize];
        Next(nonce, isLast);
        try
        {
            _aes.Decrypt(nonce, input[..^TagSize], input[^TagSize..], content[..(input.Length - TagSize)], _associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    private void Next(Span<byte> nonce, bool isLast)
    {
        _baseNonce.CopyTo(nonce);
        var counter = nonce[^8..];
        BinaryPrimitives.WriteUInt64BigEndian(counter, BinaryPrimitives.ReadUInt64BigEndian(counter) ^ checked(_next++));
        _associated[^1] = isLast ? (byte)1 : (byte)0;
    }

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(SealedChunks);

    /// <summary>Wipes the key.</summary>
    public void Dispose() => _aes.Dispose();
}
