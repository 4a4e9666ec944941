using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Otr.Core.Crypto.Archive;

namespace Otr.Core;

/// <summary>
/// A file that only the holder of a passphrase or of a private key can read, and that nobody can change unnoticed:
/// <c>"relay-id"</c>, format BYTE (1), kind BYTE, then for a passphrase (kind 1) 16 bytes of salt, for a public key (kind 2) the 32 bytes of
/// an ephemeral X25519 key, then AES-256-GCM of the content with the tag last. Everything before the ciphertext is authenticated with it.
/// </summary>
/// <remarks>
/// Kind 1: the key is Argon2id (<see cref="PassphraseKey"/>) of the passphrase in UTF-8 with the salt; the nonce is zero, as no key is
/// used twice. Kind 2: HPKE, RFC 9180 (<see cref="Hpke"/>). The costs are those of the format, never the file's: a hostile file cannot ask
/// for more memory or time.
/// </remarks>
public static class SealedFile
{
    /// <summary>Bytes of a public or private X25519 key.</summary>
    public const int KeySize = Hpke.KeySize;

    /// <summary>Most bytes of content; also the most that a reader decrypts.</summary>
    public const int MaxContentBytes = 1 << 20;

    /// <summary>Longest passphrase, in bytes of UTF-8.</summary>
    public const int MaxPassphraseBytes = 1024;

    private const byte Format = 1, ToPassphrase = 1, ToKey = 2;
    private const int HeadSize = 10, TagSize = 16;

    private static ReadOnlySpan<byte> Magic => "relay-id"u8;

    private static ReadOnlySpan<byte> Info => "relay identity archive 1"u8;

    /// <summary>Makes a key pair to which files can be sealed.</summary>
    public static (byte[] PrivateKey, byte[] PublicKey) GenerateKeyPair(IRandomSource random) => Hpke.GenerateKeyPair(random);

    /// <summary>The public key of a private one.</summary>
    /// <exception cref="ArgumentException">It does not have <see cref="KeySize"/> bytes.</exception>
    public static byte[] PublicKeyOf(ReadOnlySpan<byte> privateKey)
    {
        if (privateKey.Length != KeySize) throw new ArgumentException("A private key has 32 bytes.", nameof(privateKey));
        return Hpke.PublicKeyOf(privateKey.ToArray());
    }

    /// <summary>Whether these bytes begin like such a file.</summary>
    public static bool IsSealedFile(ReadOnlySpan<byte> file) => file.StartsWith(Magic);

    /// <summary>Seals content to a passphrase. Takes tenths of a second and 64 MiB.</summary>
    /// <exception cref="ArgumentException">The content or the passphrase is too long, or the passphrase is empty.</exception>
    public static byte[] Seal(ReadOnlySpan<byte> content, ReadOnlySpan<byte> passphrase, IRandomSource random)
    {
        if (passphrase.Length is 0 or > MaxPassphraseBytes)
            throw new ArgumentException("A passphrase has 1 to 1024 bytes.", nameof(passphrase));
        var file = Begin(content, ToPassphrase, PassphraseKey.SaltSize);
        var salt = file.AsSpan(HeadSize, PassphraseKey.SaltSize);
        random.Fill(salt);
        var key = PassphraseKey.Derive(passphrase, salt);
        Encrypt(file, content, HeadSize + salt.Length, key, new byte[12]);
        CryptographicOperations.ZeroMemory(key);
        return file;
    }

    /// <summary>Seals content to the holder of the private half of a key.</summary>
    /// <exception cref="ArgumentException">The content is too long.</exception>
    /// <returns>Null if the public key is not one: it does not have <see cref="KeySize"/> bytes, or is a point of small order.</returns>
    public static byte[]? SealTo(ReadOnlySpan<byte> content, ReadOnlySpan<byte> publicKey, IRandomSource random)
    {
        var file = Begin(content, ToKey, KeySize);
        if (Hpke.Encapsulate(publicKey, Info, random) is not var (encapsulated, key, nonce)) return null;
        encapsulated.CopyTo(file.AsSpan(HeadSize));
        Encrypt(file, content, HeadSize + KeySize, key, nonce);
        CryptographicOperations.ZeroMemory(key);
        return file;
    }

    /// <summary>Opens a file that was sealed to a passphrase.</summary>
    /// <param name="content">The caller's, to wipe.</param>
    /// <returns>False if it is no such file, was changed, or the passphrase is another.</returns>
    public static bool TryOpen(ReadOnlySpan<byte> file, ReadOnlySpan<byte> passphrase, [NotNullWhen(true)] out byte[]? content)
    {
        content = null;
        if (!HasForm(file, ToPassphrase, PassphraseKey.SaltSize) || passphrase.Length is 0 or > MaxPassphraseBytes) return false;
        var key = PassphraseKey.Derive(passphrase, file.Slice(HeadSize, PassphraseKey.SaltSize));
        var isOpen = TryDecrypt(file, HeadSize + PassphraseKey.SaltSize, key, new byte[12], out content);
        CryptographicOperations.ZeroMemory(key);
        return isOpen;
    }

    /// <summary>Opens a file that was sealed to the public half of a key.</summary>
    /// <param name="content">The caller's, to wipe.</param>
    /// <returns>False if it is no such file, was changed, or the key is another.</returns>
    public static bool TryOpenWith(ReadOnlySpan<byte> file, ReadOnlySpan<byte> privateKey, [NotNullWhen(true)] out byte[]? content)
    {
        content = null;
        if (!HasForm(file, ToKey, KeySize) || privateKey.Length != KeySize) return false;
        if (Hpke.Decapsulate(file.Slice(HeadSize, KeySize), privateKey, Info) is not var (key, nonce)) return false;
        var isOpen = TryDecrypt(file, HeadSize + KeySize, key, nonce, out content);
        CryptographicOperations.ZeroMemory(key);
        return isOpen;
    }

    private static byte[] Begin(ReadOnlySpan<byte> content, byte kind, int extra)
    {
        if (content.Length > MaxContentBytes) throw new ArgumentException("The content is too long.", nameof(content));
        var file = new byte[HeadSize + extra + content.Length + TagSize];
        Magic.CopyTo(file);
        (file[8], file[9]) = (Format, kind);
        return file;
    }

    private static bool HasForm(ReadOnlySpan<byte> file, byte kind, int extra) =>
        IsSealedFile(file) && file.Length >= HeadSize + extra + TagSize && file.Length <= HeadSize + extra + MaxContentBytes + TagSize
        && file[8] == Format && file[9] == kind;

    private static void Encrypt(byte[] file, ReadOnlySpan<byte> content, int at, byte[] key, byte[] nonce)
    {
        using var aes = new AesGcm(key, TagSize);
        aes.Encrypt(nonce, content, file.AsSpan(at, content.Length), file.AsSpan(at + content.Length), file.AsSpan(0, at));
    }

    private static bool TryDecrypt(ReadOnlySpan<byte> file, int at, byte[] key, byte[] nonce, [NotNullWhen(true)] out byte[]? content)
    {
        using var aes = new AesGcm(key, TagSize);
        content = GC.AllocateArray<byte>(file.Length - at - TagSize, pinned: true);
        try
        {
            aes.Decrypt(nonce, file[at..^TagSize], file[^TagSize..], content, file[..at]);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            content = null;
            return false;
        }
    }
}
