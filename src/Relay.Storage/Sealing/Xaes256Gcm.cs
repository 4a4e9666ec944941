using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Relay.Storage.Sealing;

/// <summary>
/// XAES-256-GCM (C2SP): AES-256-GCM under a key derived from the first half of a 192-bit nonce by AES-CMAC in counter
/// mode. With random 96-bit nonces, one key would reach its bound of 2³² rows within days; with 192 bits it never does, and no counter
/// has to survive a crash. A derived key is used for a run of nonces with the same first half, whose second half counts from a random
/// start, because the derivation and the key schedule cost more than most seals. The keys that opened the last values are kept for the
/// same reason: what a process reads is mostly what it, or a neighbour, has just sealed.
/// </summary>
internal sealed class Xaes256Gcm : IDisposable
{
    public const int KeySize = 32, NonceSize = 24, TagSize = 16;

    private const int PrefixSize = 12, SealsPerRun = 1 << 16, MaxOpeners = 8;

    private readonly Aes _aes = Aes.Create();
    // Pinned: the garbage collector leaves copies of what it moves.
    private readonly byte[] _k1 = GC.AllocateArray<byte>(16, pinned: true);
    private readonly Lock _lock = new();
    // Idle runs. There are as many as threads that have sealed at the same time.
    private readonly ConcurrentBag<Run> _runs = [];
    // Idle keys of values that were opened, the last one used at the end.
    private readonly List<Opener> _openers = new(MaxOpeners + 1);
    private volatile bool _isDisposed;

    /// <param name="key">32 bytes.</param>
    public Xaes256Gcm(ReadOnlySpan<byte> key)
    {
        _aes.SetKey(key);
        Span<byte> zero = stackalloc byte[16];
        zero.Clear();
        _aes.EncryptEcb(zero, _k1, PaddingMode.None);
        // The first subkey of CMAC: L doubled in GF(2^128), without a branch on the secret bit.
        var l = BinaryPrimitives.ReadUInt128BigEndian(_k1);
        BinaryPrimitives.WriteUInt128BigEndian(_k1, (l << 1) ^ ((UInt128)0x87 * (l >> 127)));
    }

    /// <summary>Seals under a fresh nonce.</summary>
    /// <param name="nonce">Receives the 24-byte nonce.</param>
    /// <param name="output">Receives ciphertext ‖ tag; <see cref="TagSize"/> longer than <paramref name="clear"/>.</param>
    public void Seal(FillRandom random, Span<byte> nonce, ReadOnlySpan<byte> clear, ReadOnlySpan<byte> associated, Span<byte> output)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (!_runs.TryTake(out var run)) run = Begin(random);
        run.Seal(nonce, clear, associated, output);
        if (run.Left > 0 && !_isDisposed) _runs.Add(run);
        else run.Dispose();
    }

    /// <summary>Seals under a given nonce.</summary>
    /// <param name="nonce">24 bytes, never reused under this key.</param>
    /// <param name="output">Receives ciphertext ‖ tag; <see cref="TagSize"/> longer than <paramref name="clear"/>.</param>
    public void Seal(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> clear, ReadOnlySpan<byte> associated, Span<byte> output)
    {
        using var gcm = Derive(nonce[..PrefixSize]);
        gcm.Encrypt(nonce[PrefixSize..], clear, output[..clear.Length], output[clear.Length..], associated);
    }

    /// <summary>Verifies and decrypts ciphertext ‖ tag.</summary>
    /// <returns>False if the tag does not verify; <paramref name="clear"/> is zeroed then.</returns>
    public bool TryOpen(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> input, ReadOnlySpan<byte> associated, Span<byte> clear)
    {
        var opener = TakeOpener(nonce[..PrefixSize]);
        try
        {
            opener.Gcm.Decrypt(nonce[PrefixSize..], input[..^TagSize], input[^TagSize..], clear, associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
        finally
        {
            Return(opener);
        }
    }

    private Opener TakeOpener(ReadOnlySpan<byte> prefix)
    {
        var (first, second) = (BinaryPrimitives.ReadUInt64BigEndian(prefix), BinaryPrimitives.ReadUInt32BigEndian(prefix[8..]));
        lock (_openers)
        {
            // The last one used is looked at first. One that is in use is not in the list.
            for (int i = _openers.Count - 1; i >= 0; i--)
            {
                var opener = _openers[i];
                if (opener.First != first || opener.Second != second) continue;
                _openers.RemoveAt(i);
                return opener;
            }
        }
        return new Opener(first, second, Derive(prefix));
    }

    private void Return(Opener opener)
    {
        AesGcm? surplus = null;
        lock (_openers)
        {
            if (_isDisposed)
            {
                surplus = opener.Gcm;
            }
            else
            {
                _openers.Add(opener);
                if (_openers.Count > MaxOpeners)
                {
                    surplus = _openers[0].Gcm;
                    _openers.RemoveAt(0);
                }
            }
        }
        surplus?.Dispose();
    }

    private Run Begin(FillRandom random)
    {
        Span<byte> nonce = stackalloc byte[NonceSize];
        random(nonce);
        return new Run(Derive(nonce[..PrefixSize]), nonce);
    }

    private AesGcm Derive(ReadOnlySpan<byte> prefix)
    {
        Span<byte> blocks = stackalloc byte[32], key = stackalloc byte[KeySize];
        for (int i = 0; i < 2; i++)
        {
            var block = blocks.Slice(16 * i, 16);
            block[0] = 0;
            block[1] = (byte)(i + 1);
            block[2] = (byte)'X';
            block[3] = 0;
            prefix.CopyTo(block[4..]);
            for (int j = 0; j < 16; j++) block[j] ^= _k1[j];
        }
        // An Aes instance is not documented as thread-safe.
        lock (_lock)
        {
            // A disposed Aes generates a new key, and a value sealed under that key could never be opened.
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _aes.EncryptEcb(blocks, key, PaddingMode.None);
        }
        var gcm = new AesGcm(key, TagSize);
        CryptographicOperations.ZeroMemory(key);
        return gcm;
    }

    public void Dispose()
    {
        lock (_lock) _isDisposed = true;
        _aes.Dispose();
        foreach (var run in _runs) run.Dispose();
        lock (_openers)
        {
            foreach (var opener in _openers) opener.Gcm.Dispose();
            _openers.Clear();
        }
        CryptographicOperations.ZeroMemory(_k1);
    }

    /// <summary>The first half of a nonce and the key derived from it. An AesGcm instance is not documented as thread-safe.</summary>
    private readonly record struct Opener(ulong First, uint Second, AesGcm Gcm);

    /// <summary>A derived key and its next nonce. Not thread-safe.</summary>
    private sealed class Run : IDisposable
    {
        private readonly AesGcm _gcm;
        private readonly byte[] _prefix;
        private UInt128 _suffix;

        public Run(AesGcm gcm, ReadOnlySpan<byte> first)
        {
            _gcm = gcm;
            _prefix = first[..PrefixSize].ToArray();
            // The last 12 bytes of the nonce; the four bytes read before them are masked out.
            _suffix = BinaryPrimitives.ReadUInt128BigEndian(first[^16..]) & Last;
        }

        public int Left { get; private set; } = SealsPerRun;

        private static UInt128 Last => UInt128.MaxValue >> 32;

        public void Seal(Span<byte> nonce, ReadOnlySpan<byte> clear, ReadOnlySpan<byte> associated, Span<byte> output)
        {
            BinaryPrimitives.WriteUInt128BigEndian(nonce[^16..], _suffix);
            _prefix.CopyTo(nonce);
            _suffix = (_suffix + 1) & Last;
            Left--;
            _gcm.Encrypt(nonce[PrefixSize..], clear, output[..clear.Length], output[clear.Length..], associated);
        }

        public void Dispose() => _gcm.Dispose();
    }
}
