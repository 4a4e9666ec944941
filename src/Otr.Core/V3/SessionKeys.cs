using System.Security.Cryptography;
using Otr.Core.Crypto;

namespace Otr.Core.V3;

/// <summary>
/// The keys and counters of one pair of D-H keys, ours and the peer's (spec v3, "Computing AES keys, MAC keys…"):
/// AES keys from h1(sendbyte) and h1(recvbyte), MAC keys the SHA-1 of those.
/// </summary>
internal sealed class SessionKeys : IDisposable
{
    public const int AesKeyLength = 16;
    public const int MacKeyLength = 20;
    private const byte HighSendByte = 0x01, LowSendByte = 0x02, ExtraKeyByte = 0xff;

    // Sending AES key, then receiving AES key.
    private readonly SecretBytes _aesKeys;
    // Expanded AES key, then prepared MAC key, of each direction; made when a message first needs them.
    private SecretBytes? _send, _receive;

    private SessionKeys(SecretBytes aesKeys) => _aesKeys = aesKeys;

    /// <summary>Top half of the last counter sent; incremented before use, so the first is 1.</summary>
    public ulong SendCounter { get; set; }
    /// <summary>Top half of the highest counter accepted.</summary>
    public ulong ReceiveCounter { get; set; }
    /// <summary>The receiving MAC key has verified a message, so it is to be revealed when forgotten.</summary>
    public bool ReceiveMacUsed { get; set; }

    /// <summary>Both AES keys, for a snapshot: 32 bytes.</summary>
    public ReadOnlySpan<byte> Raw => _aesKeys.Span;

    /// <summary>Encrypts with the sending AES key.</summary>
    public void Encrypt(ulong counter, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext) =>
        AesCtr.TransformExpanded(Cipher(Sending), counter, plaintext, ciphertext);

    /// <summary>Decrypts with the receiving AES key.</summary>
    public void Decrypt(ulong counter, ReadOnlySpan<byte> ciphertext, Span<byte> plaintext) =>
        AesCtr.TransformExpanded(Cipher(Receiving), counter, ciphertext, plaintext);

    /// <summary>The MAC of a message to be sent, 20 bytes.</summary>
    public void MacToSend(ReadOnlySpan<byte> message, Span<byte> mac) => HmacSha1.ComputePrepared(Mac(Sending), message, mac);

    /// <summary>The MAC that a received message should have, 20 bytes.</summary>
    public void MacOfReceived(ReadOnlySpan<byte> message, Span<byte> mac) => HmacSha1.ComputePrepared(Mac(Receiving), message, mac);

    private SecretBytes Sending => _send ??= Prepare(SendAes);
    private SecretBytes Receiving => _receive ??= Prepare(ReceiveAes);
    private static ReadOnlySpan<byte> Cipher(SecretBytes direction) => direction.Span[..AesCtr.ExpandedSize];
    private static ReadOnlySpan<byte> Mac(SecretBytes direction) => direction.Span[AesCtr.ExpandedSize..];
    private ReadOnlySpan<byte> SendAes => _aesKeys.Span[..AesKeyLength];
    private ReadOnlySpan<byte> ReceiveAes => _aesKeys.Span[AesKeyLength..];

    /// <summary>From the shared secret of the pair; which side is "high" is decided anew for every pair.</summary>
    /// <param name="s">192 bytes.</param>
    public static SessionKeys Derive(ReadOnlySpan<byte> s, ReadOnlySpan<byte> ownPublic, ReadOnlySpan<byte> peerPublic)
    {
        var high = ownPublic.SequenceCompareTo(peerPublic) > 0;
        var keys = new SecretBytes(2 * AesKeyLength);
        Span<byte> h1 = stackalloc byte[Sha1.Size];
        SharedSecret.H1(high ? HighSendByte : LowSendByte, s, h1);
        h1[..AesKeyLength].CopyTo(keys.Span);
        SharedSecret.H1(high ? LowSendByte : HighSendByte, s, h1);
        h1[..AesKeyLength].CopyTo(keys.Span[AesKeyLength..]);
        CryptographicOperations.ZeroMemory(h1);
        return new SessionKeys(keys);
    }

    /// <summary>The extra symmetric key h2(0xFF), 32 bytes (spec v3, "Extra symmetric key").</summary>
    public static byte[] DeriveExtraKey(ReadOnlySpan<byte> s)
    {
        var key = new byte[SHA256.HashSizeInBytes];
        SharedSecret.H2(ExtraKeyByte, s, key);
        return key;
    }

    /// <summary>Back from a snapshot.</summary>
    public static SessionKeys Restore(ReadOnlySpan<byte> raw, ulong sendCounter, ulong receiveCounter, bool receiveMacUsed) =>
        new(new SecretBytes(raw)) { SendCounter = sendCounter, ReceiveCounter = receiveCounter, ReceiveMacUsed = receiveMacUsed };

    /// <summary>Writes the receiving MAC key, to be revealed: 20 bytes.</summary>
    public void CopyReceiveMacKey(Span<byte> destination) => Sha1.Hash(ReceiveAes, destination);

    public void Dispose()
    {
        _aesKeys.Dispose();
        _send?.Dispose();
        _receive?.Dispose();
    }

    private static SecretBytes Prepare(ReadOnlySpan<byte> aesKey)
    {
        var direction = new SecretBytes(AesCtr.ExpandedSize + HmacSha1.PreparedSize);
        AesCtr.Expand(aesKey, direction.Span);
        Span<byte> macKey = stackalloc byte[MacKeyLength];
        Sha1.Hash(aesKey, macKey);
        HmacSha1.Prepare(macKey, direction.Span[AesCtr.ExpandedSize..]);
        CryptographicOperations.ZeroMemory(macKey);
        return direction;
    }
}
