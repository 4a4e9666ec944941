using System.Buffers.Binary;
using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc7748;

namespace Otr.Core.Crypto.Archive;

/// <summary>
/// HPKE (RFC 9180) in base mode without its cipher: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, and the key and base nonce of AES-256-GCM.
/// The sender is not authenticated: a file that opens was made by anybody who has the public key.
/// </summary>
internal static class Hpke
{
    public const int KeySize = X25519.PointSize;
    private const int HashSize = SHA256.HashSizeInBytes, NonceSize = 12;

    private static readonly byte[] s_kem = [.. "KEM"u8, 0x00, 0x20];
    private static readonly byte[] s_suite = [.. "HPKE"u8, 0x00, 0x20, 0x00, 0x01, 0x00, 0x02];

    public static (byte[] PrivateKey, byte[] PublicKey) GenerateKeyPair(IRandomSource random)
    {
        var secret = GC.AllocateArray<byte>(KeySize, pinned: true);
        random.Fill(secret);
        return (secret, PublicKeyOf(secret));
    }

    public static byte[] PublicKeyOf(byte[] privateKey)
    {
        var point = new byte[KeySize];
        X25519.ScalarMultBase(privateKey, 0, point, 0);
        return point;
    }

    /// <summary>Makes the key for messages to the holder of a private key.</summary>
    /// <param name="info">Separates the uses of a key pair.</param>
    /// <returns>Null if the public key is not one.</returns>
    public static (byte[] Encapsulated, byte[] Key, byte[] Nonce)? Encapsulate(
        ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> info, IRandomSource random)
    {
        if (publicKey.Length != KeySize) return null;
        var (secret, point) = GenerateKeyPair(random);
        var agreed = Agree(secret, publicKey);
        CryptographicOperations.ZeroMemory(secret);
        if (agreed is null) return null;
        var (key, nonce) = Schedule(agreed, point, publicKey, info);
        return (point, key, nonce);
    }

    /// <summary>Finds the key of a message again.</summary>
    /// <returns>Null if the encapsulated key is a point of small order.</returns>
    public static (byte[] Key, byte[] Nonce)? Decapsulate(
        ReadOnlySpan<byte> encapsulated, ReadOnlySpan<byte> privateKey, ReadOnlySpan<byte> info)
    {
        var secret = GC.AllocateArray<byte>(KeySize, pinned: true);
        privateKey.CopyTo(secret);
        var agreed = Agree(secret, encapsulated);
        var ours = PublicKeyOf(secret);
        CryptographicOperations.ZeroMemory(secret);
        return agreed is null ? null : Schedule(agreed, encapsulated, ours, info);
    }

    private static byte[]? Agree(byte[] secret, ReadOnlySpan<byte> point)
    {
        var agreed = GC.AllocateArray<byte>(KeySize, pinned: true);
        // False for the all-zero result of a point of small order (RFC 9180, section 7.1.4).
        return X25519.CalculateAgreement(secret, 0, point.ToArray(), 0, agreed, 0) ? agreed : null;
    }

    /// <summary>Sections 4.1 (ExtractAndExpand) and 5.1 (KeySchedule); wipes what was agreed.</summary>
    private static (byte[] Key, byte[] Nonce) Schedule(
        byte[] agreed, ReadOnlySpan<byte> encapsulated, ReadOnlySpan<byte> recipient, ReadOnlySpan<byte> info)
    {
        var eaePrk = Extract(s_kem, [], "eae_prk"u8, agreed);
        CryptographicOperations.ZeroMemory(agreed);
        var shared = Expand(s_kem, eaePrk, "shared_secret"u8, [.. encapsulated, .. recipient], HashSize);
        byte[] context = [0, .. Extract(s_suite, [], "psk_id_hash"u8, []), .. Extract(s_suite, [], "info_hash"u8, info)];
        var secret = Extract(s_suite, shared, "secret"u8, []);
        var key = Expand(s_suite, secret, "key"u8, context, 32);
        var nonce = Expand(s_suite, secret, "base_nonce"u8, context, NonceSize);
        foreach (var wiped in (byte[][])[eaePrk, shared, secret]) CryptographicOperations.ZeroMemory(wiped);
        return (key, nonce);
    }

    private static byte[] Extract(ReadOnlySpan<byte> suite, byte[] salt, ReadOnlySpan<byte> label, ReadOnlySpan<byte> input)
    {
        byte[] labelled = [.. "HPKE-v1"u8, .. suite, .. label, .. input];
        var extracted = HKDF.Extract(HashAlgorithmName.SHA256, labelled, salt);
        CryptographicOperations.ZeroMemory(labelled);
        return extracted;
    }

    private static byte[] Expand(ReadOnlySpan<byte> suite, byte[] key, ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, int length)
    {
        Span<byte> size = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(size, (ushort)length);
        byte[] labelled = [.. size, .. "HPKE-v1"u8, .. suite, .. label, .. context];
        return HKDF.Expand(HashAlgorithmName.SHA256, key, length, labelled);
    }
}
