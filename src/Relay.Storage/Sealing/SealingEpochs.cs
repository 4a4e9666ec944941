using System.Security.Cryptography;
using System.Text;

namespace Relay.Storage.Sealing;

/// <summary>
/// The data keys of sealing epochs, a forward-secure chain: S(n+1) = HKDF-SHA256(S(n), "relay/v1/epoch/next"), and the key of a table in
/// epoch n is HKDF-SHA256(E, salt S(n), "relay/v1/epoch/" ‖ table), where E is derived from the sealing key. From the secret of an epoch
/// every later one follows and no earlier one: <see cref="Destroy"/> replaces the oldest secret that is held by a later one, and what was
/// sealed before opens with nothing any more. Thread-safe.
/// </summary>
public sealed class SealingEpochs : IDisposable
{
    /// <summary>Size of an epoch's secret, in bytes.</summary>
    public const int SecretSize = 32;

    /// <summary>
    /// Epochs beyond <see cref="Current"/> that values are opened of: another node may have begun one. The number in a value is not
    /// authenticated before it opens, and each epoch costs a derivation.
    /// </summary>
    public const uint MaxAhead = 8;

    /// <summary>Epochs that a chain advances by at most, between the oldest one held and the current one.</summary>
    public const uint MaxSpan = 1 << 16;

    private readonly Lock _lock = new();
    // Pinned: the garbage collector leaves copies of what it moves.
    private readonly byte[] _sealing = GC.AllocateArray<byte>(SealingKey.Size, pinned: true);
    private readonly byte[] _secret = GC.AllocateArray<byte>(SecretSize, pinned: true);
    private readonly Dictionary<uint, Ciphers> _ciphers = [];
    private volatile Ciphers _current;
    private uint _floor;
    private bool _isDisposed;

    /// <param name="secret">S(<paramref name="floor"/>), 32 bytes; copied.</param>
    /// <param name="floor">The oldest epoch whose values can be opened.</param>
    /// <param name="current">The epoch that values are sealed in.</param>
    /// <exception cref="ArgumentException">The secret has another length, or the numbers are not a chain's.</exception>
    public SealingEpochs(SealingKey key, ReadOnlySpan<byte> secret, uint floor, uint current)
    {
        if (secret.Length != SecretSize) throw new ArgumentException("An epoch's secret has 32 bytes.", nameof(secret));
        if (current < floor || current - floor > MaxSpan)
            throw new ArgumentException("The current epoch is not one that follows the oldest one.", nameof(current));
        key.Derive("epoch", _sealing);
        secret.CopyTo(_secret);
        _floor = floor;
        _current = Derive(current);
        _ciphers.Add(current, _current);
    }

    /// <summary>The epoch that values are sealed in.</summary>
    public uint Current => _current.Epoch;

    /// <summary>The oldest epoch whose values can be opened.</summary>
    public uint Floor => Volatile.Read(ref _floor);

    /// <summary>Makes a new chain's first secret, and gives it a number that no earlier chain has reached.</summary>
    /// <param name="now">
    /// Epochs are numbered from the minute in which their chain began, and last longer than a minute: so the values of a chain that was lost
    /// are told from those of its successor by their lower numbers.
    /// </param>
    public static uint Begin(Span<byte> secret, FillRandom random, DateTimeOffset now)
    {
        random(secret);
        return (uint)Math.Clamp(now.ToUnixTimeSeconds() / 60, 1, uint.MaxValue - MaxSpan);
    }

    /// <summary>Seals in a later epoch from now on; does nothing if that is the current one or an earlier one.</summary>
    public void Advance(uint epoch)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (epoch <= _current.Epoch) return;
            if (epoch - _floor > MaxSpan) throw new ArgumentOutOfRangeException(nameof(epoch), epoch, "The epoch is too far ahead.");
            _current = Of(epoch)!;
        }
    }

    /// <summary>
    /// Destroys the keys of every epoch before <paramref name="epoch"/> in this process; the caller has done so in the file
    /// (<see cref="EpochKeyFile"/>). Does nothing if they are destroyed.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is after the current epoch, whose key is in use.</exception>
    public void Destroy(uint epoch)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (epoch <= _floor) return;
            ArgumentOutOfRangeException.ThrowIfGreaterThan(epoch, _current.Epoch);
            Ratchet(_secret, epoch - _floor);
            Volatile.Write(ref _floor, epoch);
            foreach (var old in _ciphers.Keys.Where(e => e < epoch).ToArray())
            {
                _ciphers.Remove(old, out var ciphers);
                ciphers!.Dispose();
            }
        }
    }

    /// <summary>Copies the secret of an epoch: with it, and the sealing key, everything sealed from then on is opened.</summary>
    /// <returns>False if the epoch's key was destroyed, or it is not begun.</returns>
    public bool TryCopySecret(uint epoch, Span<byte> secret)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (epoch < _floor || epoch > _current.Epoch) return false;
            _secret.CopyTo(secret);
            Ratchet(secret[..SecretSize], epoch - _floor);
            return true;
        }
    }

    /// <summary>
    /// What tells whether two processes hold the same chain, without telling the secret: HKDF-SHA256(S(n), "relay/v1/epoch/check").
    /// </summary>
    /// <param name="epoch">Not before the oldest one held, and at most <see cref="MaxSpan"/> after it.</param>
    /// <returns>16 bytes; null if the epoch's key was destroyed, or it is too far ahead.</returns>
    public byte[]? Check(uint epoch)
    {
        Span<byte> secret = stackalloc byte[SecretSize];
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (epoch < _floor || epoch - _floor > MaxSpan) return null;
            _secret.CopyTo(secret);
            Ratchet(secret, epoch - _floor);
        }
        var check = new byte[16];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, check, salt: [], info: "relay/v1/epoch/check"u8);
        CryptographicOperations.ZeroMemory(secret);
        return check;
    }

    internal (uint Epoch, Xaes256Gcm Cipher) ToSeal(SealedTable table)
    {
        var current = _current;
        return (current.Epoch, current[table]);
    }

    /// <returns>Null if the epoch's key was destroyed, or the number is none that this chain can have reached.</returns>
    internal Xaes256Gcm? ToOpen(uint epoch, SealedTable table)
    {
        var current = _current;
        if (epoch == current.Epoch) return current[table];
        lock (_lock) return _isDisposed ? null : Of(epoch)?[table];
    }

    private Ciphers? Of(uint epoch)
    {
        if (_ciphers.TryGetValue(epoch, out var known)) return known;
        if (epoch < _floor || (epoch > _current.Epoch && epoch - _current.Epoch > MaxAhead)) return null;
        var derived = Derive(epoch);
        _ciphers.Add(epoch, derived);
        return derived;
    }

    private Ciphers Derive(uint epoch)
    {
        Span<byte> secret = stackalloc byte[SecretSize];
        _secret.CopyTo(secret);
        Ratchet(secret, epoch - _floor);
        var ciphers = new Ciphers(epoch, _sealing, secret);
        CryptographicOperations.ZeroMemory(secret);
        return ciphers;
    }

    /// <summary>Replaces the secret of an epoch by that of a later one.</summary>
    private static void Ratchet(Span<byte> secret, uint steps)
    {
        Span<byte> next = stackalloc byte[SecretSize];
        for (uint i = 0; i < steps; i++)
        {
            HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, next, salt: [], info: "relay/v1/epoch/next"u8);
            next.CopyTo(secret);
        }
        CryptographicOperations.ZeroMemory(next);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            foreach (var ciphers in _ciphers.Values) ciphers.Dispose();
            _ciphers.Clear();
            CryptographicOperations.ZeroMemory(_secret);
            CryptographicOperations.ZeroMemory(_sealing);
        }
    }

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(SealingEpochs);

    /// <summary>The keys of one epoch.</summary>
    private sealed class Ciphers : IDisposable
    {
        private readonly Dictionary<SealedTable, Xaes256Gcm> _byTable = [];

        public Ciphers(uint epoch, ReadOnlySpan<byte> sealing, ReadOnlySpan<byte> secret)
        {
            Epoch = epoch;
            Span<byte> derived = stackalloc byte[Xaes256Gcm.KeySize];
            foreach (var table in Enum.GetValues<SealedTable>().Where(Sealer.IsOfEpoch))
            {
                HKDF.DeriveKey(HashAlgorithmName.SHA256, sealing, derived, secret,
                    Encoding.ASCII.GetBytes("relay/v1/epoch/" + table.ToString().ToLowerInvariant()));
                _byTable.Add(table, new Xaes256Gcm(derived));
            }
            CryptographicOperations.ZeroMemory(derived);
        }

        public uint Epoch { get; }

        public Xaes256Gcm this[SealedTable table] => _byTable[table];

        public void Dispose()
        {
            foreach (var cipher in _byTable.Values) cipher.Dispose();
        }
    }
}
