using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Relay.Actors.Sealing;

/// <summary>
/// XAES-256-GCM (C2SP): AES-256-GCM under a key derived from the first half of a 192-bit nonce by AES-CMAC in counter
/// mode. With a plain 96-bit nonce drawn at random, one key would be at its bound of 2³² rows after days; with 192 bits
/// it never is, and no counter has to survive a crash.
/// </summary>
internal sealed class Xaes256Gcm : IDisposable
{
    public const int KeySize = 32, NonceSize = 24, TagSize = 16;

    private readonly Aes _aes = Aes.Create();
    private readonly byte[] _k1 = new byte[16];
    private readonly Lock _lock = new();
    private bool _isDisposed;

    /// <param name="key">32 bytes.</param>
    public Xaes256Gcm(ReadOnlySpan<byte> key)
    {
        _aes.SetKey(key);
        Span<byte> zero = stackalloc byte[16];
        zero.Clear();
        _aes.EncryptEcb(zero, _k1, PaddingMode.None);
        // CMAC's first subkey: L doubled in GF(2^128), without a branch on the secret bit.
        var l = BinaryPrimitives.ReadUInt128BigEndian(_k1);
        BinaryPrimitives.WriteUInt128BigEndian(_k1, (l << 1) ^ ((UInt128)0x87 * (l >> 127)));
    }

    /// <param name="nonce">24 bytes, random.</param>
    /// <param name="output">As long as <paramref name="clear"/> and <see cref="TagSize"/> more: ciphertext ‖ tag.</param>
    public void Seal(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> clear, ReadOnlySpan<byte> associated, Span<byte> output)
    {
        Span<byte> key = stackalloc byte[KeySize];
        DeriveKey(nonce, key);
        using var gcm = new AesGcm(key, TagSize);
        CryptographicOperations.ZeroMemory(key);
        gcm.Encrypt(nonce[12..], clear, output[..clear.Length], output[clear.Length..], associated);
    }

    /// <returns>False if the tag does not verify; <paramref name="clear"/> is zero then.</returns>
    public bool TryOpen(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> input, ReadOnlySpan<byte> associated, Span<byte> clear)
    {
        Span<byte> key = stackalloc byte[KeySize];
        DeriveKey(nonce, key);
        using var gcm = new AesGcm(key, TagSize);
        CryptographicOperations.ZeroMemory(key);
        try
        {
            gcm.Decrypt(nonce[12..], input[..^TagSize], input[^TagSize..], clear, associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    private void DeriveKey(ReadOnlySpan<byte> nonce, Span<byte> key)
    {
        Span<byte> blocks = stackalloc byte[32];
        for (int i = 0; i < 2; i++)
        {
            var block = blocks.Slice(16 * i, 16);
            block[0] = 0;
            block[1] = (byte)(i + 1);
            block[2] = (byte)'X';
            block[3] = 0;
            nonce[..12].CopyTo(block[4..]);
            for (int j = 0; j < 16; j++) block[j] ^= _k1[j];
        }
        // An Aes instance is not documented as safe for two threads.
        lock (_lock)
        {
            // An Aes that was disposed of makes itself a new key, and what is sealed with that nobody ever opens.
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _aes.EncryptEcb(blocks, key, PaddingMode.None);
        }
    }

    public void Dispose()
    {
        lock (_lock) _isDisposed = true;
        _aes.Dispose();
        CryptographicOperations.ZeroMemory(_k1);
    }
}
